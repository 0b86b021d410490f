/** How numbers, times and percentages are written. */
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const dayAndMonth = { day: "numeric", month: "short" } as const;
const time = { hour: "2-digit", minute: "2-digit" } as const;
const toTheMinute = new Intl.DateTimeFormat("en-GB", { ...dayAndMonth, year: "numeric", ...time });
const thisYear = new Intl.DateTimeFormat("en-GB", { ...dayAndMonth, ...time });
const dateOnly = new Intl.DateTimeFormat("en-GB", { ...dayAndMonth, year: "numeric" });
const timeOnly = new Intl.DateTimeFormat("en-GB", { ...time, second: "2-digit" });

export const number = (value: number): string => whole.format(value);
export const compact = (value: number): string =>
  Math.abs(value) < 10_000 ? whole.format(value) : short.format(value);
export const credits = (value: number): string =>
  `${whole.format(value)} ${value === 1 ? "credit" : "credits"}`;
/** "27 Nov 2026" */
export const date = (iso: string): string => dateOnly.format(new Date(iso));
/** "27 Nov 2026, 01:25" */
export const dateTime = (iso: string): string => toTheMinute.format(new Date(iso));
/** ["27 Nov 2026", "01:25:31"] */
export const dateAndTime = (iso: string): [string, string] => [
  dateOnly.format(new Date(iso)),
  timeOnly.format(new Date(iso)),
];

/** "27 Nov, 01:25"; with the year if it is not the current one. */
export function shortDateTime(iso: string, now = new Date()): string {
  const then = new Date(iso);
  return (then.getFullYear() === now.getFullYear() ? thisYear : toTheMinute).format(then);
}

const NONE = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split(" ");
const THREE = "bhd jod kwd omr tnd".split(" ");
/**
 * How many digits the smallest unit of a currency has, where it is not a hundredth. Providers and the
 * backend (functions/imagegen/purchases/money.py) count by this table, and not by that of Intl.
 */
export const DIGITS: Readonly<Record<string, number>> = Object.fromEntries([
  ...NONE.map((currency) => [currency, 0] as const),
  ...THREE.map((currency) => [currency, 3] as const),
]);

/** An amount in a currency's smallest unit: "€9.90" for 990 and "eur", "¥500" for 500 and "jpy". */
export function money(amount: number, currency: string): string {
  const digits = DIGITS[currency.toLowerCase()] ?? 2;
  const format = new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return format.format(amount / 10 ** digits);
}

/** The same; "–" where the currency is not known yet. */
export const price = (amount: number, currency: string): string =>
  currency ? money(amount, currency) : "–";

export function percent(share: number | null, digits = 1): string {
  return share === null
    ? "–"
    : `${(share * 100).toFixed(share === 1 || share === 0 ? 0 : digits)}%`;
}

/** "+3" and "−3". */
export const signed = (credits: number): string =>
  `${credits < 0 ? "−" : "+"}${number(Math.abs(credits))}`;

/** "+25%" for 0.25; for the change of a rate, in percentage points. */
export function change(value: number, unit: "relative" | "points"): string {
  const rounded = unit === "points" ? Math.round(value * 1000) / 10 : Math.round(value * 100);
  const sign = rounded > 0 ? "+" : rounded < 0 ? "−" : "±";
  return `${sign}${Math.abs(rounded)}${unit === "points" ? " pt" : "%"}`;
}

/** The time between two moments: "0.8 s", "42 s", "3 min". */
export function span(from: string, to: string): string {
  return duration(Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000));
}

export function duration(seconds: number): string {
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
