/** The connection to Firebase. Firestore is loaded in parallel with Authentication. */
import { type FirebaseApp, initializeApp } from "firebase/app";
import {
  type Auth,
  browserLocalPersistence,
  connectAuthEmulator,
  indexedDBLocalPersistence,
  initializeAuth,
} from "firebase/auth";
import type { Firestore } from "firebase/firestore";
import { getFunctions } from "firebase/functions";
import { type Client, imagegen } from "imagegen-client";
import { type Deployment, discover } from "./deployment";

interface Backend {
  deployment: Deployment;
  app: FirebaseApp;
  auth: Auth;
  client: Client;
  /** The App Check token for a call that the client does not make; undefined where there is none. */
  appCheckToken: () => Promise<string | undefined>;
}

/** Loaded separately, because it is half of the console's code. */
type FirestoreModule = typeof import("./firestore");

let starting: Promise<Backend> | undefined;
let opening: Promise<{ db: Firestore; store: FirestoreModule }> | undefined;

/** The connection, made once per page. After a failure the next call tries again. */
export function backend(): Promise<Backend> {
  starting ??= start().catch((error: unknown) => {
    starting = undefined;
    throw error;
  });
  return starting;
}

async function start(): Promise<Backend> {
  void import("./firestore").catch(() => {}); // starts the download; firestore() reports failures
  const deployment = await discover(location);
  const app = initializeApp(deployment.options);
  const key = deployment.appCheck; // App Check is loaded only where it is used
  const appCheckToken = key
    ? (await import("./app-check")).startAppCheck(app, key)
    : async () => undefined;
  const auth = initializeAuth(app, {
    persistence: [indexedDBLocalPersistence, browserLocalPersistence],
  });
  if (deployment.emulators?.auth) {
    connectAuthEmulator(auth, `http://${deployment.emulators.auth}`, { disableWarnings: true });
  }
  const client = imagegen(getFunctions(app, deployment.functionsUrl));
  return { deployment, app, auth, client, appCheckToken };
}

/** Firestore, and the functions that read from it. After a failure the next call tries again. */
async function firestore(): Promise<{ db: Firestore; store: FirestoreModule }> {
  const { app, deployment } = await backend();
  opening ??= import("./firestore")
    .then((store) => ({ db: store.open(app, deployment), store }))
    .catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
  return opening;
}

/**
 * Starts a listener as soon as Firestore is loaded. Returns a function that stops it. All errors go
 * to `onError`, including a failed download and a document id that Firestore does not accept.
 */
export function listen(
  start: (db: Firestore, store: FirestoreModule) => () => void,
  onError: (error: Error) => void,
): () => void {
  let stopped = false;
  let stop = () => {};
  firestore()
    .then(({ db, store }) => {
      if (!stopped) stop = start(db, store);
    })
    .catch((error: Error) => {
      if (!stopped) onError(error);
    });
  return () => {
    stopped = true;
    stop();
  };
}
