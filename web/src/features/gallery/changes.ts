/** Requests that the detail view has seen change since the list was loaded. */
import { signal } from "@preact/signals";
import type { GenerationRequest } from "../../api/types";

/** By generationRequestId. */
export const changes = signal<Record<string, GenerationRequest>>({});

export function noteChange(request: GenerationRequest): void {
  changes.value = { ...changes.peek(), [request.generationRequestId]: request };
}
