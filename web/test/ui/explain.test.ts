import { describe, expect, it } from "vitest";
import { ApiError } from "../../src/api/errors";
import { explain } from "../../src/ui/explain";

const failure = (details: { reason: string; [name: string]: unknown }, status = 500) =>
  new ApiError(status, details.reason, "It failed.", details);

describe("explain", () => {
  it("says that the credits came back, and which request it was", () => {
    const error = failure({
      reason: "GENERATION_FAILED",
      generationRequestId: "g1",
      refundedCredits: 3,
      retryable: true,
    });
    expect(explain(error)).toMatchObject({
      refunded: 3,
      generationRequestId: "g1",
      retryable: true,
      text: expect.stringContaining("3 credits came back"),
    });
  });

  it("does not suggest a retry that cannot help", () => {
    expect(
      explain(failure({ reason: "GENERATION_FAILED", refundedCredits: 1, retryable: false }))
        .retryable,
    ).toBe(false);
    const poor = failure({ reason: "INSUFFICIENT_CREDITS", required: 4, available: 1 }, 402);
    expect(explain(poor)).toMatchObject({
      retryable: false,
      text: expect.stringContaining("costs 4 credits; you have 1"),
    });
  });

  it("lists every field that is wrong", () => {
    const error = failure(
      {
        reason: "INVALID_FIELD",
        fieldViolations: [
          { field: "prompt", description: "too long" },
          { field: "size", description: "missing" },
        ],
      },
      400,
    );
    expect(explain(error).text).toBe("prompt: too long. size: missing.");
  });

  it("treats a gateway that gave up like a server that did not answer", () => {
    const timedOut = new ApiError(504, "UNEXPECTED", "The server answered 504.");
    expect(explain(timedOut)).toMatchObject({ title: "No answer", retryable: true });
    const denied = new ApiError(403, "UNEXPECTED", "The server answered 403.");
    expect(explain(denied)).toMatchObject({ retryable: false, text: "The server answered 403." });
  });

  it("tells a charge that may stand from none", () => {
    expect(explain(failure({ reason: "BACKEND_UNAVAILABLE" }, 503)).text).toContain(
      "Nothing was charged",
    );
    expect(
      explain(failure({ reason: "BACKEND_UNAVAILABLE", generationRequestId: "g" }, 503)).text,
    ).toContain("may stand");
  });
});
