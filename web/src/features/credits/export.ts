/** A user's whole history as a CSV file. */
import { call } from "../../api/client";
import type { LedgerEntry } from "../../api/types";
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
  save(csv(withBalances(entries, newest.currentCredits)), `credits-${userId}.csv`);
}

function save(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
