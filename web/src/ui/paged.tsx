/** Lists that are loaded page by page. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "./button";
import { Failure } from "./failure";
import { type Action, useAction } from "./hooks";
import { Skeleton } from "./page";

export interface Page<Item> {
  items: readonly Item[];
  nextPageToken?: string | undefined;
}

export interface Paged<Item> {
  /** undefined until the first page is there; while another list is loading, still the last one. */
  items: readonly Item[] | undefined;
  loading: boolean;
  error: unknown;
  reload: () => void;
  /** Loads the next page; null after the last one. */
  more: Action<[]> | null;
  /** Changes what is shown until it is loaded again. */
  change: (update: (items: readonly Item[]) => readonly Item[]) => void;
}

/** A list whose first page is loaded now and whenever `keys` change. Late answers are dropped. */
export function usePaged<Item>(
  load: (pageToken?: string) => Promise<Page<Item>>,
  keys: readonly unknown[],
): Paged<Item> {
  const [shown, setShown] = useState<Page<Item> | undefined>();
  const [state, setState] = useState<{ loading: boolean; error: unknown }>({
    loading: true,
    error: null,
  });
  const [attempt, setAttempt] = useState(0);
  const current = useRef(0);
  useEffect(() => {
    current.current += 1;
    const started = current.current;
    setState({ loading: true, error: null });
    load().then(
      (page) => {
        if (started !== current.current) return;
        setShown(page);
        setState({ loading: false, error: null });
      },
      (error: unknown) => {
        if (started !== current.current) return;
        setShown(undefined);
        setState({ loading: false, error });
      },
    );
    return () => {
      current.current += 1;
    };
  }, [...keys, attempt]);
  const more = useAction<[]>(async () => {
    const started = current.current;
    const next = await load(shown?.nextPageToken);
    if (started !== current.current) return;
    setShown((before) => ({ ...next, items: [...(before?.items ?? []), ...next.items] }));
  });
  return {
    items: shown?.items,
    ...state,
    reload: () => setAttempt((count) => count + 1),
    more: shown?.nextPageToken ? more : null,
    change: (update) => setShown((page) => page && { ...page, items: update(page.items) }),
  };
}

/** A paged list in all its states: loading, failed, empty, and with a button for more. */
export function PagedList<Item>({
  list,
  empty,
  children,
}: {
  list: Paged<Item>;
  empty: ComponentChildren;
  children: (items: readonly Item[]) => ComponentChildren;
}) {
  const { items, loading, error, more } = list;
  if (error !== null) return <Failure error={error} onRetry={list.reload} />;
  if (!items) {
    return (
      <div class="card">
        <Skeleton height="16rem" />
      </div>
    );
  }
  return (
    <div class={`paged ${loading ? "stale" : ""}`} aria-busy={loading}>
      {items.length === 0 ? empty : children(items)}
      {more && more.error !== null && <Failure error={more.error} />}
      {more && (
        <div class="more">
          <Button busy={more.busy} onClick={() => more.run()}>
            Show more
          </Button>
        </div>
      )}
    </div>
  );
}
