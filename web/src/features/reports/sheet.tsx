/** The report of one week. */
import type { Report } from "../../api/report";
import type { WeekSummary } from "../../api/weeks";
import { Badge } from "../../ui/badge";
import { credits, dateTime, number, percent } from "../../ui/format";
import { AnomalyCard } from "./anomaly-card";
import { Breakdown } from "./breakdown";
import { Daily } from "./daily";
import { Money } from "./money";
import { headline } from "./summary";
import { Tiles } from "./tiles";
import { TopUsers } from "./top-users";

export function Sheet({ report, known }: { report: Report; known: WeekSummary[] }) {
  const serious = report.anomalies.filter((each) => each.severity !== "info");
  const notes = report.anomalies.filter((each) => each.severity === "info");
  return (
    <>
      <section class="headline" aria-labelledby="headline">
        <h2 id="headline">{headline(report)}</h2>
        <p>
          {number(report.totals.requests)} generations by {number(report.totals.activeUsers)} users,{" "}
          {percent(report.totals.successRate)} successful, {credits(report.totals.creditsNet)} spent
          after refunds.
        </p>
      </section>
      <Tiles report={report} known={known} />
      <section aria-labelledby="anomalies">
        <h2 id="anomalies">Anomalies</h2>
        {serious.length === 0 && (
          <p class="note">Nothing was out of the ordinary{testsRun(report)}.</p>
        )}
        <ul class={`anomalies ${serious.length > 4 ? "many" : ""}`}>
          {serious.map((anomaly) => (
            <AnomalyCard key={anomaly.id} anomaly={anomaly} />
          ))}
        </ul>
        {notes.length > 0 && (
          <details class="more-notes">
            <summary>
              {notes.length} {notes.length === 1 ? "note" : "notes"} from fixed thresholds
            </summary>
            <ul class="anomalies">
              {notes.map((anomaly) => (
                <AnomalyCard key={anomaly.id} anomaly={anomaly} />
              ))}
            </ul>
          </details>
        )}
      </section>
      <Daily report={report} />
      <div class="breakdowns">
        <div>
          <Breakdown name="Model" values={report.byModel} report={report} />
          <Breakdown name="Size" values={report.bySize} report={report} />
          <Breakdown name="Color" values={report.byColor} report={report} />
        </div>
        <div>
          <Breakdown name="Style" values={report.byStyle} report={report} />
          <TopUsers report={report} />
        </div>
      </div>
      <Money report={report} />
      <DataQuality report={report} />
      <p class="note colophon">
        Generated {dateTime(report.generatedAt)}, revision {report.revision}, data as of{" "}
        {dateTime(report.dataAsOf)}
        {report.totals.inFlight > 0 &&
          `; ${number(report.totals.inFlight)} requests still in flight are outside the rates`}
        .
      </p>
    </>
  );
}

function testsRun(report: Report): string {
  const tests = Object.values(report.tests ?? {}).reduce((total, each) => total + each, 0);
  return tests ? ` in ${number(tests)} tests` : "";
}

function DataQuality({ report }: { report: Report }) {
  return (
    <section class="card" aria-labelledby="quality">
      <h2 id="quality">Data quality</h2>
      {report.dataQuality.length === 0 ? (
        <p class="quality-good">
          <Badge tone="good">in order</Badge> Requests, Firestore’s own totals and the ledger agree.
        </p>
      ) : (
        <ul class="quality">
          {report.dataQuality.map((each, index) => (
            <li key={index}>
              <Badge tone={each.severity === "warning" ? "wait" : "neutral"}>
                {each.severity === "warning" ? "check" : "note"}
              </Badge>
              <span>{each.message}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
