import type { LedgerEntry } from "../../api/types";
import { Badge } from "../../ui/badge";

const NAMES: Record<LedgerEntry["type"], string> = {
  deduction: "Charge",
  refund: "Refund",
  grant: "Grant",
  purchase: "Purchase",
  expiry: "Expired",
  clawback: "Taken back",
  reinstatement: "Given back",
  transfer_out: "Moved out",
  transfer_in: "Moved in",
};
const TONES: Record<LedgerEntry["type"], string> = {
  deduction: "neutral",
  refund: "good",
  grant: "info",
  purchase: "good",
  expiry: "wait",
  clawback: "bad",
  reinstatement: "good",
  transfer_out: "neutral",
  transfer_in: "info",
};

/** What a ledger entry is called. */
export function EntryBadge({ type }: { type: LedgerEntry["type"] }) {
  return <Badge tone={TONES[type]}>{NAMES[type]}</Badge>;
}
