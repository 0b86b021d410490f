import { describe, expect, it, vi } from "vitest";

vi.mock("../../src/api/firestore", () => ({}));
vi.stubGlobal("location", new URL("https://example.com/"));
vi.stubGlobal("fetch", () => Promise.reject(new Error("offline")));
const { listen } = await import("../../src/api/firebase");

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("listen", () => {
  it("tells why it cannot listen", async () => {
    const onError = vi.fn();
    listen(() => () => {}, onError);
    await settled();
    expect(onError).toHaveBeenCalledOnce();
  });

  it("tells nothing more once it is stopped", async () => {
    const onError = vi.fn();
    listen(() => () => {}, onError)();
    await settled();
    expect(onError).not.toHaveBeenCalled();
  });
});
