import { Timestamp } from "firebase/firestore";
import { afterEach, describe, expect, it, vi } from "vitest";

const sdk = vi.hoisted(() => ({
  onSnapshot: vi.fn(),
  doc: vi.fn(),
  collection: vi.fn(),
  query: vi.fn(),
}));
vi.mock("firebase/firestore", async (original) => ({ ...(await original<object>()), ...sdk }));
const { requestOf, waitForGenerationRequest, watchOpenGenerationRequests } = await import(
  "../src/firestore.js"
);

const AT = Timestamp.fromDate(new Date("2026-11-21T12:30:00.000Z"));
const STORED = {
  userId: "ann",
  model: "Model A",
  style: "anime",
  color: "neon",
  size: "512x512",
  prompt: "A fox",
  credits: 3,
  status: "pending",
  mode: "async",
  createdAt: AT,
  startedAt: null,
  completedAt: null,
  imageUrl: null,
  attemptId: "secret",
};
const db = {} as never;
/** Starts to wait, and returns the listener through which Firestore would tell of changes. */
function wait(signal?: AbortSignal) {
  const stop = vi.fn();
  sdk.onSnapshot.mockReturnValue(stop);
  const ended = waitForGenerationRequest(db, "r", { signal });
  const [, onSnapshot, onError] = sdk.onSnapshot.mock.lastCall ?? [];
  const show = (status: string) => onSnapshot({ data: () => ({ ...STORED, status }) });
  return { ended, show, fail: onError, stop };
}

afterEach(() => vi.clearAllMocks());

describe("a stored request", () => {
  it("reads as getGenerationStatus answers, without what is not for clients", () => {
    expect(
      requestOf("r", { ...STORED, status: "failed", error: { reason: "X", message: "x" } }),
    ).toEqual({
      generationRequestId: "r",
      userId: "ann",
      model: "Model A",
      style: "anime",
      color: "neon",
      size: "512x512",
      prompt: "A fox",
      status: "failed",
      mode: "async",
      imageUrl: null,
      deductedCredits: 3,
      refundedCredits: 3,
      error: { reason: "X", message: "x", retryable: false },
      createdAt: "2026-11-21T12:30:00.000Z",
      startedAt: null,
      completedAt: null,
    });
  });

  it("has the image and thumbnail where they are stored, but no path", () => {
    const image = { path: "p", width: 8, height: 4, mimeType: "image/png", bytes: 9 };
    const request = requestOf("r", { ...STORED, status: "completed", thumbnailUrl: "t", image });
    expect(request.thumbnailUrl).toBe("t");
    expect(request.image).toEqual({ width: 8, height: 4, mimeType: "image/png", bytes: 9 });
    expect(request.refundedCredits).toBe(0);
  });

  it("names the model that was tried in the place of another, and whether to try again", () => {
    const error = { reason: "X", message: "x", retryable: true };
    const request = requestOf("r", { ...STORED, status: "failed", fallbackModel: "B", error });
    expect(request.fallbackModel).toBe("B");
    expect(request.error?.retryable).toBe(true);
  });
});

describe("a stored request whose image was deleted", () => {
  it("shows neither image nor source, of which the document still knows", () => {
    const request = requestOf("r", {
      ...STORED,
      status: "completed",
      prompt: "",
      imageUrl: null,
      image: { path: "p", width: 8, height: 4, mimeType: "image/png", bytes: 9 },
      source: { uploadId: "u" },
      imageDeletedAt: STORED.createdAt,
    });
    expect(request.imageDeletedAt).toBe("2026-11-21T12:30:00.000Z");
    expect(request.image).toBeUndefined();
    expect(request.source).toBeUndefined();
  });
});

describe("open requests", () => {
  it("are none only when the server says so", () => {
    const onChange = vi.fn();
    watchOpenGenerationRequests(db, "ann", onChange, vi.fn());
    const [, options, onSnapshot] = sdk.onSnapshot.mock.lastCall ?? [];
    expect(options).toEqual({ includeMetadataChanges: true });
    onSnapshot({ docs: [], metadata: { fromCache: true } });
    expect(onChange).not.toHaveBeenCalled();
    onSnapshot({ docs: [], metadata: { fromCache: false } });
    expect(onChange).toHaveBeenLastCalledWith([]);
  });
});

describe("waiting", () => {
  it.each(["completed", "failed", "canceled"])("ends when the request is %s", async (status) => {
    const { ended, show, stop } = wait();
    show("pending");
    show("processing");
    expect(stop).not.toHaveBeenCalled();
    show(status);
    expect((await ended).status).toBe(status);
    expect(stop).toHaveBeenCalledOnce();
  });

  it("ends with the error when the request may not be read", async () => {
    const { ended, fail, stop } = wait();
    fail(new Error("permission-denied"));
    await expect(ended).rejects.toThrow("permission-denied");
    expect(stop).toHaveBeenCalledOnce();
  });

  it("ends when it is aborted", async () => {
    const abort = new AbortController();
    const { ended, stop } = wait(abort.signal);
    abort.abort(new Error("left"));
    await expect(ended).rejects.toThrow("left");
    expect(stop).toHaveBeenCalledOnce();
  });
});
