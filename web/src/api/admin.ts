/** Calls of the function `admin`: resources below /api/admin, for administrators. */
import { type ImagegenError, imagegenError, isImagegenError } from "imagegen-client";
import { withToken } from "./client";
import { backend } from "./firebase";

export type Method = "GET" | "POST" | "PUT" | "DELETE";
/** Fields of a call. Those that are undefined or empty are left out. */
export type Fields = Readonly<Record<string, unknown>>;

/** Before a read is repeated: long enough for a connection that was closed to be replaced. */
const PAUSE_MILLISECONDS = 300;
/** A function takes 90 seconds at most. */
const PATIENCE_MILLISECONDS = 90_000;

/** A path with its values encoded: at`/users/${userId}`. */
export const at = (parts: TemplateStringsArray, ...values: string[]): string =>
  String.raw({ raw: parts }, ...values.map(encodeURIComponent));

/**
 * Reads or changes a resource. Throws ImagegenError, and the errors of Authentication if there is no
 * token to call with. A read that was not answered is repeated once; a change never is.
 */
export async function admin<T>(method: Method, path: string, fields: Fields = {}): Promise<T> {
  const { deployment, appCheckToken } = await backend();
  const send = () =>
    withToken(async (token) => {
      const appCheck = await appCheckToken();
      const headers = {
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(appCheck && { "X-Firebase-AppCheck": appCheck }),
      };
      return (await ask(`${deployment.functionsUrl}/admin${path}`, method, fields, headers)) as T;
    });
  if (method !== "GET") return send();
  return send().catch(async (error: unknown) => {
    if (!isImagegenError(error) || !wasLost(error)) throw error;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    return send();
  });
}

async function ask(
  address: string,
  method: Method,
  fields: Fields,
  headers: Record<string, string>,
): Promise<unknown> {
  const url = new URL(address);
  const sent = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "");
  const request: RequestInit = { method, headers };
  if (method === "GET" || method === "DELETE") {
    for (const [name, value] of sent) url.searchParams.set(name, String(value));
  } else {
    request.headers = { ...headers, "Content-Type": "application/json" };
    request.body = JSON.stringify(Object.fromEntries(sent));
  }
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    body = await response.json().catch(() => undefined);
  } catch (cause) {
    const late = (cause as Error).name === "TimeoutError";
    throw unanswered(late ? "DEADLINE_EXCEEDED" : "UNAVAILABLE");
  }
  if (response.ok) return body;
  throw (
    refusal(body) ??
    (response.status >= 500
      ? unanswered("UNAVAILABLE")
      : failure("UNEXPECTED", "UNKNOWN", `The server answered ${response.status}.`))
  );
}

/** The error that the functions answered with; undefined if the body is not theirs. */
function refusal(body: unknown): ImagegenError | undefined {
  const { error } = (body ?? {}) as {
    error?: { status?: string; message?: string; details?: { reason?: string } };
  };
  if (!error?.details?.reason) return undefined;
  const { reason, ...details } = error.details;
  return failure(reason, error.status ?? "UNKNOWN", error.message ?? "", details);
}

const unanswered = (status: string): ImagegenError =>
  failure("NO_ANSWER", status, "The server did not answer.");

const wasLost = ({ reason, status }: ImagegenError): boolean =>
  reason === "NO_ANSWER" && status !== "DEADLINE_EXCEEDED";

/** A backend that is newer than this console may send reasons that its types do not know. */
const failure = (reason: string, status: string, message: string, details = {}): ImagegenError =>
  imagegenError({ reason, status, message, details } as Parameters<typeof imagegenError>[0]);
