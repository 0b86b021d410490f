/** Hooks: loading things, and following a request while it runs. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { call, type Catalogue, type GenerationRequest } from "./api";
import { live } from "./firebase";

export type Loaded<T> =
  | { state: "loading" }
  | { state: "failed"; error: unknown; retry: () => void }
  | { state: "ready"; value: T };

/** Load something again whenever `keys` change; answers that come too late are dropped. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [result, setResult] = useState<Loaded<T>>({ state: "loading" });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setResult({ state: "loading" });
    load(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setResult({ state: "ready", value });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setResult({ state: "failed", error, retry: () => setAttempt((count) => count + 1) });
      },
    );
    return () => abort.abort();
  }, [...keys, attempt]);
  return result;
}

let catalogue: Promise<Catalogue> | undefined;

/** What is on offer; asked for once, kept while the page lives. */
export function useCatalogue(): Loaded<Catalogue> {
  return useLoaded(() => {
    catalogue ??= call<Catalogue>("listModels", {}).catch((error: unknown) => {
      catalogue = undefined;
      throw error;
    });
    return catalogue;
  }, []);
}

/** The request as Firestore has it, live; null until it is known. */
export function useLiveRequest(id: string | null): { request: GenerationRequest | null; error: Error | null } {
  const [seen, setSeen] = useState<{ id: string; request: GenerationRequest } | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    setError(null);
    if (!id) return;
    let stop = () => {};
    let stopped = false;
    void live().then(({ db, store }) => {
      if (stopped) return;
      stop = store.watchRequest(db, id, (request) => setSeen({ id, request }), setError);
    }, setError);
    return () => {
      stopped = true;
      stop();
    };
  }, [id]);
  return { request: seen?.id === id ? seen.request : null, error };
}

/** Seconds since `running` became true, in tenths. */
export function useStopwatch(running: boolean): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (!running) return;
    const began = performance.now();
    setSeconds(0);
    const timer = setInterval(() => setSeconds((performance.now() - began) / 1000), 100);
    return () => clearInterval(timer);
  }, [running]);
  return seconds;
}

/** The width of an element, followed. */
export function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [width, setWidth] = useState(0);
  const observer = useRef<ResizeObserver | null>(null);
  const measure = useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (!element) return;
    setWidth(element.clientWidth);
    observer.current = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.current.observe(element);
  }, []);
  return [measure, width];
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · imagegen`;
  }, [title]);
}
