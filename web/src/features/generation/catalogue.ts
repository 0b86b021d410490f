/** The available models, styles, colors and sizes. */
import { signal } from "@preact/signals";
import { call } from "../../api/client";
import type { Catalogue } from "../../api/types";
import { type Loaded, useLoaded } from "../../ui/hooks";

/** The functions keep a copy of their own for as long. */
const FRESH_MILLISECONDS = 60_000;

let kept: { at: number; catalogue: Promise<Catalogue> } | undefined;
/** What is shown while a newer one is loading. */
let last: Catalogue | undefined;
const forgotten = signal(0);

/** Loads the catalogue anew, wherever it is shown: something in it has turned out to be old. */
export function forgetCatalogue(): void {
  kept = undefined;
  forgotten.value += 1;
}

/** The catalogue, loaded by the first screen that needs it and by those a minute later. */
export function useCatalogue(): Loaded<Catalogue> {
  const loaded = useLoaded(current, [forgotten.value]);
  return loaded.state !== "ready" && last ? { state: "ready", value: last } : loaded;
}

/** What an image of this size costs; undefined if the size is not on offer. */
export const priceOf = (size: string, { sizes }: Catalogue): number | undefined =>
  sizes.find((each) => each.name === size)?.credits;

function current(): Promise<Catalogue> {
  if (!kept || Date.now() - kept.at >= FRESH_MILLISECONDS)
    kept = { at: Date.now(), catalogue: load() };
  return kept.catalogue;
}

async function load(): Promise<Catalogue> {
  try {
    last = await call("listModels", {});
    return last;
  } catch (error) {
    kept = undefined;
    throw error;
  }
}
