/** The Firebase SDK, connected. Authentication comes first; Firestore is loaded while it starts. */
import { type FirebaseApp, initializeApp } from "firebase/app";
import {
  type Auth,
  browserLocalPersistence,
  connectAuthEmulator,
  indexedDBLocalPersistence,
  initializeAuth,
} from "firebase/auth";
import type { Firestore } from "firebase/firestore";
import { type Deployment, discover } from "./deployment";

export interface Backend {
  deployment: Deployment;
  app: FirebaseApp;
  auth: Auth;
}

export type Store = typeof import("./store");

let starting: Promise<Backend> | undefined;
let opening: Promise<{ db: Firestore; store: Store }> | undefined;

/** One connection for the life of the page; a failed start may be tried again. */
export function backend(): Promise<Backend> {
  starting ??= start().catch((error: unknown) => {
    starting = undefined;
    throw error;
  });
  return starting;
}

async function start(): Promise<Backend> {
  const loading = import("./store"); // in parallel with the configuration
  const deployment = await discover(location.hostname);
  const app = initializeApp(deployment.options);
  const auth = initializeAuth(app, {
    persistence: [indexedDBLocalPersistence, browserLocalPersistence],
  });
  if (deployment.emulators?.auth) {
    connectAuthEmulator(auth, `http://${deployment.emulators.auth}`, { disableWarnings: true });
  }
  opening ??= loading.then((store) => ({ db: store.open(app, deployment), store }));
  return { deployment, app, auth };
}

/** Firestore and what we do with it. */
export async function live(): Promise<{ db: Firestore; store: Store }> {
  await backend();
  if (!opening) throw new Error("Firestore was not opened.");
  return opening;
}
