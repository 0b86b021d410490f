/** Who is signed in. */
import { computed, signal } from "@preact/signals";
import { type User as FirebaseUser, onIdTokenChanged, signOut } from "firebase/auth";
import { backend } from "./firebase";

export interface User {
  uid: string;
  name: string;
  isAdmin: boolean;
}
export type Session =
  | { state: "starting" }
  | { state: "failed"; message: string }
  /** `notice` says why; it is empty when the user chose to sign out. */
  | { state: "signedOut"; onEmulators: boolean; notice: string }
  | { state: "signedIn"; onEmulators: boolean; user: User };

export const session = signal<Session>({ state: "starting" });
export const user = computed<User | null>(() =>
  session.value.state === "signedIn" ? session.value.user : null,
);

/** The signed-in user, for screens that only signed-in users see. Throws if there is none. */
export function signedIn(): User {
  const known = user.value;
  if (!known) throw new Error("Nobody is signed in.");
  return known;
}

const SIGNED_OUT = "You have been signed out. Sign in to continue.";
const ENDED =
  "Your session has ended. The account may have been deleted; otherwise, sign in again.";
/** Authentication errors after which the session is over, and what the user is told. */
const FINAL: Readonly<Record<string, string>> = {
  "auth/invalid-refresh-token": ENDED,
  "auth/invalid-user-token": ENDED,
  "auth/user-not-found": ENDED,
  "auth/user-token-expired": ENDED,
  "auth/user-disabled": "Your account has been disabled.",
};

let stopListening: (() => void) | undefined;
let leaving = false;

/** Starts to follow Authentication. After a failure it can be called again. */
export async function startSession(): Promise<void> {
  session.value = { state: "starting" };
  try {
    const { auth, deployment } = await backend();
    const onEmulators = deployment.emulators !== undefined;
    stopListening?.();
    stopListening = onIdTokenChanged(auth, (account) => {
      if (account) void identify(account, onEmulators);
      else if (session.peek().state !== "signedOut") {
        const unexpected = session.peek().state === "signedIn" && !leaving;
        session.value = { state: "signedOut", onEmulators, notice: unexpected ? SIGNED_OUT : "" };
      }
    });
  } catch (error) {
    session.value = {
      state: "failed",
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

async function identify(account: FirebaseUser, onEmulators: boolean): Promise<void> {
  const { auth } = await backend();
  try {
    const { claims } = await account.getIdTokenResult();
    if (auth.currentUser?.uid !== account.uid) return; // the user has changed meanwhile
    const isAdmin = claims.admin === true;
    const before = user.peek();
    if (before?.uid === account.uid && before.isAdmin === isAdmin) return;
    const name = account.displayName ?? account.email ?? account.uid;
    session.value = { state: "signedIn", user: { uid: account.uid, name, isAdmin }, onEmulators };
  } catch (error) {
    if (await endedBy(error)) return;
    const { message } = error as Error;
    session.value = { state: "failed", message: `Your session could not be checked: ${message}` };
  }
}

/**
 * The ID token of the signed-in user; undefined if nobody is signed in. `refresh` requests a new one
 * even if the current one has not expired. Throws the errors of Authentication; if the account no
 * longer exists, the session is ended first.
 */
export async function idToken({ refresh = false } = {}): Promise<string | undefined> {
  const { auth } = await backend();
  try {
    return await auth.currentUser?.getIdToken(refresh);
  } catch (error) {
    await endedBy(error);
    throw error;
  }
}

/** Ends the session if `error` means that it is over. Returns whether it did. */
async function endedBy(error: unknown): Promise<boolean> {
  const notice = FINAL[(error as { code?: string }).code ?? ""];
  if (notice === undefined) return false;
  const { auth, deployment } = await backend();
  session.value = { state: "signedOut", onEmulators: deployment.emulators !== undefined, notice };
  await signOut(auth);
  return true;
}

export async function leave(): Promise<void> {
  const { auth } = await backend();
  leaving = true;
  try {
    await signOut(auth);
  } finally {
    leaving = false;
  }
}
