/** A failed call in words: what happened, and what to do about it. */
import { type ImagegenError, isImagegenError } from "imagegen-client";
import { wordsOfTheService } from "./explain-service";
import type { Again, Explanation, Words } from "./explanation";
import { credits } from "./format";

/** `again` says what trying again does, where it is not known whether the call was carried out. */
export function explain(error: unknown, again?: Again): Explanation {
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
  return { ...known, ...words(error, back, again) };
}

/** Whether what was called may have been done although it failed with `error`, or with its cause. */
export function mayBeDone(error: unknown): boolean {
  if (isImagegenError(error)) return OUTCOME_UNKNOWN.includes(error.reason);
  return error instanceof Error && mayBeDone(error.cause);
}
const OUTCOME_UNKNOWN = ["NO_ANSWER", "BACKEND_UNAVAILABLE", "INTERNAL"];

/** `back` says what was refunded; it is empty if nothing was. */
function words(error: ImagegenError, back: string, again?: Again): Words {
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
      const { required, available, hint } = error.details;
      const advice = hint ? WAYS_TO_FREE_CREDITS[hint] : "Choose a smaller size.";
      return {
        title: "Not enough credits",
        text: `This image costs ${credits(required)}; you have ${available}. ${advice}`,
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
        text: `It is ${credits(error.details.credits)} now. Nothing was charged.`,
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
        text: "It is opened when credits are bought, or granted by an administrator.",
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
    case "IMAGE_DELETED":
      return {
        title: "The image was deleted",
        text: "The request was completed, and its image was deleted since. Nothing is charged again.",
      };
    case "NOT_CANCELABLE":
      return {
        title: "Too late to cancel",
        text: `The request is already ${error.details.status}.`,
      };
    case "REQUEST_IN_PROGRESS":
      return { title: "Still running", text: "This request was received and is being worked on." };
    default:
      return wordsOfTheService(error, again);
  }
}

/** By why there are none. */
const WAYS_TO_FREE_CREDITS = {
  EMAIL_NOT_VERIFIED: "Free credits come once your e-mail address is verified.",
  ANONYMOUS: "Free credits come once you sign in with an account of your own.",
};

const NOTHING = { refunded: 0, retryable: false, generationRequestId: null } as const;
