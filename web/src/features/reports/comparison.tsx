/** Two weeks beside each other. */
import type { Metric, Numbers, Report } from "../../api/report";
import { change, number, percent } from "../../ui/format";
import { TableScroll } from "../../ui/table-scroll";
import { type Compared, compared, METRICS } from "./compare";

export function Comparison({ report, other }: { report: Report; other: Report }) {
  return (
    <section class="card flush" aria-labelledby="comparison">
      <h2 id="comparison">
        {report.isoWeek} compared with {other.isoWeek}
      </h2>
      <TableScroll labelledBy="comparison">
        <table class="comparison">
          <thead>
            <tr>
              <th scope="col">
                <span class="visually-hidden">Number</span>
              </th>
              <th scope="col" class="end">
                {report.isoWeek}
              </th>
              <th scope="col" class="end">
                {other.isoWeek}
              </th>
              <th scope="col" class="end">
                Change
              </th>
            </tr>
          </thead>
          <tbody>
            {METRICS.map(({ metric, name }) => (
              <Row
                key={metric}
                name={name}
                metric={metric}
                values={compared(report.totals[metric], other.totals[metric], metric)}
              />
            ))}
          </tbody>
          <Groups name="model" one={report.byModel} two={other.byModel} />
          <Groups name="size" one={report.bySize} two={other.bySize} />
          <Groups name="style" one={report.byStyle} two={other.byStyle} />
          <Groups name="color" one={report.byColor} two={other.byColor} />
        </table>
      </TableScroll>
    </section>
  );
}

function Groups({
  name,
  one,
  two,
}: {
  name: string;
  one: Record<string, Numbers>;
  two: Record<string, Numbers>;
}) {
  const values = [...new Set([...Object.keys(one), ...Object.keys(two)])].sort(
    (a, b) => (one[b]?.requests ?? 0) - (one[a]?.requests ?? 0) || a.localeCompare(b),
  );
  if (values.length === 0) return null;
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={4} class="group">
          Generations by {name}
        </th>
      </tr>
      {values.map((value) => (
        <Row
          key={value}
          name={value}
          metric="requests"
          values={compared(one[value]?.requests ?? 0, two[value]?.requests ?? 0, "requests")}
        />
      ))}
    </tbody>
  );
}

function Row({ name, metric, values }: { name: string; metric: Metric; values: Compared }) {
  const show = (value: number | null) =>
    value === null ? "–" : metric === "successRate" ? percent(value) : number(value);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="end">{show(values.one)}</td>
      <td class="end">{show(values.two)}</td>
      <td class="end">{values.change === null ? "–" : change(values.change, values.unit)}</td>
    </tr>
  );
}
