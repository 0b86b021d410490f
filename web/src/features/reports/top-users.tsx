import type { Report } from "../../api/report";
import { number } from "../../ui/format";
import { TableScroll } from "../../ui/table-scroll";

export function TopUsers({ report }: { report: Report }) {
  const most = Math.max(1, ...report.topUsers.map((each) => each.credits));
  return (
    <section class="card flush" aria-labelledby="top-users">
      <h2 id="top-users">Top users</h2>
      {report.topUsers.length === 0 ? (
        <p class="note padded">Nobody spent credits.</p>
      ) : (
        <TableScroll labelledBy="top-users">
          <table>
            <thead>
              <tr>
                <th scope="col">User</th>
                <th scope="col" class="end">
                  Requests
                </th>
                <th scope="col" class="end">
                  Credits
                </th>
                <th scope="col" class="share-column">
                  <span class="visually-hidden">Compared</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {report.topUsers.map((each) => (
                <tr key={each.userId}>
                  <th scope="row">
                    <a href={`/credits?user=${encodeURIComponent(each.userId)}`}>{each.userId}</a>
                  </th>
                  <td class="end tabular">{number(each.requests)}</td>
                  <td class="end tabular">{number(each.credits)}</td>
                  <td class="share-column">
                    <span
                      class="share"
                      style={{ width: `${(Math.max(0, each.credits) / most) * 100}%` }}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
    </section>
  );
}
