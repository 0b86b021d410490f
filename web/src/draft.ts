/** The order being written; it survives a change of screen and a reload of the page. */
import { signal } from "@preact/signals";
import type { GenerationRequest, Mode } from "./api";

export interface Draft {
  model: string;
  style: string;
  color: string;
  size: string;
  prompt: string;
  mode: Mode;
}

const EMPTY: Draft = { model: "", style: "", color: "", size: "", prompt: "", mode: "sync" };
const KEY = "draft";

export const draft = signal<Draft>(read());

function read(): Draft {
  try {
    return { ...EMPTY, ...(JSON.parse(sessionStorage.getItem(KEY) ?? "{}") as Partial<Draft>) };
  } catch {
    return EMPTY;
  }
}

export function keepDraft(next: Draft): void {
  draft.value = next;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Storage is blocked: the draft lives as long as the page.
  }
}

/** The inputs of an earlier request, to be run again. */
export function draftFrom({ model, style, color, size, prompt, mode }: GenerationRequest): void {
  keepDraft({ model, style, color, size, prompt, mode: mode ?? "sync" });
}
