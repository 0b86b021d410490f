/**
 * The last order that was sent, and its outcome. It is sent from this module and not from a
 * component, so that an order that may have been charged survives a change of screen and a reload.
 */
import { type ImagegenError, imagegenError, isImagegenError } from "imagegen-client";
import { call } from "../../api/client";
import type { Order } from "../../api/types";
import { forgetCatalogue } from "../generation/catalogue";
import { tabValue } from "./tab-value";

interface Sent {
  order: Order;
  /** The idempotency key: an order is charged once, however often it is sent with the same key. */
  key: string;
  /** The price that was shown: a dearer order is refused. */
  maxCredits?: number;
  /** Milliseconds, as from Date.now(). */
  startedAt: number;
}
export type Run = Sent &
  (
    | { state: "sending" }
    | { state: "accepted"; generationRequestId: string; imageUrl: string | null }
    | { state: "failed"; error: ImagegenError }
  );

/** Orders interrupted longer ago than this are sent again only if the user asks for it. */
const RESUME_WITHIN_MILLISECONDS = 5 * 60_000;

const kept = tabValue<Run>("run", (stored) =>
  stored.state === "failed" ? { ...stored, error: imagegenError(stored.error) } : stored,
);
export const run = kept.current;

/** The keys used since the page was loaded. */
const sentHere = new Set<string>();

/**
 * Sends an order for at most `maxCredits`, unless another one is still being sent. Returns whether it
 * did. If the last order was the same and its outcome is unknown, its key is used again instead of
 * `freshKey`, so that it cannot be charged twice.
 */
export function start(
  order: Order,
  maxCredits: number | undefined,
  freshKey: string = crypto.randomUUID(),
): boolean {
  const last = run.peek();
  if (last?.state === "sending") return false;
  const again = last?.state === "failed" && !hasEnded(last.error) && sameOrder(last.order, order);
  void send({ order, key: again ? last.key : freshKey, maxCredits, startedAt: Date.now() });
  return true;
}

/**
 * Sends an order again, with its key, if a reload of the page interrupted it. Some browsers abort
 * the call before the page goes away, so the order may look as if it had failed without an answer.
 */
export function resume(): void {
  const last = run.peek();
  if (!last || sentHere.has(last.key)) return;
  const interrupted =
    last.state === "sending" || (last.state === "failed" && last.error.reason === "NO_ANSWER");
  if (!interrupted) return;
  if (Date.now() - last.startedAt < RESUME_WITHIN_MILLISECONDS) void send(last);
  else kept.keep({ ...last, state: "failed", error: noAnswer("The page was closed.") });
}

async function send({ order, key, maxCredits, startedAt }: Sent): Promise<void> {
  const sent = { order, key, maxCredits, startedAt };
  sentHere.add(key);
  kept.keep({ ...sent, state: "sending" });
  const outcome = await outcomeOf(sent);
  // If another user has signed in meanwhile, the outcome is not theirs.
  if (run.peek()?.key === key) kept.keep({ ...sent, ...outcome });
}

type Outcome =
  | Pick<Extract<Run, { state: "accepted" }>, "state" | "generationRequestId" | "imageUrl">
  | Pick<Extract<Run, { state: "failed" }>, "state" | "error">;

async function outcomeOf({ order, key, maxCredits }: Sent): Promise<Outcome> {
  try {
    const { generationRequestId, imageUrl } = await call("createGenerationRequest", {
      ...order,
      idempotencyKey: key,
      maxCredits,
    });
    return { state: "accepted", generationRequestId, imageUrl: imageUrl ?? null };
  } catch (cause) {
    const error = isImagegenError(cause) ? cause : unexpected(cause);
    if (error.reason === "PRICE_CHANGED") forgetCatalogue(); // the form shows the new price then
    // The first call with this key is still running: follow its request.
    if (error.reason === "REQUEST_IN_PROGRESS") {
      const { generationRequestId } = error.details;
      return { state: "accepted", generationRequestId, imageUrl: null };
    }
    return { state: "failed", error };
  }
}

const noAnswer = (message: string): ImagegenError =>
  imagegenError({ reason: "NO_ANSWER", status: "UNAVAILABLE", message, details: {} });
const unexpected = (cause: unknown): ImagegenError =>
  imagegenError({ reason: "UNEXPECTED", status: "UNKNOWN", message: String(cause), details: {} });

/** After these a key brings no image any more, so that the same order is a new one. */
const ENDED = [
  "GENERATION_FAILED",
  "GENERATION_TIMEOUT",
  "CONTENT_REFUSED",
  "REQUEST_CANCELED",
  "IMAGE_DELETED",
  "IDEMPOTENCY_KEY_REUSED",
];
const hasEnded = ({ reason }: ImagegenError): boolean => ENDED.includes(reason);

function sameOrder(one: Order, other: Order): boolean {
  return (Object.keys(one) as (keyof Order)[]).every((field) => one[field] === other[field]);
}
