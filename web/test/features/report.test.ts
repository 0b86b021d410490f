import { describe, expect, it } from "vitest";
import type { Report } from "../../src/api/report";
import { decoded } from "../../src/api/weeks";
import { niceAbove } from "../../src/features/reports/daily-bars";
import { headline, wilson } from "../../src/features/reports/summary";

const report = (changes: object) =>
  ({ anomalies: [], dataQuality: [], totals: { requests: 9 }, ...changes }) as unknown as Report;

describe("reports", () => {
  it("know a rate as well as Wilson does", () => {
    const [low, high] = wilson(45, 50) ?? [];
    expect(low).toBeCloseTo(0.7864, 3);
    expect(high).toBeCloseTo(0.9565, 3);
    expect(wilson(0, 0)).toBeNull();
    expect(wilson(5, 5)?.[1]).toBe(1);
  });

  it("read the values of Firestore's REST API", () => {
    expect(
      decoded({
        mapValue: {
          fields: {
            a: { integerValue: "7" },
            b: { arrayValue: { values: [{ doubleValue: 0.5 }, {}] } },
            c: { booleanValue: false },
          },
        },
      }),
    ).toEqual({ a: 7, b: [0.5, null], c: false });
  });

  it("say first what matters most", () => {
    expect(headline(report({}))).toBe("A normal week.");
    expect(headline(report({ anomalies: [{ severity: "low" }] }))).toBe("A normal week.");
    expect(headline(report({ anomalies: [{ severity: "high" }, { severity: "medium" }] }))).toBe(
      "2 things need a look this week.",
    );
    expect(headline(report({ dataQuality: [{ severity: "warning" }] }))).toContain("doubts");
    expect(headline(report({ totals: { requests: 0 } }))).toContain("quiet");
  });

  it("end the scale of a chart on a number that quarters divide", () => {
    expect([1, 7, 11, 99, 1418].map(niceAbove)).toEqual([4, 8, 20, 100, 2000]);
  });
});
