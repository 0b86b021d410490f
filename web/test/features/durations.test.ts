import { describe, expect, it } from "vitest";
import { durations } from "../../src/features/create/durations";
import { aspectOf } from "../../src/features/generation/aspect";

const took = (model: string, seconds: number) => ({
  model,
  startedAt: new Date(0).toISOString(),
  completedAt: new Date(seconds * 1000).toISOString(),
});

describe("the usual duration of a model", () => {
  it("is the median of its requests, so that one slow request does not count", () => {
    const requests = [2, 90, 3, 4].map((seconds) => took("A", seconds));
    expect(durations(requests)).toEqual({ A: 3.5 });
    expect(durations([...requests, took("A", 1)])).toEqual({ A: 3 });
  });

  it("is not told from fewer than three, nor from requests without both times", () => {
    const unknown = { model: "A", startedAt: null, completedAt: new Date(0).toISOString() };
    expect(durations([took("A", 1), took("A", 2), unknown, took("B", 1)])).toEqual({});
  });
});

describe("the shape of an image", () => {
  const sizes = [{ name: "tall", description: "", credits: 1, width: 1024, height: 1792 }];
  const catalogue = { models: [], styles: [], colors: [], sizes };

  it("is the stored image's, else the ordered size's, else a square", () => {
    const image = { width: 800, height: 400, mimeType: "image/png", bytes: 1 };
    expect(aspectOf({ image, size: "tall" }, catalogue)).toBe(2);
    expect(aspectOf({ size: "tall" }, catalogue)).toBe(1024 / 1792);
    expect(aspectOf({ size: "gone" }, catalogue)).toBe(1);
    expect(aspectOf({ size: "tall" }, null)).toBe(1);
  });
});
