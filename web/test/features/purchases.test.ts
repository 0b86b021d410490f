import { describe, expect, it } from "vitest";
import BACKEND from "../../../functions/imagegen/purchases/money.py?raw";
import { daysUntil } from "../../src/features/credits/words";
import { DIGITS, money } from "../../src/ui/format";

describe("prices", () => {
  it("are written in their currency, with the digits that it has", () => {
    expect(money(990, "eur")).toBe("€9.90");
    expect(money(500, "jpy")).toBe("¥500");
    expect(money(1500, "kwd")).toContain("1.500");
  });

  it("have the digits with which the backend stores them, also where Intl has others", () => {
    const table = BACKEND.matchAll(/fromkeys\(\(([^)]*)\), (\d)\)/g);
    const stored = [...table].flatMap(([, currencies = "", digits]) =>
      [...currencies.matchAll(/\w+/g)].map(([currency]) => [currency, Number(digits)]),
    );
    expect(DIGITS).toEqual(Object.fromEntries(stored));
    expect(money(990, "isk")).toContain("9.90");
    expect(money(990, "mga")).toMatch(/990$/);
  });
});

describe("days until credits expire", () => {
  const now = Date.parse("2026-11-27T12:00:00Z");

  it("are whole days that remain", () => {
    expect(daysUntil("2026-11-28T11:59:00Z", now)).toBe("today");
    expect(daysUntil("2026-11-28T12:00:00Z", now)).toBe("in 1 day");
    expect(daysUntil("2026-12-03T13:00:00Z", now)).toBe("in 6 days");
  });
});
