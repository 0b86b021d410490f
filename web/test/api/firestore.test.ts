import { afterEach, describe, expect, it, vi } from "vitest";

const sdk = vi.hoisted(() => ({ onSnapshot: vi.fn(), doc: vi.fn() }));
vi.mock("firebase/firestore", async (original) => ({ ...(await original<object>()), ...sdk }));
const { watchBalance, watchReport } = await import("../../src/api/firestore");

const document = (fields: Record<string, unknown> | null, fromCache = false) => ({
  exists: () => fields !== null,
  data: () => fields,
  get: (name: string) => fields?.[name],
  metadata: { fromCache },
});

afterEach(() => vi.clearAllMocks());

describe.each([
  ["a balance", watchBalance, { credits: 3 }, 3],
  ["a report", watchReport, { week: "2026-W48" }, { week: "2026-W48" }],
])("%s", (_, watch, fields, shown) => {
  it("is missing only when the server says so, and not while Firestore is out of reach", () => {
    const onChange = vi.fn();
    watch({} as never, "id", onChange, vi.fn());
    const [, options, tell] = sdk.onSnapshot.mock.lastCall ?? [];
    expect(options).toEqual({ includeMetadataChanges: true });
    tell(document(null, true));
    expect(onChange).not.toHaveBeenCalled();
    tell(document(null));
    expect(onChange).toHaveBeenLastCalledWith(null);
    tell(document(fields, true));
    expect(onChange).toHaveBeenLastCalledWith(shown);
  });
});
