/** Audits of all accounts: start one, and the results of the last ones. */
import { useEffect } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { Audit, AuditPage } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { Button } from "../../../ui/button";
import { Failure } from "../../../ui/failure";
import { number, span } from "../../../ui/format";
import { useAction } from "../../../ui/hooks";
import { Listing } from "../../../ui/listing";
import { Empty } from "../../../ui/page";
import { PagedList, usePaged } from "../../../ui/paged";
import { ExactTime } from "../../../ui/when";

const POLL_MILLISECONDS = 3000;

export function Audits() {
  const list = usePaged<Audit>(async (pageToken) => {
    const page = await admin<AuditPage>("GET", "/audits", { pageToken, pageSize: 20 });
    return { items: page.audits, nextPageToken: page.nextPageToken };
  }, []);
  const runs = list.items?.some((audit) => audit.status === "running") ?? false;
  useEffect(() => {
    if (!runs) return;
    const timer = setTimeout(list.reload, POLL_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [runs, list.items]);
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
        <Button kind="primary" busy={start.busy} disabled={runs} onClick={() => start.run()}>
          {runs ? "One is running" : "Audit now"}
        </Button>
      </div>
      {start.error !== null && <Failure error={start.error} />}
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

export function AuditBadge({ audit: { status, findingCount, warningCount } }: { audit: Audit }) {
  if (status === "running") return <Badge tone="wait">running</Badge>;
  if (status === "failed") return <Badge tone="bad">did not finish</Badge>;
  const wrong = findingCount - warningCount;
  return (
    <span class="entry">
      {wrong > 0 && <Badge tone="bad">{counted(wrong, "finding")}</Badge>}
      {warningCount > 0 && <Badge tone="wait">{counted(warningCount, "warning")}</Badge>}
      {findingCount === 0 && <Badge tone="good">all books balance</Badge>}
    </span>
  );
}

const counted = (count: number, one: string): string =>
  count === 1 ? `1 ${one}` : `${number(count)} ${one}s`;
