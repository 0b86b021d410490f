/** Events with their deliveries: of one user, or of all. */
import { admin } from "../../../api/admin";
import type { AppEvent, EventPage } from "../../../api/admin-types";
import { Breakable } from "../../../ui/breakable";
import { Listing } from "../../../ui/listing";
import { Empty } from "../../../ui/page";
import { PagedList, usePaged } from "../../../ui/paged";
import { ExactTime } from "../../../ui/when";
import { DeliveryBadge } from "./delivery-badge";

export function EventList({
  path,
  filters,
}: {
  path: string;
  filters: Readonly<Record<string, string>>;
}) {
  const list = usePaged<AppEvent>(
    async (pageToken) => {
      const page = await admin<EventPage>("GET", path, { ...filters, pageToken, pageSize: 25 });
      return { items: page.events, nextPageToken: page.nextPageToken };
    },
    [path, JSON.stringify(filters)],
  );
  return (
    <PagedList
      list={list}
      empty={
        <Empty icon="events" title="No events">
          Events are written where a webhook endpoint or a device is registered; delivered ones are
          kept for 30 days.
        </Empty>
      }
    >
      {(events) => (
        <Listing
          label="Events"
          head={
            <>
              <th scope="col">When</th>
              <th scope="col">Event</th>
              <th scope="col">Deliveries</th>
            </>
          }
        >
          {events.map((event) => (
            <tr key={event.eventId}>
              <td>
                <ExactTime iso={event.createdAt} />
              </td>
              <th scope="row" class="any-length">
                <a class="row-link" href={`/events/${encodeURIComponent(event.eventId)}`}>
                  <Breakable text={event.type} after="." />
                </a>
                <span class="note block wide-cell">
                  <Breakable text={event.about} after="/" />
                </span>
              </th>
              <td>
                <span class="entry">
                  {event.deliveries.map((delivery) => (
                    <DeliveryBadge key={delivery.endpointId} status={delivery.status} />
                  ))}
                </span>
              </td>
            </tr>
          ))}
        </Listing>
      )}
    </PagedList>
  );
}
