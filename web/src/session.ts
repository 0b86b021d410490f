/** Who is signed in, and their live balance. */
import { computed, signal } from "@preact/signals";
import { onIdTokenChanged, signInWithCustomToken, signInWithEmailAndPassword, signOut } from "firebase/auth";
import { backend, live } from "./firebase";
import { go } from "./router";

export interface User {
  uid: string;
  name: string;
  isAdmin: boolean;
}
export type Session =
  | { state: "starting" }
  | { state: "failed"; message: string }
  | { state: "signedOut"; onEmulators: boolean; notice?: string }
  | { state: "signedIn"; user: User; onEmulators: boolean };

/** undefined: not known yet; null: there is no account. */
export type Balance = number | null | undefined;

export const session = signal<Session>({ state: "starting" });
export const balance = signal<Balance>(undefined);
/** Set when live updates broke off; what is shown may be old. */
export const liveProblem = signal<string | null>(null);

export const user = computed<User | null>(() =>
  session.value.state === "signedIn" ? session.value.user : null,
);

/** The user of a screen that is shown to signed-in users only. */
export function signedIn(): User {
  const known = user.value;
  if (!known) throw new Error("Nobody is signed in.");
  return known;
}

let stopListening: (() => void) | undefined;
const GONE = new Set(["auth/user-not-found", "auth/user-disabled", "auth/user-token-expired", "auth/invalid-user-token", "auth/invalid-refresh-token"]);

let stopWatching: (() => void) | undefined;

export async function startSession(): Promise<void> {
  session.value = { state: "starting" };
  try {
    const { auth, deployment } = await backend();
    const onEmulators = deployment.emulators !== undefined;
    stopListening?.();
    stopListening = onIdTokenChanged(auth, (known) => {
      if (!known) {
        watch(undefined);
        session.value = { state: "signedOut", onEmulators };
        return;
      }
      void known.getIdTokenResult().then(
        ({ claims }) => {
          if (auth.currentUser?.uid !== known.uid) return; // signed out, or somebody else, meanwhile
          const isAdmin = claims.admin === true;
          const before = user.peek();
          if (before?.uid === known.uid && before.isAdmin === isAdmin) return;
          const name = known.displayName ?? known.email ?? known.uid;
          session.value = { state: "signedIn", user: { uid: known.uid, name, isAdmin }, onEmulators };
          watch(known.uid);
        },
        (error: { code?: string; message: string }) => {
          // The account is gone, disabled, or was made in another run of the emulators.
          if (GONE.has(error.code ?? "")) void signOut(auth);
          else session.value = { state: "failed", message: `Your session could not be checked: ${error.message}` };
        },
      );
    });
  } catch (error) {
    session.value = { state: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

function watch(uid: string | undefined): void {
  stopWatching?.();
  stopWatching = undefined;
  balance.value = undefined;
  liveProblem.value = null;
  if (!uid) return;
  let stopped = false;
  stopWatching = () => {
    stopped = true;
  };
  void live().then(({ db, store }) => {
    if (stopped) return;
    stopWatching = store.watchBalance(
      db,
      uid,
      (credits) => {
        balance.value = credits;
        liveProblem.value = null;
      },
      () => {
        liveProblem.value = "Live updates stopped. Reload the page to go on.";
      },
    );
  });
}

export async function signIn(email: string, password: string): Promise<void> {
  const { auth } = await backend();
  await signInWithEmailAndPassword(auth, email, password);
}

/** On the emulators only, which take unsigned tokens: be somebody without a password. */
export async function becomeOnEmulators(uid: string, claims: Record<string, unknown>): Promise<void> {
  const { auth } = await backend();
  const encode = (part: object) =>
    btoa(JSON.stringify(part)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const seconds = Math.floor(Date.now() / 1000);
  const token = {
    aud: "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit",
    iss: "console@example.com",
    sub: "console@example.com",
    iat: seconds,
    exp: seconds + 3600,
    uid,
    claims,
  };
  await signInWithCustomToken(auth, `${encode({ alg: "none", typ: "JWT" })}.${encode(token)}.`);
}

export async function leave(): Promise<void> {
  const { auth } = await backend();
  await signOut(auth);
  go("/", { replace: true }); // whoever is next begins at their own start page
}
