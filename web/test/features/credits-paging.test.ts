import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Credits } from "../../src/api/types";
import { runHook } from "../support/hook";

const api = vi.hoisted(() => ({ call: vi.fn(), listen: vi.fn() }));
vi.mock("../../src/api/client", () => ({ call: api.call }));
vi.mock("../../src/api/firebase", () => ({ listen: api.listen }));
const { useOlder } = await import("../../src/features/credits/older");
const { usePurchases } = await import("../../src/features/credits/purchase-list");

const answer = (token: string) =>
  ({ currentCredits: 1, transactions: [], nextPageToken: token }) as unknown as Credits;
const purchases = (...ids: string[]) => ({
  purchases: ids.map((purchaseId) => ({ purchaseId })),
  nextPageToken: "next",
});
/** Answers to calls, to be given in any order. */
function calls(): ((value: unknown) => void)[] {
  const pending: ((value: unknown) => void)[] = [];
  api.call.mockImplementation(() => new Promise((resolve) => pending.push(resolve)));
  return pending;
}

beforeEach(() => vi.resetAllMocks());

describe("older entries of the ledger", () => {
  it("are dropped when they come after a newer balance, which they do not continue", async () => {
    const pending = calls();
    const before = answer("before");
    const older = runHook(() => useOlder(before, "ann"));
    older.current.load.run();
    const after = answer("after");
    older.update(() => useOlder(after, "ann"));
    pending[0]?.({ transactions: [{ id: "late" }] });
    await vi.waitFor(() => expect(older.current.load.busy).toBe(false));
    expect(older.current.entries).toEqual([]);
    expect(older.current.hasMore).toBe(true);

    older.current.load.run();
    expect(api.call.mock.lastCall?.[1]).toMatchObject({ pageToken: "after" });
    pending[1]?.({ transactions: [{ id: "old" }] });
    await vi.waitFor(() => expect(older.current.entries).toEqual([{ id: "old" }]));
    expect(older.current.hasMore).toBe(false);
  });
});

describe("purchases", () => {
  const ids = (list: ReturnType<typeof usePurchases>) =>
    list.items?.map(({ purchaseId }) => purchaseId);

  it("are those of the last change, in whatever order the answers come", async () => {
    const pending = calls();
    const watchPurchases = vi.fn();
    api.listen.mockImplementation((begin) => {
      begin({}, { watchPurchases });
      return () => {};
    });
    const list = runHook(() => usePurchases("ann", true));
    await vi.waitFor(() => expect(watchPurchases).toHaveBeenCalled());
    const [, , tell] = watchPurchases.mock.lastCall ?? [];
    expect(api.call).not.toHaveBeenCalled();
    tell();
    await vi.waitFor(() => expect(pending).toHaveLength(1));
    tell();
    await vi.waitFor(() => expect(pending).toHaveLength(2));
    pending[1]?.(purchases("new", "old"));
    await vi.waitFor(() => expect(ids(list.current)).toEqual(["new", "old"]));
    pending[0]?.(purchases("old"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(ids(list.current)).toEqual(["new", "old"]);
  });

  it("stay on screen when older ones cannot be loaded", async () => {
    api.call.mockResolvedValueOnce(purchases("new"));
    const list = runHook(() => usePurchases("ann", false));
    await vi.waitFor(() => expect(ids(list.current)).toEqual(["new"]));
    api.call.mockRejectedValueOnce(new Error("lost"));
    list.current.more?.run();
    await vi.waitFor(() => expect(list.current.more?.error).toEqual(new Error("lost")));
    expect(list.current.error).toBeNull();
    expect(ids(list.current)).toEqual(["new"]);
  });
});
