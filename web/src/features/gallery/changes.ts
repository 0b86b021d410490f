/** What the list of the gallery and its detail view know of each other. */
import { signal } from "@preact/signals";
import type { GenerationRequest } from "../../api/types";

/** The requests of the list, in its order. */
export const listed = signal<readonly GenerationRequest[]>([]);

/** Requests that have changed since the list was loaded, by generationRequestId. */
export const changes = signal<Record<string, GenerationRequest>>({});

export function noteChange(request: GenerationRequest): void {
  changes.value = { ...changes.peek(), [request.generationRequestId]: request };
}
