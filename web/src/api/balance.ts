/** The live balance of the signed-in user. */
import { effect, signal } from "@preact/signals";
import { listen } from "./firebase";
import { idToken, user } from "./session";

/** undefined while it is not known; null if the user has no credit account. */
export type Balance = number | null | undefined;

export const balance = signal<Balance>(undefined);
/** Set when live updates have stopped: the balance may be out of date. */
export const liveProblem = signal<string | null>(null);

/** Starts to follow the balance of whoever is signed in. */
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
  // If Firestore refused the token, the account may be gone: then the refresh ends the session.
  idToken({ refresh: true }).catch(() => {});
}
