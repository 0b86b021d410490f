/** Something that is loaded, shown, changed and loaded again. */
import { useEffect, useRef, useState } from "preact/hooks";

export interface Resource<T> {
  /** undefined until it is there; kept while it is loaded again. */
  value: T | undefined;
  error: unknown;
  loading: boolean;
  reload: () => void;
  /** Shows another value until it is loaded again. */
  change: (update: (value: T) => T) => void;
}

/** Loads something, and loads it again whenever `keys` change. Late answers are dropped. */
export function useResource<T>(load: () => Promise<T>, keys: readonly unknown[]): Resource<T> {
  const [state, setState] = useState<Pick<Resource<T>, "value" | "error" | "loading">>({
    value: undefined,
    error: null,
    loading: true,
  });
  const [attempt, setAttempt] = useState(0);
  const key = JSON.stringify(keys);
  const shownFor = useRef(key);
  useEffect(() => {
    let stopped = false;
    const kept = shownFor.current === key;
    shownFor.current = key;
    setState(({ value }) => ({ value: kept ? value : undefined, error: null, loading: true }));
    load().then(
      (value) => {
        if (!stopped) setState({ value, error: null, loading: false });
      },
      (error: unknown) => {
        if (!stopped) setState(({ value }) => ({ value, error, loading: false }));
      },
    );
    return () => {
      stopped = true;
    };
  }, [key, attempt]);
  return {
    ...state,
    reload: () => setAttempt((count) => count + 1),
    change: (update) =>
      setState((before) =>
        before.value === undefined ? before : { ...before, value: update(before.value) },
      ),
  };
}
