import type { FirebaseApp } from "firebase/app";
import { afterEach, describe, expect, it, vi } from "vitest";
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
  const initializeAppCheck = vi.fn();
  const app = {} as FirebaseApp;

  /** The provider that App Check is started with. */
  async function started(kind: "enterprise" | "v3") {
    vi.resetModules();
    vi.doMock("firebase/app-check", async (original) => ({
      ...(await original<object>()),
      initializeAppCheck,
    }));
    const { startAppCheck } = await import("../../src/api/app-check");
    startAppCheck(app, { kind, siteKey: "k" });
    const [, { provider }] = initializeAppCheck.mock.lastCall ?? [];
    return provider;
  }

  afterEach(() => vi.doUnmock("firebase/app-check"));

  it("takes the provider that belongs to the key", async () => {
    expect((await started("enterprise")).constructor.name).toBe("ReCaptchaEnterpriseProvider");
    expect((await started("v3")).constructor.name).toBe("ReCaptchaV3Provider");
  });

  it("does not wait for ever when reCAPTCHA never answers", async () => {
    await started("v3");
    // The method that the SDK asks for tokens, which its public types leave out.
    const { ReCaptchaV3Provider } = await import("firebase/app-check");
    expect(ReCaptchaV3Provider.prototype).toHaveProperty("getToken");
    vi.useFakeTimers();
    const methods = ReCaptchaV3Provider.prototype as unknown as { getToken: () => Promise<never> };
    vi.spyOn(methods, "getToken").mockReturnValue(new Promise(() => {}));
    const { startAppCheck } = await import("../../src/api/app-check");
    startAppCheck(app, { kind: "v3", siteKey: "k" });
    const waiting = initializeAppCheck.mock.lastCall?.[1].provider.getToken();
    const refused = expect(waiting).rejects.toMatchObject({ code: "appCheck/recaptcha-error" });
    await vi.advanceTimersByTimeAsync(10_000);
    await refused;
  });
});
