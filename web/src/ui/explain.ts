/** A failed call in words: what happened, and what to do about it. */
import { type ImagegenError, isImagegenError } from "imagegen-client";
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
  if (!isImagegenError(error)) {
    const text = error instanceof Error ? error.message : String(error);
    return { title: "Something went wrong", text, ...NOTHING };
  }
  const { generationRequestId = null, refundedCredits = 0 } = error.details as {
    generationRequestId?: string;
    refundedCredits?: number;
  };
  const known = { ...NOTHING, refunded: refundedCredits, generationRequestId };
  const back = refundedCredits ? `Your ${credits(refundedCredits)} came back.` : "";
  return { ...known, ...words(error, back) };
}

type Words = Pick<Explanation, "title" | "text"> & Partial<Explanation>;

/** `back` says what was refunded; it is empty if nothing was. */
function words(error: ImagegenError, back: string): Words {
  switch (error.reason) {
    case "GENERATION_FAILED":
      return {
        title: "The model made no image",
        text: error.details.retryable
          ? `${back} Failures like this are often temporary: try again.`
          : `${back} The model refused this request; change the prompt or choose another model.`,
        retryable: error.details.retryable,
      };
    case "GENERATION_TIMEOUT":
      return {
        title: "The model took too long",
        text: `${back} Try again, or let it run in the background.`,
        retryable: true,
      };
    case "CONTENT_REFUSED":
      return {
        title: "The model refused this prompt",
        text: `${back} Change the prompt, then try again.`,
      };
    case "PROMPT_REFUSED":
      return {
        title: "This prompt is not allowed",
        text: "Nothing was charged. Change the prompt, then try again.",
      };
    case "REQUEST_CANCELED":
      return { title: "This request was canceled", text: back };
    case "INSUFFICIENT_CREDITS": {
      const { required, available } = error.details;
      return {
        title: "Not enough credits",
        text: `This image costs ${credits(required)}; you have ${available}. Choose a smaller size.`,
      };
    }
    case "OUTSTANDING_DEBT":
      return {
        title: "Credits are owed",
        text: `Money for credits that you had spent already was returned to you, so ${credits(error.details.debt)} are owed. The next purchase pays them first.`,
      };
    case "PRICE_CHANGED":
      return {
        title: "The price has changed",
        text: `It is ${credits(error.details.credits)} now. Reload the page to see all prices.`,
      };
    case "INVALID_FIELD":
      return {
        title: "Please check the form",
        text: error.details.fieldViolations
          .map(({ field, description }) => `${field}: ${description}.`)
          .join(" "),
      };
    case "UNKNOWN_OPTION":
      return {
        title: "No longer available",
        text: `${error.message} Reload the page to see what is available.`,
      };
    case "MODE_NOT_SUPPORTED":
      return {
        title: "This model works in the background only",
        text: "Choose “In the background”, then create the image.",
      };
    case "USER_NOT_FOUND":
      return {
        title: "No credit account yet",
        text: "An administrator has to grant this user credits first.",
      };
    case "ACCOUNT_UNUSABLE":
      return {
        title: "This account has to be repaired",
        text: "Its balance cannot be read. Nothing was charged; an administrator can set it right.",
      };
    case "GENERATION_REQUEST_NOT_FOUND":
      return {
        title: "No such request",
        text: "It does not exist, or it belongs to somebody else.",
      };
    case "NOT_CANCELABLE":
      return {
        title: "Too late to cancel",
        text: `The request is already ${error.details.status}.`,
      };
    case "REQUEST_IN_PROGRESS":
      return { title: "Still running", text: "This request was received and is being worked on." };
    default:
      return wordsOfTheService(error);
  }
}

/** Of errors that do not depend on what was asked for. */
function wordsOfTheService(error: ImagegenError): Words {
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
    case "BACKEND_UNAVAILABLE":
      return {
        title: "The service is unavailable",
        text: error.details.generationRequestId
          ? "The charge may stand; within minutes the request is completed or refunded automatically. Trying again is safe: the same request is never charged twice."
          : "Nothing was charged. Try again in a moment.",
        retryable: true,
      };
    case "NO_ANSWER":
      return {
        title: "No answer",
        text: "The server could not be reached. Trying again is safe: the same request is never charged twice.",
        retryable: true,
      };
    case "INTERNAL":
      return { title: "Something went wrong", text: error.message, retryable: true };
    default:
      return {
        title: error.status === "NOT_FOUND" ? "Not found" : "Something went wrong",
        text: error.message,
      };
  }
}

const NOTHING = { refunded: 0, retryable: false, generationRequestId: null } as const;

function waiting(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} hours`;
}
