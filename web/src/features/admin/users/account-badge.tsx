import type { AccountStatus } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";

const TONES: Record<AccountStatus, string> = { active: "good", disabled: "bad", closing: "wait" };
const NAMES: Record<AccountStatus, string> = {
  active: "active",
  disabled: "disabled",
  closing: "being deleted",
};

/** Whether a user may sign in and spend. */
export function AccountBadge({ status = "active" }: { status?: AccountStatus | undefined }) {
  return <Badge tone={TONES[status]}>{NAMES[status]}</Badge>;
}
