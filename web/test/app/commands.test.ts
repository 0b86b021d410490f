import { describe, expect, it, vi } from "vitest";

const router = vi.hoisted(() => ({ go: vi.fn() }));
vi.mock("../../src/api/session", () => ({ leave: vi.fn() }));
vi.mock("../../src/ui/router", () => router);
vi.mock("../../src/ui/theme", () => ({ chooseTheme: vi.fn() }));
const { commandsFor } = await import("../../src/app/commands");

const ann = { uid: "ann", name: "Ann", isAdmin: false };
const admin = { ...ann, isAdmin: true };
const names = (typed: string, user = ann) => commandsFor(typed, user).map(({ name }) => name);

describe("the palette", () => {
  it("finds by parts of words, in any order", () => {
    expect(names("gall")).toEqual(["Gallery"]);
    expect(names("credits buy")).toEqual(["Buy credits"]);
    expect(names("nothing like it")).toEqual([]);
  });

  it("offers what is for administrators to them alone", () => {
    expect(names("")).not.toContain("Reports");
    expect(names("", admin)).toContain("Reports");
    expect(names("2026-w46")).toEqual([]);
    expect(names("2026-w46", admin)).toEqual(["Open report 2026-W46"]);
  });

  it("opens a request whose id was pasted", () => {
    const id = "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de";
    const [command] = commandsFor(` ${id} `, ann);
    command?.run();
    expect(router.go).toHaveBeenCalledWith(`/gallery/${id}`);
  });
});
