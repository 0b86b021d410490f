/** One request with everything that is known about it. */
import { useEffect, useState } from "preact/hooks";
import { call } from "../../api/client";
import { type Catalogue, type GenerationRequest, isOpen } from "../../api/types";
import { Button, CopyButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { download } from "../../ui/download";
import { Failure } from "../../ui/failure";
import { credits } from "../../ui/format";
import { useAction, useLoaded } from "../../ui/hooks";
import { Skeleton } from "../../ui/page";
import { go, place, withQuery } from "../../ui/router";
import { draftFrom } from "../create/draft";
import { aspectOf } from "../generation/aspect";
import { useLiveRequest } from "../generation/live-request";
import { Timeline } from "../generation/timeline";
import { Shot } from "./card";
import { noteChange } from "./changes";
import { DeleteImage } from "./delete-image";
import { ReportImage } from "./report-image";
import { RequestFacts } from "./request-facts";

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
  /** The request as a cancellation or a deletion answers; a listener would tell later, or not at all. */
  const [changed, setChanged] = useState<GenerationRequest | null>(null);
  const request = changed ?? live ?? (loaded.state === "ready" ? loaded.value : null);
  useEffect(() => {
    if (request) noteChange(request);
  }, [request]);

  const cancel = useAction(async () => {
    setChanged(await call("cancelGenerationRequest", { generationRequestId: id }));
  });
  const file = useAction(async () => {
    if (request?.imageUrl) await download(request.imageUrl, `image-${id}`);
  });
  const [asks, setAsks] = useState<"delete" | "report" | null>(null);
  const again = () => {
    if (!request) return;
    draftFrom(request);
    go("/create");
  };
  return (
    <Dialog
      title="Generation request"
      onClose={() =>
        place.value.path.startsWith("/gallery/") && go(`/gallery${location.search}`, { stay: true })
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
            <p class="detail-prompt">
              {request.prompt || <span class="note">The prompt is deleted.</span>}
            </p>
            <Timeline request={request} />
            {request.error && (
              <p class="banner" role="status">
                {request.error.message} {credits(request.refundedCredits)} came back.
              </p>
            )}
            <RequestFacts request={request} />
            {cancel.error !== null && <Failure error={cancel.error} again="safe" />}
            {own && request.source && (
              <p class="note">
                It cannot be run again here, because the form takes no photo and no address.
              </p>
            )}
            <div class="actions">
              {own && request.prompt && !request.source && (
                <Button icon="again" kind="primary" onClick={again}>
                  Run again
                </Button>
              )}
              {request.imageUrl && (
                <Button icon="download" busy={file.busy} onClick={() => file.run()}>
                  Download
                </Button>
              )}
              {request.prompt && (
                <CopyButton small={false} text={request.prompt} label="Copy prompt" />
              )}
              {request.status === "pending" && (
                <Button kind="danger" busy={cancel.busy} onClick={cancel.run}>
                  Cancel and refund
                </Button>
              )}
              {request.imageUrl && (
                <Button kind="quiet" icon="flag" onClick={() => setAsks("report")}>
                  Report
                </Button>
              )}
              {!isOpen(request.status) && !request.imageDeletedAt && (
                <Button kind="quiet" icon="trash" onClick={() => setAsks("delete")}>
                  Delete
                </Button>
              )}
            </div>
          </div>
        </div>
      )}
      {request && asks === "delete" && (
        <DeleteImage request={request} onClose={() => setAsks(null)} onDeleted={setChanged} />
      )}
      {request && asks === "report" && <ReportImage id={id} onClose={() => setAsks(null)} />}
    </Dialog>
  );
}
