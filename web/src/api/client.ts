/** Calls the functions with the ID token of the signed-in user. */
import { ApiError } from "./errors";
import { backend } from "./firebase";
import { idToken } from "./session";
import type { Body, FunctionName, Reply } from "./types";

export interface CallOptions {
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/**
 * Calls a function and returns its answer. Throws ApiError if the answer is an error or does not
 * come, and the errors of Authentication if there is no token to call with.
 */
export async function call<Name extends FunctionName>(
  name: Name,
  body: Body<Name>,
  { idempotencyKey, signal }: CallOptions = {},
): Promise<Reply<Name>> {
  const { deployment, appCheckToken } = await backend();
  const sendWith = async (token: string | undefined) => {
    // The service may accept an App Check token for one order only, a repeated one included.
    const appToken = await appCheckToken?.(name === "createGenerationRequest");
    return send<Reply<Name>>(`${deployment.functionsUrl}/${name}`, {
      method: "POST",
      signal: signal ?? null,
      headers: {
        "Content-Type": "application/json",
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(appToken && { "X-Firebase-AppCheck": appToken }),
        ...(idempotencyKey && { "Idempotency-Key": idempotencyKey }),
      },
      body: JSON.stringify(body),
    });
  };
  const token = await idToken();
  try {
    return await sendWith(token);
  } catch (error) {
    if (!token || !(error instanceof ApiError) || error.code !== 401) throw error;
    if (error.reason.startsWith("APP_CHECK_")) throw error; // another ID token would not help
    // The server refused a token that has not expired. Try a new one, unless the account is gone.
    return sendWith(await idToken({ refresh: true }));
  }
}

/** Sends one HTTP request and returns its JSON. Throws ApiError. */
export async function send<Answer>(url: string, request: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(url, request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "NETWORK", "The server could not be reached.");
  }
  const body = (await response.json().catch(() => null)) as Record<string, unknown> | null;
  if (response.ok && body) return body as Answer;
  const error = (body?.error ?? {}) as { message?: string; details?: Record<string, unknown> };
  const retryAfter = Number(response.headers.get("Retry-After"));
  throw new ApiError(
    response.status,
    typeof error.details?.reason === "string" ? error.details.reason : "UNEXPECTED",
    error.message ?? `The server answered ${response.status}.`,
    error.details ?? {},
    response.headers.get("X-Request-Id"),
    retryAfter > 0 ? retryAfter : null,
  );
}
