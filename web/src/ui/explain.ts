/** A failed call in words: what happened, and what to do about it. */
import { ApiError } from "../api/errors";
import { credits } from "./format";

export interface Explanation {
  title: string;
  text: string;
  /** Credits that were refunded; 0 when none had been charged. */
  refunded: number;
  /** Whether sending the same request again can succeed. */
  retryable: boolean;
  generationRequestId: string | null;
}

export function explain(error: unknown): Explanation {
  if (!(error instanceof ApiError)) {
    const text = error instanceof Error ? error.message : String(error);
    return { title: "Something went wrong", text, ...nothing };
  }
  const { details } = error;
  const id = typeof details.generationRequestId === "string" ? details.generationRequestId : null;
  const refunded = Number(details.refundedCredits ?? 0);
  const known = { ...nothing, refunded, generationRequestId: id };
  const back = refunded ? `Your ${credits(refunded)} came back.` : "";
  switch (error.reason) {
    case "GENERATION_FAILED":
      return {
        ...known,
        title: "The model made no image",
        text:
          details.retryable === false
            ? `${back} The model refused this request; change the prompt or choose another model.`
            : `${back} Failures like this are often temporary: try again.`,
        retryable: details.retryable !== false,
      };
    case "GENERATION_TIMEOUT":
      return {
        ...known,
        title: "The model took too long",
        text: `${back} Try again, or let it run in the background.`,
        retryable: true,
      };
    case "INSUFFICIENT_CREDITS":
      return {
        ...known,
        title: "Not enough credits",
        text: `This image costs ${credits(Number(details.required))}; you have ${Number(details.available)}. Choose a smaller size.`,
      };
    case "INVALID_FIELD":
      return {
        ...known,
        title: "Please check the form",
        text: violations(details) || error.message,
      };
    case "UNKNOWN_OPTION":
      return {
        ...known,
        title: "No longer available",
        text: `${error.message} Reload the page to see what is available.`,
      };
    case "USER_NOT_FOUND":
      return {
        ...known,
        title: "No credit account yet",
        text: "An administrator has to grant this user credits first.",
      };
    case "GENERATION_REQUEST_NOT_FOUND":
      return {
        ...known,
        title: "No such request",
        text: "It does not exist, or it belongs to somebody else.",
      };
    case "NOT_CANCELABLE":
      return {
        ...known,
        title: "Too late to cancel",
        text: `The request is already ${String(details.status ?? "under way")}.`,
      };
    case "REQUEST_IN_PROGRESS":
      return {
        ...known,
        title: "Still running",
        text: "This request was received and is being worked on.",
      };
    case "NOT_OWNER":
      return { ...known, title: "No access", text: "This belongs to another user." };
    case "TOKEN_MISSING":
    case "TOKEN_INVALID":
    case "TOKEN_EXPIRED":
      return { ...known, title: "Your session has ended", text: "Sign out, then sign in again." };
    case "APP_CHECK_MISSING":
    case "APP_CHECK_INVALID":
      return {
        ...known,
        title: "This browser could not be verified",
        text: "Google reCAPTCHA has to confirm that the call comes from this page. If a content blocker stops reCAPTCHA, allow it here, then reload the page.",
      };
    case "RATE_LIMITED":
      return {
        ...known,
        title: "Too many requests",
        text: error.retryAfterSeconds
          ? `${error.message} Wait ${error.retryAfterSeconds} s, then try again.`
          : error.message,
        retryable: true,
      };
    case "BACKEND_UNAVAILABLE":
      return {
        ...known,
        title: "The service is unavailable",
        text: id
          ? "The charge may stand; within minutes the request is completed or refunded automatically. Trying again is safe: the same request is never charged twice."
          : "Nothing was charged. Try again in a moment.",
        retryable: true,
      };
    case "NETWORK":
      return { ...known, ...noAnswer };
    case "UNEXPECTED":
      // Hosting or a proxy gave up waiting for the function.
      if (error.code >= 502) return { ...known, ...noAnswer };
  }
  return {
    ...known,
    title: "Something went wrong",
    text: error.message,
    retryable: error.code >= 500,
  };
}

const noAnswer = {
  title: "No answer",
  text: "The server could not be reached. Trying again is safe: the same request is never charged twice.",
  retryable: true,
} as const;
const nothing = { refunded: 0, retryable: false, generationRequestId: null } as const;

function violations(details: Record<string, unknown>): string {
  const found = details.fieldViolations;
  if (!Array.isArray(found)) return "";
  return found
    .map((each: { field?: string; description?: string }) => `${each.field}: ${each.description}.`)
    .join(" ");
}
