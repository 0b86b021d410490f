/** What was ordered with a generation request, and what came of it. */
import { at } from "../../../api/admin";
import type { AdminRequest } from "../../../api/admin-types";
import { Identifier } from "../../../ui/button";
import { Fact, Facts } from "../../../ui/facts";
import { dateTime, number, span } from "../../../ui/format";
import { StatusBadge } from "../../generation/status-badge";

export function RequestFacts({ request }: { request: AdminRequest }) {
  const { error } = request;
  return (
    <Facts>
      <Fact name="Request">
        <Identifier value={request.generationRequestId} />
      </Fact>
      <Fact name="User">
        <a href={`/users/${encodeURIComponent(request.userId)}`}>{request.userId}</a>
      </Fact>
      <Fact name="Status">
        <StatusBadge status={request.status} />
      </Fact>
      <Fact name="Model">{request.model}</Fact>
      {request.fallbackModel && <Fact name="Made by">{request.fallbackModel}</Fact>}
      <Fact name="Style">{request.style}</Fact>
      <Fact name="Color">{request.color}</Fact>
      <Fact name="Size">{request.size}</Fact>
      {request.source && (
        <Fact name="Started from">
          <StartedFrom source={request.source} />
        </Fact>
      )}
      <Fact name="Mode">
        {request.mode === "sync" ? "while the app waits" : "in the background"}
      </Fact>
      <Fact name="Created">{dateTime(request.createdAt)}</Fact>
      {request.completedAt && (
        <Fact name="Took">{span(request.createdAt, request.completedAt)}</Fact>
      )}
      <Fact name="Attempts">{number(request.attempts)}</Fact>
      {request.providerJob && (
        <Fact name="Job at the provider">
          <Identifier value={request.providerJob} />
        </Fact>
      )}
      {request.retryId && (
        <Fact name="Tried again as">
          <a href={at`/requests/${request.retryId}`}>
            <code>{request.retryId}</code>
          </a>
        </Fact>
      )}
      {error && <Fact name="Failed because">{error.reason}</Fact>}
    </Facts>
  );
}

/** The photo's address is no link: anybody may have written it. */
function StartedFrom({ source }: { source: NonNullable<AdminRequest["source"]> }) {
  if (source.type === "address") return <>the place {source.address}</>;
  return source.uploadId ? (
    <>
      a photo that was uploaded: <Identifier value={source.uploadId} />
    </>
  ) : (
    <>
      a photo: <Identifier value={source.url ?? ""} />
    </>
  );
}
