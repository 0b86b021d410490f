/** How long models usually take, by the user's own last requests: the API does not tell. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/client";
import type { GenerationRequest } from "../../api/types";

const LAST = 50;
/** One slow request says little about a model. */
const ENOUGH = 3;

/** Seconds by the name of the model; empty until it is known. */
export function useDurations(userId: string): Record<string, number> {
  const [known, setKnown] = useState<Record<string, number>>({});
  useEffect(() => {
    let stopped = false;
    call("listGenerationRequests", { userId, status: "completed", pageSize: LAST })
      .then(({ generationRequests }) => {
        if (!stopped) setKnown(durations(generationRequests));
      })
      .catch(() => {}); // the form does without
    return () => {
      stopped = true;
    };
  }, [userId]);
  return known;
}

type Timed = Pick<GenerationRequest, "model" | "startedAt" | "completedAt">;

/** The median time from start to end, in seconds, of each model with enough requests. */
export function durations(requests: readonly Timed[]): Record<string, number> {
  const byModel: Record<string, number[]> = {};
  for (const { model, startedAt, completedAt } of requests) {
    if (!startedAt || !completedAt) continue;
    byModel[model] = [
      ...(byModel[model] ?? []),
      Math.max(0, Date.parse(completedAt) - Date.parse(startedAt)) / 1000,
    ];
  }
  const enough = Object.entries(byModel).filter(([, seconds]) => seconds.length >= ENOUGH);
  return Object.fromEntries(enough.map(([model, seconds]) => [model, median(seconds)]));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
