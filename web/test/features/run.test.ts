import { type Failure, imagegenError } from "imagegen-client";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Order } from "../../src/api/types";

const made = vi.hoisted(() => ({ call: vi.fn(), forgetCatalogue: vi.fn() }));
vi.mock("../../src/api/client", () => ({ call: made.call }));
vi.mock("../../src/features/generation/catalogue", () => made);
const { session } = await import("../../src/api/session");
const { run, start } = await import("../../src/features/create/run");

const ORDER: Order = {
  userId: "ann",
  model: "Model A",
  style: "anime",
  color: "neon",
  size: "512x512",
  prompt: "A fox",
  mode: "sync",
};
const refused = (reason: Failure["reason"]) =>
  imagegenError({ reason, status: "UNKNOWN", message: "", details: {} } as never);

/** Sends the order and waits for its outcome. */
async function send(maxCredits: number, key: string) {
  expect(start(ORDER, maxCredits, key)).toBe(true);
  await vi.waitFor(() => expect(run.value?.state).not.toBe("sending"));
}
const sentKeys = () => made.call.mock.calls.map(([, body]) => body.idempotencyKey);

beforeEach(() => {
  vi.resetAllMocks();
  session.value = { state: "signedOut", onEmulators: true, notice: "" };
  const user = { uid: "ann", name: "Ann", isAdmin: false };
  session.value = { state: "signedIn", onEmulators: true, user };
});

describe("an order", () => {
  it("costs at most the price that was on screen", async () => {
    made.call.mockResolvedValue({ generationRequestId: "g", imageUrl: "u" });
    await send(3, "one");
    expect(made.call).toHaveBeenCalledWith("createGenerationRequest", {
      ...ORDER,
      idempotencyKey: "one",
      maxCredits: 3,
    });
  });

  it("shows the new price when it has changed, for which it is sent with the same key", async () => {
    made.call.mockRejectedValue(refused("PRICE_CHANGED"));
    await send(3, "one");
    expect(made.forgetCatalogue).toHaveBeenCalledOnce();
    await send(4, "two");
    expect(sentKeys()).toEqual(["one", "one"]);
    expect(made.call.mock.lastCall?.[1].maxCredits).toBe(4);
  });

  it("keeps its key while its outcome is unknown", async () => {
    made.call.mockRejectedValue(refused("NO_ANSWER"));
    await send(3, "one");
    await send(3, "two");
    expect(sentKeys()).toEqual(["one", "one"]);
    expect(made.forgetCatalogue).not.toHaveBeenCalled();
  });

  it.each(["GENERATION_FAILED", "IMAGE_DELETED", "IDEMPOTENCY_KEY_REUSED"] as const)(
    "is a new one after %s, when its key brings no image any more",
    async (reason) => {
      made.call.mockRejectedValue(refused(reason));
      await send(3, "one");
      await send(3, "two");
      expect(sentKeys()).toEqual(["one", "two"]);
    },
  );
});
