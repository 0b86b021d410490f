/** The webhook endpoints. */
import { admin } from "../../../api/admin";
import type { EndpointList, WebhookEndpoint } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { Failure } from "../../../ui/failure";
import { Listing } from "../../../ui/listing";
import { Empty, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { When } from "../../../ui/when";

export function Endpoints() {
  const loaded = useResource(() => admin<EndpointList>("GET", "/webhookEndpoints"), []);
  if (loaded.error) return <Failure error={loaded.error} onRetry={loaded.reload} />;
  if (!loaded.value) return <Skeleton height="12rem" />;
  const { webhookEndpoints } = loaded.value;
  if (webhookEndpoints.length === 0) {
    return (
      <Empty icon="events" title="No endpoints yet">
        Add the address of a server that is to be told what happens.
      </Empty>
    );
  }
  return (
    <Listing
      label="Webhook endpoints"
      head={
        <>
          <th scope="col">Address</th>
          <th scope="col">State</th>
          <th scope="col" class="wide-cell">
            Added
          </th>
        </>
      }
    >
      {webhookEndpoints.map((endpoint) => (
        <tr key={endpoint.id}>
          <th scope="row" class="any-length">
            <a class="row-link" href={`/events/endpoints/${encodeURIComponent(endpoint.id)}`}>
              {endpoint.url}
            </a>
            <span class="note block">{endpoint.types.join(", ")}</span>
          </th>
          <td>
            <EndpointBadge endpoint={endpoint} />
          </td>
          <td class="wide-cell nowrap">
            <When iso={endpoint.createdAt} />
          </td>
        </tr>
      ))}
    </Listing>
  );
}

export function EndpointBadge({ endpoint }: { endpoint: WebhookEndpoint }) {
  if (!endpoint.enabled) return <Badge tone="neutral">disabled</Badge>;
  return endpoint.failingSince ? (
    <Badge tone="bad">failing</Badge>
  ) : (
    <Badge tone="good">enabled</Badge>
  );
}
