import { type Failure, imagegenError } from "imagegen-client";
import { describe, expect, it } from "vitest";
import { explain, mayBeDone } from "../../src/ui/explain";

const failure = (reason: Failure["reason"], details: object = {}) =>
  imagegenError({ reason, status: "UNKNOWN", message: "It failed.", details } as never);

describe("explain", () => {
  it("says that the credits came back, and which request it was", () => {
    const details = { generationRequestId: "g1", refundedCredits: 3, retryable: true };
    expect(explain(failure("GENERATION_FAILED", details))).toMatchObject({
      refunded: 3,
      generationRequestId: "g1",
      retryable: true,
      text: expect.stringContaining("3 credits came back"),
    });
  });

  it("does not suggest a retry that cannot help", () => {
    const refused = failure("GENERATION_FAILED", { refundedCredits: 1, retryable: false });
    expect(explain(refused).retryable).toBe(false);
    const poor = failure("INSUFFICIENT_CREDITS", { required: 4, available: 1 });
    expect(explain(poor)).toMatchObject({
      retryable: false,
      text: expect.stringContaining("costs 4 credits; you have 1"),
    });
    const hint = "EMAIL_NOT_VERIFIED";
    const unverified = failure("INSUFFICIENT_CREDITS", { required: 4, available: 0, hint });
    expect(explain(unverified).text).toContain("once your e-mail address is verified");
  });

  it("lists every field that is wrong", () => {
    const error = failure("INVALID_FIELD", {
      fieldViolations: [
        { field: "prompt", description: "too long" },
        { field: "size", description: "missing" },
      ],
    });
    expect(explain(error).text).toBe("prompt: too long. size: missing.");
  });

  it("says how long to wait, in the unit that a person would use", () => {
    const wait = (retryAfterSeconds: number) =>
      explain(failure("RATE_LIMITED", { retryAfterSeconds })).text;
    expect(wait(12)).toContain("Wait 12 s,");
    expect(wait(300)).toContain("Wait 5 min,");
    expect(wait(43_200)).toContain("Wait 12 hours,");
  });

  it("offers another try when nothing answered, and none when something unknown did", () => {
    expect(explain(failure("NO_ANSWER"))).toMatchObject({ title: "No answer", retryable: true });
    expect(explain(failure("UNEXPECTED"))).toMatchObject({ retryable: false, text: "It failed." });
  });

  it("calls another try safe only where nothing is done twice", () => {
    const unanswered = failure("NO_ANSWER");
    expect(explain(unanswered, "order").text).toContain("never charged twice");
    expect(explain(unanswered, "safe").text).toContain("done only once");
    expect(explain(unanswered, "look").text).toContain("look before you try again");
    expect(explain(unanswered).text).not.toContain("safe");
    expect(explain(failure("BACKEND_UNAVAILABLE"), "look").text).toContain("It may have been done");
    expect(explain(failure("IDEMPOTENCY_KEY_REUSED")).title).not.toBe("Something went wrong");
  });

  it("tells a refusal from a call that may have been carried out", () => {
    expect(mayBeDone(failure("NO_ANSWER"))).toBe(true);
    expect(mayBeDone(failure("BACKEND_UNAVAILABLE"))).toBe(true);
    expect(mayBeDone(new Error("Look first.", { cause: failure("NO_ANSWER") }))).toBe(true);
    expect(mayBeDone(failure("USER_NOT_FOUND"))).toBe(false);
    expect(mayBeDone(null)).toBe(false);
  });

  it("tells a charge that may stand from none", () => {
    expect(explain(failure("BACKEND_UNAVAILABLE")).text).toContain("Nothing was charged");
    const charged = failure("BACKEND_UNAVAILABLE", { generationRequestId: "g" });
    expect(explain(charged).text).toContain("may stand");
  });
});
