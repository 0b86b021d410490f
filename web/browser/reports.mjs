/** A dozen weekly reports as the backend stores them, to look at: a plain app with one eventful week. */
import { put } from "./harness.mjs";

const STYLES = { realistic: 0.32, anime: 0.24, "oil painting": 0.14, sketch: 0.11, cyberpunk: 0.1, watercolor: 0.09 };
const COLORS = { vibrant: 0.34, monochrome: 0.2, pastel: 0.19, neon: 0.15, vintage: 0.12 };
const SIZES = { "512x512": 0.5, "1024x1024": 0.34, "1024x1792": 0.16 };
const PRICES = { "512x512": 1, "1024x1024": 3, "1024x1792": 4 };
const WEEKDAYS = [1.02, 0.96, 0.98, 1.0, 1.1, 1.18, 0.92];

/** Monday of the ISO week, and its name. */
function weekOf(monday) {
  const thursday = new Date(monday.getTime() + 3 * 86_400_000);
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 4);
  const firstMonday = first - ((new Date(first).getUTCDay() + 6) % 7) * 86_400_000;
  const week = Math.round((monday.getTime() - firstMonday) / (7 * 86_400_000)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}

const numbers = (requests, failed, price) => {
  const canceled = Math.round(requests * 0.01);
  const completed = requests - failed - canceled;
  const creditsCharged = Math.round(requests * price);
  const creditsRefunded = Math.round((failed + canceled) * price);
  return { requests, completed, failed, canceled, inFlight: 0, successRate: completed + failed ? completed / (completed + failed) : null, creditsCharged, creditsRefunded, creditsNet: creditsCharged - creditsRefunded };
};

const add = (all) => {
  const total = all.reduce((sum, each) => Object.fromEntries(Object.keys(each).map((key) => [key, (sum[key] ?? 0) + (each[key] ?? 0)])), {});
  return { ...total, successRate: total.completed / (total.completed + total.failed) };
};

function interval({ completed, failed }) {
  const n = completed + failed;
  const p = completed / n;
  const z2 = 3.8415;
  const middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Math.sqrt(z2) / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return [middle - half, middle + half];
}

export async function storeReports(count = 12, now = new Date()) {
  let random = 7;
  const noise = () => {
    random = (random * 16_807) % 2_147_483_647;
    return random / 2_147_483_647;
  };
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  const monday = today - ((now.getUTCDay() + 6) % 7) * 86_400_000;
  const made = [];
  for (let back = count; back >= 1; back--) {
    const start = new Date(monday - back * 7 * 86_400_000);
    made.push(report(start, 380 + (count - back) * 9, noise, back === 1, made));
  }
  for (const each of made) await put(`reports/${each.isoWeek}`, each);
  return made.map((each) => each.isoWeek);
}

