/** Values computed from a report. */
import type { Report } from "../../api/report";

/** The 95% Wilson score interval of a rate; null if there were no trials. */
export function wilson(successes: number, trials: number): [number, number] | null {
  if (trials === 0) return null;
  const z = 1.959964;
  const rate = successes / trials;
  const scale = 1 + z ** 2 / trials;
  const middle = (rate + z ** 2 / (2 * trials)) / scale;
  const half = (z / scale) * Math.sqrt((rate * (1 - rate)) / trials + z ** 2 / (4 * trials ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** The week in one sentence. */
export function headline(report: Report): string {
  const grave = report.anomalies.filter((each) =>
    ["critical", "high", "medium"].includes(each.severity),
  );
  if (grave.length === 1) return "One thing needs a look this week.";
  if (grave.length > 1) return `${grave.length} things need a look this week.`;
  if (report.dataQuality.some((each) => each.severity === "warning"))
    return "A normal week, with doubts about the data.";
  if (report.totals.requests === 0) return "A quiet week: nothing was generated.";
  if (report.dataQuality.some((each) => each.problem === "insufficient_history"))
    return "Too little history to judge this week by.";
  return "A normal week.";
}
