import { imagegenError } from "imagegen-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GenerationRequest, Status } from "../../src/api/types";

const api = vi.hoisted(() => ({ call: vi.fn(), listen: vi.fn() }));
vi.mock("../../src/api/client", () => ({ call: api.call }));
vi.mock("../../src/api/firebase", () => ({ listen: api.listen }));
const { follow } = await import("../../src/features/generation/live-request");

const request = (status: Status) => ({ generationRequestId: "g", status }) as GenerationRequest;
const failure = (reason: "NO_ANSWER" | "GENERATION_REQUEST_NOT_FOUND") =>
  imagegenError({ reason, status: "UNKNOWN", message: "", details: {} } as never);

/** Follows a request; `hear` and `fail` are what Firestore tells. */
function listening() {
  const watchGenerationRequest = vi.fn();
  api.listen.mockImplementation((begin) => {
    begin({}, { watchGenerationRequest });
    return () => {};
  });
  const onChange = vi.fn();
  const stop = follow("g", onChange);
  const [, , heard, failed] = watchGenerationRequest.mock.lastCall ?? [];
  return { onChange, stop, hear: (status: Status) => heard(request(status)), fail: failed };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetAllMocks();
});
afterEach(() => vi.useRealTimers());

describe("a request that is followed", () => {
  it("is asked for when Firestore has said nothing for 10 seconds, until it does", async () => {
    api.call.mockResolvedValue(request("pending"));
    const { onChange, hear } = listening();
    await vi.advanceTimersByTimeAsync(9_900);
    expect(api.call).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(100 + 3000);
    expect(api.call).toHaveBeenCalledTimes(2);
    hear("processing");
    expect(onChange).toHaveBeenLastCalledWith(request("processing"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.call).toHaveBeenCalledTimes(2);
  });

  it("is not asked for while Firestore tells of it", async () => {
    const { hear } = listening();
    hear("pending");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.call).not.toHaveBeenCalled();
  });

  it("is asked for again after an answer was lost, until it has ended", async () => {
    api.call
      .mockRejectedValueOnce(failure("NO_ANSWER"))
      .mockResolvedValueOnce(request("processing"))
      .mockResolvedValueOnce(request("completed"));
    const { onChange, fail } = listening();
    fail();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.call).toHaveBeenCalledTimes(3);
    expect(onChange).toHaveBeenLastCalledWith(request("completed"));
  });

  it("is not asked for again after a refusal, nor when nobody looks any more", async () => {
    api.call.mockRejectedValue(failure("GENERATION_REQUEST_NOT_FOUND"));
    listening().fail();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.call).toHaveBeenCalledTimes(1);
    listening().stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.call).toHaveBeenCalledTimes(1);
  });
});
