/** The outcome of the last order. */
import { imagegenError } from "imagegen-client";
import { type Catalogue, type GenerationRequest, isOpen, type Order } from "../../api/types";
import { explain } from "../../ui/explain";
import { Failure } from "../../ui/failure";
import { credits } from "../../ui/format";
import { useStopwatch } from "../../ui/hooks";
import { Empty } from "../../ui/page";
import { Picture } from "../../ui/picture";
import { useLiveRequest } from "../generation/live-request";
import { Details } from "./details";
import { type Run, run } from "./run";

export function Result({
  catalogue,
  onAgain,
}: {
  catalogue: Catalogue;
  onAgain: (order: Order) => void;
}) {
  const last = run.value;
  if (!last) {
    return (
      <Empty icon="gallery" title="Nothing here yet">
        Your image appears here, and each step while it is made.
      </Empty>
    );
  }
  return <Outcome run={last} catalogue={catalogue} onAgain={() => onAgain(last.order)} />;
}

function Outcome({
  run,
  catalogue,
  onAgain,
}: {
  run: Run;
  catalogue: Catalogue;
  onAgain: () => void;
}) {
  const request = useLiveRequest(requestIdOf(run));
  const failed =
    run.state === "failed" ? run.error : request?.status === "failed" ? failureOf(request) : null;
  return (
    <div class="result-body" aria-live="polite">
      {failed ? (
        <Failure error={failed} onRetry={explain(failed).retryable ? onAgain : undefined} />
      ) : (
        <Progress run={run} request={request} catalogue={catalogue} />
      )}
      {request && <Details request={request} showId={!failed} onAgain={onAgain} />}
    </div>
  );
}

/** The image, or the progress until there is one. */
function Progress({
  run,
  request,
  catalogue,
}: {
  run: Run;
  request: GenerationRequest | null;
  catalogue: Catalogue;
}) {
  const accepted = run.state === "accepted" ? run : null;
  const imageUrl = request?.imageUrl ?? accepted?.imageUrl;
  const working = !imageUrl && (!request || isOpen(request.status));
  const seconds = useStopwatch(working ? run.startedAt : null);
  const size = catalogue.sizes.find((each) => each.name === run.order.size);
  const ratio = size ? size.width / size.height : 1;
  if (imageUrl) return <Picture url={imageUrl} alt={run.order.prompt} ratio={ratio} eager />;
  if (request?.status === "canceled") {
    return (
      <Empty icon="refund" title="Canceled">
        {credits(request.refundedCredits)} came back.
      </Empty>
    );
  }
  return (
    <div class="picture working" style={{ aspectRatio: String(ratio) }}>
      <p class="picture-note">
        <span class="spinner" aria-hidden="true" />
        {run.order.mode === "async" ? "In the background" : "Generating"}{" "}
        <span class="tabular">{seconds.toFixed(1)} s</span>
      </p>
    </div>
  );
}

function requestIdOf(run: Run): string | null {
  if (run.state === "accepted") return run.generationRequestId;
  return run.state === "failed" ? explain(run.error).generationRequestId : null;
}

/** The error of a request that failed in the background, as a call would have thrown it. */
function failureOf({ generationRequestId, refundedCredits, error }: GenerationRequest) {
  const cause = error?.reason ?? "";
  const known = { status: "UNKNOWN", message: error?.message ?? "" } as const;
  const details = { generationRequestId, refundedCredits };
  if (cause === "CONTENT_REFUSED")
    return imagegenError({ ...known, reason: cause, status: "INVALID_ARGUMENT", details });
  return imagegenError(
    cause === "GENERATION_TIMEOUT"
      ? {
          ...known,
          reason: cause,
          status: "DEADLINE_EXCEEDED",
          details: { ...details, cause, retryable: true },
        }
      : { ...known, reason: "GENERATION_FAILED", details: { ...details, cause, retryable: true } },
  );
}
