/**
 * Where this page's backend is. Firebase Hosting knows: `/__/firebase/init.json` describes the
 * deployed project, and on a developer's machine `/__/firebase/init.js?useEmulator=true` has the
 * address of every emulator that runs. So neither a project nor a port is built in.
 */
import type { FirebaseOptions } from "firebase/app";

/**
 * Hosting rewrites /api/{function} to the functions (firebase.json), so calls stay on the origin of
 * the page. Hosting waits at most 60 seconds for an answer. If GENERATION_DEADLINE_SECONDS is raised
 * beyond that, build the console with VITE_FUNCTIONS_URL set to the address of the functions.
 */
const FUNCTIONS_PATH = "/api";

export interface Emulators {
  auth?: string;
  firestore?: string;
}

/** A site key of reCAPTCHA: public, and of one of the two kinds that App Check takes. */
export interface AppCheckKey {
  kind: "enterprise" | "v3";
  siteKey: string;
}

export interface Deployment {
  options: FirebaseOptions & { projectId: string };
  /** host:port of each emulator; undefined for a deployed project. */
  emulators: Emulators | undefined;
  /** undefined where the console uses no App Check: without a key, and on the emulators. */
  appCheck: AppCheckKey | undefined;
  /** Base address of the functions, without a slash at the end. */
  functionsUrl: string;
  /** Address of the project's documents in Firestore's REST API. */
  documentsUrl: string;
}

export function isLocal(hostname: string): boolean {
  return hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
}

/** The deployment of the page at this address. Throws if Hosting does not describe it. */
export async function discover({
  hostname,
  origin,
}: {
  hostname: string;
  origin: string;
}): Promise<Deployment> {
  if (!isLocal(hostname)) {
    const response = await fetch("/__/firebase/init.json");
    if (!response.ok) throw new Error(`Hosting answered ${response.status} for its configuration.`);
    return deployment(origin, (await response.json()) as FirebaseOptions, undefined);
  }
  const response = await fetch("/__/firebase/init.js?useEmulator=true");
  if (!response.ok) throw new Error("The Hosting emulator does not answer. Start it: make run");
  const script = await response.text();
  const options = assigned(script, "firebaseConfig") as FirebaseOptions;
  return deployment(origin, options, emulatorsIn(script));
}

export function deployment(
  origin: string,
  options: FirebaseOptions,
  emulators: Emulators | undefined,
): Deployment {
  const { projectId } = options;
  if (!projectId) throw new Error("Hosting's configuration names no project.");
  const firestore = emulators?.firestore;
  return {
    options: { ...options, projectId },
    emulators,
    appCheck: emulators ? undefined : appCheckKey(options),
    functionsUrl: import.meta.env.VITE_FUNCTIONS_URL || origin + FUNCTIONS_PATH,
    documentsUrl:
      (firestore ? `http://${firestore}` : "https://firestore.googleapis.com") +
      `/v1/projects/${projectId}/databases/(default)/documents`,
  };
}

/** The key that the build was given, or the one in the project's own configuration. */
function appCheckKey({ recaptchaSiteKey }: FirebaseOptions): AppCheckKey | undefined {
  const { VITE_RECAPTCHA_ENTERPRISE_KEY, VITE_RECAPTCHA_V3_KEY } = import.meta.env;
  if (VITE_RECAPTCHA_V3_KEY) return { kind: "v3", siteKey: VITE_RECAPTCHA_V3_KEY };
  const siteKey = VITE_RECAPTCHA_ENTERPRISE_KEY || recaptchaSiteKey;
  return siteKey ? { kind: "enterprise", siteKey } : undefined;
}

/** The running emulators that Hosting's init.js lists; undefined when it lists none. */
export function emulatorsIn(script: string): Emulators | undefined {
  const listed = assigned(script, "firebaseEmulators") as
    | Record<string, { hostAndPort?: string } | undefined>
    | undefined;
  if (!listed?.firestore && !listed?.auth) return undefined;
  return {
    auth: listed.auth?.hostAndPort,
    firestore: listed.firestore?.hostAndPort,
  };
}

/** The JSON object that `script` assigns to the variable `name`. */
function assigned(script: string, name: string): unknown {
  const found = new RegExp(`var ${name} = (\\{[\\s\\S]*?\\n\\});`).exec(script);
  return found?.[1] ? JSON.parse(found[1]) : undefined;
}
