import { describe, expect, it } from "vitest";
import { compared } from "../../src/features/reports/compare";

describe("two weeks compared", () => {
  it("differ by a share of the other week, and a rate by points", () => {
    expect(compared(150, 100, "requests")).toMatchObject({ change: 0.5, unit: "relative" });
    expect(compared(0.9, 0.95, "successRate").change).toBeCloseTo(-0.05);
    expect(compared(0.9, 0.95, "successRate").unit).toBe("points");
  });

  it("have no change where a number is missing, or there was nothing to grow from", () => {
    expect(compared(null, 3, "newUsers").change).toBeNull();
    expect(compared(3, undefined, "newUsers").change).toBeNull();
    expect(compared(3, 0, "requests").change).toBeNull();
  });
});
