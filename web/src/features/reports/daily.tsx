/** The days of the week, compared with what was expected. */
import { useState } from "preact/hooks";
import type { Report } from "../../api/report";
import { DataTable } from "../../ui/data-table";
import { Choice } from "../../ui/fields";
import { day, number } from "../../ui/format";
import { DailyBars } from "./daily-bars";

type DailyMetric = "requests" | "creditsCharged" | "newUsers";
const METRICS: Readonly<Record<DailyMetric, { title: string; band: string; noun: string }>> = {
  requests: { title: "Generations", band: "requests", noun: "generations" },
  creditsCharged: { title: "Credits", band: "credits", noun: "credits charged" },
  newUsers: { title: "New users", band: "newUsers", noun: "new users" },
};
const OPTIONS = (Object.keys(METRICS) as DailyMetric[]).map((value) => ({
  value,
  title: METRICS[value].title,
}));

export function Daily({ report }: { report: Report }) {
  const [metric, setMetric] = useState<DailyMetric>("requests");
  const chosen = METRICS[metric];
  const bands = report.bands?.[chosen.band];
  const flagged = new Set(
    report.anomalies
      .filter((each) => each.metric === chosen.band && each.date && each.severity !== "info")
      .map((each) => each.date),
  );
  const bars = Object.entries(report.byDay)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([date, numbers]) => ({
      date,
      value: numbers[metric] ?? 0,
      failed: metric === "requests" ? numbers.failed : 0,
      band: bands?.[date],
      flagged: flagged.has(date),
    }));
  return (
    <section class="card daily" aria-labelledby="daily">
      <div class="card-head">
        <h2 id="daily">Day by day</h2>
        <Choice
          compact
          legend="Number"
          name="daily"
          value={metric}
          onChange={setMetric}
          options={OPTIONS}
        />
      </div>
      <DailyBars bars={bars} noun={chosen.noun} />
      <ul class="legend" aria-hidden="true">
        <li>
          <i class="key-bar" /> {chosen.noun}
        </li>
        {metric === "requests" && (
          <li>
            <i class="key-failed" /> of which failed
          </li>
        )}
        {bands && (
          <li>
            <i class="key-band" /> expected range
          </li>
        )}
      </ul>
      <DataTable
        summary="The days as a table"
        columns={[
          "Day",
          chosen.title,
          ...(metric === "requests" ? ["Failed"] : []),
          "Expected range",
        ]}
        rows={bars.map(({ date, value, failed, band }) => [
          day(date),
          number(value),
          ...(metric === "requests" ? [number(failed)] : []),
          band ? `${number(band.low)}–${number(band.high)}` : "–",
        ])}
      />
    </section>
  );
}
