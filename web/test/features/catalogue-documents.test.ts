import { describe, expect, it } from "vitest";
import {
  documentOf,
  moved,
  otherFields,
  shown,
  sorted,
} from "../../src/features/admin/catalogue/documents";
import { KINDS } from "../../src/features/admin/catalogue/kinds";

const { fields } = KINDS.models;
const at = (...places: number[]) =>
  places.map((sortOrder, index) => ({
    name: "abcdef".charAt(index),
    document: { sortOrder },
    problems: [],
  }));
const placesAfter = (documents: ReturnType<typeof at>, moving: string, to: string) => {
  const changes = moved(documents, moving, to);
  const all = documents.map((each) => changes.find(({ name }) => name === each.name) ?? each);
  return { order: sorted(all).map(({ name }) => name), changed: changes.length };
};

describe("a document in the form", () => {
  it("is the same after it was shown and not changed", () => {
    const document = { generator: "mock", enabled: true, failureRate: 0.1, sizes: { a: { b: 1 } } };
    const others = otherFields(document, fields);
    expect(JSON.parse(others)).toEqual({ failureRate: 0.1, sizes: { a: { b: 1 } } });
    expect(documentOf(document, others, fields)).toEqual(document);
  });

  it("loses a field that was emptied, and keeps false and zero", () => {
    const known = { generator: "mock", description: "", enabled: false, sortOrder: 0 };
    expect(documentOf(known, "", fields)).toEqual({
      generator: "mock",
      enabled: false,
      sortOrder: 0,
    });
  });

  it("is refused if the other fields are no object, or repeat one of the form", () => {
    expect(() => documentOf({}, "[1]", fields)).toThrow("one JSON object");
    expect(() => documentOf({}, "{", fields)).toThrow(SyntaxError);
    expect(() => documentOf({}, '{"enabled": true}', fields)).toThrow("enabled has a field");
  });

  it("has values in words", () => {
    expect([undefined, null, true, "", 3, ["a"]].map(shown)).toEqual([
      "—",
      "—",
      "yes",
      "“”",
      "3",
      '["a"]',
    ]);
  });
});

describe("moving a document", () => {
  it("swaps the places of two neighbors and writes nothing else", () => {
    expect(placesAfter(at(10, 20, 30), "c", "b")).toEqual({ order: ["a", "c", "b"], changed: 2 });
    expect(placesAfter(at(10, 20, 30), "a", "b")).toEqual({ order: ["b", "a", "c"], changed: 2 });
  });

  it("numbers all anew where places are equal", () => {
    expect(placesAfter(at(0, 0, 0), "a", "b").order).toEqual(["b", "a", "c"]);
    expect(placesAfter(at(10, 10, 30), "b", "c").order).toEqual(["a", "c", "b"]);
  });

  it("does nothing if it or the other one is gone", () => {
    expect(moved(at(10, 20), "c", "a")).toEqual([]);
    expect(moved(at(10, 20), "a", "c")).toEqual([]);
  });
});
