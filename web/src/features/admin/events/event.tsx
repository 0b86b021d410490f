/** One event, with its deliveries. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AppEvent } from "../../../api/admin-types";
import { Button, Identifier } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { Fact, Facts } from "../../../ui/facts";
import { Failure } from "../../../ui/failure";
import { dateTime, number } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { Loading } from "../../../ui/loading";
import { notify } from "../../../ui/notices";
import { PageHead } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { DocumentLink } from "../document-link";
import { usePolling } from "../polling";
import { Deliveries } from "./deliveries";

/** While a delivery waits for its first attempt. */
const POLL_MILLISECONDS = 2000;

export function Event({ id }: { id: string }) {
  useTitle(`Event ${id}`);
  const loaded = useResource(() => admin<AppEvent>("GET", at`/events/${id}`), [id]);
  /** The endpoint to deliver to again; "" for all of them. */
  const [again, setAgain] = useState<string | null>(null);
  const event = loaded.value;
  const isFirst = event?.deliveries.some((each) => each.status === "pending" && !each.result);
  usePolling(loaded, isFirst ?? false, POLL_MILLISECONDS);
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
      {loaded.error !== null && <Failure error={loaded.error} onRetry={loaded.reload} />}
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
