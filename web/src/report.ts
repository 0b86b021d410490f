/** The weekly report as it is stored, and the sums the console does with it. */
import { backend } from "./firebase";

export interface Numbers {
  requests: number;
  completed: number;
  failed: number;
  canceled: number;
  inFlight: number;
  successRate: number | null;
  creditsCharged: number;
  creditsRefunded: number;
  creditsNet: number;
}
export interface Totals extends Numbers {
  successRateInterval: [number, number] | null;
  activeUsers: number;
  newUsers: number | null;
}
export type Metric = "requests" | "completed" | "failed" | "canceled" | "successRate" | "creditsCharged" | "creditsRefunded" | "creditsNet" | "activeUsers" | "newUsers";
export interface Delta {
  lastWeek: number | null;
  lastWeekChange: number | null;
  fourWeekMedian: number | null;
  fourWeekMedianChange: number | null;
}
export interface Band {
  expected: number;
  low: number;
  high: number;
}
export const SEVERITIES = ["critical", "high", "medium", "low", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];
export interface Anomaly {
  id: string;
  metric: string;
  scope: "day" | "week";
  date: string | null;
  direction: "up" | "down";
  dimension: { name: string; value: string } | null;
  actual: number;
  expected: number | null;
  range: [number, number] | null;
  ratio: number | null;
  pValue: number | null;
  contributions: { name: string; value: string; share: number; usualShare: number }[];
  severity: Severity;
  method: string;
  status: "new" | "ongoing" | "new_level";
  message: string;
}
export interface DataQualityFinding {
  check: string;
  problem: string;
  severity: "warning" | "info";
  message: string;
}
export interface Report {
  isoWeek: string;
  timeZone: string;
  periodStart: string;
  periodEnd: string;
  generatedAt: string;
  dataAsOf: string;
  reportStatus: string;
  revision: number;
  totals: Totals;
  byDay: Record<string, Totals>;
  byModel: Record<string, Numbers>;
  byStyle: Record<string, Numbers>;
  byColor: Record<string, Numbers>;
  bySize: Record<string, Numbers>;
  topUsers: { userId: string; requests: number; credits: number }[];
  deltas?: Partial<Record<Metric, Delta>>;
  anomalies: Anomaly[];
  bands?: Record<string, Record<string, Band>>;
  tests?: Record<string, number>;
  dataQuality: DataQualityFinding[];
}

/** What the list of weeks needs of each report. */
export interface WeekSummary {
  isoWeek: string;
  totals: Totals;
}

/** All weeks that have a report, newest first: two fields of each, so that a year is a small read. */
export async function weeks(signal: AbortSignal, limit = 53): Promise<WeekSummary[]> {
  const { auth, deployment } = await backend();
  const token = await auth.currentUser?.getIdToken();
  const response = await fetch(`${deployment.documentsUrl}:runQuery`, {
    method: "POST",
    signal,
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({
      structuredQuery: {
        from: [{ collectionId: "reports" }],
        select: { fields: [{ fieldPath: "isoWeek" }, { fieldPath: "totals" }] },
        orderBy: [{ field: { fieldPath: "isoWeek" }, direction: "DESCENDING" }],
        limit,
      },
    }),
  });
  if (!response.ok) throw new Error(`Firestore answered ${response.status} for the reports.`);
  const rows = (await response.json()) as { document?: { fields: Record<string, RestValue> } }[];
  return rows.flatMap((row) => (row.document ? [decoded({ mapValue: row.document }) as WeekSummary] : []));
}

interface RestValue {
  mapValue?: { fields?: Record<string, RestValue> };
  arrayValue?: { values?: RestValue[] };
  integerValue?: string;
  doubleValue?: number;
  stringValue?: string;
  booleanValue?: boolean;
  timestampValue?: string;
}

/** A value of Firestore's REST API as plain data. */
export function decoded(value: RestValue): unknown {
  if (value.mapValue) {
    const entries = Object.entries(value.mapValue.fields ?? {});
    return Object.fromEntries(entries.map(([name, each]) => [name, decoded(each)]));
  }
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(decoded);
  if (value.integerValue !== undefined) return Number(value.integerValue);
  return value.doubleValue ?? value.stringValue ?? value.booleanValue ?? value.timestampValue ?? null;
}

/** The 95 % Wilson score interval of a rate; null when nothing ended. */
export function wilson(successes: number, trials: number): [number, number] | null {
  if (trials === 0) return null;
  const z = 1.959964;
  const rate = successes / trials;
  const scale = 1 + z ** 2 / trials;
  const middle = (rate + z ** 2 / (2 * trials)) / scale;
  const half = (z / scale) * Math.sqrt((rate * (1 - rate)) / trials + z ** 2 / (4 * trials ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** The week in one sentence: what an operator reads first. */
export function headline(report: Report): string {
  const grave = report.anomalies.filter((each) => ["critical", "high", "medium"].includes(each.severity));
  if (grave.length === 1) return "One thing needs a look this week.";
  if (grave.length > 1) return `${grave.length} things need a look this week.`;
  if (report.dataQuality.some((each) => each.severity === "warning")) return "A normal week, with doubts about the data.";
  if (report.totals.requests === 0) return "A quiet week: nothing was generated.";
  if (report.dataQuality.some((each) => each.problem === "insufficient_history")) return "Too little history to judge this week by.";
  return "A normal week.";
}
