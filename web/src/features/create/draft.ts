/** The order that the user is writing. */
import type { GenerationRequest, Order } from "../../api/types";
import { tabValue } from "./tab-value";

export type Draft = Omit<Order, "userId">;

export const EMPTY: Draft = { model: "", style: "", color: "", size: "", prompt: "", mode: "sync" };

export const draft = tabValue<Draft>("draft", (stored) => ({ ...EMPTY, ...stored }));

/** Starts a new draft from an earlier request, to be ordered again. */
export function draftFrom({ model, style, color, size, prompt, mode }: GenerationRequest): void {
  draft.keep({ model, style, color, size, prompt, mode });
}
