/** Hooks for any page: loading, actions, measuring. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export type Loaded<T> =
  | { state: "loading" }
  | { state: "failed"; error: unknown; retry: () => void }
  | { state: "ready"; value: T };

/** Loads something, and loads it again whenever `keys` change. Late answers are dropped. */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
): Loaded<T> {
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

export interface Action<Argument extends unknown[]> {
  run: (...given: Argument) => void;
  busy: boolean;
  /** The first argument of the last run. */
  argument: Argument[0] | undefined;
  /** What the last run threw; null when it succeeded. */
  error: unknown;
}

/** The action of a button. `run` is a no-op while the action runs, so a double click acts once. */
export function useAction<Argument extends unknown[]>(
  act: (...given: Argument) => Promise<void>,
): Action<Argument> {
  const running = useRef(false);
  const [state, setState] = useState<Omit<Action<Argument>, "run">>({
    busy: false,
    argument: undefined,
    error: null,
  });
  const run = async (...given: Argument) => {
    const [argument] = given;
    if (running.current) return;
    running.current = true;
    setState({ busy: true, argument, error: null });
    try {
      await act(...given);
      setState({ busy: false, argument, error: null });
    } catch (error) {
      setState({ busy: false, argument, error });
    } finally {
      running.current = false;
    }
  };
  return { run: (...given) => void run(...given), ...state };
}

/** A signal that is aborted when the component goes away: for what must not outlive it. */
export function useWhileShown(): AbortSignal {
  const [abort] = useState(() => new AbortController());
  useEffect(() => () => abort.abort(), []);
  return abort.signal;
}

/** Seconds since `since` (milliseconds, as from Date.now()), updated ten times a second; 0 for null. */
export function useStopwatch(since: number | null): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (since === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, [since]);
  return since === null ? 0 : Math.max(0, (now - since) / 1000);
}

/** The width of an element in pixels, kept up to date. Pass the first value as its `ref`. */
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
