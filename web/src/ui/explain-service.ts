/** Errors in words that do not depend on what was ordered. */
import type { ImagegenError } from "imagegen-client";
import type { Again, Words } from "./explanation";

/** What a user is told whose call may have been carried out although its answer is not known. */
const AGAIN: Record<Again, string> = {
  order: "Trying again is safe: the same order is never charged twice.",
  safe: "Trying again is safe: it is done only once.",
  look: "It may have been done. Close this and look before you try again.",
};

export function wordsOfTheService(error: ImagegenError, again?: Again): Words {
  switch (error.reason) {
    case "NOT_OWNER":
      return { title: "No access", text: "This belongs to another user." };
    case "TOKEN_MISSING":
    case "TOKEN_INVALID":
    case "TOKEN_EXPIRED":
      return { title: "Your session has ended", text: "Sign out, then sign in again." };
    case "APP_CHECK_MISSING":
    case "APP_CHECK_INVALID":
      return {
        title: "This browser could not be verified",
        text: "Google reCAPTCHA has to confirm that the call comes from this page. If a content blocker stops reCAPTCHA, allow it here, then reload the page.",
      };
    case "RATE_LIMITED":
      return {
        title: "Too many requests",
        text: `${error.message} Wait ${waiting(error.details.retryAfterSeconds)}, then try again.`,
        retryable: true,
      };
    case "PAYMENTS_OFF":
      return { title: "Credits are not sold here", text: "An administrator can grant them." };
    case "PRODUCT_NOT_FOUND":
      return {
        title: "No longer on offer",
        text: "Reload the page to see what is. Nothing was charged.",
      };
    case "CUSTOMER_NOT_FOUND":
      return {
        title: "Nothing to manage yet",
        text: "Invoices and cards are kept here once you have bought something.",
      };
    case "PAYMENT_PROVIDER_UNAVAILABLE":
      return {
        title: "The payment service does not answer",
        text: "Nothing was charged. Try again in a moment.",
        retryable: true,
      };
    case "IDEMPOTENCY_KEY_REUSED":
      return {
        title: "Something else was sent before",
        text: "It may have been done, and this differs from it: look before you try again.",
      };
    case "BACKEND_UNAVAILABLE":
      return {
        title: "The service is unavailable",
        text: unavailable(error.details.generationRequestId, again),
        retryable: true,
      };
    case "NO_ANSWER":
      return {
        title: "No answer",
        text: `The server could not be reached. ${again ? AGAIN[again] : "Try again in a moment."}`,
        retryable: true,
      };
    case "INTERNAL":
      return {
        title: "Something went wrong",
        text: again ? `${error.message} ${AGAIN[again]}` : error.message,
        retryable: true,
      };
    default:
      return {
        title: error.status === "NOT_FOUND" ? "Not found" : "Something went wrong",
        text: error.message,
      };
  }
}

function unavailable(generationRequestId?: string, again?: Again): string {
  if (generationRequestId)
    return "The charge may stand; within minutes the request is completed or refunded automatically. Trying again is safe: the same request is never charged twice.";
  return again && again !== "order"
    ? `The service could not finish. ${AGAIN[again]}`
    : "Nothing was charged. Try again in a moment.";
}

function waiting(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} hours`;
}
