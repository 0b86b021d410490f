/** What recovery has done, in words. */
import type { Schemas } from "imagegen-client";
import { number } from "../../../ui/format";

/** "2 lost requests were ended and refunded. 1 event is delivered now." */
export function told(done: Schemas["Recovery"]): string {
  const sentences = [
    counted(done.recoveredRequests, "lost request was", "lost requests were", "ended and refunded"),
    counted(done.failedRequests, "request", "requests", "could not be ended: see the logs"),
    counted(done.enqueuedEvents, "event is", "events are", "delivered now"),
    counted(done.enqueuedAccounts, "deletion of an account goes", "deletions of accounts go", "on"),
  ].filter(Boolean);
  return sentences.length > 0 ? sentences.join(" ") : "There was nothing to recover.";
}

/** A sentence, unless it is about none. */
const counted = (count: number, one: string, many: string, rest: string): string =>
  count === 0 ? "" : `${number(count)} ${count === 1 ? one : many} ${rest}.`;
