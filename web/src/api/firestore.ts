/** What the console reads from Firestore directly, within what firestore.rules allow. */
import type { FirebaseApp } from "firebase/app";
import {
  collection,
  connectFirestoreEmulator,
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
  return onSnapshot(
    doc(db, "users", uid),
    (snapshot) => onChange(snapshot.exists() ? Number(snapshot.get("credits") ?? 0) : null),
    onError,
  );
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

export function watchReport(
  db: Firestore,
  week: string,
  onChange: (report: Report | null) => void,
  onError: (error: Error) => void,
): Unsubscribe {
  return onSnapshot(
    doc(db, "reports", week),
    (snapshot) =>
      onChange(snapshot.exists() ? (withIsoTimes(snapshot.data()) as unknown as Report) : null),
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
