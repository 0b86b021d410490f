/** The numbers of the week, compared with earlier weeks. */
import type { Metric, Report } from "../../api/report";
import type { WeekSummary } from "../../api/weeks";
import { DataTable } from "../../ui/data-table";
import { change, compact, percent } from "../../ui/format";
import { Sparkline } from "./sparkline";

const TILES: readonly {
  metric: Metric;
  name: string;
  show: (value: number) => string;
  better: "up" | "down" | "none";
}[] = [
  { metric: "requests", name: "Generations", show: compact, better: "none" },
  { metric: "successRate", name: "Success rate", show: (value) => percent(value), better: "up" },
  { metric: "creditsNet", name: "Credits, net", show: compact, better: "none" },
  { metric: "creditsRefunded", name: "Credits refunded", show: compact, better: "down" },
  { metric: "activeUsers", name: "Active users", show: compact, better: "up" },
  { metric: "newUsers", name: "New users", show: compact, better: "up" },
];

export function Tiles({ report, known }: { report: Report; known: WeekSummary[] }) {
  const until = known.findIndex((each) => each.isoWeek === report.isoWeek);
  const history = known.slice(Math.max(0, until), Math.max(0, until) + 12).reverse();
  return (
    <>
      <div class="tiles six">
        {TILES.map(({ metric, name, show, better }) => {
          const value = report.totals[metric];
          const delta = report.deltas?.[metric];
          const moved = delta?.lastWeekChange;
          const tone =
            !moved || better === "none" ? "" : moved > 0 === (better === "up") ? "gain" : "loss";
          const values = history.map((each) => each.totals[metric] ?? null);
          return (
            <div class="tile" key={metric}>
              <span class="tile-name">{name}</span>
              <span class="tile-row">
                <span class="tile-value">
                  {value === null || value === undefined ? "–" : show(value)}
                </span>
                <Sparkline values={values} at={values.length - 1} />
              </span>
              <span class="tile-note">
                {moved === null || moved === undefined ? (
                  "nothing to compare with"
                ) : (
                  <>
                    <strong class={tone}>
                      {change(moved, metric === "successRate" ? "points" : "relative")}
                    </strong>{" "}
                    on last week
                    {delta?.fourWeekMedian !== null && delta?.fourWeekMedian !== undefined && (
                      <span class="tile-median">4-week median {show(delta.fourWeekMedian)}</span>
                    )}
                  </>
                )}
              </span>
            </div>
          );
        })}
      </div>
      <DataTable
        summary="These weeks as a table"
        columns={["Week", ...TILES.map(({ name }) => name)]}
        rows={history.map((each) => [
          each.isoWeek,
          ...TILES.map(({ metric, show }) => {
            const value = each.totals[metric];
            return value === null || value === undefined ? "–" : show(value);
          }),
        ])}
      />
    </>
  );
}
