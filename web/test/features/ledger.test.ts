import { describe, expect, it } from "vitest";
import type { LedgerEntry } from "../../src/api/types";
import { balanceRange, balanceSeries, csv, withBalances } from "../../src/features/credits/ledger";

const entry = (
  id: string,
  type: LedgerEntry["type"],
  credits: number,
  timestamp: string,
  generationRequestId: string | null = "g",
): LedgerEntry => ({ id, type, credits, generationRequestId, timestamp });
const ENTRIES = [
  entry("c", "refund", 3, "2026-11-21T12:00:02Z"),
  entry("b", "deduction", 3, "2026-11-21T12:00:01Z"),
  entry("a", "grant", 50, "2026-11-21T12:00:00Z", null),
];

describe("the ledger", () => {
  it("runs the balance back from the current one", () => {
    expect(withBalances(ENTRIES, 60).map((line) => [line.change, line.balanceAfter])).toEqual([
      [3, 60],
      [-3, 57],
      [50, 60],
    ]);
  });

  it("subtracts what expires, is taken back or moves out", () => {
    for (const type of ["expiry", "clawback", "transfer_out"] as const) {
      const [line] = withBalances([entry("d", type, 2, "2026-11-21T12:00:03Z")], 58);
      expect([line?.change, line?.balanceAfter]).toEqual([-2, 58]);
    }
  });

  it("draws from the opening balance up to now", () => {
    const [times, balances] = balanceSeries(
      withBalances(ENTRIES, 60),
      Date.parse("2026-11-21T13:00:00Z"),
    );
    expect(balances).toEqual([10, 60, 57, 60, 60]);
    expect([...times].sort((one, other) => one - other)).toEqual(times);
    expect(balanceSeries([])).toEqual([[], []]);
  });

  it("draws changes as large as it can, and nothing below zero", () => {
    expect(balanceRange(378, 400)).toEqual([375, 403]);
    expect(balanceRange(100, 100)).toEqual([99, 101]);
    expect(balanceRange(0, 50)).toEqual([0, 55]);
    expect(balanceRange(-2, 8)).toEqual([-3, 9]);
  });

  it("writes CSV that a spreadsheet cannot take for a formula", () => {
    const [, first] = csv(
      withBalances([entry('=x",y', "deduction", 1, "2026-11-21T12:00:00Z")], 9),
    ).split("\r\n");
    expect(first).toBe(`2026-11-21T12:00:00Z,deduction,-1,9,g,"'=x"",y"`);
  });
});
