/** Everything that is stored about a user, as one file, for somebody who asks by mail. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AccountExport } from "../../../api/admin-types";
import { written } from "../../../api/exports";
import { Confirm } from "../../../ui/confirm";
import { Dialog } from "../../../ui/dialog";
import { dateTime } from "../../../ui/format";
import { useWhileShown } from "../../../ui/hooks";
import { Icon } from "../../../ui/icons";
import type { Administered } from "./user";

export function Export({ user, onClose }: Administered) {
  const [ready, setReady] = useState<AccountExport | null>(null);
  const whileShown = useWhileShown();
  if (ready?.url) {
    return (
      <Dialog title="The export" narrow onClose={onClose}>
        <div class="confirm">
          <p>
            Whoever has its address can open the file. It is deleted
            {ready.expiresAt ? ` on ${dateTime(ready.expiresAt)}` : " after a day"}.
          </p>
          <div class="actions end">
            <a class="button primary" href={ready.url} target="_blank" rel="noreferrer">
              <Icon name="download" /> Open the file
            </a>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Confirm
      title="Export the account"
      label="Export"
      closable
      repeatable
      onClose={onClose}
      onDone={() => {}}
      onConfirm={async (reason) => {
        const ask = () =>
          admin<AccountExport>("POST", at`/users/${user.userId}/exports`, { reason });
        setReady(await written(ask, whileShown));
      }}
    >
      <p>
        The account, its history, {user.email ?? user.userId}’s requests with the addresses of their
        images, purchases and devices are written to one JSON file.
      </p>
    </Confirm>
  );
}
