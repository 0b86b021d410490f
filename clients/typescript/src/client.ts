/** The functions of imagegen as methods. */
import { type Functions, httpsCallable } from "firebase/functions";
import { fromCallable } from "./errors.js";
import { type Body, FUNCTIONS, type FunctionName, READS, type Reply } from "./types.js";

/** One method for each function. They throw ImagegenError, and what the Firebase SDK itself throws. */
export type Client = {
  readonly [Name in FunctionName]: (body: Body<Name>) => Promise<Reply<Name>>;
};

export interface Options {
  /** How long to wait for an answer. A function takes 90 seconds at most, which is the default. */
  timeoutMilliseconds?: number;
}

/** Between the two attempts of a read: long enough for a connection that was closed to be replaced. */
const PAUSE_MILLISECONDS = 300;

/**
 * The client of the functions that `functions` names: `imagegen(getFunctions(app, "us-central1"))`.
 * The SDK sends the ID token of whoever is signed in, and the App Check token where one is set up.
 * A call that only reads is made a second time when something other than the functions answered the
 * first, or nothing did. A call that changes something is never repeated by itself.
 */
export function imagegen(
  functions: Functions,
  { timeoutMilliseconds = 90_000 }: Options = {},
): Client {
  const method = (name: FunctionName) => async (body: unknown) => {
    const send = async (limitedUseAppCheckTokens: boolean) => {
      const options = { timeout: timeoutMilliseconds, limitedUseAppCheckTokens };
      return (await httpsCallable(functions, name, options)(body)).data;
    };
    // The service may accept an App Check token for one order only, a repeated one included.
    const once = name === "createGenerationRequest";
    try {
      return await send(once).catch(async (error: unknown) => {
        // No token for one call could be had: the server decides about a call with another or none.
        if (once && isOfAppCheck(error)) return send(false);
        if (!READS.has(name) || !wasLost(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
        return send(false);
      });
    } catch (error) {
      throw fromCallable(error) ?? error;
    }
  };
  return Object.fromEntries(FUNCTIONS.map((name) => [name, method(name)])) as unknown as Client;
}

const isOfAppCheck = (error: unknown): boolean =>
  (error as { code?: string }).code?.startsWith("appCheck/") ?? false;

/** Whether there was no answer of the functions, and not because they took too long. */
function wasLost(error: unknown): boolean {
  const known = fromCallable(error);
  return known?.reason === "NO_ANSWER" && known.status !== "DEADLINE_EXCEEDED";
}
