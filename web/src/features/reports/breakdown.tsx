/** The week by model, size, color or style. */
import type { Numbers, Report } from "../../api/report";
import { number, percent } from "../../ui/format";
import { TableScroll } from "../../ui/table-scroll";
import { RateBar } from "./rate-bar";
import { wilson } from "./summary";

export function Breakdown({
  name,
  values,
  report,
}: {
  name: string;
  values: Record<string, Numbers>;
  report: Report;
}) {
  const rows = Object.entries(values).sort(([, one], [, other]) => other.requests - one.requests);
  const flagged = new Set(
    report.anomalies
      .filter((each) => each.dimension?.name === name.toLowerCase() && each.severity !== "info")
      .map((each) => each.dimension?.value),
  );
  const id = `by-${name}`;
  return (
    <section class="card flush" aria-labelledby={id}>
      <h2 id={id}>By {name.toLowerCase()}</h2>
      {rows.length === 0 ? (
        <p class="note padded">Nothing was generated.</p>
      ) : (
        <TableScroll labelledBy={id}>
          <table>
            <thead>
              <tr>
                <th scope="col">{name}</th>
                <th scope="col" class="end">
                  Requests
                </th>
                <th scope="col" class="end">
                  Credits
                </th>
                <th scope="col">Success, 95% interval</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(([value, numbers]) => {
                const interval = wilson(numbers.completed, numbers.completed + numbers.failed);
                return (
                  <tr key={value}>
                    <th scope="row">
                      <span class="named">
                        <span>{value}</span>
                        {flagged.has(value) && <span class="tag alarm">anomaly</span>}
                      </span>
                    </th>
                    <td class="end tabular">{number(numbers.requests)}</td>
                    <td class="end tabular">{number(numbers.creditsNet)}</td>
                    <td class="nowrap">
                      {numbers.successRate === null ? (
                        <span class="note">none ended</span>
                      ) : (
                        <span class="rate-cell">
                          <span class="tabular rate-number">{percent(numbers.successRate)}</span>
                          <RateBar rate={numbers.successRate} interval={interval} />
                          {interval && (
                            <span class="note tabular">
                              {(interval[0] * 100).toFixed()}–{percent(interval[1], 0)}
                            </span>
                          )}
                        </span>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </TableScroll>
      )}
    </section>
  );
}
