import { afterEach, describe, expect, it, vi } from "vitest";
import { send } from "../../src/api/client";
import type { ApiError } from "../../src/api/errors";
import { explain } from "../../src/ui/explain";

const answer = (status: number, body: unknown, headers = {}) =>
  vi.stubGlobal("fetch", () =>
    Promise.resolve(new Response(JSON.stringify(body), { status, headers })),
  );
const failed = (details: object, status = 500, message = "It failed.") => ({
  error: { code: status, status: "UNKNOWN", message, details },
});
const failure = async (): Promise<ApiError> =>
  (await send("/x", {}).catch((error: unknown) => error)) as ApiError;

afterEach(() => vi.unstubAllGlobals());

describe("send", () => {
  it("gives the answer of a call that went well", async () => {
    answer(200, { imageUrl: "u" });
    expect(await send("/x", {})).toEqual({ imageUrl: "u" });
  });

  it("keeps reason, details, request id and waiting time of a refusal", async () => {
    answer(429, failed({ reason: "RATE_LIMITED" }, 429), {
      "Retry-After": "12",
      "X-Request-Id": "r1",
    });
    const error = await failure();
    expect(error).toMatchObject({
      code: 429,
      reason: "RATE_LIMITED",
      requestId: "r1",
      retryAfterSeconds: 12,
    });
    expect(explain(error).text).toContain("Wait 12 s");
  });

  it("knows no answer, and an answer that is not JSON", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect((await failure()).reason).toBe("NETWORK");
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("<html>", { status: 502 })));
    expect(await failure()).toMatchObject({ code: 502, reason: "UNEXPECTED" });
  });
});
