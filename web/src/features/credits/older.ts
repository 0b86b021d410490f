/** The ledger's older entries, page by page. */
import { useState } from "preact/hooks";
import { call } from "../../api/client";
import type { Credits, LedgerEntry } from "../../api/types";
import { type Action, useAction } from "../../ui/hooks";

interface Older {
  /** What they continue: with newer entries in front they would be those of another moment. */
  after: Credits;
  entries: readonly LedgerEntry[];
  nextPageToken?: string | undefined;
}

/** What follows on `newest`; none of it when `newest` is another answer. Late answers are dropped. */
export function useOlder(
  newest: Credits,
  userId: string,
): { entries: readonly LedgerEntry[]; hasMore: boolean; load: Action<[]> } {
  const [kept, keep] = useState<Older | null>(null);
  const older: Older =
    kept?.after === newest
      ? kept
      : { after: newest, entries: NONE, nextPageToken: newest.nextPageToken };
  const load = useAction<[]>(async () => {
    const pageToken = older.nextPageToken;
    const { transactions, nextPageToken } = await call("getUserCredits", { userId, pageToken });
    keep({ after: newest, entries: [...older.entries, ...transactions], nextPageToken });
  });
  return { entries: older.entries, hasMore: older.nextPageToken !== undefined, load };
}

const NONE: readonly LedgerEntry[] = [];
