/** One event, with its deliveries. */

import { useEffect, useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AppEvent, EventDelivery } from "../../../api/admin-types";
import { Button, Identifier } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { Fact, Facts } from "../../../ui/facts";
import { dateTime, number } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { Loading } from "../../../ui/loading";
import { notify } from "../../../ui/notices";
import { PageHead } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { TableScroll } from "../../../ui/table-scroll";
import { When } from "../../../ui/when";
import { DocumentLink } from "../document-link";
import { DeliveryBadge } from "./delivery-badge";

/** While a delivery waits for its first attempt. */
const POLL_MILLISECONDS = 2000;

export function Event({ id }: { id: string }) {
  useTitle(`Event ${id}`);
  const loaded = useResource(() => admin<AppEvent>("GET", at`/events/${id}`), [id]);
  /** The endpoint to deliver to again; "" for all of them. */
  const [again, setAgain] = useState<string | null>(null);
  const event = loaded.value;
  const isFirst = event?.deliveries.some((each) => each.status === "pending" && !each.result);
  useEffect(() => {
    if (!isFirst) return;
    const timer = setTimeout(loaded.reload, POLL_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [event]);
  if (!event) {
    return (
      <>
        <PageHead title="Event">
          <a href="/events">All events</a>
        </PageHead>
        <Loading resource={loaded} height="16rem" />
      </>
    );
  }
  const count = again
    ? 1
    : event.deliveries.filter(({ endpointId }) => endpointId !== "push").length;
  return (
    <>
      <PageHead
        title={event.type}
        actions={
          <Button icon="again" onClick={() => setAgain("")}>
            Deliver again
          </Button>
        }
      >
        <a href="/events">All events</a>
      </PageHead>
      <section class="card" aria-label="The event">
        <Facts>
          <Fact name="Event">
            <Identifier value={event.eventId} />
          </Fact>
          <Fact name="About">
            <DocumentLink path={event.about} />
          </Fact>
          {event.userId && (
            <Fact name="User">
              <a href={`/users/${encodeURIComponent(event.userId)}`}>{event.userId}</a>
            </Fact>
          )}
          <Fact name="Happened">{dateTime(event.createdAt)}</Fact>
        </Facts>
      </section>
      <Deliveries deliveries={event.deliveries} onAgain={setAgain} />
      {again !== null && (
        <Confirm
          title="Deliver again"
          label="Deliver again"
          onClose={() => setAgain(null)}
          onConfirm={async (reason) => {
            await admin("POST", at`/events/${id}/redeliver`, { endpointId: again, reason });
            notify("The event is delivered again.");
            loaded.reload();
          }}
        >
          <p>
            {count === 1 ? "1 receiver gets" : `${number(count)} receivers get`} this event once
            more, with the same id: whoever has it already can tell.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Deliveries({
  deliveries,
  onAgain,
}: {
  deliveries: readonly EventDelivery[];
  onAgain: (endpointId: string) => void;
}) {
  return (
    <section class="card flush" aria-labelledby="deliveries-title">
      <h2 id="deliveries-title">Deliveries</h2>
      <TableScroll labelledBy="deliveries-title">
        <table>
          <thead>
            <tr>
              <th scope="col">To</th>
              <th scope="col">Status</th>
              <th scope="col" class="end wide-cell">
                Attempts
              </th>
              <th scope="col" class="wide-cell">
                Last result
              </th>
              <th scope="col">
                <span class="visually-hidden">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {deliveries.map((delivery) => (
              <tr key={delivery.endpointId}>
                <th scope="row" class="any-length">
                  {delivery.endpointId === "push" ? (
                    "the user’s devices"
                  ) : (
                    <a href={`/events/endpoints/${encodeURIComponent(delivery.endpointId)}`}>
                      {delivery.endpointId}
                    </a>
                  )}
                </th>
                <td>
                  <DeliveryBadge status={delivery.status} />
                  <span class="note narrow-only">
                    {delivery.result} ({number(delivery.attempts)} attempts)
                  </span>
                  {delivery.nextAttemptAt && (
                    <span class="note block">
                      next <When iso={delivery.nextAttemptAt} />
                    </span>
                  )}
                </td>
                <td class="end wide-cell">{number(delivery.attempts)}</td>
                <td class="any-length wide-cell">
                  {delivery.result || <span class="note">–</span>}
                </td>
                <td class="end">
                  {delivery.endpointId !== "push" && (
                    <Button small onClick={() => onAgain(delivery.endpointId)}>
                      Again
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}
