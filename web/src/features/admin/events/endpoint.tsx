/** One webhook endpoint, and what can be done with it. */
import { useState } from "preact/hooks";
import { admin } from "../../../api/admin";
import type { EndpointList } from "../../../api/admin-types";
import { Button, Identifier } from "../../../ui/button";
import { Fact, Facts } from "../../../ui/facts";
import { Failure } from "../../../ui/failure";
import { dateTime } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { Empty, PageHead, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { ALL, type Deed, Question } from "./endpoint-deeds";
import { EndpointBadge } from "./endpoints";
import { Secret } from "./secret";

export function Endpoint({ id }: { id: string }) {
  useTitle("Webhook endpoint");
  const loaded = useResource(() => admin<EndpointList>("GET", "/webhookEndpoints"), [id]);
  const [deed, setDeed] = useState<Deed | null>(null);
  const [secret, setSecret] = useState("");
  const endpoint = loaded.value?.webhookEndpoints.find((each) => each.id === id);
  if (!endpoint) {
    return (
      <>
        <PageHead title="Webhook endpoint">
          <a href={ALL}>All endpoints</a>
        </PageHead>
        {loaded.error !== null && <Failure error={loaded.error} onRetry={loaded.reload} />}
        {loaded.loading && !loaded.value && <Skeleton height="12rem" />}
        {loaded.value && <Empty icon="events" title="There is no such endpoint" />}
      </>
    );
  }
  return (
    <>
      <PageHead
        title="Webhook endpoint"
        actions={
          <>
            <Button onClick={() => setDeed("test")} disabled={!endpoint.enabled}>
              Send a test event
            </Button>
            <Button onClick={() => setDeed("rotate")}>Rotate the secret</Button>
            <Button onClick={() => setDeed("switch")}>
              {endpoint.enabled ? "Disable" : "Enable"}
            </Button>
            <Button kind="danger" icon="trash" onClick={() => setDeed("delete")}>
              Delete
            </Button>
          </>
        }
      >
        <a href={ALL}>All endpoints</a>
      </PageHead>
      {loaded.error !== null && <Failure error={loaded.error} onRetry={loaded.reload} />}
      <section class="card" aria-label="The endpoint">
        <Facts>
          <Fact name="Address">
            <Identifier value={endpoint.url} />
          </Fact>
          <Fact name="State">
            <EndpointBadge endpoint={endpoint} />
          </Fact>
          <Fact name="Told of">{endpoint.types.join(", ")}</Fact>
          <Fact name="Added">{dateTime(endpoint.createdAt)}</Fact>
          {endpoint.failingSince && (
            <Fact name="Failing since">{dateTime(endpoint.failingSince)}</Fact>
          )}
          {endpoint.disabledReason && (
            <Fact name="Disabled because">{endpoint.disabledReason}</Fact>
          )}
        </Facts>
      </section>
      {deed && (
        <Question
          deed={deed}
          endpoint={endpoint}
          onClose={() => setDeed(null)}
          onDone={loaded.reload}
          onSecret={setSecret}
        />
      )}
      {secret && <Secret secret={secret} onClose={() => setSecret("")} />}
    </>
  );
}
