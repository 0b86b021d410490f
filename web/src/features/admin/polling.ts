/** What is loaded again and again until it is finished. */
import { useEffect } from "preact/hooks";
import type { Resource } from "../../ui/resource";

/** Loads something again every few seconds while it is `unfinished`, also after a failure. */
export function usePolling(
  { loading, reload }: Pick<Resource<unknown>, "loading" | "reload">,
  unfinished: boolean,
  milliseconds: number,
): void {
  useEffect(() => {
    if (!unfinished || loading) return;
    const timer = setTimeout(reload, milliseconds);
    return () => clearTimeout(timer);
  }, [unfinished, loading]);
}
