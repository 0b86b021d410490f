/** The week, for the people who run the service. Prints on two pages. */
import { useState } from "preact/hooks";
import { live } from "../firebase";
import { change, compact, credits, dateTime, day, number, percent } from "../format";
import { type Anomaly, headline, type Metric, type Numbers, type Report, type WeekSummary, weeks, wilson } from "../report";
import { go, place } from "../router";
import { session } from "../session";
import { DailyBars, RateBar, Sparkline } from "../ui/report-charts";
import { Badge, Button, Choice, Empty, Failure, PageHead, Select, Skeleton } from "../ui/parts";
import { useLoaded, useTitle } from "../use";

export function Reports() {
  useTitle("Reports");
  const list = useLoaded(weeks, []);
  if (list.state === "failed") return <Failure error={list.error} onRetry={list.retry} />;
  if (list.state === "loading") {
    return (
      <>
        <PageHead title="Weekly report" />
        <Skeleton height="30rem" />
      </>
    );
  }
  const newest = list.value[0];
  if (!newest) {
    return (
      <>
        <PageHead title="Weekly report" />
        <Empty icon="reports" title="No report yet">
          The first one is made on Monday at 01:00, for the week before.
          {session.value.state === "signedIn" && session.value.onEmulators && (
            <>
              {" "}
              To have some at once: <code>make demo-data</code>
            </>
          )}
        </Empty>
      </>
    );
  }
  const asked = decodeURIComponent(place.value.path.split("/")[2] ?? "");
  return <Week week={asked || newest.isoWeek} known={list.value} />;
}

function Week({ week, known }: { week: string; known: WeekSummary[] }) {
  const report = useReport(week);
  const names = known.map((each) => each.isoWeek);
  return (
    <article class="report">
      <PageHead
        title={`Week ${week}`}
        actions={
          <>
            <Select label="Week" value={week} options={names.includes(week) ? names : [week, ...names]} onChange={(chosen) => go(`/reports/${chosen}`, { keepScroll: true })} />
            <Button icon="print" onClick={() => print()}>
              Print
            </Button>
          </>
        }
      >
        {report.state === "ready" && report.value ? period(report.value) : "Weekly report"}
      </PageHead>
      {report.state === "loading" && <Skeleton height="30rem" />}
      {report.state === "failed" && <Failure error={report.error} onRetry={report.retry} />}
      {report.state === "ready" && !report.value && (
        <Empty icon="reports" title={`There is no report for ${week}`} action={<a class="button plain" href="/reports">To the newest report</a>} />
      )}
      {report.state === "ready" && report.value && <Sheet report={report.value} known={known} />}
    </article>
  );
}

/** The report, again whenever a re-run replaces it. */
function useReport(week: string) {
  const [fresh, setFresh] = useState<{ week: string; report: Report | null } | null>(null);
  const first = useLoaded<Report | null>(
    (signal) =>
      new Promise((resolve, reject) => {
        void live().then(({ db, store }) => {
          const stop = store.watchReport(
            db,
            week,
            (report) => {
              resolve(report);
              setFresh({ week, report });
            },
            reject,
          );
          signal.addEventListener("abort", stop);
        }, reject);
      }),
    [week],
  );
  return first.state === "ready" && fresh?.week === week ? { ...first, value: fresh.report } : first;
}

function period(report: Report): string {
  const format = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: report.timeZone || "UTC" });
  const last = new Date(Date.parse(report.periodEnd) - 1);
  return `${format.formatRange(new Date(report.periodStart), last)}, ${report.timeZone}`;
}

