/** The live balance of the signed-in user. */
import { effect, signal } from "@preact/signals";
import { call } from "./client";
import { listen } from "./firebase";
import { idToken, user } from "./session";

/** undefined while it is not known; null if the user has no credit account. */
export type Balance = number | null | undefined;

export const balance = signal<Balance>(undefined);
/** Set when live updates have stopped: the balance may be out of date. */
export const liveProblem = signal<string | null>(null);

/** Starts to follow the balance of whoever is signed in. Returns a function that stops it. */
export function followBalance(): () => void {
  return effect(() => {
    const uid = user.value?.uid;
    balance.value = undefined;
    liveProblem.value = null;
    if (!uid) return;
    const booked = bookWhatIsDue(uid);
    let latest: Balance;
    const show = async (credits: number | null) => {
      liveProblem.value = null;
      latest = credits;
      if (credits === null) await booked; // which may open the account
      if (latest === credits && user.peek()?.uid === uid) balance.value = credits;
    };
    return listen((db, store) => store.watchBalance(db, uid, show, onError), onError);
  });
}

/**
 * The first call of a visit books the opening grant, the month's allowance and what has expired; the
 * listener shows what comes of it. A user without an account may be refused here, and what else
 * fails, the listener or the next call says.
 */
async function bookWhatIsDue(userId: string): Promise<void> {
  await call("getUserCredits", { userId, pageSize: 1 }).catch(() => {});
}

function onError(): void {
  liveProblem.value = "Live updates have stopped. Reload the page to resume them.";
  // If Firestore refused the token, the account may be gone: then the refresh ends the session.
  idToken({ refresh: true }).catch(() => {});
}
