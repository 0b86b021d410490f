/** What a request was ordered with, and what became of it. */
import type { GenerationRequest } from "../../api/types";
import { Identifier } from "../../ui/button";
import { Fact, Facts } from "../../ui/facts";
import { credits, dateTime, span } from "../../ui/format";
import { Source } from "../generation/source";
import { StatusBadge } from "../generation/status-badge";

export function RequestFacts({ request }: { request: GenerationRequest }) {
  return (
    <Facts>
      <Fact name="Status">
        <StatusBadge status={request.status} />
      </Fact>
      <Fact name="Model">{request.model}</Fact>
      <Fact name="Style">{request.style}</Fact>
      <Fact name="Color">{request.color}</Fact>
      <Fact name="Size">{request.size}</Fact>
      {request.source && (
        <Fact name="Started from">
          <Source source={request.source} />
        </Fact>
      )}
      <Fact name="Cost">
        {credits(request.deductedCredits - request.refundedCredits)}
        {request.refundedCredits > 0 && " (refunded)"}
      </Fact>
      <Fact name="Created">{dateTime(request.createdAt)}</Fact>
      {request.completedAt && (
        <Fact name="Took">{span(request.createdAt, request.completedAt)}</Fact>
      )}
      <Fact name="Request">
        <Identifier value={request.generationRequestId} />
      </Fact>
    </Facts>
  );
}
