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
      (db, store) => store.watchGenerationRequest(db, id, setSeen, fallBack),
      fallBack,
    );
    // Only the owner may listen to a request. Administrators ask the API instead.
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

/** Asks for the request repeatedly until it has ended or cannot be read. */
function poll(
  generationRequestId: string,
  onChange: (request: GenerationRequest) => void,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const ask = async () => {
    const request = await call("getGenerationStatus", { generationRequestId });
    if (stopped) return;
    onChange(request);
    if (isOpen(request.status)) timer = setTimeout(askAgain, POLL_MILLISECONDS);
  };
  // The screen loads the request as well, and shows that error.
  const askAgain = () => void ask().catch(() => {});
  askAgain();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
