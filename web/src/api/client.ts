/** Calls the functions as the signed-in user. */
import {
  type Body,
  type Client,
  type FunctionName,
  isImagegenError,
  type Reply,
} from "imagegen-client";
import { backend } from "./firebase";
import { idToken } from "./session";

const REFUSED_TOKENS = ["TOKEN_MISSING", "TOKEN_INVALID", "TOKEN_EXPIRED"];

/**
 * Calls a function and returns its answer. Throws ImagegenError, and the errors of Authentication if
 * there is no token to call with.
 */
export async function call<Name extends FunctionName>(
  name: Name,
  body: Body<Name>,
): Promise<Reply<Name>> {
  const { client } = await backend();
  const send: Client[Name] = client[name];
  // The SDK adds the token. It calls without one if it cannot refresh it; here that ends the session.
  return withToken(() => send(body));
}

/** Sends with the user's ID token, and once more with a new one if the server refused the first. */
export async function withToken<T>(send: (token: string | undefined) => Promise<T>): Promise<T> {
  const token = await idToken();
  try {
    return await send(token);
  } catch (error) {
    const refused = isImagegenError(error) && REFUSED_TOKENS.includes(error.reason);
    if (!token || !refused) throw error;
    // The server refused a token that has not expired. Try a new one, unless the account is gone.
    return send(await idToken({ refresh: true }));
  }
}
