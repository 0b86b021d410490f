/** One request of the gallery. */
import { useState } from "preact/hooks";
import { type Catalogue, type GenerationRequest, isOpen } from "../../api/types";
import { Picture } from "../../ui/picture";
import { When } from "../../ui/when";
import { useLiveRequest } from "../generation/live-request";
import { StatusBadge } from "../generation/status-badge";
import { changes } from "./changes";

/** Follows the request while it is open. */
export function Card({
  request,
  catalogue,
}: {
  request: GenerationRequest;
  catalogue: Catalogue | null;
}) {
  const [wasOpen] = useState(isOpen(request.status));
  const changed = changes.value[request.generationRequestId];
  const live = useLiveRequest(wasOpen ? request.generationRequestId : null);
  const now = live ?? changed ?? request;
  return (
    <a
      class="shot-card"
      data-stay
      href={`/gallery/${encodeURIComponent(request.generationRequestId)}${location.search}`}
    >
      <Shot request={now} ratio={1} small />
      <div class="shot-text">
        <p class="shot-prompt">{now.prompt || "Prompt deleted"}</p>
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
  return size ? `${size.width}\u202f×\u202f${size.height}` : name;
};

/** The image, or why there is none; where `small`, its thumbnail if it has one. */
export function Shot({
  request,
  ratio,
  eager,
  small,
}: {
  request: GenerationRequest;
  ratio: number;
  eager?: boolean;
  small?: boolean;
}) {
  const url = (small && request.thumbnailUrl) || request.imageUrl;
  if (url) return <Picture url={url} alt="" ratio={ratio} eager={eager} />;
  if (request.imageDeletedAt) {
    return (
      <div class="picture none" style={{ aspectRatio: String(ratio) }}>
        <p class="picture-note">Deleted</p>
      </div>
    );
  }
  const words = {
    pending: "Waiting in the queue",
    processing: "Generating",
    completed: "No image was kept",
    failed: "No image; credits refunded",
    canceled: "Canceled; credits refunded",
  };
  return (
    <div
      class={`picture ${isOpen(request.status) ? "working" : "none"}`}
      style={{ aspectRatio: String(ratio) }}
    >
      <p class="picture-note">
        {isOpen(request.status) && <span class="spinner" aria-hidden="true" />}
        {words[request.status]}
      </p>
    </div>
  );
}
