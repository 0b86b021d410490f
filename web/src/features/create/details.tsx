/** The steps, cost and id of the last order's request. */
import type { GenerationRequest } from "../../api/types";
import { Button, Identifier } from "../../ui/button";
import { credits, span } from "../../ui/format";
import { StatusBadge } from "../generation/status-badge";
import { Timeline } from "../generation/timeline";

export function Details({
  request,
  showId,
  onAgain,
}: {
  request: GenerationRequest;
  showId: boolean;
  onAgain: () => void;
}) {
  return (
    <>
      <Timeline request={request} />
      <dl class="facts">
        <div>
          <dt>Status</dt>
          <dd>
            <StatusBadge status={request.status} />
          </dd>
        </div>
        <div>
          <dt>Took</dt>
          <dd class="tabular">
            {request.completedAt ? span(request.createdAt, request.completedAt) : "…"}
          </dd>
        </div>
        <div>
          <dt>Cost</dt>
          <dd>{credits(request.deductedCredits - request.refundedCredits)}</dd>
        </div>
      </dl>
      {showId && (
        <p class="failure-id">
          <span>Request</span> <Identifier value={request.generationRequestId} />
        </p>
      )}
      <div class="actions">
        <a
          class="button plain small"
          href={`/gallery/${encodeURIComponent(request.generationRequestId)}`}
        >
          Open in the gallery
        </a>
        {request.status === "completed" && (
          <Button small kind="quiet" icon="again" onClick={onAgain}>
            Another one
          </Button>
        )}
      </div>
    </>
  );
}
