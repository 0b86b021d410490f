/** The outcome of the last order. */
import { useState } from "preact/hooks";
import { type Catalogue, type GenerationRequest, isOpen, type Order } from "../../api/types";
import { explain } from "../../ui/explain";
import { Failure } from "../../ui/failure";
import { credits } from "../../ui/format";
import { useStopwatch } from "../../ui/hooks";
import { Empty } from "../../ui/page";
import { Picture } from "../../ui/picture";
import { aspectOf } from "../generation/aspect";
import { useLiveRequest } from "../generation/live-request";
import { Viewer } from "../generation/viewer";
import { Details } from "./details";
import { failureOf } from "./failure-of";
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
        <Failure
          error={failed}
          again="order"
          onRetry={explain(failed).retryable ? onAgain : undefined}
        >
          {WITHOUT_CREDITS.includes(failed.reason) && (
            <a class="button plain small" href="/credits/buy">
              Buy credits
            </a>
          )}
        </Failure>
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
  const [large, setLarge] = useState(false);
  const accepted = run.state === "accepted" ? run : null;
  const imageUrl = request?.imageUrl ?? accepted?.imageUrl;
  const working = !imageUrl && (!request || isOpen(request.status));
  const seconds = useStopwatch(working ? run.startedAt : null);
  const ratio = aspectOf({ size: run.order.size, ...request }, catalogue);
  const { prompt } = run.order;
  if (imageUrl) {
    const id = request?.generationRequestId ?? requestIdOf(run) ?? "";
    return (
      <div class="opens-large">
        <Picture url={imageUrl} alt={prompt} ratio={ratio} eager />
        <button type="button" class="open-large" onClick={() => setLarge(true)}>
          <span class="visually-hidden">Open the image large</span>
        </button>
        {large && (
          <Viewer
            images={[{ generationRequestId: id, imageUrl, prompt }]}
            at={0}
            onMove={() => {}}
            onClose={() => setLarge(false)}
          />
        )}
      </div>
    );
  }
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
        {/* What is around it is read out whenever it changes. */}
        <span class="tabular" aria-hidden="true">
          {seconds.toFixed(1)} s
        </span>
      </p>
    </div>
  );
}

const WITHOUT_CREDITS = ["INSUFFICIENT_CREDITS", "OUTSTANDING_DEBT", "USER_NOT_FOUND"];

export function requestIdOf(run: Run): string | null {
  if (run.state === "accepted") return run.generationRequestId;
  return run.state === "failed" ? explain(run.error).generationRequestId : null;
}
