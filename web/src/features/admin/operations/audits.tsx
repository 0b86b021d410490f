/** Audits of all accounts: start one, and the results of the last ones. */
import { useEffect } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { Audit, AuditPage } from "../../../api/admin-types";
import { Button } from "../../../ui/button";
import { Failure } from "../../../ui/failure";
import { span } from "../../../ui/format";
import { useAction } from "../../../ui/hooks";
import { Listing } from "../../../ui/listing";
import { Empty } from "../../../ui/page";
import { type Paged, PagedList, usePaged } from "../../../ui/paged";
import { type Resource, useResource } from "../../../ui/resource";
import { ExactTime } from "../../../ui/when";
import { usePolling } from "../polling";
import { AuditBadge } from "./audit-badge";

const POLL_MILLISECONDS = 3000;

export function Audits() {
  const list = usePaged<Audit>(async (pageToken) => {
    const page = await admin<AuditPage>("GET", "/audits", { pageToken, pageSize: 20 });
    return { items: page.audits, nextPageToken: page.nextPageToken };
  }, []);
  const running = list.items?.find(({ status }) => status === "running")?.auditId;
  const followed = useFollowed(running, list.change);
  const start = useAction(async () => {
    await admin("POST", "/audit", { reason: "Started in the console." });
    list.reload();
  });
  return (
    <>
      <div class="card card-head">
        <p>
          An audit reads every account, entry, request and purchase, and says what does not add up.
          It changes nothing.
        </p>
        <Button kind="primary" busy={start.busy} disabled={!!running} onClick={() => start.run()}>
          {running ? "One is running" : "Audit now"}
        </Button>
      </div>
      {start.error !== null && <Failure error={start.error} />}
      {followed.error !== null && <Failure error={followed.error} />}
      <PagedList list={list} empty={<Empty icon="operations" title="No audits yet" />}>
        {(audits) => (
          <Listing
            label="Audits"
            head={
              <>
                <th scope="col">Started</th>
                <th scope="col">Result</th>
                <th scope="col" class="end">
                  Took
                </th>
              </>
            }
          >
            {audits.map((audit) => (
              <tr key={audit.auditId}>
                <th scope="row">
                  <a class="row-link" href={at`/operations/audits/${audit.auditId}`}>
                    <ExactTime iso={audit.requestedAt} />
                  </a>
                </th>
                <td>
                  <AuditBadge audit={audit} />
                </td>
                <td class="end nowrap">
                  {audit.endedAt ? span(audit.requestedAt, audit.endedAt) : "–"}
                </td>
              </tr>
            ))}
          </Listing>
        )}
      </PagedList>
    </>
  );
}

/** Reads one audit until it has ended. The list stays: a reload would end it after its first page. */
function useFollowed(
  auditId: string | undefined,
  change: Paged<Audit>["change"],
): Resource<Audit | undefined> {
  const followed = useResource(
    async () => (auditId ? admin<Audit>("GET", at`/audits/${auditId}`) : undefined),
    [auditId],
  );
  usePolling(followed, auditId !== undefined, POLL_MILLISECONDS);
  useEffect(() => {
    const now = followed.value;
    if (now) change((audits) => audits.map((each) => (each.auditId === now.auditId ? now : each)));
  }, [followed.value]);
  return followed;
}
