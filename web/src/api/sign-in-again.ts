/** Proves again who the signed-in user is, as the backend asks before it deletes an account. */
import { EmailAuthProvider, reauthenticateWithCredential } from "firebase/auth";
import { backend } from "./firebase";

/** The address that the signed-in user can sign in with again; undefined if there is none. */
export async function ownEmail(): Promise<string | undefined> {
  return (await backend()).auth.currentUser?.email ?? undefined;
}

/** Signs the same user in again. Throws the errors of Authentication. */
export async function signInAgain(password: string): Promise<void> {
  const { currentUser } = (await backend()).auth;
  if (!currentUser?.email) throw new Error("Sign out, sign in again, then try once more.");
  const credential = EmailAuthProvider.credential(currentUser.email, password);
  await reauthenticateWithCredential(currentUser, credential);
  await currentUser.getIdToken(true);
}
