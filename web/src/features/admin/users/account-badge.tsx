import type { AccountStatus } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";

const TONES: Record<AccountStatus, string> = {
  active: "good",
  disabled: "bad",
  closing: "wait",
  closed: "neutral",
};
const NAMES: Record<AccountStatus, string> = {
  active: "active",
  disabled: "disabled",
  closing: "being deleted",
  closed: "deleted",
};

/** Whether a user may sign in and spend. */
export function AccountBadge({ status }: { status: AccountStatus }) {
  return <Badge tone={TONES[status]}>{NAMES[status]}</Badge>;
}
