/** Makes a malformed account usable again. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import { Confirm } from "../../../ui/confirm";
import { Field } from "../../../ui/fields";
import { credits } from "../../../ui/format";
import { notify } from "../../../ui/notices";
import type { Administered } from "./user";

export function Repair({ user, onClose, onDone }: Administered) {
  const [wanted, setWanted] = useState("");
  return (
    <Confirm
      title="Repair the account"
      label="Repair"
      onClose={onClose}
      onConfirm={async (reason) => {
        const done = await admin<{ grantedCredits: number; currentCredits: number }>(
          "POST",
          at`/users/${user.userId}/repair`,
          { reason, credits: wanted === "" ? undefined : Number(wanted) },
        );
        notify(`The account is usable again, with ${credits(done.currentCredits)}.`);
        onDone();
      }}
    >
      <p class="note">
        Fields that are malformed get the values that follow from the ledger and the purchases:{" "}
        {Object.entries(user.malformed)
          .map(([field, held]) => `${field} (now ${held})`)
          .join(", ")}
        .
      </p>
      <Field label="Balance to have" hint="empty: that of the ledger">
        {(id) => (
          <input
            id={id}
            type="number"
            inputMode="numeric"
            min={0}
            max={1_000_000}
            step={1}
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        )}
      </Field>
      <p class="note">What it is above that of the ledger is granted.</p>
    </Confirm>
  );
}
