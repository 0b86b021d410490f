import { imagegenError } from "imagegen-client";
import { beforeEach, describe, expect, it, vi } from "vitest";

const sent = vi.hoisted(() => ({ listModels: vi.fn(), idToken: vi.fn() }));
vi.mock("../../src/api/firebase", () => ({
  backend: async () => ({ client: { listModels: sent.listModels } }),
}));
vi.mock("../../src/api/session", () => ({ idToken: sent.idToken }));
const { call } = await import("../../src/api/client");

const refusal = (reason: string) =>
  imagegenError({ reason, status: "UNAUTHENTICATED", message: "", details: {} } as never);

beforeEach(() => {
  vi.resetAllMocks();
  sent.idToken.mockResolvedValue("token");
});

describe("call", () => {
  it("asks for a new ID token once after the server refused one", async () => {
    sent.listModels.mockRejectedValueOnce(refusal("TOKEN_EXPIRED")).mockResolvedValueOnce("answer");
    expect(await call("listModels", {})).toBe("answer");
    expect(sent.idToken.mock.calls).toEqual([[], [{ refresh: true }]]);
  });

  it("gives up after the second refusal", async () => {
    sent.listModels.mockRejectedValue(refusal("TOKEN_EXPIRED"));
    await expect(call("listModels", {})).rejects.toMatchObject({ reason: "TOKEN_EXPIRED" });
    expect(sent.listModels).toHaveBeenCalledTimes(2);
  });

  it("does not call without a token when the session has ended", async () => {
    sent.idToken.mockRejectedValue(new Error("auth/user-token-expired"));
    await expect(call("listModels", {})).rejects.toThrow("auth/user-token-expired");
    expect(sent.listModels).not.toHaveBeenCalled();
  });

  it("does not try again when it was App Check that refused", async () => {
    sent.listModels.mockRejectedValue(refusal("APP_CHECK_MISSING"));
    await expect(call("listModels", {})).rejects.toMatchObject({ reason: "APP_CHECK_MISSING" });
    expect(sent.listModels).toHaveBeenCalledTimes(1);
  });
});
