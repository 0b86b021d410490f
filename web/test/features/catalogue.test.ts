import { afterEach, describe, expect, it, vi } from "vitest";
import type { Catalogue } from "../../src/api/types";
import { runHook } from "../support/hook";

const api = vi.hoisted(() => ({ call: vi.fn() }));
vi.mock("../../src/api/client", () => api);
const { forgetCatalogue, priceOf, useCatalogue } = await import(
  "../../src/features/generation/catalogue"
);

const selling = (credits: number) =>
  ({ sizes: [{ name: "512x512", credits, width: 512, height: 512 }] }) as Catalogue;
const priceOn = ({ current }: { current: ReturnType<typeof useCatalogue> }) =>
  current.state === "ready" ? priceOf("512x512", current.value) : current.state;

afterEach(() => vi.restoreAllMocks());

describe("the catalogue", () => {
  it("is loaded once, and anew a minute later or when a price has turned out to be old", async () => {
    api.call.mockResolvedValueOnce(selling(1));
    const screen = runHook(useCatalogue);
    expect(priceOn(screen)).toBe("loading");
    await vi.waitFor(() => expect(priceOn(screen)).toBe(1));
    await vi.waitFor(() => expect(priceOn(runHook(useCatalogue))).toBe(1));
    expect(api.call).toHaveBeenCalledTimes(1);

    api.call.mockResolvedValueOnce(selling(2));
    forgetCatalogue();
    await vi.waitFor(() => expect(priceOn(screen)).toBe(2));
    expect(api.call).toHaveBeenCalledTimes(2);

    const now = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(now + 61_000);
    api.call.mockResolvedValueOnce(selling(3));
    const later = runHook(useCatalogue);
    expect(priceOn(later)).toBe(2); // until the new one is there
    await vi.waitFor(() => expect(priceOn(later)).toBe(3));
  });
});
