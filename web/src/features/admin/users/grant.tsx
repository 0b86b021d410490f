/** A grant of credits. However often it is sent, it is made once: the dialog has its key. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import { Confirm } from "../../../ui/confirm";
import { Field } from "../../../ui/fields";
import { credits, date } from "../../../ui/format";
import { notify } from "../../../ui/notices";
import { CreditsField } from "../credits-field";
import type { Administered } from "./user";

export function Grant({ user, balance, onClose, onDone }: Administered) {
  const [amount, setAmount] = useState(0);
  const [day, setDay] = useState("");
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const now = balance?.currentCredits ?? 0;
  const expiresAt = day && new Date(`${day}T23:59:59`).toISOString();
  return (
    <Confirm
      title="Grant credits"
      label={amount > 0 ? `Grant ${credits(amount)}` : "Grant"}
      repeatable
      disabled={amount < 1}
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("POST", at`/users/${user.userId}/grants`, {
          credits: amount,
          reason,
          idempotencyKey,
          expiresAt,
        });
        notify(`${credits(amount)} granted.`);
        onDone();
      }}
    >
      <CreditsField label="Credits" value={amount} onChange={setAmount} focus />
      <Field label="They expire" hint="empty: never">
        {(id) => (
          <input
            id={id}
            type="date"
            value={day}
            min={new Date().toISOString().slice(0, 10)}
            onChange={(event) => setDay(event.currentTarget.value)}
          />
        )}
      </Field>
      <p class="note">
        The balance rises from {credits(now)} to {credits(now + amount)}
        {expiresAt ? `; what is left of them expires after ${date(expiresAt)}.` : "."}
      </p>
    </Confirm>
  );
}
