/** One purchase, and what can be done about it: book an unmatched one, give the money back. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AdminPurchase } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { Button, Identifier } from "../../../ui/button";
import { Fact, Facts } from "../../../ui/facts";
import { Failure } from "../../../ui/failure";
import { credits, dateTime, money, number, price } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { Loading } from "../../../ui/loading";
import { PageHead } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { PURCHASE_STATES } from "../../credits/words";
import { Book } from "./book";
import { Refund, UndoRefund } from "./refund";

const PROVIDERS = { stripe: "Stripe", revenuecat: "RevenueCat" };

/** Stripe tells of its refunds itself. */
const isToldByHand = ({ provider, status }: AdminPurchase): boolean =>
  provider === "revenuecat" && ["paid", "partially_refunded", "reinstated"].includes(status);

export function Purchase({ id }: { id: string }) {
  useTitle(`Purchase ${id}`);
  const loaded = useResource(() => admin<AdminPurchase>("GET", at`/purchases/${id}`), [id]);
  const [open, setOpen] = useState<"book" | "refund" | "undo" | null>(null);
  const purchase = loaded.value;
  if (!purchase) {
    return (
      <>
        <PageHead title="Purchase">
          <a href="/purchases">All purchases</a>
        </PageHead>
        <Loading resource={loaded} height="16rem" />
      </>
    );
  }
  const given = { purchase, onClose: () => setOpen(null), onDone: loaded.reload };
  return (
    <>
      <PageHead
        title="Purchase"
        actions={
          <>
            {purchase.status === "unmatched" && (
              <Button kind="primary" onClick={() => setOpen("book")}>
                Book it
              </Button>
            )}
            {isToldByHand(purchase) && (
              <Button kind="danger" icon="refund" onClick={() => setOpen("refund")}>
                Note a refund
              </Button>
            )}
            {purchase.provider === "revenuecat" && purchase.status === "refunded" && (
              <Button onClick={() => setOpen("undo")}>It was not refunded</Button>
            )}
          </>
        }
      >
        <a href="/purchases">All purchases</a>
      </PageHead>
      {loaded.error !== null && <Failure error={loaded.error} onRetry={loaded.reload} />}
      <section class="card" aria-label="The purchase">
        <What purchase={purchase} />
      </section>
      {open === "book" && <Book {...given} />}
      {open === "refund" && <Refund {...given} />}
      {open === "undo" && <UndoRefund {...given} />}
    </>
  );
}

export interface Administered {
  purchase: AdminPurchase;
  onClose: () => void;
  onDone: () => void;
}

function What({ purchase }: { purchase: AdminPurchase }) {
  const { name, tone } = PURCHASE_STATES[purchase.status];
  const { amount, currency, clawedBackCredits, owedCredits, expiredCredits, userId } = purchase;
  return (
    <Facts>
      <Fact name="Purchase">
        <Identifier value={purchase.purchaseId} />
      </Fact>
      <Fact name="User">
        {userId ? <a href={at`/users/${userId}`}>{userId}</a> : "nobody that is known"}
      </Fact>
      <Fact name="State">
        <Badge tone={tone}>{name}</Badge>
      </Fact>
      <Fact name="Product">
        {purchase.productId ? (
          <a href={at`/catalogue/products/${purchase.productId}`}>{purchase.productId}</a>
        ) : (
          "none that is known"
        )}
      </Fact>
      <Fact name="Paid through">{PROVIDERS[purchase.provider]}</Fact>
      <Fact name="Price">{price(amount, currency)}</Fact>
      <Fact name="Credits">{number(purchase.credits)}</Fact>
      {clawedBackCredits > 0 && <Fact name="Taken back">{credits(clawedBackCredits)}</Fact>}
      {expiredCredits > 0 && <Fact name="Expired unspent">{credits(expiredCredits)}</Fact>}
      {owedCredits > 0 && <Fact name="Owed">{credits(owedCredits)}</Fact>}
      {purchase.waivedCredits > 0 && <Fact name="Waived">{credits(purchase.waivedCredits)}</Fact>}
      {purchase.refundedAmount > 0 && currency && (
        <Fact name="Refunded">{money(purchase.refundedAmount, currency)}</Fact>
      )}
      {purchase.isDisputed && <Fact name="Disputed">by the buyer’s bank</Fact>}
      {purchase.isTest && <Fact name="Test">no real money</Fact>}
      {purchase.reason && <Fact name="Not booked because">{purchase.reason}</Fact>}
      {purchase.items.length > 0 && <Fact name="Paid for">{purchase.items.join(", ")}</Fact>}
      {Object.entries(purchase.providerIds).map(([name, id]) => (
        <Fact key={name} name={name}>
          <Identifier value={id} />
        </Fact>
      ))}
      {purchase.validUntil && <Fact name="Period ends">{dateTime(purchase.validUntil)}</Fact>}
      <Fact name="Begun">{dateTime(purchase.createdAt)}</Fact>
      {purchase.paidAt && <Fact name="Paid">{dateTime(purchase.paidAt)}</Fact>}
    </Facts>
  );
}
