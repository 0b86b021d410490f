/** One request with everything that is known about it. */
import { useEffect } from "preact/hooks";
import { call } from "../../api/client";
import type { Catalogue } from "../../api/types";
import { Button, CopyButton, Identifier } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { download } from "../../ui/download";
import { Fact, Facts } from "../../ui/facts";
import { Failure } from "../../ui/failure";
import { credits, dateTime, span } from "../../ui/format";
import { useAction, useLoaded } from "../../ui/hooks";
import { Skeleton } from "../../ui/page";
import { go, place, withQuery } from "../../ui/router";
import { draftFrom } from "../create/draft";
import { aspectOf } from "../generation/aspect";
import { useLiveRequest } from "../generation/live-request";
import { StatusBadge } from "../generation/status-badge";
import { Timeline } from "../generation/timeline";
import { Shot } from "./card";
import { noteChange } from "./changes";

export function Detail({
  id,
  catalogue,
  own,
}: {
  id: string;
  catalogue: Catalogue | null;
  own: boolean;
}) {
  const loaded = useLoaded(() => call("getGenerationStatus", { generationRequestId: id }), []);
  const live = useLiveRequest(own ? id : null);
  const request = live ?? (loaded.state === "ready" ? loaded.value : null);
  useEffect(() => {
    if (request) noteChange(request);
  }, [request]);

  const cancel = useAction(async () => {
    await call("cancelGenerationRequest", { generationRequestId: id });
  });
  const file = useAction(async () => {
    if (request?.imageUrl) await download(request.imageUrl, `image-${id}`);
  });
  const again = () => {
    if (!request) return;
    draftFrom(request);
    go("/create");
  };
  return (
    <Dialog
      title="Generation request"
      onClose={() =>
        place.value.path.startsWith("/gallery/") &&
        go(`/gallery${location.search}`, { keepScroll: true })
      }
    >
      {!request && loaded.state === "loading" && <Skeleton lines={5} />}
      {!request && loaded.state === "failed" && (
        <Failure error={loaded.error} onRetry={loaded.retry} />
      )}
      {request && (
        <div class="detail">
          <div class="detail-picture">
            <Shot request={request} ratio={aspectOf(request, catalogue)} eager />
            {request.imageUrl && (
              <a class="open-large" href={withQuery({ view: "image" })}>
                <span class="visually-hidden">Open the image large</span>
              </a>
            )}
          </div>
          <div class="detail-text">
            <p class="detail-prompt">{request.prompt}</p>
            <Timeline request={request} />
            {request.error && (
              <p class="banner" role="status">
                {request.error.message} {credits(request.refundedCredits)} came back.
              </p>
            )}
            <Facts>
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
              {request.completedAt && (
                <Fact name="Took">{span(request.createdAt, request.completedAt)}</Fact>
              )}
              <Fact name="Request">
                <Identifier value={id} />
              </Fact>
            </Facts>
            {cancel.error !== null && <Failure error={cancel.error} />}
            <div class="actions">
              {own && (
                <Button icon="again" kind="primary" onClick={again}>
                  Run again
                </Button>
              )}
              {request.imageUrl && (
                <Button icon="download" busy={file.busy} onClick={() => file.run()}>
                  Download
                </Button>
              )}
              <CopyButton small={false} text={request.prompt} label="Copy prompt" />
              {request.status === "pending" && (
                <Button kind="danger" busy={cancel.busy} onClick={cancel.run}>
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
