/** A generation request, followed while it changes. */
import { isImagegenError } from "imagegen-client";
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/client";
import { listen } from "../../api/firebase";
import { type GenerationRequest, isOpen } from "../../api/types";
import { explain } from "../../ui/explain";

const POLL_MILLISECONDS = 3000;
/** Firestore says nothing while it is out of reach. */
const SILENCE_MILLISECONDS = 10_000;

/** The request with this id, kept up to date; null until it is known. */
export function useLiveRequest(id: string | null): GenerationRequest | null {
  const [seen, setSeen] = useState<GenerationRequest | null>(null);
  useEffect(() => (id ? follow(id, setSeen) : undefined), [id]);
  return seen?.generationRequestId === id ? seen : null;
}

/**
 * Calls `onChange` with the request, now and whenever it changes, until the function that is returned
 * is called. Where Firestore refuses or says nothing, the API is asked instead: only the owner may
 * listen to a request, and administrators see those of others.
 */
export function follow(id: string, onChange: (request: GenerationRequest) => void): () => void {
  let stopPolling = () => {};
  const fallBack = () => {
    clearTimeout(silence);
    stopPolling();
    stopPolling = poll(id, onChange);
  };
  const silence = setTimeout(fallBack, SILENCE_MILLISECONDS);
  const heard = (request: GenerationRequest) => {
    clearTimeout(silence);
    stopPolling();
    onChange(request);
  };
  const stopListening = listen(
    (db, store) => store.watchGenerationRequest(db, id, heard, fallBack),
    fallBack,
  );
  return () => {
    clearTimeout(silence);
    stopListening();
    stopPolling();
  };
}

/** Asks for the request repeatedly until it has ended or is refused. */
function poll(
  generationRequestId: string,
  onChange: (request: GenerationRequest) => void,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  const ask = async () => {
    let goesOn: boolean;
    try {
      const request = await call("getGenerationStatus", { generationRequestId });
      if (stopped) return;
      onChange(request);
      goesOn = isOpen(request.status);
    } catch (error) {
      // What was not answered may be the next time. A refusal stands, and the gallery shows it.
      goesOn = !isImagegenError(error) || explain(error).retryable;
    }
    if (goesOn && !stopped) timer = setTimeout(ask, POLL_MILLISECONDS);
  };
  void ask();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
