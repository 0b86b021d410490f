/** Where a request's credits came from, and what the ledger says of them. */
import type { AdminRequest } from "../../../api/admin-types";
import { number, signed } from "../../../ui/format";
import { TableScroll } from "../../../ui/table-scroll";
import { ExactTime } from "../../../ui/when";
import { EntryBadge } from "../../credits/entry-badge";
import { KINDS } from "../../credits/words";

export function Books({ request: { entries, lots } }: { request: AdminRequest }) {
  if (entries.length === 0 && lots.length === 0) return null;
  return (
    <section class="card flush" aria-labelledby="books-title">
      <h2 id="books-title">Ledger</h2>
      {entries.length > 0 && (
        <TableScroll labelledBy="books-title">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Entry</th>
                <th scope="col" class="end">
                  Credits
                </th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <tr key={entry.id}>
                  <td>
                    <ExactTime iso={entry.timestamp} />
                  </td>
                  <td>
                    <EntryBadge type={entry.type} />
                  </td>
                  <td class="end">{signed(entry.delta ?? entry.credits)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      {lots.length > 0 && (
        <p class="padded note lots-note">
          Paid from {lots.map((lot) => `${number(lot.credits)} of “${KINDS[lot.kind]}”`).join(", ")}
          .
        </p>
      )}
    </section>
  );
}
