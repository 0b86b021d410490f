/**
 * Where this page's backend is. Firebase Hosting says it: `/__/firebase/init.json` for a deployed
 * project, and on a developer's machine `/__/firebase/init.js?useEmulator=true`, whose text names
 * the address of every emulator that runs. So nothing about a project or a port is built in.
 */
import type { FirebaseOptions } from "firebase/app";

const REGION = "us-central1";

export interface Emulators {
  auth?: string;
  firestore?: string;
  functions?: string;
}

export interface Deployment {
  options: FirebaseOptions & { projectId: string };
  /** host:port of each emulator; undefined for a deployed project. */
  emulators: Emulators | undefined;
  /** Address under which the functions lie, without a slash at the end. */
  functionsUrl: string;
  /** Address of Firestore's REST API for this project's documents. */
  documentsUrl: string;
}

export function isLocal(hostname: string): boolean {
  return hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
}

export async function discover(hostname: string): Promise<Deployment> {
  if (!isLocal(hostname)) {
    const response = await fetch("/__/firebase/init.json");
    if (!response.ok) throw new Error(`Hosting answered ${response.status} for its configuration.`);
    return deployment((await response.json()) as FirebaseOptions, undefined);
  }
  const response = await fetch("/__/firebase/init.js?useEmulator=true");
  if (!response.ok)
    throw new Error("The Hosting emulator does not answer. Start it with: make run");
  const script = await response.text();
  return deployment(assigned(script, "firebaseConfig") as FirebaseOptions, emulatorsIn(script));
}

export function deployment(options: FirebaseOptions, emulators: Emulators | undefined): Deployment {
  const { projectId } = options;
  if (!projectId) throw new Error("Hosting's configuration names no project.");
  const functions = emulators?.functions;
  const firestore = emulators?.firestore;
  return {
    options: { ...options, projectId },
    emulators,
    functionsUrl: functions
      ? `http://${functions}/${projectId}/${REGION}`
      : `https://${REGION}-${projectId}.cloudfunctions.net`,
    documentsUrl:
      (firestore ? `http://${firestore}` : "https://firestore.googleapis.com") +
      `/v1/projects/${projectId}/databases/(default)/documents`,
  };
}

/** The running emulators that Hosting's init.js lists; undefined when it lists none. */
export function emulatorsIn(script: string): Emulators | undefined {
  const listed = assigned(script, "firebaseEmulators") as
    | Record<string, { hostAndPort?: string } | undefined>
    | undefined;
  if (!listed?.functions && !listed?.firestore && !listed?.auth) return undefined;
  return {
    auth: listed.auth?.hostAndPort,
    firestore: listed.firestore?.hostAndPort,
    functions: listed.functions?.hostAndPort,
  };
}

/** The JSON object that `script` assigns to the variable `name`. */
function assigned(script: string, name: string): unknown {
  const found = new RegExp(`var ${name} = (\\{[\\s\\S]*?\\n\\});`).exec(script);
  return found?.[1] ? JSON.parse(found[1]) : undefined;
}
