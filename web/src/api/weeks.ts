/** The list of weekly reports. */
import { backend } from "./firebase";
import type { Totals } from "./report";
import { idToken } from "./session";

/** The part of a report that the list of weeks shows. */
export interface WeekSummary {
  isoWeek: string;
  totals: Totals;
}

/**
 * The weeks that have a report, newest first. It uses the REST API, which can select fields (the SDK
 * cannot), so that a year of reports is a small answer. Throws if Firestore refuses.
 */
export async function weeks(signal: AbortSignal, limit = 53): Promise<WeekSummary[]> {
  const { deployment } = await backend();
  const token = await idToken();
  const response = await fetch(`${deployment.documentsUrl}:runQuery`, {
    method: "POST",
    signal,
    headers: {
      "Content-Type": "application/json",
      ...(token && { Authorization: `Bearer ${token}` }),
    },
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
  return rows.flatMap((row) =>
    row.document ? [decoded({ mapValue: row.document }) as WeekSummary] : [],
  );
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

/** Converts a value of Firestore's REST API to plain data. */
export function decoded(value: RestValue): unknown {
  if (value.mapValue) {
    const entries = Object.entries(value.mapValue.fields ?? {});
    return Object.fromEntries(entries.map(([name, each]) => [name, decoded(each)]));
  }
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(decoded);
  if (value.integerValue !== undefined) return Number(value.integerValue);
  return (
    value.doubleValue ?? value.stringValue ?? value.booleanValue ?? value.timestampValue ?? null
  );
}
