/** One webhook endpoint, and what can be done with it. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { EndpointList, WebhookEndpoint } from "../../../api/admin-types";
import { Button, Identifier } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { Fact, Facts } from "../../../ui/facts";
import { Failure } from "../../../ui/failure";
import { dateTime } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { notify } from "../../../ui/notices";
import { Empty, PageHead, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { go } from "../../../ui/router";
import { EndpointBadge } from "./endpoints";
import { Secret } from "./secret";

const ALL = "/events?tab=endpoints";
type Deed = "switch" | "rotate" | "test" | "delete";

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

function Question({
  deed,
  endpoint,
  onClose,
  onDone,
  onSecret,
}: {
  deed: Deed;
  endpoint: WebhookEndpoint;
  onClose: () => void;
  onDone: () => void;
  onSecret: (secret: string) => void;
}) {
  const { id, enabled } = endpoint;
  const set = async (wanted: boolean, reason: string) => {
    await admin("PUT", at`/webhookEndpoints/${id}`, { enabled: wanted, reason });
    onDone();
  };
  const questions = {
    test: {
      title: "Send a test event",
      label: "Send",
      text: "The endpoint gets one event of the type “test”, signed like all others.",
      act: async (reason: string) => {
        const { eventId } = await admin<{ eventId: string }>(
          "POST",
          at`/webhookEndpoints/${id}/test`,
          { reason },
        );
        notify("A test event is on its way.");
        go(`/events/${encodeURIComponent(eventId)}`);
      },
    },
    rotate: {
      title: "Rotate the secret",
      label: "Make a new secret",
      text: "Deliveries are signed with the new secret and, for 24 hours, with the old one as well.",
      act: async (reason: string) => {
        const { secret } = await admin<{ secret: string }>(
          "POST",
          at`/webhookEndpoints/${id}/rotateSecret`,
          { reason },
        );
        onSecret(secret);
        onDone();
      },
    },
    switch: {
      title: enabled ? "Disable the endpoint" : "Enable the endpoint",
      label: enabled ? "Disable" : "Enable",
      text: enabled
        ? "It is told nothing more. What is pending is dropped when its next attempt is due."
        : "It is told of what happens from now on. What it missed can be delivered again by hand.",
      act: async (reason: string) => {
        await set(!enabled, reason);
        notify(enabled ? "The endpoint is disabled." : "The endpoint is enabled.", () =>
          set(enabled, `Undone: ${reason}`),
        );
      },
    },
    delete: {
      title: "Delete the endpoint",
      label: "Delete",
      text: "It is told nothing more, and its secret is gone. This cannot be undone.",
      act: async (reason: string) => {
        await admin("DELETE", at`/webhookEndpoints/${id}`, { reason });
        notify("The endpoint is deleted.");
        go(ALL, { replace: true });
      },
    },
  };
  const { title, label, text, act } = questions[deed];
  return (
    <Confirm
      title={title}
      label={label}
      danger={deed === "delete" || (deed === "switch" && enabled)}
      onClose={onClose}
      onConfirm={act}
    >
      <p>{text}</p>
    </Confirm>
  );
}
