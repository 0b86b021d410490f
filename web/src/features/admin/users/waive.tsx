/** Debt that a user does not have to pay. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import { Confirm } from "../../../ui/confirm";
import { credits } from "../../../ui/format";
import { notify } from "../../../ui/notices";
import { CreditsField } from "../credits-field";
import type { Administered } from "./user";

export function Waive({ user, balance, onClose, onDone }: Administered) {
  const debt = balance?.debt ?? 0;
  const [amount, setAmount] = useState(debt);
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const left = Math.max(0, debt - amount);
  return (
    <Confirm
      title="Waive the debt"
      label={`Waive ${credits(amount)}`}
      repeatable
      disabled={amount < 1 || amount > debt}
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("POST", at`/users/${user.userId}/debtWaivers`, {
          credits: amount,
          reason,
          idempotencyKey,
        });
        notify(`${credits(amount)} of debt waived.`);
        onDone();
      }}
    >
      <CreditsField label="Credits" value={amount} max={debt} onChange={setAmount} />
      <p class="note">
        {credits(debt)} are owed.{" "}
        {left === 0
          ? "Nothing will be owed, and the user can create images again."
          : `${credits(left)} will still be owed, and nothing can be created until they are paid.`}
      </p>
    </Confirm>
  );
}
