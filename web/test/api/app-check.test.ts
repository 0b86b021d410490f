import type { FirebaseApp } from "firebase/app";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deployment } from "../../src/api/deployment";

const ORIGIN = "https://shop.web.app";
const keyOf = (options = {}, emulators?: object) =>
  deployment(ORIGIN, { projectId: "shop", ...options }, emulators).appCheck;

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the site key", () => {
  it("is absent unless it is configured", () => {
    expect(keyOf()).toBeUndefined();
  });

  it("is the build's, of either kind", () => {
    vi.stubEnv("VITE_RECAPTCHA_ENTERPRISE_KEY", "e");
    expect(keyOf({ recaptchaSiteKey: "h" })).toEqual({ kind: "enterprise", siteKey: "e" });
    vi.stubEnv("VITE_RECAPTCHA_V3_KEY", "v");
    expect(keyOf()).toEqual({ kind: "v3", siteKey: "v" });
  });

  it("is Hosting's if the build has none", () => {
    expect(keyOf({ recaptchaSiteKey: "h" })).toEqual({ kind: "enterprise", siteKey: "h" });
  });

  it("is not used on the emulators", () => {
    vi.stubEnv("VITE_RECAPTCHA_V3_KEY", "v");
    expect(keyOf({ recaptchaSiteKey: "h" }, { auth: "127.0.0.1:9099" })).toBeUndefined();
  });
});

describe("App Check", () => {
  const sdk = {
    initializeAppCheck: vi.fn(() => ({})),
    getToken: vi.fn(),
    getLimitedUseToken: vi.fn(),
    ReCaptchaEnterpriseProvider: class {
      constructor(public enterpriseKey: string) {}
    },
    ReCaptchaV3Provider: class {
      constructor(public v3Key: string) {}
    },
  };
  const app = {} as FirebaseApp;
  const start = async (kind: "enterprise" | "v3") =>
    (await import("../../src/api/app-check")).startAppCheck(app, { kind, siteKey: "k" });

  /** A call of the client, with tokens of App Check from `appCheckToken`. */
  async function call(name: "getUserCredits" | "createGenerationRequest", appCheckToken: unknown) {
    vi.resetModules();
    vi.doMock("../../src/api/firebase", () => ({
      backend: async () => ({
        deployment: deployment(ORIGIN, { projectId: "shop" }, undefined),
        appCheckToken,
      }),
    }));
    vi.doMock("../../src/api/session", () => ({ idToken: async () => "id" }));
    const client = await import("../../src/api/client");
    return client.call(name, { userId: "ann" } as never);
  }

  beforeEach(() => {
    vi.resetModules();
    vi.doMock("firebase/app-check", () => sdk);
    sdk.getToken.mockResolvedValue({ token: "cached" });
    sdk.getLimitedUseToken.mockResolvedValue({ token: "once" });
  });

  afterEach(() => {
    for (const path of ["../../src/api/firebase", "../../src/api/session", "firebase/app-check"]) {
      vi.doUnmock(path);
    }
    vi.resetModules();
  });

  it("takes the provider that belongs to the key", async () => {
    await start("enterprise");
    const enterprise = expect.objectContaining({ provider: { enterpriseKey: "k" } });
    expect(sdk.initializeAppCheck).toHaveBeenLastCalledWith(app, enterprise);
    await start("v3");
    const v3 = expect.objectContaining({ provider: { v3Key: "k" } });
    expect(sdk.initializeAppCheck).toHaveBeenLastCalledWith(app, v3);
  });

  it("gives a cached token, or one for a single call", async () => {
    const token = await start("v3");
    expect(await token(false)).toBe("cached");
    expect(await token(true)).toBe("once");
  });

  it("gives none when reCAPTCHA fails, and none when it never answers", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    const token = await start("v3");
    sdk.getToken.mockRejectedValue(new Error("403"));
    expect(await token(false)).toBeUndefined();
    vi.useFakeTimers();
    sdk.getToken.mockReturnValue(new Promise(() => {}));
    const waiting = token(false);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await waiting).toBeUndefined();
    expect(warned).toHaveBeenCalledTimes(2);
  });

  it("sends a token with each call, and one of its own with an order", async () => {
    const fetched = vi.fn<typeof fetch>(async () => new Response("{}"));
    vi.stubGlobal("fetch", fetched);
    const tokens = async (once: boolean) => (once ? "once" : "cached");
    const sent = () => new Headers(fetched.mock.lastCall?.[1]?.headers).get("X-Firebase-AppCheck");
    await call("getUserCredits", tokens);
    expect(sent()).toBe("cached");
    await call("createGenerationRequest", tokens);
    expect(sent()).toBe("once");
    await call("getUserCredits", async () => undefined);
    expect(sent()).toBeNull();
  });

  it("takes a new token for the second try after an ID token was refused", async () => {
    const refusals = ["TOKEN_EXPIRED", "APP_CHECK_INVALID"];
    const fetched = vi.fn<typeof fetch>(async () => {
      const reason = refusals.shift();
      return new Response(JSON.stringify({ error: { details: { reason } } }), { status: 401 });
    });
    vi.stubGlobal("fetch", fetched);
    let made = 0;
    const refused = call("createGenerationRequest", async () => `once-${++made}`);
    await expect(refused).rejects.toMatchObject({ reason: "APP_CHECK_INVALID" });
    const sent = fetched.mock.calls.map(([, request]) =>
      new Headers(request?.headers).get("X-Firebase-AppCheck"),
    );
    expect(sent).toEqual(["once-1", "once-2"]);
  });

  it("is not asked again when it was App Check that refused", async () => {
    const body = JSON.stringify({ error: { details: { reason: "APP_CHECK_MISSING" } } });
    const fetched = vi.fn<typeof fetch>(async () => new Response(body, { status: 401 }));
    vi.stubGlobal("fetch", fetched);
    await expect(call("getUserCredits", undefined)).rejects.toMatchObject({ code: 401 });
    expect(fetched).toHaveBeenCalledTimes(1);
  });
});
