/** Numbers, times and shares as they are shown. */
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat("en", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

export const number = (value: number): string => whole.format(value);
export const compact = (value: number): string =>
  Math.abs(value) < 10_000 ? whole.format(value) : short.format(value);
export const credits = (value: number): string =>
  `${whole.format(value)} ${value === 1 ? "credit" : "credits"}`;
export const dateTime = (iso: string): string => moment.format(new Date(iso));

export function percent(share: number | null, digits = 1): string {
  return share === null
    ? "–"
    : `${(share * 100).toFixed(share === 1 || share === 0 ? 0 : digits)}%`;
}

/** "+25%" for 0.25; points for the change of a rate. */
export function change(value: number, unit: "relative" | "points"): string {
  const rounded = unit === "points" ? Math.round(value * 1000) / 10 : Math.round(value * 100);
  const sign = rounded > 0 ? "+" : rounded < 0 ? "−" : "±";
  return `${sign}${Math.abs(rounded)}${unit === "points" ? " pt" : "%"}`;
}

export function ago(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return "just now";
  if (size < 3000) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 79_200) return relative.format(Math.round(seconds / 3600), "hour");
  if (size < 2_400_000) return relative.format(Math.round(seconds / 86_400), "day");
  return moment.format(new Date(iso)).split(",").slice(0, 2).join(",");
}

/** The time between two moments: "0.8 s", "42 s", "3 min". */
export function span(from: string, to: string): string {
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** A calendar day of a report: "Mon 16 Nov". */
export function day(iso: string): string {
  const [year, month, date] = iso.split("-").map(Number);
  return new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  })
    .format(new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, date)))
    .replace(",", "");
}
