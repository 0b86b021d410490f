/** Everything that was ordered, newest first. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call, type Catalogue, type GenerationRequest, isOpen, type RequestPage } from "../api";
import { draftFrom } from "../draft";
import { credits, dateTime, span } from "../format";
import { go, place, withQuery } from "../router";
import type { User } from "../session";
import { Button, Dialog, Empty, Failure, Identifier, PageHead, Picture, Select, Skeleton, StatusBadge, When } from "../ui/parts";
import { Timeline } from "../ui/timeline";
import { useCatalogue, useLiveRequest, useLoaded, useTitle } from "../use";

const PAGE_SIZE = 24;
const STATUSES = ["pending", "processing", "completed", "failed", "canceled"];
const FILTERS = ["status", "model", "style", "color", "size"] as const;
type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

/** What the detail view learned since the list was made, by request. */
const changes = signal<Record<string, GenerationRequest>>({});

export function Gallery({ user, requestId }: { user: User; requestId: string }) {
  useTitle("Gallery");
  const catalogue = useCatalogue();
  const { query } = place.value;
  const userId = (user.isAdmin && query.get("user")) || user.uid;
  const filters: Filters = Object.fromEntries(FILTERS.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));
  const filtered = Object.keys(filters).length > 0;
  const known = catalogue.state === "ready" ? catalogue.value : null;
  return (
    <>
      <PageHead
        title="Gallery"
        actions={
          <a class="button primary" href="/create">
            Create an image
          </a>
        }
      >
        {userId === user.uid ? "Everything you ordered, newest first." : `What ${userId} ordered, newest first.`}
      </PageHead>
      <div class="filters" role="group" aria-label="Filters">
        {FILTERS.map((name) => (
          <Select key={name} label={`Filter by ${name}`} placeholder={`Any ${name}`} value={filters[name] ?? ""} options={optionsOf(name, known, filters[name])} onChange={(value) => go(withQuery({ [name]: value }), { replace: true, keepScroll: true })} />
        ))}
        {filtered && (
          <Button kind="quiet" small icon="close" onClick={() => go(withQuery(Object.fromEntries(FILTERS.map((name) => [name, ""]))), { replace: true, keepScroll: true })}>
            Clear
          </Button>
        )}
      </div>
      <Cards key={JSON.stringify([userId, filters])} userId={userId} filters={filters} catalogue={known} filtered={filtered} />
      {requestId && <Detail key={requestId} id={requestId} catalogue={known} own={userId === user.uid} />}
    </>
  );
}

function optionsOf(name: (typeof FILTERS)[number], catalogue: Catalogue | null, chosen: string | undefined): string[] {
  const options = name === "status" ? STATUSES : (catalogue?.[`${name}s`] ?? []).map((each) => each.name);
  return chosen && !options.includes(chosen) ? [chosen, ...options] : options;
}

