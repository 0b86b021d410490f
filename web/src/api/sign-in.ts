/** Ways to sign in. The session follows Authentication, so there is nothing to return. */
import { signInWithCustomToken, signInWithEmailAndPassword } from "firebase/auth";
import { backend } from "./firebase";

export async function signIn(email: string, password: string): Promise<void> {
  const { auth } = await backend();
  await signInWithEmailAndPassword(auth, email, password);
}

/** Signs in without a password. Only the Auth emulator accepts it: the token is unsigned. */
export async function signInOnEmulators(
  uid: string,
  claims: Record<string, unknown>,
): Promise<void> {
  const { auth } = await backend();
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
  await signInWithCustomToken(
    auth,
    `${base64url({ alg: "none", typ: "JWT" })}.${base64url(token)}.`,
  );
}

function base64url(part: object): string {
  return btoa(JSON.stringify(part)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