function report(start, level, noise, eventful, before) {
  const dates = Array.from({ length: 7 }, (_, index) => new Date(start.getTime() + index * 86_400_000).toISOString().slice(0, 10));
  const price = 2.16;
  const byDay = {};
  const bands = { requests: {}, credits: {}, newUsers: {} };
  dates.forEach((date, index) => {
    const expected = level * WEEKDAYS[index];
    const factor = eventful && index === 2 ? 3.02 : 0.94 + noise() * 0.12;
    const requests = Math.round(expected * factor);
    const failed = Math.round(requests * (eventful && index === 5 ? 0.21 : 0.045 + noise() * 0.02));
    const day = numbers(requests, failed, price);
    const newUsers = Math.round(18 + noise() * 9);
    byDay[date] = { ...day, successRateInterval: interval(day), activeUsers: Math.round(requests / 4.2), newUsers };
    bands.requests[date] = { expected: Math.round(expected * 10) / 10, low: Math.round(expected * 0.71), high: Math.round(expected * 1.33) };
    bands.credits[date] = { expected: Math.round(expected * price), low: Math.round(expected * price * 0.7), high: Math.round(expected * price * 1.34) };
    bands.newUsers[date] = { expected: 22.4, low: 11, high: 36 };
  });
  const days = Object.values(byDay);
  const totals = add(days.map(({ successRateInterval, ...rest }) => rest));
  Object.assign(totals, { successRateInterval: interval(totals), activeUsers: Math.round(totals.requests / 9.4) });
  const split = (shares, rateOf = () => 0.055, priceOf = () => price) =>
    Object.fromEntries(Object.entries(shares).map(([value, share]) => {
      const requests = Math.round(totals.requests * share);
      return [value, numbers(requests, Math.round(requests * rateOf(value)), priceOf(value))];
    }));
  const last = before.at(-1)?.totals;
  const deltas = Object.fromEntries(
    ["requests", "completed", "failed", "canceled", "successRate", "creditsCharged", "creditsRefunded", "creditsNet", "activeUsers", "newUsers"].map((name) => {
      const lastWeek = last?.[name] ?? null;
      const four = before.slice(-4).map((each) => each.totals[name]).sort((one, other) => one - other);
      const fourWeekMedian = four.length ? (four[Math.floor((four.length - 1) / 2)] + four[Math.ceil((four.length - 1) / 2)]) / 2 : null;
      const against = (base) => (base === null ? null : name === "successRate" ? totals[name] - base : totals[name] / base - 1);
      return [name, { lastWeek, lastWeekChange: against(lastWeek), fourWeekMedian, fourWeekMedianChange: against(fourWeekMedian) }];
    }),
  );
  const isoWeek = weekOf(start);
  const end = new Date(start.getTime() + 7 * 86_400_000);
  return {
    isoWeek, timeZone: "UTC", periodStart: start, periodEnd: end, dataAsOf: end, generatedAt: new Date(end.getTime() + 3_604_000),
    reportStatus: "success", schemaVersion: 1, revision: 1, totals, byDay, bands, deltas,
    byModel: split({ "Model A": 0.64, "Model B": 0.36 }),
    byStyle: split(STYLES, (style) => (eventful && style === "sketch" ? 0.19 : 0.055)),
    byColor: split(COLORS),
    bySize: split(SIZES, () => 0.06, (size) => PRICES[size]),
    topUsers: ["mara.okafor", "studio-nord", "testUser1", "j.lindqvist", "pixelsmith", "amelie", "tanaka.r", "u-4471", "oskar", "helio"].map((userId, index) => ({ userId, requests: Math.round(150 / (index + 1.2)), credits: Math.round(340 / (index + 1.2)) })),
    anomalies: eventful ? anomalies(isoWeek, dates, byDay, bands) : [],
    tests: { counts: 48, overallRates: 8, valueRates: 128, users: 11 },
    dataQuality: eventful ? [{ type: "data_quality", check: "lateSettlements", problem: "late", severity: "info", message: "2 requests of earlier weeks (4 credits) ended in this one; their weeks' reports count them as in flight until they are run again." }] : [],
  };
}

function anomalies(week, dates, byDay, bands) {
  const [spike, failing] = [dates[2], dates[5]];
  const band = bands.requests[spike];
  const actual = byDay[spike].requests;
  const common = { week, pValue: 0.00001, ci95: null, days: [], merged: [], method: "negative_binomial", status: "new" };
  return [
    { ...common, id: "a2", metric: "failureRate", scope: "day", date: failing, direction: "up", dimension: { name: "style", value: "sketch" }, actual: 0.42, expected: 0.054, range: [0.01, 0.13], ratio: 7.8, sample: { n: 62, k: 26, historyDays: 56 }, severity: "critical", method: "beta_binomial", contributions: [],
      message: `Failures of style “sketch” on ${failing}: 42% of 62 ended requests, expected 5.4% (normal 1.0%–13%).` },
    { ...common, id: "a1", metric: "requests", scope: "day", date: spike, direction: "up", dimension: null, actual, expected: band.expected, range: [band.low, band.high], ratio: actual / band.expected, sample: { n: null, k: null, historyDays: 56 }, severity: "high",
      contributions: [{ name: "style", value: "anime", share: 0.93, usualShare: 0.24 }, { name: "model", value: "Model B", share: 0.71, usualShare: 0.36 }],
      message: `Generations on ${spike}: ${actual.toLocaleString("en")}, 3.0× the expected ${Math.round(band.expected)} (normal ${band.low}–${band.high}). Credits charged moved with it (3.1×). Driven by style “anime” (93% of the change).` },
    { ...common, id: "a3", metric: "userCredits", scope: "week", date: null, direction: "up", dimension: { name: "user", value: "mara.okafor" }, actual: 283, expected: 74, range: [0, 128], ratio: 3.8, sample: { n: 125, k: null, historyDays: 56 }, severity: "low", method: "own_record", status: "ongoing", contributions: [],
      message: `User “mara.okafor” spent in week ${week}: 283 credits, 3.8× own record of 74 (normal up to 128). It was already so last week.` },
  ];
}
