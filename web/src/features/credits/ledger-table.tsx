/** Ledger entries, each with the balance after it. */
import { number, signed } from "../../ui/format";
import { TableScroll } from "../../ui/table-scroll";
import { ExactTime } from "../../ui/when";
import { EntryBadge } from "./entry-badge";
import type { Line } from "./ledger";

export function LedgerTable({
  lines,
  screen,
}: {
  lines: readonly Line[];
  /** Where a request is shown: to its owner in the gallery, to operators among all requests. */
  screen: "gallery" | "requests";
}) {
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
            <Row key={line.id} line={line} screen={screen} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

function Row({ line, screen }: { line: Line; screen: string }) {
  const id = line.generationRequestId;
  return (
    <tr>
      <td>
        <ExactTime iso={line.timestamp} />
      </td>
      <td>
        <span class="entry">
          <EntryBadge type={line.type} />
          {id && (
            <a href={`/${screen}/${encodeURIComponent(id)}`} title={`Request ${id}`}>
              <code>{id.length > 14 ? `${id.slice(0, 12)}…` : id}</code>
            </a>
          )}
        </span>
      </td>
      <td class={`end tabular ${line.change > 0 ? "gain" : ""}`}>{signed(line.change)}</td>
      <td class="end tabular">{number(line.balanceAfter)}</td>
    </tr>
  );
}
