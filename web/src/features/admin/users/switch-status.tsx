/** Disables an account, and enables it again. */
import { admin, at } from "../../../api/admin";
import type { AccountStatus, UserView } from "../../../api/admin-types";
import { Confirm } from "../../../ui/confirm";
import { credits, number } from "../../../ui/format";
import { notify } from "../../../ui/notices";
import type { Administered } from "./user";

export function SwitchStatus({
  user,
  balance,
  onClose,
  onDone,
  onChange,
}: Administered & { onChange: (update: (view: UserView) => UserView) => void }) {
  const disables = user.status === "active";
  const set = async (status: AccountStatus, reason: string) => {
    await admin("PUT", at`/users/${user.userId}/status`, { status, reason });
    onChange((view) => ({ ...view, user: { ...view.user, status } }));
    onDone();
  };
  return (
    <Confirm
      title={disables ? "Disable the account" : "Enable the account"}
      label={disables ? "Disable" : "Enable"}
      danger={disables}
      onClose={onClose}
      onConfirm={async (reason) => {
        await set(disables ? "disabled" : "active", reason);
        notify(disables ? "The account is disabled." : "The account is enabled.", () =>
          set(disables ? "active" : "disabled", `Undone: ${reason}`),
        );
      }}
    >
      <p class="note">
        {disables
          ? `Nothing can be created, bought or granted. ${credits(balance?.currentCredits ?? 0)} stay in the account, and ${open(user.openRequests)} run to the end.`
          : `The user can spend ${credits(balance?.currentCredits ?? 0)} and buy more.`}
      </p>
    </Confirm>
  );
}

const open = (count: number): string =>
  count === 1 ? "1 open request" : `${number(count)} open requests`;
