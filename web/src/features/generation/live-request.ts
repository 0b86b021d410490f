/** A generation request, followed while it changes. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/client";
import { listen } from "../../api/firebase";
import { type GenerationRequest, isOpen } from "../../api/types";

const POLL_MILLISECONDS = 3000;

/** The request with this id, kept up to date; null until it is known. */
export function useLiveRequest(id: string | null): GenerationRequest | null {
  const [seen, setSeen] = useState<GenerationRequest | null>(null);
  useEffect(() => {
    if (!id) return;
    let stopPolling = () => {};
    const stopListening = listen(
      (db, store) => store.watchRequest(db, id, setSeen, fallBack),
      fallBack,
    );
    // Firestore lets only the owner listen. Everybody else who may see the request asks the API.
    function fallBack() {
      stopPolling = poll(id as string, setSeen);
    }
    return () => {
      stopListening();
      stopPolling();
    };
  }, [id]);
  return seen?.generationRequestId === id ? seen : null;
}

/** Asks for the request again and again until it has ended or cannot be read. */
function poll(
  generationRequestId: string,
  onChange: (request: GenerationRequest) => void,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = new AbortController();
  const ask = async () => {
    const request = await call(
      "getGenerationStatus",
      { generationRequestId },
      { signal: abort.signal },
    );
    onChange(request);
    if (isOpen(request.status)) timer = setTimeout(askAgain, POLL_MILLISECONDS);
  };
  // A screen that shows the request asks for it too, and says what is wrong.
  const askAgain = () => void ask().catch(() => {});
  askAgain();
  return () => {
    abort.abort();
    clearTimeout(timer);
  };
}