function Cards({ userId, filters, catalogue, filtered }: { userId: string; filters: Filters; catalogue: Catalogue | null; filtered: boolean }) {
  const page = (pageToken: string | undefined, signal?: AbortSignal) =>
    call<RequestPage>("listGenerationRequests", { userId, ...filters, pageSize: PAGE_SIZE, ...(pageToken && { pageToken }) }, { signal });
  const first = useLoaded((signal) => page(undefined, signal), []);
  const [more, setMore] = useState<GenerationRequest[]>([]);
  const [token, setToken] = useState<string | undefined>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (first.state === "ready") setToken(first.value.nextPageToken);
  }, [first]);

  if (first.state === "loading") {
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
  if (first.state === "failed") return <Failure error={first.error} onRetry={first.retry} />;
  const all = [...first.value.generationRequests, ...more];
  if (all.length === 0) {
    return filtered ? (
      <Empty icon="gallery" title="Nothing matches">
        No request has all of these at once. Clear a filter to see more.
      </Empty>
    ) : (
      <Empty icon="gallery" title="No images yet" action={<a class="button primary" href="/create">Create an image</a>}>
        What you create is kept here, with its inputs, so that you can run it again.
      </Empty>
    );
  }
  const loadMore = async () => {
    setBusy(true);
    setError(null);
    try {
      const next = await page(token);
      setMore((before) => [...before, ...next.generationRequests]);
      setToken(next.nextPageToken);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <>
      <ul class="cards">
        {all.map((request) => (
          <li key={request.generationRequestId}>
            <Card request={request} catalogue={catalogue} />
          </li>
        ))}
      </ul>
      {error !== null && <Failure error={error} />}
      {token && (
        <div class="more">
          <Button busy={busy} onClick={() => void loadMore()}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

/** Follows the request as long as it is open. */
function Card({ request, catalogue }: { request: GenerationRequest; catalogue: Catalogue | null }) {
  const [wasOpen] = useState(isOpen(request.status));
  const changed = changes.value[request.generationRequestId];
  const live = useLiveRequest(wasOpen ? request.generationRequestId : null).request;
  const now = live ?? changed ?? request;
  return (
    <a class="shot-card" href={`/gallery/${request.generationRequestId}${location.search}`}>
      <Shot request={now} ratio={1} />
      <div class="shot-text">
        <p class="shot-prompt">{now.prompt}</p>
        <p class="shot-meta">
          <StatusBadge status={now.status} />
          <When iso={now.createdAt} />
        </p>
        <p class="note">
          {now.model} · {now.style} · {catalogue ? sizeName(now.size, catalogue) : now.size}
        </p>
      </div>
    </a>
  );
}

const sizeName = (name: string, catalogue: Catalogue): string => {
  const size = catalogue.sizes.find((each) => each.name === name);
  return size ? `${size.width} × ${size.height}` : name;
};

function Shot({ request, ratio, eager }: { request: GenerationRequest; ratio: number; eager?: boolean }) {
  if (request.imageUrl) return <Picture url={request.imageUrl} alt="" ratio={ratio} eager={eager} />;
  const words = { pending: "Waiting in the queue", processing: "Generating", completed: "No image was kept", failed: "No image; credits refunded", canceled: "Canceled; credits refunded" };
  return (
    <div class={`picture ${isOpen(request.status) ? "working" : "none"}`} style={{ aspectRatio: String(ratio) }}>
      <p class="picture-note">
        {isOpen(request.status) && <span class="spinner" aria-hidden="true" />}
        {words[request.status]}
      </p>
    </div>
  );
}

function Detail({ id, catalogue, own }: { id: string; catalogue: Catalogue | null; own: boolean }) {
  const loaded = useLoaded((signal) => call<GenerationRequest>("getGenerationStatus", { generationRequestId: id }, { signal }), []);
  const live = useLiveRequest(own ? id : null).request;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const request = live ?? (loaded.state === "ready" ? loaded.value : null);
  useEffect(() => {
    if (request) changes.value = { ...changes.peek(), [id]: request };
  }, [request]);

  const cancel = async () => {
    setBusy(true);
    setProblem(null);
    await call("cancelGenerationRequest", { generationRequestId: id }).catch(setProblem);
    setBusy(false);
  };
  const again = () => {
    if (!request) return;
    draftFrom(request);
    go("/create");
  };
  const size = catalogue?.sizes.find((each) => each.name === request?.size);
  return (
    <Dialog title="Generation request" onClose={() => place.value.path.startsWith("/gallery/") && go(`/gallery${location.search}`, { keepScroll: true })}>
      {!request && loaded.state === "loading" && <Skeleton lines={5} />}
      {!request && loaded.state === "failed" && <Failure error={loaded.error} onRetry={loaded.retry} />}
      {request && (
        <div class="detail">
          <div class="detail-picture">
            <Shot request={request} ratio={size ? size.width / size.height : 1} eager />
          </div>
          <div class="detail-text">
            <p class="detail-prompt">{request.prompt}</p>
            <Timeline request={request} />
            {request.error && (
              <p class="banner" role="status">
                {request.error.message} {credits(request.refundedCredits)} came back.
              </p>
            )}
            <dl class="facts list">
              <Fact name="Status">
                <StatusBadge status={request.status} />
              </Fact>
              <Fact name="Model">{request.model}</Fact>
              <Fact name="Style">{request.style}</Fact>
              <Fact name="Color">{request.color}</Fact>
              <Fact name="Size">{request.size}</Fact>
              <Fact name="Cost">
                {credits(request.deductedCredits - request.refundedCredits)}
                {request.refundedCredits > 0 && " (refunded)"}
              </Fact>
              <Fact name="Created">{dateTime(request.createdAt)}</Fact>
              {request.completedAt && <Fact name="Took">{span(request.createdAt, request.completedAt)}</Fact>}
              <Fact name="Request">
                <Identifier value={id} />
              </Fact>
            </dl>
            {problem !== null && <Failure error={problem} />}
            <div class="actions">
              {own && (
                <Button icon="again" kind="primary" onClick={again}>
                  Run again
                </Button>
              )}
              {request.imageUrl && (
                <a class="button plain" href={request.imageUrl} target="_blank" rel="noreferrer">
                  Open image
                </a>
              )}
              {request.status === "pending" && (
                <Button kind="danger" busy={busy} onClick={() => void cancel()}>
                  Cancel and refund
                </Button>
              )}
            </div>
          </div>
        </div>
      )}
    </Dialog>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
