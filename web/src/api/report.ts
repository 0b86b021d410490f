/** The weekly report as it is stored in Firestore: reports/{isoWeek}. */

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
export type Metric =
  | "requests"
  | "completed"
  | "failed"
  | "canceled"
  | "successRate"
  | "creditsCharged"
  | "creditsRefunded"
  | "creditsNet"
  | "activeUsers"
  | "newUsers";
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
/** Amounts are in the currency's smallest unit. */
export interface Revenue {
  productId: string;
  currency: string;
  isTest: boolean;
  purchases: number;
  credits: number;
  gross: number;
  refunded: number;
  disputed: number;
  net: number;
}
export interface CreditsOfKind {
  sold: number;
  granted: number;
  charged: number;
  refunded: number;
  expired: number;
  clawedBack: number;
  reinstated: number;
}
export interface Liability {
  paid: number;
  free: number;
  byKind: Record<string, number>;
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
  /** Null: could not be read. Absent: the report is older. */
  revenue?: Revenue[] | null;
  creditsByKind?: Record<string, CreditsOfKind> | null;
  liability?: Liability | null;
  topUsers: { userId: string; requests: number; credits: number }[];
  deltas?: Partial<Record<Metric, Delta>>;
  anomalies: Anomaly[];
  bands?: Record<string, Record<string, Band>>;
  tests?: Record<string, number>;
  dataQuality: DataQualityFinding[];
}
