/** The user's other requests that are still open, whichever device ordered them. */
import { useEffect, useState } from "preact/hooks";
import { listen } from "../../api/firebase";
import type { GenerationRequest } from "../../api/types";
import { useStopwatch } from "../../ui/hooks";
import { StatusBadge } from "../generation/status-badge";

export function Running({ userId, except }: { userId: string; except: string | null }) {
  const [open, setOpen] = useState<GenerationRequest[]>([]);
  useEffect(
    () =>
      listen(
        (db, store) => store.watchOpenGenerationRequests(db, userId, setOpen, () => setOpen([])),
        () => setOpen([]), // the gallery shows them all the same
      ),
    [userId],
  );
  const others = open.filter((each) => each.generationRequestId !== except);
  if (others.length === 0) return null;
  return (
    <section class="running" aria-labelledby="running-title">
      <h3 id="running-title">Still running</h3>
      <ul>
        {others.map((request) => (
          <Row key={request.generationRequestId} request={request} />
        ))}
      </ul>
    </section>
  );
}

function Row({ request }: { request: GenerationRequest }) {
  const seconds = useStopwatch(Date.parse(request.createdAt));
  return (
    <li>
      <a href={`/gallery/${encodeURIComponent(request.generationRequestId)}`}>{request.prompt}</a>
      <StatusBadge status={request.status} />
      <span class="note tabular">{elapsed(seconds)}</span>
    </li>
  );
}

function elapsed(seconds: number): string {
  return seconds < 120 ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / 60)} min`;
}
