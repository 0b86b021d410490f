/** Generation requests as a table: of one user, or of all. */
import { admin } from "../../../api/admin";
import type { RequestPage } from "../../../api/admin-types";
import { call } from "../../../api/client";
import type { GenerationRequest } from "../../../api/types";
import { Breakable } from "../../../ui/breakable";
import { filtered } from "../../../ui/filters";
import { credits } from "../../../ui/format";
import { Listing } from "../../../ui/listing";
import { Empty } from "../../../ui/page";
import { PagedList, usePaged } from "../../../ui/paged";
import { ExactTime } from "../../../ui/when";
import { StatusBadge } from "../../generation/status-badge";

export const FILTERS = ["query", "userId", "status", "model", "from", "to"] as const;
const PAGE_SIZE = 25;

export function RequestList({ userId }: { userId?: string }) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, filtered(name)]));
  const list = usePaged<GenerationRequest>(
    async (pageToken) => {
      const page = userId
        ? await call("listGenerationRequests", {
            userId,
            pageSize: PAGE_SIZE,
            ...(pageToken && { pageToken }),
          })
        : await admin<RequestPage>("GET", "/generationRequests", {
            ...asked(filters),
            pageToken,
            pageSize: PAGE_SIZE,
          });
      return { items: page.generationRequests, nextPageToken: page.nextPageToken };
    },
    userId ? [userId] : [JSON.stringify(filters)],
  );
  const none = !userId && Object.values(filters).some(Boolean);
  return (
    <PagedList
      list={list}
      empty={
        <Empty icon="requests" title={none ? "Nothing matches" : "No requests yet"}>
          {none
            ? "No request has all of these at once. Clear a filter to see more."
            : "What is created appears here, newest first."}
        </Empty>
      }
    >
      {(requests) => (
        <Listing
          label="Requests"
          head={
            <>
              <th scope="col">When</th>
              {!userId && (
                <th scope="col" class="wide-cell">
                  User
                </th>
              )}
              <th scope="col">Model</th>
              <th scope="col">Status</th>
              <th scope="col" class="end wide-cell">
                Cost
              </th>
            </>
          }
        >
          {requests.map((request) => (
            <Row key={request.generationRequestId} request={request} ofAll={!userId} />
          ))}
        </Listing>
      )}
    </PagedList>
  );
}

/** The days of the filters as the moments that they begin and end at, where the browser is. */
function asked({ from, to, ...others }: Record<string, string>): Record<string, unknown> {
  return {
    ...others,
    from: moment(`${from}T00:00:00`),
    to: moment(`${to}T23:59:59.999`),
  };
}

/** Undefined where the address holds no date, as its field is empty then. */
function moment(local: string): string | undefined {
  const parsed = new Date(local);
  return Number.isNaN(parsed.getTime()) ? undefined : parsed.toISOString();
}

function Row({ request, ofAll }: { request: GenerationRequest; ofAll: boolean }) {
  const cost = request.deductedCredits - request.refundedCredits;
  return (
    <tr>
      <th scope="row">
        <a class="row-link" href={`/requests/${encodeURIComponent(request.generationRequestId)}`}>
          <ExactTime iso={request.createdAt} />
        </a>
        {ofAll && <span class="note narrow-only any-length">{request.userId}</span>}
      </th>
      {ofAll && (
        <td class="any-length wide-cell">
          <a class="above" href={`/users/${encodeURIComponent(request.userId)}`}>
            {request.userId}
          </a>
        </td>
      )}
      <td class="any-length">
        {request.model} <span class="note block nowrap">{request.size}</span>
      </td>
      <td>
        <StatusBadge status={request.status} />
        {request.error && (
          <span class="note block">
            <Breakable text={request.error.reason} after="_" />
          </span>
        )}
        {cost > 0 && <span class="note narrow-only">{credits(cost)}</span>}
      </td>
      <td class="end nowrap wide-cell">
        {cost === 0 ? <span class="note">refunded</span> : credits(cost)}
      </td>
    </tr>
  );
}
