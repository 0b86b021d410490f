/** Generation requests, followed in Firestore. Security rules show a user their own. */
import {
  collection,
  type DocumentData,
  doc,
  type Firestore,
  limit,
  onSnapshot,
  orderBy,
  query,
  Timestamp,
  type Unsubscribe,
  where,
} from "firebase/firestore";
import { type GenerationRequest, isOpen } from "./types.js";

/**
 * Calls `onChange` with the request, now and whenever it changes. While Firestore is out of reach
 * nothing is called, and no error either.
 */
export function watchGenerationRequest(
  db: Firestore,
  generationRequestId: string,
  onChange: (request: GenerationRequest) => void,
  onError: (error: Error) => void,
): Unsubscribe {
  return onSnapshot(
    doc(db, "generationRequests", generationRequestId),
    (snapshot) => {
      const fields = snapshot.data();
      if (fields) onChange(requestOf(generationRequestId, fields));
    },
    onError,
  );
}

/**
 * Calls `onChange` with the user's open requests, newest first, now and whenever they change. While
 * Firestore is out of reach it is not known that there are none: nothing is called.
 */
export function watchOpenGenerationRequests(
  db: Firestore,
  userId: string,
  onChange: (requests: GenerationRequest[]) => void,
  onError: (error: Error) => void,
  atMost = 20,
): Unsubscribe {
  const open = query(
    collection(db, "generationRequests"),
    where("userId", "==", userId),
    where("status", "in", ["pending", "processing"]),
    orderBy("createdAt", "desc"),
    limit(atMost),
  );
  return onSnapshot(
    open,
    // Otherwise an empty answer of the server is no change after an empty cache.
    { includeMetadataChanges: true },
    ({ docs, metadata }) => {
      if (docs.length === 0 && metadata.fromCache) return;
      onChange(docs.map((each) => requestOf(each.id, each.data())));
    },
    onError,
  );
}

/**
 * Waits until the request has ended: completed, or failed or canceled and refunded. Rejects with the
 * error of Firestore if it may not be read, and with the reason of `signal` when that aborts. While
 * Firestore is out of reach it goes on waiting: `AbortSignal.timeout` sets a limit.
 */
export function waitForGenerationRequest(
  db: Firestore,
  generationRequestId: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<GenerationRequest> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = (finish: () => void) => {
      signal?.removeEventListener("abort", abort);
      stop();
      finish();
    };
    const abort = () => end(() => reject(signal?.reason));
    const onChange = (request: GenerationRequest) => {
      if (!isOpen(request.status)) end(() => resolve(request));
    };
    const onError = (error: Error) => end(() => reject(error));
    signal?.addEventListener("abort", abort);
    const stop = watchGenerationRequest(db, generationRequestId, onChange, onError);
  });
}

/** A stored request in the form in which getGenerationStatus answers. */
export function requestOf(id: string, stored: DocumentData): GenerationRequest {
  const { status, credits, fallbackModel, thumbnailUrl, imageDeletedAt, error } = stored;
  // The document says where deleted bytes are until they are gone.
  const image = imageDeletedAt ? null : stored.image;
  const source = stored.prompt ? stored.source : null;
  const refunded = status === "failed" || status === "canceled";
  return {
    generationRequestId: id,
    userId: stored.userId,
    status,
    mode: stored.mode ?? "sync",
    model: stored.model ?? "",
    ...(fallbackModel && { fallbackModel }),
    style: stored.style ?? "",
    color: stored.color ?? "",
    size: stored.size ?? "",
    prompt: stored.prompt ?? "",
    ...(source && { source }),
    imageUrl: stored.imageUrl ?? null,
    ...(thumbnailUrl && { thumbnailUrl }),
    ...(image && {
      image: {
        width: image.width,
        height: image.height,
        mimeType: image.mimeType,
        bytes: image.bytes,
      },
    }),
    ...(imageDeletedAt && { imageDeletedAt: isoOf(imageDeletedAt) ?? "" }),
    deductedCredits: credits,
    refundedCredits: refunded ? (stored.refundedCredits ?? credits) : 0,
    error: error ? { ...error, retryable: error.retryable === true } : null,
    createdAt: isoOf(stored.createdAt) ?? "",
    startedAt: isoOf(stored.startedAt),
    completedAt: isoOf(stored.completedAt),
  };
}

const isoOf = (value: unknown): string | null =>
  value instanceof Timestamp ? value.toDate().toISOString() : null;
