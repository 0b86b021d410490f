/** The path and query of the address bar, as a signal. */
import { signal } from "@preact/signals";

export interface Place {
  path: string;
  query: URLSearchParams;
}

const here = (): Place => ({
  path: location.pathname,
  query: new URLSearchParams(location.search),
});

export const place = signal<Place>(here());
addEventListener("popstate", () => {
  place.value = here();
});

/** How often the screen was asked to load anew what it shows. */
export const reloads = signal(0);
export function reloadScreen(): void {
  reloads.value += 1;
}

/**
 * What follows the screen's name in the path, decoded: "a/b" for /reports/a%2Fb, "" for /reports; with
 * 2, what follows that. Anybody can write an address, so it can be any text.
 */
export function segment(position = 1): string {
  const encoded = place.value.path.split("/")[position + 1] ?? "";
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded; // malformed: there is nothing with this name
  }
}

/**
 * Goes to an address of the console. `replace` replaces the entry in the browser's history. At
 * another path eyes and screen readers start at the top, unless they `stay` where they are.
 */
export function go(to: string, { replace = false, stay = false } = {}): void {
  const before = place.value.path;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  place.value = here();
  if (place.value.path === before || stay) return;
  scrollTo(0, 0);
  document.getElementById("main")?.focus({ preventScroll: true });
}

/** The current path with some query parameters changed. Empty values are removed. */
export function withQuery(changes: Record<string, string>): string {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  return place.value.path + (text && `?${text}`);
}

/** Follows links inside the console without loading a page. `data-stay` is for a dialog. */
export function followLinks(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
  if (link.pathname === location.pathname && link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search, { stay: "stay" in link.dataset });
}
