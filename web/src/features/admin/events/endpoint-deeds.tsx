/** What can be done with a webhook endpoint, each with the question before it. */
import { admin, at } from "../../../api/admin";
import type { WebhookEndpoint } from "../../../api/admin-types";
import { Confirm } from "../../../ui/confirm";
import { notify } from "../../../ui/notices";
import { go } from "../../../ui/router";

/** The list of endpoints. */
export const ALL = "/events?tab=endpoints";
export type Deed = "switch" | "rotate" | "test" | "delete";

export function Question({
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
