import { describe, expect, it } from "vitest";
import type { GenerationRequest, Order } from "../../src/api/types";
import { failureOf } from "../../src/features/create/failure-of";
import { snippets, tokens } from "../../src/features/create/snippets";
import { stepsOf } from "../../src/features/generation/timeline";
import { explain } from "../../src/ui/explain";
import { change, dateAndTime, percent, shortDateTime, span } from "../../src/ui/format";

const ORDER: Order = {
  userId: "ann",
  model: "Model A",
  style: "anime",
  color: "neon",
  size: "512x512",
  prompt: `It's "$5"`,
  mode: "sync",
};
const at = (seconds: number) => new Date(Date.UTC(2026, 10, 21, 12, 0, seconds)).toISOString();
const request = (changes: Partial<GenerationRequest>) =>
  ({
    mode: "async",
    deductedCredits: 3,
    refundedCredits: 0,
    createdAt: at(0),
    startedAt: null,
    completedAt: null,
    status: "pending",
    ...changes,
  }) as GenerationRequest;
const titles = (changes: Partial<GenerationRequest>) =>
  stepsOf(request(changes)).map((step) => step.title);

describe("snippets", () => {
  const code = Object.fromEntries(
    snippets("http://f", ORDER, "key-1").map((each) => [each.name, each.code]),
  );

  it("survive quotes in the shell", () => {
    expect(code.cURL).toContain(`It'\\''s \\"$5\\"`);
    expect(code.cURL).toContain('"Idempotency-Key: key-1"');
  });

  it("indent the body under the option that sends it", () => {
    expect(code.cURL).toContain(`  -d '{\n    "userId": "ann",`);
    expect(code.cURL).toContain(`\n  }'`);
  });

  it("do not let Dart interpolate", () => {
    expect(code.Dart).toContain("\\$5");
  });

  it("give JavaScript names instead of strings, and only there", () => {
    expect(code.JavaScript).toContain('  userId: "ann",');
    expect(code.Python).toContain('"userId": "ann",');
  });

  it("lose nothing when coloured", () => {
    for (const text of Object.values(code))
      expect(
        tokens(text)
          .map((token) => token.text)
          .join(""),
      ).toBe(text);
  });
});

describe("the timeline", () => {
  it("follows a request through every end", () => {
    expect(titles({})).toEqual(["Charged", "Waiting", "Image"]);
    expect(titles({ status: "processing", startedAt: at(1) })).toEqual([
      "Charged",
      "Started",
      "Generating",
    ]);
    expect(titles({ status: "completed", startedAt: at(1), completedAt: at(3) })).toEqual([
      "Charged",
      "Started",
      "Image",
    ]);
    expect(
      titles({ status: "failed", startedAt: at(1), completedAt: at(3), refundedCredits: 3 }),
    ).toEqual(["Charged", "Started", "Failed", "Refunded"]);
    expect(titles({ status: "canceled", completedAt: at(3), refundedCredits: 3 })).toEqual([
      "Charged",
      "Canceled",
      "Refunded",
    ]);
  });
});

describe("a request that failed in the background", () => {
  it.each([true, false])("offers another try if that can help: %s", (retryable) => {
    const error = { reason: "MODEL_OVERLOADED", message: "Busy.", retryable };
    const failed = failureOf(request({ status: "failed", refundedCredits: 3, error }));
    expect(explain(failed)).toMatchObject({ retryable, refunded: 3 });
  });
});

describe("numbers", () => {
  it("are written for people", () => {
    expect(percent(null)).toBe("–");
    expect(percent(0.9256)).toBe("92.6%");
    expect(change(-0.02, "points")).toBe("−2 pt");
    expect(change(0.318, "relative")).toBe("+32%");
    expect(span(at(0), at(42))).toBe("42 s");
    const now = new Date(2026, 11, 1);
    expect(shortDateTime(new Date(2026, 10, 27, 1, 5).toISOString(), now)).toBe("27 Nov, 01:05");
    expect(shortDateTime(new Date(2025, 10, 27, 0, 5).toISOString(), now)).toBe(
      "27 Nov 2025, 00:05",
    );
    expect(dateAndTime(new Date(2026, 10, 27, 1, 5, 9).toISOString())).toEqual([
      "27 Nov 2026",
      "01:05:09",
    ]);
  });
});
