/** Events and whom they are told to: /events, /events/{id}, /events/endpoints/{id}. */
import { useState } from "preact/hooks";
import { Button } from "../../../ui/button";
import { ChoiceFilter, filtered } from "../../../ui/filters";
import { useTitle } from "../../../ui/hooks";
import { PageHead } from "../../../ui/page";
import { Tabs } from "../../../ui/tabs";
import { AddEndpoint } from "./add-endpoint";
import { Endpoints } from "./endpoints";
import { EventList } from "./event-list";

const STATUSES = ["pending", "delivered", "failed", "dropped"];

export function Events() {
  useTitle("Events");
  const [adds, setAdds] = useState(false);
  const [closed, setClosed] = useState(0);
  return (
    <>
      <PageHead
        title="Events"
        actions={
          <Button kind="primary" icon="create" onClick={() => setAdds(true)}>
            Add an endpoint
          </Button>
        }
      >
        What servers and devices are told of: ended requests, credits, reports.
      </PageHead>
      <Tabs
        label="Events"
        parameter="tab"
        tabs={[
          {
            name: "Events",
            body: () => (
              <>
                <div class="filters" role="search" aria-label="Filters">
                  <ChoiceFilter name="status" options={STATUSES} any="Any delivery" />
                </div>
                <EventList path="/events" filters={{ status: filtered("status") }} />
              </>
            ),
          },
          { name: "Endpoints", body: () => <Endpoints key={closed} /> },
        ]}
      />
      {adds && (
        <AddEndpoint
          onClose={() => {
            setAdds(false);
            setClosed((count) => count + 1); // the list is loaded again, whatever came of it
          }}
        />
      )}
    </>
  );
}
