/** One purchase, and what can be done about it: book an unmatched one, give the money back. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AdminPurchase } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { Button, Identifier } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { Fact, Facts } from "../../../ui/facts";
import { Failure } from "../../../ui/failure";
import { Field } from "../../../ui/fields";
import { credits, dateTime, money, number } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { notify } from "../../../ui/notices";
import { PageHead, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { PURCHASE_STATES } from "../../credits/words";

const REFUNDABLE = ["paid", "partially_refunded", "reinstated"];

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
        {loaded.error ? (
          <Failure error={loaded.error} onRetry={loaded.reload} />
        ) : (
          <Skeleton height="16rem" />
        )}
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
            {REFUNDABLE.includes(purchase.status) && (
              <Button kind="danger" icon="refund" onClick={() => setOpen("refund")}>
                Refund
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
      <Fact name="Price">{currency ? money(amount, currency) : "–"}</Fact>
      <Fact name="Credits">{number(purchase.credits)}</Fact>
      {clawedBackCredits > 0 && <Fact name="Taken back">{credits(clawedBackCredits)}</Fact>}
      {owedCredits > 0 && <Fact name="Owed">{credits(owedCredits)}</Fact>}
      <Fact name="Paid at">{dateTime(purchase.createdAt)}</Fact>
    </Facts>
  );
}

interface Given {
  purchase: AdminPurchase;
  onClose: () => void;
  onDone: () => void;
}

function Book({ purchase, onClose, onDone }: Given) {
  const [userId, setUserId] = useState(purchase.userId ?? "");
  const { amount, currency } = purchase;
  return (
    <Confirm
      title="Book the purchase"
      label="Book"
      disabled={!userId.trim()}
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("POST", at`/purchases/${purchase.purchaseId}/book`, {
          userId: userId.trim(),
          reason,
        });
        notify(`The purchase is booked for ${userId.trim()}.`);
        onClose();
        onDone();
      }}
    >
      <Field label="For the user with the id">
        {(id) => (
          <input
            id={id}
            type="text"
            required
            autocomplete="off"
            spellcheck={false}
            data-autofocus
            value={userId}
            onInput={(event) => setUserId(event.currentTarget.value)}
          />
        )}
      </Field>
      <p>
        {purchase.credits > 0 ? credits(purchase.credits) : "The credits of the product"} go to this
        user for {currency ? money(amount, currency) : "what was paid"}. A later refund takes them
        back from the same account.
      </p>
    </Confirm>
  );
}

function Refund({ purchase, onClose, onDone }: Given) {
  const { amount, currency, clawedBackCredits } = purchase;
  const left = purchase.credits - clawedBackCredits;
  return (
    <Confirm
      title="Refund the purchase"
      label={currency ? `Refund ${money(amount, currency)}` : "Refund"}
      danger
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("POST", at`/purchases/${purchase.purchaseId}/refund`, { reason });
        notify("The payment provider has been told to refund it.");
        onClose();
        onDone();
      }}
    >
      <p>
        {currency ? money(amount, currency) : "The money"} goes back to the buyer, and{" "}
        {credits(left)} are taken back from {purchase.userId ?? "the account"}. Those that are spent
        already are owed. This cannot be undone.
      </p>
    </Confirm>
  );
}
