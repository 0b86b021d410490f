/**
 * The last order that was sent, and what became of it. It is sent from here rather than from a
 * component, so that leaving the screen, or reloading the page, does not forget an order that may
 * have been charged.
 */
import { call } from "../../api/client";
import { ApiError } from "../../api/errors";
import type { Order } from "../../api/types";
import { tabValue } from "./tab-value";

interface Sent {
  order: Order;
  /** The idempotency key: however often the order is sent with it, it is charged once. */
  key: string;
  /** As Date.now() gives it. */
  startedAt: number;
}
export type Run = Sent &
  (
    | { state: "sending" }
    | { state: "accepted"; generationRequestId: string; imageUrl: string | null }
    | { state: "failed"; error: ApiError }
  );

/** An order that was interrupted longer ago than this is sent again only when the user says so. */
const RESUME_WITHIN_MILLISECONDS = 5 * 60_000;

const kept = tabValue<Run>("run", (stored) =>
  stored.state === "failed" ? { ...stored, error: ApiError.from(stored.error) } : stored,
);
export const run = kept.current;

/** The key of the call that this page is waiting for. */
let waitingFor: string | null = null;

/**
 * Sends an order, unless another one is still being sent; returns whether it did. When it is not
 * known what became of the same order before, it is sent with the key of that time instead of
 * `freshKey`, and so never charged twice.
 */
export function start(order: Order, freshKey: string = crypto.randomUUID()): boolean {
  const last = run.peek();
  if (last?.state === "sending") return false;
  const again = last?.state === "failed" && !hasEnded(last.error) && sameOrder(last.order, order);
  void send({ order, key: again ? last.key : freshKey, startedAt: Date.now() });
  return true;
}

/** Sends an order again, with its key, if a reload of the page interrupted it. */
export function resume(): void {
  const last = run.peek();
  if (last?.state !== "sending" || last.key === waitingFor) return;
  if (Date.now() - last.startedAt < RESUME_WITHIN_MILLISECONDS) void send(last);
  else
    kept.keep({
      ...last,
      state: "failed",
      error: new ApiError(0, "NETWORK", "The page was closed."),
    });
}

async function send({ order, key, startedAt }: Sent): Promise<void> {
  const sent = { order, key, startedAt };
  waitingFor = key;
  kept.keep({ ...sent, state: "sending" });
  const outcome = await outcomeOf(sent);
  waitingFor = null;
  // Another user may have signed in meanwhile: the outcome is not theirs.
  if (run.peek()?.key === key) kept.keep({ ...sent, ...outcome });
}

type Outcome =
  | Pick<Extract<Run, { state: "accepted" }>, "state" | "generationRequestId" | "imageUrl">
  | Pick<Extract<Run, { state: "failed" }>, "state" | "error">;

async function outcomeOf({ order, key }: Sent): Promise<Outcome> {
  try {
    const { generationRequestId, imageUrl } = await call("createGenerationRequest", order, {
      idempotencyKey: key,
    });
    return { state: "accepted", generationRequestId, imageUrl: imageUrl ?? null };
  } catch (cause) {
    const error = cause instanceof ApiError ? cause : new ApiError(0, "UNEXPECTED", String(cause));
    const id = error.details.generationRequestId;
    // The first call with this key is still being worked on: its request can be followed.
    if (error.reason === "REQUEST_IN_PROGRESS" && typeof id === "string") {
      return { state: "accepted", generationRequestId: id, imageUrl: null };
    }
    return { state: "failed", error };
  }
}

/** Whether the request is known to have ended, refunded: the same order again is a new one. */
function hasEnded(error: ApiError): boolean {
  return ["GENERATION_FAILED", "GENERATION_TIMEOUT", "REQUEST_CANCELED"].includes(error.reason);
}

function sameOrder(one: Order, other: Order): boolean {
  return (Object.keys(one) as (keyof Order)[]).every((field) => one[field] === other[field]);
}
