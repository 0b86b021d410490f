/** The numbers of two weeks and how far they are apart. */
import type { Metric } from "../../api/report";

export const METRICS: readonly { metric: Metric; name: string }[] = [
  { metric: "requests", name: "Generations" },
  { metric: "completed", name: "Completed" },
  { metric: "failed", name: "Failed" },
  { metric: "canceled", name: "Canceled" },
  { metric: "successRate", name: "Success rate" },
  { metric: "creditsCharged", name: "Credits charged" },
  { metric: "creditsRefunded", name: "Credits refunded" },
  { metric: "creditsNet", name: "Credits, net" },
  { metric: "activeUsers", name: "Active users" },
  { metric: "newUsers", name: "New users" },
];

export interface Compared {
  one: number | null;
  two: number | null;
  /** Of `one` from `two`: a share, or points of a rate. null if it cannot be told. */
  change: number | null;
  unit: "relative" | "points";
}

export function compared(
  one: number | null | undefined,
  two: number | null | undefined,
  metric: Metric,
): Compared {
  const unit = metric === "successRate" ? "points" : "relative";
  const known = { one: one ?? null, two: two ?? null, unit } as const;
  if (known.one === null || known.two === null) return { ...known, change: null };
  if (unit === "points") return { ...known, change: known.one - known.two };
  return { ...known, change: known.two === 0 ? null : (known.one - known.two) / known.two };
}
