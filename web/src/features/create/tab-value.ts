/** Values kept in a browser tab for the signed-in user. */
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { session, signedIn, user } from "../../api/session";

interface Kept<T> {
  userId: string;
  value: T;
}
export interface TabValue<T> {
  /** null if nothing is kept for the signed-in user. */
  current: ReadonlySignal<T | null>;
  keep: (value: T) => void;
}

/**
 * A value that survives a change of screen and a reload of the page. It belongs to the user who was
 * signed in when it was kept: it is deleted when they sign out, and no other user sees it.
 */
export function tabValue<T>(name: string, revive: (value: T) => T = (value) => value): TabValue<T> {
  const kept = signal<Kept<T> | null>(read(name, revive));
  effect(() => {
    const { state } = session.value;
    const otherUser = state === "signedIn" && kept.peek()?.userId !== user.value?.uid;
    if (state === "signedOut" || otherUser) {
      kept.value = null;
      write(name, null);
    }
  });
  return {
    current: computed(() =>
      kept.value?.userId === user.value?.uid ? (kept.value?.value ?? null) : null,
    ),
    keep(value) {
      kept.value = { userId: signedIn().uid, value };
      write(name, kept.value);
    },
  };
}

function read<T>(name: string, revive: (value: T) => T): Kept<T> | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(name) ?? "null") as Kept<T> | null;
    return stored && { userId: stored.userId, value: revive(stored.value) };
  } catch {
    return null; // storage is blocked, or an older console wrote something else
  }
}

function write(name: string, kept: Kept<unknown> | null): void {
  try {
    if (kept) sessionStorage.setItem(name, JSON.stringify(kept));
    else sessionStorage.removeItem(name);
  } catch {
    // Storage is blocked: the value lasts as long as the page.
  }
}
