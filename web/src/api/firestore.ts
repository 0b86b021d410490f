/** What the console reads from Firestore directly, within what firestore.rules allow. */
import type { FirebaseApp } from "firebase/app";
import {
  collection,
  connectFirestoreEmulator,
  type DocumentReference,
  type DocumentSnapshot,
  doc,
  type Firestore,
  getFirestore,
  limit,
  onSnapshot,
  orderBy,
  query,
  Timestamp,
  type Unsubscribe,
  where,
} from "firebase/firestore";
import type { Deployment } from "./deployment";
import type { Report } from "./report";

export { watchGenerationRequest, watchOpenGenerationRequests } from "imagegen-client/firestore";

export function open(app: FirebaseApp, deployment: Deployment): Firestore {
  const db = getFirestore(app);
  const address = deployment.emulators?.firestore;
  if (address) {
    const colon = address.lastIndexOf(":");
    connectFirestoreEmulator(db, address.slice(0, colon), Number(address.slice(colon + 1)));
  }
  return db;
}

/** Calls `onChange` with the balance, now and whenever it changes; null if there is no account. */
export function watchBalance(
  db: Firestore,
  uid: string,
  onChange: (credits: number | null) => void,
  onError: (error: Error) => void,
): Unsubscribe {
  const show = (user: DocumentSnapshot) =>
    onChange(user.exists() ? Number(user.get("credits") ?? 0) : null);
  return watch(doc(db, "users", uid), show, onError);
}

/** Calls `onChange` when one of the user's newest purchases has changed, and once at the start. */
export function watchPurchases(
  db: Firestore,
  userId: string,
  onChange: () => void,
  onError: (error: Error) => void,
): Unsubscribe {
  const newest = query(
    collection(db, "purchases"),
    where("userId", "==", userId),
    orderBy("createdAt", "desc"),
    limit(10),
  );
  return onSnapshot(newest, onChange, onError);
}

/** Calls `onChange` with the report of a week, now and whenever it changes; null if there is none. */
export function watchReport(
  db: Firestore,
  week: string,
  onChange: (report: Report | null) => void,
  onError: (error: Error) => void,
): Unsubscribe {
  const show = (report: DocumentSnapshot) =>
    onChange(report.exists() ? (withIsoTimes(report.data()) as unknown as Report) : null);
  return watch(doc(db, "reports", week), show, onError);
}

/**
 * Follows a document. While Firestore is out of reach, the SDK says that a document it has not seen
 * is missing, and no error: only the server knows what is missing.
 */
function watch(
  document: DocumentReference,
  onChange: (snapshot: DocumentSnapshot) => void,
  onError: (error: Error) => void,
): Unsubscribe {
  return onSnapshot(
    document,
    // Otherwise the server's word is no change after that of the cache.
    { includeMetadataChanges: true },
    (snapshot) => {
      if (snapshot.exists() || !snapshot.metadata.fromCache) onChange(snapshot);
    },
    onError,
  );
}

function withIsoTimes(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Timestamp ? value.toDate().toISOString() : value,
    ]),
  );
}
