/** Deletes a user's account, as the user's own deleteAccount does. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import { Confirm } from "../../../ui/confirm";
import { credits, number } from "../../../ui/format";
import { notify } from "../../../ui/notices";
import { IdField } from "../id-field";
import type { Administered } from "./user";

export function Delete({ user, balance, onClose, onDone }: Administered) {
  const [typed, setTyped] = useState("");
  return (
    <Confirm
      title="Delete the account"
      label="Delete the account"
      danger
      disabled={typed.trim() !== user.userId}
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("DELETE", at`/users/${user.userId}`, { reason });
        notify("The account is being deleted.");
        onDone();
      }}
    >
      <p>
        {credits(balance?.currentCredits ?? 0)} are lost, {number(user.openRequests)} open requests
        are canceled, and all images, prompts and {number(user.devices.length)} devices are deleted.
        The ledger and the purchases stay in the books without a name. This cannot be undone.
      </p>
      <IdField
        label="Write the user’s id to confirm"
        hint={user.userId}
        value={typed}
        onInput={setTyped}
      />
    </Confirm>
  );
}
