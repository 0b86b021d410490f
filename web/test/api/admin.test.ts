import { beforeEach, describe, expect, it, vi } from "vitest";

const sent = vi.hoisted(() => ({ idToken: vi.fn(), appCheckToken: vi.fn() }));
vi.mock("../../src/api/firebase", () => ({
  backend: async () => ({
    deployment: { functionsUrl: "https://shop.web.app/api" },
    appCheckToken: sent.appCheckToken,
  }),
}));
vi.mock("../../src/api/session", () => ({ idToken: sent.idToken }));
const { admin, at } = await import("../../src/api/admin");

const fetched = vi.fn<typeof fetch>();
const answers = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const refuses = (reason: string, status: number) =>
  answers({ error: { status: "X", message: "No.", details: { reason, userId: "ann" } } }, status);

beforeEach(() => {
  vi.resetAllMocks();
  vi.stubGlobal("fetch", fetched);
  sent.idToken.mockResolvedValue("token");
});

describe("a call of the admin function", () => {
  it("has the fields of a read or a deletion in the address, those of a change in the body", async () => {
    fetched.mockImplementation(async () => answers({}));
    await admin("GET", "/users", { query: "a b", pageToken: undefined, status: "" });
    await admin("DELETE", at`/users/${"a/b"}`, { reason: "asked" });
    await admin("POST", "/recovery", { reason: "stuck" });
    const [read, deleted, changed] = fetched.mock.calls;
    expect(String(read?.[0])).toBe("https://shop.web.app/api/admin/users?query=a+b");
    expect(read?.[1]).toMatchObject({ headers: { Authorization: "Bearer token" } });
    expect(String(deleted?.[0])).toBe("https://shop.web.app/api/admin/users/a%2Fb?reason=asked");
    expect(deleted?.[1]).toMatchObject({ method: "DELETE" });
    expect(deleted?.[1]?.body).toBeUndefined();
    expect(changed?.[1]?.body).toBe('{"reason":"stuck"}');
  });

  it("sends an App Check token where there is one", async () => {
    sent.appCheckToken.mockResolvedValue("app");
    fetched.mockResolvedValue(answers({}));
    await admin("GET", "/users");
    expect(fetched.mock.lastCall?.[1]).toMatchObject({ headers: { "X-Firebase-AppCheck": "app" } });
  });

  it("throws the error of the functions by its reason, with its details", async () => {
    fetched.mockResolvedValue(refuses("USER_NOT_FOUND", 404));
    await expect(admin("GET", "/users/ann")).rejects.toMatchObject({
      reason: "USER_NOT_FOUND",
      message: "No.",
      details: { userId: "ann" },
    });
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it("repeats a read once that was not answered, and never a change", async () => {
    fetched
      .mockResolvedValueOnce(new Response("socket hang up", { status: 500 }))
      .mockResolvedValueOnce(answers({ users: [] }));
    expect(await admin("GET", "/users")).toEqual({ users: [] });
    fetched.mockReset().mockRejectedValue(new TypeError("Failed to fetch"));
    await expect(admin("POST", "/recovery")).rejects.toMatchObject({ reason: "NO_ANSWER" });
    expect(fetched).toHaveBeenCalledTimes(1);
    await expect(admin("GET", "/users")).rejects.toMatchObject({ reason: "NO_ANSWER" });
    expect(fetched).toHaveBeenCalledTimes(3);
  });

  it("asks for a new ID token once after the server refused one", async () => {
    fetched.mockResolvedValueOnce(refuses("TOKEN_EXPIRED", 401)).mockResolvedValueOnce(answers({}));
    await admin("POST", "/recovery", { reason: "stuck" });
    expect(sent.idToken.mock.calls).toEqual([[], [{ refresh: true }]]);
  });
});
