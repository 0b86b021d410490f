/** The errors of a call, told apart by `reason`. */
import type { Schemas } from "./types.js";

/** What the functions refuse a call with: `details` has the fields that belong to the reason. */
type Refusal = {
  [Name in keyof Schemas]: Schemas[Name] extends {
    error: { status: infer Status; details: infer Details extends { reason: string } };
  }
    ? { reason: Details["reason"]; status: Status; details: Omit<Details, "reason"> }
    : never;
}[keyof Schemas];

/**
 * NO_ANSWER: the call may or may not have been carried out. Repeat it with the same idempotencyKey.
 * UNEXPECTED: the answer is not one of the functions', for example because none has this address.
 */
type Unanswered = {
  reason: "NO_ANSWER" | "UNEXPECTED";
  status: string;
  details: Record<string, never>;
};

export type Failure = Refusal | Unanswered;
export type Reason = Failure["reason"];
/** `Failure<"PRICE_CHANGED">["details"]` has `credits`. */
export type FailureOf<Name extends Reason> = Extract<Failure, { reason: Name }>;

class CallError extends Error {
  override readonly name = "ImagegenError";

  constructor(
    readonly reason: string,
    /** The canonical status, for example RESOURCE_EXHAUSTED. */
    readonly status: string,
    message: string,
    readonly details: object,
  ) {
    super(message);
  }

  /** What JSON.stringify keeps; `imagegenError` makes an error of it again. */
  toJSON(): object {
    const { reason, status, message, details } = this;
    return { reason, status, message, details };
  }
}

/**
 * An error of a call. Comparing `reason` narrows the type of `details`. A backend that is newer than
 * this client may send other reasons, so keep a branch for the rest.
 */
export type ImagegenError = CallError & Failure;

export const isImagegenError = (error: unknown): error is ImagegenError =>
  error instanceof CallError;

export function imagegenError(failure: Failure & { message: string }): ImagegenError {
  const { reason, status, message, details } = failure;
  return new CallError(reason, status, message, details) as ImagegenError;
}

/** Statuses of answers without a reason that come from what stands between, and of no answer. */
const FROM_BETWEEN = ["INTERNAL", "UNKNOWN", "UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"];

/** The error for what `httpsCallable` threw; undefined if that was not the outcome of a call. */
export function fromCallable(cause: unknown): ImagegenError | undefined {
  const { code, message, details } = cause as { code?: string; message?: string; details?: object };
  if (!code?.startsWith("functions/")) return undefined;
  const status = code.slice("functions/".length).replaceAll("-", "_").toUpperCase();
  const known = (details ?? {}) as Record<string, unknown>;
  if (typeof known.reason === "string") {
    const { reason, ...rest } = known;
    return new CallError(reason as string, status, message ?? "", rest) as ImagegenError;
  }
  return FROM_BETWEEN.includes(status)
    ? imagegenError({ reason: "NO_ANSWER", status, message: NO_ANSWER, details: {} })
    : imagegenError({ reason: "UNEXPECTED", status, message: message ?? status, details: {} });
}

const NO_ANSWER = "The server did not answer.";
