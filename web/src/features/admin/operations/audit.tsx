/** The results of one audit. */
import { admin, at } from "../../../api/admin";
import type { Audit as Result } from "../../../api/admin-types";
import { Fact, Facts } from "../../../ui/facts";
import { Failure } from "../../../ui/failure";
import { dateTime, number, span } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { PageHead, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { TableScroll } from "../../../ui/table-scroll";
import { usePolling } from "../polling";
import { AuditBadge } from "./audit-badge";

const POLL_MILLISECONDS = 3000;

export function Audit({ id }: { id: string }) {
  useTitle("Audit");
  const loaded = useResource(() => admin<Result>("GET", at`/audits/${id}`), [id]);
  const audit = loaded.value;
  usePolling(loaded, audit?.status === "running", POLL_MILLISECONDS);
  return (
    <>
      <PageHead title="Audit">
        <a href="/operations">All audits</a>
      </PageHead>
      {loaded.error !== null && <Failure error={loaded.error} onRetry={loaded.reload} />}
      {!audit && loaded.error === null && <Skeleton height="16rem" />}
      {audit && (
        <>
          <section class="card" aria-label="The audit">
            <Facts>
              <Fact name="Result">
                <AuditBadge audit={audit} />
              </Fact>
              <Fact name="Started">{dateTime(audit.requestedAt)}</Fact>
              {audit.endedAt && <Fact name="Took">{span(audit.requestedAt, audit.endedAt)}</Fact>}
              <Fact name="Asked for by">{audit.by}</Fact>
              <Fact name="Users">{number(audit.users)}</Fact>
              <Fact name="Entries">{number(audit.entries)}</Fact>
              <Fact name="Requests">{number(audit.requests)}</Fact>
              <Fact name="Purchases">{number(audit.purchases)}</Fact>
              {audit.error && <Fact name="Error">{audit.error}</Fact>}
            </Facts>
          </section>
          {audit.findings.length > 0 && <Findings audit={audit} />}
        </>
      )}
    </>
  );
}

function Findings({ audit: { findings, findingCount } }: { audit: Result }) {
  return (
    <section class="card flush" aria-labelledby="findings-title">
      <h2 id="findings-title">
        {findingCount > findings.length
          ? `The first ${number(findings.length)} findings`
          : "Findings"}
      </h2>
      <TableScroll labelledBy="findings-title">
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">User</th>
              <th scope="col">What is wrong</th>
            </tr>
          </thead>
          <tbody>
            {findings.map((finding, index) => (
              <tr key={`${finding.path} ${index}`}>
                <th scope="row">
                  {finding.invariant}
                  {finding.severity === "warning" && <span class="note block">warning</span>}
                </th>
                <td class="any-length">
                  {finding.userId ? (
                    <a href={at`/users/${finding.userId}`}>{finding.userId}</a>
                  ) : (
                    "–"
                  )}
                </td>
                <td class="any-length">
                  {finding.message} <code class="note block">{finding.path}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}
