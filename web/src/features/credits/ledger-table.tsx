/** Ledger entries, each with the balance after it. */
import type { LedgerEntry } from "../../api/types";
import { Badge } from "../../ui/badge";
import { number } from "../../ui/format";
import { TableScroll } from "../../ui/table-scroll";
import { ExactTime } from "../../ui/when";
import type { Line } from "./ledger";

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

export function LedgerTable({ lines }: { lines: readonly Line[] }) {
  return (
    <TableScroll labelledBy="ledger-title">
      <table class="ledger">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Entry</th>
            <th scope="col" class="end">
              Credits
            </th>
            <th scope="col" class="end">
              Balance
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <Row key={line.id} line={line} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Row({ line }: { line: Line }) {
  const id = line.generationRequestId;
  return (
    <tr>
      <td>
        <ExactTime iso={line.timestamp} />
      </td>
      <td>
        <span class="entry">
          <Badge tone={TONES[line.type]}>{NAMES[line.type]}</Badge>
          {id && (
            <a href={`/gallery/${encodeURIComponent(id)}`} title={`Request ${id}`}>
              <code>{id.length > 14 ? `${id.slice(0, 12)}…` : id}</code>
            </a>
          )}
        </span>
      </td>
      <td class={`end tabular ${line.change > 0 ? "gain" : ""}`}>
        {line.change > 0 ? "+" : "−"}
        {number(Math.abs(line.change))}
      </td>
      <td class="end tabular">{number(line.balanceAfter)}</td>
    </tr>
  );
}
