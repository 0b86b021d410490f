import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { written } from "../../src/api/exports";

const running = { url: null };
const done = { url: "https://example.com/export.json" };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("written", () => {
  it("asks until the file is there", async () => {
    const ask = vi.fn().mockResolvedValueOnce(running).mockResolvedValueOnce(done);
    const answer = written(ask, new AbortController().signal);
    await vi.runAllTimersAsync();
    expect(await answer).toBe(done);
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it("asks no more once it is aborted", async () => {
    const abort = new AbortController();
    const ask = vi.fn().mockResolvedValue(running);
    const answer = written(ask, abort.signal);
    const refused = expect(answer).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(5000);
    const asked = ask.mock.calls.length;
    abort.abort();
    await vi.advanceTimersByTimeAsync(60_000);
    await refused;
    expect(ask).toHaveBeenCalledTimes(asked);
  });
});
