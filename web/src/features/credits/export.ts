/** A user's whole history as a CSV file. */
import { call } from "../../api/client";
import type { LedgerEntry } from "../../api/types";
import { save } from "../../ui/download";
import { csv, withBalances } from "./ledger";

export async function exportHistory(userId: string): Promise<void> {
  const newest = await call("getUserCredits", { userId });
  const entries: LedgerEntry[] = [...newest.transactions];
  let pageToken = newest.nextPageToken;
  while (pageToken) {
    const page = await call("getUserCredits", { userId, pageToken });
    entries.push(...page.transactions);
    pageToken = page.nextPageToken;
  }
  // The balance of the newest page: by the time the last one is loaded it may have changed.
  const text = csv(withBalances(entries, newest.currentCredits));
  save(new Blob([text], { type: "text/csv" }), `credits-${userId}.csv`);
}
