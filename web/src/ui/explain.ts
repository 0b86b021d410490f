/** What a failed call means to the person in front of the screen: what happened, what to do. */
import { ApiError } from "../api/errors";
import { credits } from "./format";

export interface Explanation {
  title: string;
  text: string;
  /** Credits that came back; 0 when none had been taken. */
  refunded: number;
  /** Whether trying the same again can help. */
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
            : `${back} It is often gone the next time: try again.`,
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
        title: "Not on offer any more",
        text: `${error.message} Reload the page to see what is.`,
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
        text: "It does not exist, or it is somebody else’s.",
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
      return { ...known, title: "Not yours to see", text: "You are signed in as somebody else." };
    case "TOKEN_MISSING":
    case "TOKEN_INVALID":
    case "TOKEN_EXPIRED":
      return { ...known, title: "Your session has ended", text: "Sign out and in again." };
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
        title: "The service is out of reach",
        text: id
          ? "The charge may stand; it is settled or refunded by itself within minutes. Trying again is safe: the same request is never charged twice."
          : "Nothing was charged. Try again in a moment.",
        retryable: true,
      };
    case "NETWORK":
      return {
        ...known,
        title: "No answer",
        text: "The server could not be reached. Trying again is safe: the same request is never charged twice.",
        retryable: true,
      };
    default:
      return {
        ...known,
        title: "Something went wrong",
        text: error.message,
        retryable: error.code >= 500,
      };
  }
}

const nothing = { refunded: 0, retryable: false, generationRequestId: null } as const;

function violations(details: Record<string, unknown>): string {
  const found = details.fieldViolations;
  if (!Array.isArray(found)) return "";
  return found
    .map((each: { field?: string; description?: string }) => `${each.field}: ${each.description}.`)
    .join(" ");
}
