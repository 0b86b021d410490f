/** One purchase, and what can be done about it: book an unmatched one, give the money back. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AdminPurchase } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { Button, Identifier } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { Fact, Facts } from "../../../ui/facts";
import { credits, dateTime, money, number, price } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { Loading } from "../../../ui/loading";
import { notify } from "../../../ui/notices";
import { PageHead } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { PURCHASE_STATES } from "../../credits/words";
import { IdField } from "../id-field";

/** Stripe tells of its refunds itself. */
const isToldByHand = ({ provider, status }: AdminPurchase): boolean =>
  provider === "revenuecat" && ["paid", "partially_refunded", "reinstated"].includes(status);

export function Purchase({ id }: { id: string }) {
  useTitle(`Purchase ${id}`);
  const loaded = useResource(() => admin<AdminPurchase>("GET", at`/purchases/${id}`), [id]);
  const [open, setOpen] = useState<"book" | "refund" | null>(null);
  const purchase = loaded.value;
  if (!purchase) {
    return (
      <>
        <PageHead title="Purchase">
          <code>{id}</code>
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
          </>
        }
      >
        <a href="/purchases">All purchases</a>
      </PageHead>
      <section class="card" aria-label="The purchase">
        <What purchase={purchase} />
      </section>
      {open === "book" && <Book {...given} />}
      {open === "refund" && <Refund {...given} />}
    </>
  );
}

function What({ purchase }: { purchase: AdminPurchase }) {
  const { name, tone } = PURCHASE_STATES[purchase.status];
  const { amount, currency, clawedBackCredits, owedCredits, userId } = purchase;
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
      <Fact name="Paid through">{purchase.provider}</Fact>
      <Fact name="Price">{price(amount, currency)}</Fact>
      <Fact name="Credits">{number(purchase.credits)}</Fact>
      {clawedBackCredits > 0 && <Fact name="Taken back">{credits(clawedBackCredits)}</Fact>}
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

interface Given {
  purchase: AdminPurchase;
  onClose: () => void;
  onDone: () => void;
}

function Book({ purchase, onClose, onDone }: Given) {
  const [userId, setUserId] = useState(purchase.userId);
  const { amount, currency } = purchase;
  return (
    <Confirm
      title="Book the purchase"
      label="Book"
      disabled={!userId.trim()}
      onClose={onClose}
      onConfirm={async (reason) => {
        const booked = await admin<AdminPurchase>(
          "POST",
          at`/purchases/${purchase.purchaseId}/book`,
          {
            userId: userId.trim(),
            reason,
          },
        );
        notify(
          booked.status === "unmatched"
            ? `Something is still missing: ${booked.reason ?? "the product is not known"}.`
            : `The purchase is booked for ${booked.userId}.`,
        );
        onDone();
      }}
    >
      <IdField label="For the user with the id" value={userId} onInput={setUserId} />
      <p>
        {purchase.credits > 0 ? credits(purchase.credits) : "The credits of the product"} go to this
        user for {currency ? money(amount, currency) : "what was paid"}. A later refund takes them
        back from the same account.
      </p>
    </Confirm>
  );
}

function Refund({ purchase, onClose, onDone }: Given) {
  const left = purchase.credits - purchase.clawedBackCredits;
  return (
    <Confirm
      title="Note a refund"
      label={`Take back ${credits(left)}`}
      danger
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("POST", at`/purchases/${purchase.purchaseId}/refund`, { reason });
        notify("The refund is noted.");
        onDone();
      }}
    >
      <p>
        The store has given the money back, and nobody has told: no money moves here.{" "}
        {credits(left)} are taken back from {purchase.userId}; those that are spent already are
        owed. This cannot be undone.
      </p>
    </Confirm>
  );
}
