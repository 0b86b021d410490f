/** Takes back what administrators did. */
import { admin, at } from "../../api/admin";

/** Undoes these actions of the log, the last one first. Throws if something has changed since. */
export async function undoActions(actionIds: readonly string[], reason: string): Promise<void> {
  for (const actionId of [...actionIds].reverse())
    await admin("POST", at`/adminActions/${actionId}/undo`, { reason });
}
