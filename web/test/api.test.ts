import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, send } from "../src/api";
import { explain } from "../src/failures";

const answer = (status: number, body: unknown, headers = {}) =>
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify(body), { status, headers })));
const failed = (details: object, status = 500, message = "It failed.") => ({ error: { code: status, status: "UNKNOWN", message, details } });
const failure = async (): Promise<ApiError> => (await send("/x", {}).catch((error: unknown) => error)) as ApiError;

afterEach(() => vi.unstubAllGlobals());

describe("send", () => {
  it("gives the answer of a call that went well", async () => {
    answer(200, { imageUrl: "u" });
    expect(await send("/x", {})).toEqual({ imageUrl: "u" });
  });

  it("keeps reason, details, request id and waiting time of a refusal", async () => {
    answer(429, failed({ reason: "RATE_LIMITED" }, 429), { "Retry-After": "12", "X-Request-Id": "r1" });
    const error = await failure();
    expect(error).toMatchObject({ code: 429, reason: "RATE_LIMITED", requestId: "r1", retryAfterSeconds: 12 });
    expect(explain(error).text).toContain("Wait 12 s");
  });

  it("knows no answer, and an answer that is not JSON", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect((await failure()).reason).toBe("NETWORK");
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("<html>", { status: 502 })));
    expect(await failure()).toMatchObject({ code: 502, reason: "UNEXPECTED" });
  });
});

describe("explain", () => {
  it("says that the credits came back, and which request it was", async () => {
    answer(500, failed({ reason: "GENERATION_FAILED", generationRequestId: "g1", refundedCredits: 3, retryable: true }));
    expect(explain(await failure())).toMatchObject({ refunded: 3, generationRequestId: "g1", retryable: true, text: expect.stringContaining("3 credits came back") });
  });

  it("does not suggest a retry that cannot help", async () => {
    answer(500, failed({ reason: "GENERATION_FAILED", refundedCredits: 1, retryable: false }));
    expect(explain(await failure()).retryable).toBe(false);
    answer(402, failed({ reason: "INSUFFICIENT_CREDITS", required: 4, available: 1 }, 402));
    expect(explain(await failure())).toMatchObject({ retryable: false, text: expect.stringContaining("costs 4 credits; you have 1") });
  });

  it("lists every field that is wrong", async () => {
    answer(400, failed({ reason: "INVALID_FIELD", fieldViolations: [{ field: "prompt", description: "too long" }, { field: "size", description: "missing" }] }, 400));
    expect(explain(await failure()).text).toBe("prompt: too long. size: missing.");
  });

  it("tells a charge that may stand from none", async () => {
    answer(503, failed({ reason: "BACKEND_UNAVAILABLE" }, 503));
    expect(explain(await failure()).text).toContain("Nothing was charged");
    answer(503, failed({ reason: "BACKEND_UNAVAILABLE", generationRequestId: "g" }, 503));
    expect(explain(await failure()).text).toContain("may stand");
  });
});
