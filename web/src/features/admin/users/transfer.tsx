/** Moves what was bought to another account of the same person. */

import type { Schemas } from "imagegen-client";
import { useState } from "preact/hooks";
import { admin } from "../../../api/admin";
import { Confirm } from "../../../ui/confirm";
import { credits } from "../../../ui/format";
import { notify } from "../../../ui/notices";
import { IdField } from "../id-field";
import type { Administered } from "./user";

export function Transfer({ user, balance, onClose, onDone }: Administered) {
  const [toUserId, setToUserId] = useState("");
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const { purchased = 0, subscription = 0 } = balance?.totals ?? {};
  const debt = balance?.debt ?? 0;
  return (
    <Confirm
      title="Move purchases to another account"
      label="Move"
      repeatable
      disabled={!toUserId.trim() || toUserId.trim() === user.userId}
      onClose={onClose}
      onConfirm={async (reason) => {
        const { transferredCredits } = await admin<Schemas["CreditTransfer"]>(
          "POST",
          "/transfers",
          {
            fromUserId: user.userId,
            toUserId: toUserId.trim(),
            reason,
            idempotencyKey,
          },
        );
        notify(`${credits(transferredCredits)} moved to ${toUserId.trim()}.`);
        onDone();
      }}
    >
      <IdField label="To the user with the id" value={toUserId} onInput={setToUserId} />
      <p class="note">
        {credits(purchased + subscription)} that were bought go there with their purchases
        {debt > 0 && ` and ${credits(debt)} of debt`}; refunds and renewals follow them. What was
        given free of charge stays.
      </p>
    </Confirm>
  );
}