function Sheet({ report, known }: { report: Report; known: WeekSummary[] }) {
  const serious = report.anomalies.filter((each) => each.severity !== "info");
  const notes = report.anomalies.filter((each) => each.severity === "info");
  return (
    <>
      <section class="headline" aria-labelledby="headline">
        <h2 id="headline">{headline(report)}</h2>
        <p>
          {number(report.totals.requests)} generations by {number(report.totals.activeUsers)} users, {percent(report.totals.successRate)} successful, {credits(report.totals.creditsNet)} spent after refunds.
        </p>
      </section>
      <Tiles report={report} known={known} />
      <section aria-labelledby="anomalies">
        <h2 id="anomalies">Anomalies</h2>
        {serious.length === 0 && <p class="note">Nothing was out of the ordinary{testsRun(report)}.</p>}
        <ul class={`anomalies ${serious.length > 4 ? "many" : ""}`}>
          {serious.map((anomaly) => (
            <AnomalyCard key={anomaly.id} anomaly={anomaly} />
          ))}
        </ul>
        {notes.length > 0 && (
          <details class="more-notes">
            <summary>
              {notes.length} {notes.length === 1 ? "remark" : "remarks"} by plain thresholds
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
      <DataQuality report={report} />
      <p class="note colophon">
        Made {dateTime(report.generatedAt)}, revision {report.revision}, data as of {dateTime(report.dataAsOf)}
        {report.totals.inFlight > 0 && `; ${number(report.totals.inFlight)} requests still in flight are outside the rates`}.
      </p>
    </>
  );
}

function testsRun(report: Report): string {
  const tests = Object.values(report.tests ?? {}).reduce((total, each) => total + each, 0);
  return tests ? ` in ${number(tests)} tests` : "";
}

const TILES: readonly { metric: Metric; name: string; show: (value: number) => string; better: "up" | "down" | "none" }[] = [
  { metric: "requests", name: "Generations", show: compact, better: "none" },
  { metric: "successRate", name: "Success rate", show: (value) => percent(value), better: "up" },
  { metric: "creditsNet", name: "Credits, net", show: compact, better: "none" },
  { metric: "creditsRefunded", name: "Credits refunded", show: compact, better: "down" },
  { metric: "activeUsers", name: "Active users", show: compact, better: "up" },
  { metric: "newUsers", name: "New users", show: compact, better: "up" },
];

function Tiles({ report, known }: { report: Report; known: WeekSummary[] }) {
  const until = known.findIndex((each) => each.isoWeek === report.isoWeek);
  const history = known.slice(Math.max(0, until), Math.max(0, until) + 12).reverse();
  return (
    <div class="tiles six">
      {TILES.map(({ metric, name, show, better }) => {
        const value = report.totals[metric];
        const delta = report.deltas?.[metric];
        const moved = delta?.lastWeekChange;
        const tone = !moved || better === "none" ? "" : moved > 0 === (better === "up") ? "gain" : "loss";
        const values = history.map((each) => each.totals[metric] ?? null);
        return (
          <div class="tile" key={metric}>
            <span class="tile-name">{name}</span>
            <span class="tile-row">
              <span class="tile-value">{value === null || value === undefined ? "–" : show(value)}</span>
              <Sparkline values={values} at={values.length - 1} />
            </span>
            <span class="tile-note">
              {moved === null || moved === undefined ? (
                "nothing to compare with"
              ) : (
                <>
                  <strong class={tone}>{change(moved, metric === "successRate" ? "points" : "relative")}</strong> on last week
                  {delta?.fourWeekMedian !== null && delta?.fourWeekMedian !== undefined && <span class="tile-median">4-week median {show(delta.fourWeekMedian)}</span>}
                </>
              )}
            </span>
          </div>
        );
      })}
    </div>
  );
}

const STATUS_WORDS: Record<Anomaly["status"], string> = { new: "", ongoing: "ongoing", new_level: "new level" };

function AnomalyCard({ anomaly }: { anomaly: Anomaly }) {
  const drivers = anomaly.contributions.filter((each) => each.share - each.usualShare > 0.1).slice(0, 3);
  return (
    <li class={`anomaly ${anomaly.severity}`}>
      <div class="anomaly-head">
        <Badge tone={`severity-${anomaly.severity}`}>{anomaly.severity}</Badge>
        {STATUS_WORDS[anomaly.status] && <span class="tag">{STATUS_WORDS[anomaly.status]}</span>}
        <span class="anomaly-scope">{anomaly.scope === "day" && anomaly.date ? day(anomaly.date) : "whole week"}</span>
      </div>
      <p class="anomaly-message">{anomaly.message}</p>
      {anomaly.range && <Gauge anomaly={anomaly} range={anomaly.range} />}
      {drivers.length > 0 && (
        <ul class="drivers" aria-label="Where the change comes from">
          {drivers.map((driver) => (
            <li key={driver.name + driver.value}>
              <span>
                {driver.name} <strong>{driver.value}</strong>
              </span>
              <span class="note">
                {percent(Math.min(1, driver.share), 0)} of the change, usually {percent(driver.usualShare, 0)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

/** Where the number lies beside its expected range. */
function Gauge({ anomaly, range }: { anomaly: Anomaly; range: [number, number] }) {
  const isRate = anomaly.metric.endsWith("Rate");
  const show = (value: number) => (isRate ? percent(value) : compact(value));
  const top = Math.max(anomaly.actual, range[1]) * 1.08 || 1;
  const at = (value: number) => `${Math.min(100, (value / top) * 100)}%`;
  return (
    <div class="gauge">
      <div class="gauge-track" aria-hidden="true">
        <span class="gauge-range" style={{ left: at(range[0]), width: `${((range[1] - range[0]) / top) * 100}%` }} />
        {anomaly.expected !== null && <span class="gauge-expected" style={{ left: at(anomaly.expected) }} />}
        <span class="gauge-actual" style={{ left: at(anomaly.actual) }} />
      </div>
      <dl class="gauge-words">
        <div>
          <dt>Actual</dt>
          <dd>{show(anomaly.actual)}</dd>
        </div>
        {anomaly.expected !== null && (
          <div>
            <dt>Expected</dt>
            <dd>{show(anomaly.expected)}</dd>
          </div>
        )}
        <div>
          <dt>Normal range</dt>
          <dd>
            {show(range[0])}–{show(range[1])}
          </dd>
        </div>
      </dl>
    </div>
  );
}

type Daily = "requests" | "creditsCharged" | "newUsers";
const DAILY: readonly { value: Daily; title: string; band: string; noun: string }[] = [
  { value: "requests", title: "Generations", band: "requests", noun: "generations" },
  { value: "creditsCharged", title: "Credits", band: "credits", noun: "credits charged" },
  { value: "newUsers", title: "New users", band: "newUsers", noun: "new users" },
];

function Daily({ report }: { report: Report }) {
  const [metric, setMetric] = useState<Daily>("requests");
  const chosen = DAILY.find((each) => each.value === metric) ?? DAILY[0]!;
  const bands = report.bands?.[chosen.band];
  const flagged = new Set(report.anomalies.filter((each) => each.metric === chosen.band && each.date && each.severity !== "info").map((each) => each.date));
  const bars = Object.entries(report.byDay)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([date, numbers]) => ({ date, value: numbers[metric] ?? 0, failed: metric === "requests" ? numbers.failed : 0, band: bands?.[date], flagged: flagged.has(date) }));
  return (
    <section class="card daily" aria-labelledby="daily">
      <div class="card-head">
        <h2 id="daily">Day by day</h2>
        <Choice compact legend="Number" name="daily" value={metric} onChange={setMetric} options={DAILY} />
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
    </section>
  );
}

function Breakdown({ name, values, report }: { name: string; values: Record<string, Numbers>; report: Report }) {
  const rows = Object.entries(values).sort(([, one], [, other]) => other.requests - one.requests);
  const flagged = new Set(report.anomalies.filter((each) => each.dimension?.name === name.toLowerCase() && each.severity !== "info").map((each) => each.dimension?.value));
  const id = `by-${name}`;
  return (
    <section class="card flush" aria-labelledby={id}>
      <h2 id={id}>By {name.toLowerCase()}</h2>
      {rows.length === 0 ? (
        <p class="note padded">Nothing was generated.</p>
      ) : (
        <div class="table-scroll" tabIndex={0} role="group" aria-labelledby={id}>
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
                      {value}
                      {flagged.has(value) && <span class="tag alarm">anomaly</span>}
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
                              {percent(interval[0], 0)}–{percent(interval[1], 0)}
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
        </div>
      )}
    </section>
  );
}

function TopUsers({ report }: { report: Report }) {
  const most = Math.max(1, ...report.topUsers.map((each) => each.credits));
  return (
    <section class="card flush" aria-labelledby="top-users">
      <h2 id="top-users">Top users</h2>
      {report.topUsers.length === 0 ? (
        <p class="note padded">Nobody spent credits.</p>
      ) : (
        <div class="table-scroll" tabIndex={0} role="group" aria-labelledby="top-users">
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
                    <span class="share" style={{ width: `${(Math.max(0, each.credits) / most) * 100}%` }} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
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
              <Badge tone={each.severity === "warning" ? "wait" : "neutral"}>{each.severity === "warning" ? "check" : "note"}</Badge>
              <span>{each.message}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
