/** The weekly report, for administrators. It prints on two pages. */
import { useState } from "preact/hooks";
import { listen } from "../../api/firebase";
import type { Report } from "../../api/report";
import { session } from "../../api/session";
import { type WeekSummary, weeks } from "../../api/weeks";
import { Button } from "../../ui/button";
import { Failure } from "../../ui/failure";
import { Select } from "../../ui/fields";
import { type Loaded, useLoaded, useTitle } from "../../ui/hooks";
import { Empty, PageHead, Skeleton } from "../../ui/page";
import { go, place, segment, withQuery } from "../../ui/router";
import { Comparison } from "./comparison";
import { Sheet } from "./sheet";

const ISO_WEEK = /^\d{4}-W\d{2}$/;

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
  return <Week week={segment() || newest.isoWeek} known={list.value} />;
}

function Week({ week, known }: { week: string; known: WeekSummary[] }) {
  const report = useReport(week);
  const otherWeek = place.value.query.get("with") ?? "";
  const other = useReport(otherWeek);
  const names = known.map((each) => each.isoWeek);
  return (
    <article class="report">
      <PageHead
        title={`Week ${week}`}
        actions={
          <>
            <Select
              label="Week"
              value={week}
              options={names.includes(week) ? names : [week, ...names]}
              onChange={(chosen) => go(`/reports/${chosen}${location.search}`, { stay: true })}
            />
            <Select
              label="Compare with"
              placeholder="Compare with…"
              value={otherWeek}
              options={names.filter((name) => name !== week)}
              onChange={(chosen) => go(withQuery({ with: chosen }))}
            />
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
        <Empty
          icon="reports"
          title={`There is no report for ${week}`}
          action={
            <a class="button plain" href="/reports">
              Go to the newest report
            </a>
          }
        />
      )}
      {otherWeek && other.state === "failed" && (
        <Failure error={other.error} onRetry={other.retry} />
      )}
      {otherWeek && other.state === "ready" && !other.value && (
        <p class="banner" role="status">
          There is no report for {otherWeek} to compare with.
        </p>
      )}
      {report.state === "ready" && report.value && other.state === "ready" && other.value && (
        <Comparison report={report.value} other={other.value} />
      )}
      {report.state === "ready" && report.value && <Sheet report={report.value} known={known} />}
    </article>
  );
}

/** The report of a week, updated when the week is computed again. */
function useReport(week: string): Loaded<Report | null> {
  const [latest, setLatest] = useState<{ week: string; report: Report | null } | null>(null);
  const first = useLoaded<Report | null>(
    (signal) =>
      new Promise((resolve, reject) => {
        if (!ISO_WEEK.test(week)) return resolve(null);
        const onChange = (report: Report | null) => {
          resolve(report);
          setLatest({ week, report });
        };
        const stop = listen((db, store) => store.watchReport(db, week, onChange, reject), reject);
        signal.addEventListener("abort", stop);
      }),
    [week],
  );
  return first.state === "ready" && latest?.week === week
    ? { ...first, value: latest.report }
    : first;
}

function period(report: Report): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: report.timeZone || "UTC",
  });
  const last = new Date(Date.parse(report.periodEnd) - 1);
  return `${format.formatRange(new Date(report.periodStart), last)}, ${report.timeZone}`;
}
