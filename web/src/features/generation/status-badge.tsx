import type { Status } from "../../api/types";
import { Badge } from "../../ui/badge";

const STATUS_TONES: Record<Status, string> = {
  completed: "good",
  failed: "bad",
  canceled: "neutral",
  pending: "wait",
  processing: "wait",
};

export function StatusBadge({ status }: { status: Status }) {
  return (
    <Badge tone={STATUS_TONES[status]}>
      <span class="dot" aria-hidden="true" />
      {status}
    </Badge>
  );
}
