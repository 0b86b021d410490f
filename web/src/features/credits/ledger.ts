/** Running balances, the points of the chart, and the CSV export. */
import type { LedgerEntry } from "../../api/types";

export interface Line extends LedgerEntry {
  /** Credits, signed: positive if the balance grew. */
  change: number;
  balanceAfter: number;
}

/** The types of entries that take credits; all others bring some. */
const TAKING: ReadonlySet<LedgerEntry["type"]> = new Set([
  "deduction",
  "expiry",
  "clawback",
  "transfer_out",
]);

/** Entries, newest first, with the balance after each. `current` is the balance after the newest. */
export function withBalances(entries: readonly LedgerEntry[], current: number): Line[] {
  let after = current;
  return entries.map((entry) => {
    const change = TAKING.has(entry.type) ? -entry.credits : entry.credits;
    const line = { ...entry, change, balanceAfter: after };
    after -= change;
    return line;
  });
}

/** Times (in seconds) and balances, oldest first, from the opening balance to now. */
export function balanceSeries(lines: readonly Line[], now = Date.now()): [number[], number[]] {
  const oldest = lines.at(-1);
  if (!oldest) return [[], []];
  const times = [Date.parse(oldest.timestamp) / 1000 - 1];
  const balances = [oldest.balanceAfter - oldest.change];
  for (const line of [...lines].reverse()) {
    times.push(Date.parse(line.timestamp) / 1000);
    balances.push(line.balanceAfter);
  }
  times.push(Math.max(now / 1000, (times.at(-1) ?? 0) + 1));
  balances.push(balances.at(-1) ?? 0);
  return [times, balances];
}

/** The vertical range of the chart: close to the data, so that small changes are visible. */
export function balanceRange(low: number, high: number): [number, number] {
  const margin = Math.max(1, Math.ceil((high - low) * 0.1));
  return [low < 0 ? low - margin : Math.max(0, low - margin), high + margin];
}

/** CSV (RFC 4180) with a header. Text that a spreadsheet would run as a formula is quoted. */
export function csv(lines: readonly Line[]): string {
  const rows = lines.map((line) => [
    line.timestamp,
    line.type,
    line.change,
    line.balanceAfter,
    line.generationRequestId ?? "",
    line.id,
  ]);
  return [
    ["timestamp", "type", "credits", "balanceAfter", "generationRequestId", "entryId"],
    ...rows,
  ]
    .map((row) => row.map(cell).join(","))
    .join("\r\n")
    .concat("\r\n");
}

function cell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
