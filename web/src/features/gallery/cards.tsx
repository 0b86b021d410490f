/** The requests as cards, page by page. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/client";
import type { Catalogue, GenerationRequest } from "../../api/types";
import { Button } from "../../ui/button";
import { Failure } from "../../ui/failure";
import { useAction, useLoaded } from "../../ui/hooks";
import { Empty } from "../../ui/page";
import { Card } from "./card";
import { listed } from "./changes";
import type { Filters } from "./filters";

const PAGE_SIZE = 24;

export function Cards({
  userId,
  filters,
  catalogue,
  filtered,
}: {
  userId: string;
  filters: Filters;
  catalogue: Catalogue | null;
  filtered: boolean;
}) {
  const page = (pageToken?: string) =>
    call("listGenerationRequests", {
      userId,
      ...filters,
      pageSize: PAGE_SIZE,
      ...(pageToken && { pageToken }),
    });
  const first = useLoaded(() => page(), []);
  const [more, setMore] = useState<GenerationRequest[]>([]);
  const [token, setToken] = useState<string | undefined>();
  useEffect(() => {
    if (first.state === "ready") setToken(first.value.nextPageToken);
  }, [first]);

  const loadMore = useAction(async () => {
    const next = await page(token);
    setMore((before) => [...before, ...next.generationRequests]);
    setToken(next.nextPageToken);
  });

  useEffect(() => {
    listed.value = first.state === "ready" ? [...first.value.generationRequests, ...more] : [];
  }, [first, more]);

  if (first.state === "loading") return <LoadingCards />;
  if (first.state === "failed") return <Failure error={first.error} onRetry={first.retry} />;
  const all = [...first.value.generationRequests, ...more];
  if (all.length === 0) return <NoCards filtered={filtered} />;
  return (
    <>
      <ul class="cards">
        {all.map((request) => (
          <li key={request.generationRequestId}>
            <Card request={request} catalogue={catalogue} />
          </li>
        ))}
      </ul>
      {loadMore.error !== null && <Failure error={loadMore.error} />}
      {token && (
        <div class="more">
          <Button busy={loadMore.busy} onClick={loadMore.run}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

function LoadingCards() {
  return (
    <div class="cards" role="status">
      <span class="visually-hidden">Loading</span>
      {Array.from({ length: 8 }, (_, index) => (
        <div class="shot-card" key={index}>
          <span class="skeleton shot-skeleton" />
          <div class="shot-text">
            <span class="skeleton" style={{ width: "85%" }} />
            <span class="skeleton" style={{ width: "50%" }} />
          </div>
        </div>
      ))}
    </div>
  );
}

function NoCards({ filtered }: { filtered: boolean }) {
  return filtered ? (
    <Empty icon="gallery" title="Nothing matches">
      No request has all of these at once. Clear a filter to see more.
    </Empty>
  ) : (
    <Empty
      icon="gallery"
      title="No images yet"
      action={
        <a class="button primary" href="/create">
          Create an image
        </a>
      }
    >
      What you create is kept here, with its inputs, so that you can run it again.
    </Empty>
  );
}
