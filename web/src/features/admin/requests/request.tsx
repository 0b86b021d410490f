/** One generation request: its image, its money, and what an administrator can do about it. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AdminRequest } from "../../../api/admin-types";
import { isOpen } from "../../../api/types";
import { Button } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { Failure } from "../../../ui/failure";
import { credits } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { Loading } from "../../../ui/loading";
import { Empty, PageHead } from "../../../ui/page";
import { Picture } from "../../../ui/picture";
import { useResource } from "../../../ui/resource";
import { aspectOf } from "../../generation/aspect";
import { Timeline } from "../../generation/timeline";
import { Books } from "./books";
import { DEEDS, type Deed } from "./deeds";
import { RequestFacts } from "./request-facts";

export function Request({ id }: { id: string }) {
  useTitle(`Request ${id}`);
  const loaded = useResource(() => admin<AdminRequest>("GET", at`/generationRequests/${id}`), [id]);
  const [deed, setDeed] = useState<Deed | null>(null);
  const request = loaded.value;
  if (!request) {
    return (
      <>
        <PageHead title="Request">
          <a href="/requests">All requests</a>
        </PageHead>
        <Loading resource={loaded} height="24rem" />
      </>
    );
  }
  const { consequence, title, label, path, done } = DEEDS[deed ?? "goodwill"];
  return (
    <>
      <PageHead title="Request" actions={<Actions request={request} onChoose={setDeed} />}>
        <a href="/requests">All requests</a>
      </PageHead>
      {loaded.error !== null && <Failure error={loaded.error} onRetry={loaded.reload} />}
      <div class="two-columns">
        <div class="stack">
          {request.imageUrl ? (
            <Picture url={request.imageUrl} alt={request.prompt} ratio={aspectOf(request, null)} />
          ) : (
            <div class="card">
              <Empty icon="gallery" title={isOpen(request.status) ? "Not finished" : "No image"} />
            </div>
          )}
          <p class="detail-prompt">{request.prompt || <span class="note">Prompt deleted</span>}</p>
        </div>
        <div class="stack">
          <section class="card" aria-label="What happened">
            <Timeline request={request} />
          </section>
          {request.error && (
            <p class="banner" role="status">
              {request.error.message}
            </p>
          )}
          <section class="card" aria-label="The request">
            <RequestFacts request={request} />
          </section>
          <Books request={request} />
        </div>
      </div>
      {deed && (
        <Confirm
          title={title}
          label={label(request)}
          danger={deed === "cancel"}
          onClose={() => setDeed(null)}
          onConfirm={async (reason) => {
            const answer = await admin<{ generationRequestId?: string }>(
              "POST",
              at`/generationRequests/${id}/${path}`,
              { reason },
            );
            done(request, answer);
            loaded.reload();
          }}
        >
          <p>{consequence(request)}</p>
        </Confirm>
      )}
    </>
  );
}

function Actions({ request, onChoose }: { request: AdminRequest; onChoose: (deed: Deed) => void }) {
  const hasGoodwill = request.entries.some(({ type }) => type === "grant");
  return (
    <>
      {request.status === "pending" && (
        <Button kind="danger" onClick={() => onChoose("cancel")}>
          Cancel and refund
        </Button>
      )}
      {request.status === "failed" && !request.retryId && (
        <Button icon="again" onClick={() => onChoose("retry")}>
          Run it again for free
        </Button>
      )}
      {request.status === "completed" && !hasGoodwill && (
        <Button icon="refund" onClick={() => onChoose("goodwill")}>
          Give {credits(request.deductedCredits)} as goodwill
        </Button>
      )}
    </>
  );
}
