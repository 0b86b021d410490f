/** App Check: tokens by which the backend knows that a call comes from this console. */
import type { FirebaseApp } from "firebase/app";
import {
  getToken,
  initializeAppCheck,
  ReCaptchaEnterpriseProvider,
  ReCaptchaV3Provider,
} from "firebase/app-check";
import type { AppCheckKey } from "./deployment";

/** The SDK waits forever if a content blocker stops the script of reCAPTCHA. */
const PATIENCE_MILLISECONDS = 10_000;

/**
 * Starts App Check for all services of `app`. Must come before any of them is used. Returns what
 * gives a token for other calls: undefined if reCAPTCHA gave none.
 */
export function startAppCheck(
  app: FirebaseApp,
  { kind, siteKey }: AppCheckKey,
): () => Promise<string | undefined> {
  const provider =
    kind === "enterprise"
      ? new ReCaptchaEnterpriseProvider(siteKey)
      : new ReCaptchaV3Provider(siteKey);
  limitWaiting(provider as unknown as TokenSource);
  const appCheck = initializeAppCheck(app, { provider, isTokenAutoRefreshEnabled: true });
  return () =>
    getToken(appCheck).then(
      ({ token }) => token,
      () => undefined, // the server decides about a call without one
    );
}

/** What the SDK asks a provider for tokens with; its public types leave this out. */
interface TokenSource {
  getToken(isLimitedUse?: boolean): Promise<unknown>;
}

/** Without a token the SDK makes the call all the same: the server decides about it. */
function limitWaiting(provider: TokenSource): void {
  const ask = provider.getToken.bind(provider);
  provider.getToken = async (isLimitedUse) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      const error = new Error("reCAPTCHA does not answer.");
      timer = setTimeout(
        () => reject(Object.assign(error, { code: "appCheck/recaptcha-error" })),
        PATIENCE_MILLISECONDS,
      );
    });
    try {
      return await Promise.race([ask(isLimitedUse), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  };
}
