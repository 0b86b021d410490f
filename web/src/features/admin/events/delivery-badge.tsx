import type { DeliveryStatus } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";

const TONES: Record<DeliveryStatus, string> = {
  pending: "wait",
  delivered: "good",
  failed: "bad",
  dropped: "neutral",
};

export function DeliveryBadge({ status }: { status: DeliveryStatus }) {
  return <Badge tone={TONES[status]}>{status}</Badge>;
}
