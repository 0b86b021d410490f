/** The live balance of whoever is signed in. */
import { effect, signal } from "@preact/signals";
import { listen } from "./firebase";
import { idToken, user } from "./session";

/** undefined: not known yet; null: there is no account. */
export type Balance = number | null | undefined;

export const balance = signal<Balance>(undefined);
/** Set when live updates have stopped, so that what is shown may be old. */
export const liveProblem = signal<string | null>(null);

/** Follows the session from here on. */
export function followBalance(): void {
  effect(() => {
    const uid = user.value?.uid;
    balance.value = undefined;
    liveProblem.value = null;
    if (!uid) return;
    return listen((db, store) => store.watchBalance(db, uid, show, onError), onError);
  });
}

function show(credits: number | null): void {
  balance.value = credits;
  liveProblem.value = null;
}

function onError(): void {
  liveProblem.value = "Live updates have stopped. Reload the page to resume them.";
  // Firestore stops the listener when it refuses the token: a refused refresh ends the session.
  idToken({ refresh: true }).catch(() => {});
}
