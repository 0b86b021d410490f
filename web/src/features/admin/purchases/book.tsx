/** Books a payment that was unmatched, for the user who has paid. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AdminPurchase } from "../../../api/admin-types";
import { Confirm } from "../../../ui/confirm";
import { credits, money } from "../../../ui/format";
import { notify } from "../../../ui/notices";
import { IdField } from "../id-field";
import type { Administered } from "./purchase";

export function Book({ purchase, onClose, onDone }: Administered) {
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
