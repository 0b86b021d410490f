/** App Check: tokens by which the backend knows that a call comes from this console. */
import type { FirebaseApp } from "firebase/app";
import {
  getLimitedUseToken,
  getToken,
  initializeAppCheck,
  ReCaptchaEnterpriseProvider,
  ReCaptchaV3Provider,
} from "firebase/app-check";
import type { AppCheckKey } from "./deployment";

/** The SDK waits forever if a content blocker stops the script of reCAPTCHA. */
const PATIENCE_MS = 10_000;

/**
 * Resolves to a token for one call, `once` to one that is valid for no other; to undefined if there
 * is none. Then the call is made without: the server decides, and its answer can be explained.
 */
export type AppCheckTokens = (once: boolean) => Promise<string | undefined>;

/** Starts App Check for all services of `app`. Must come before any of them is used. */
export function startAppCheck(app: FirebaseApp, { kind, siteKey }: AppCheckKey): AppCheckTokens {
  const appCheck = initializeAppCheck(app, {
    provider:
      kind === "enterprise"
        ? new ReCaptchaEnterpriseProvider(siteKey)
        : new ReCaptchaV3Provider(siteKey),
    isTokenAutoRefreshEnabled: true,
  });
  return async (once) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("reCAPTCHA does not answer.")), PATIENCE_MS);
    });
    try {
      const asked = once ? getLimitedUseToken(appCheck) : getToken(appCheck);
      return (await Promise.race([asked, tooLate])).token;
    } catch (error) {
      console.warn("There is no App Check token:", error);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  };
}
