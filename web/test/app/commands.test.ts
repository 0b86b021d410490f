import { describe, expect, it, vi } from "vitest";

const router = vi.hoisted(() => ({ go: vi.fn() }));
const api = vi.hoisted(() => ({ admin: vi.fn(), at: String.raw }));
vi.mock("../../src/api/admin", () => api);
vi.mock("../../src/api/session", () => ({ leave: vi.fn() }));
vi.mock("../../src/ui/router", () => router);
vi.mock("../../src/ui/theme", () => ({ chooseTheme: vi.fn() }));
const { commandsFor, searchFor } = await import("../../src/app/commands");

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
    expect(names("reported")).toEqual([]);
    expect(names("reported", admin)).toEqual(["Reported images"]);
    expect(names("2026-w46")).toEqual([]);
    expect(names("2026-w46", admin)).toEqual(["Open report 2026-W46"]);
  });

  it("opens a request whose id was pasted", () => {
    const id = "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de";
    const [command] = commandsFor(` ${id} `, ann);
    command?.run();
    expect(router.go).toHaveBeenCalledWith(`/gallery/${id}`);
    commandsFor(id, admin)[0]?.run();
    expect(router.go).toHaveBeenCalledWith(`/requests/${id}`);
  });

  it("finds users on the server, for administrators alone", async () => {
    api.admin.mockResolvedValue({ users: [{ userId: "bob", email: "bob@example.com" }] });
    expect(await searchFor("bob", ann)).toEqual([]);
    expect(await searchFor("b", admin)).toEqual([]);
    expect(api.admin).not.toHaveBeenCalled();
    const [command] = await searchFor(" bob ", admin);
    expect(command?.name).toBe("User bob@example.com (bob)");
    command?.run();
    expect(router.go).toHaveBeenCalledWith("/users/bob");
  });
});
