/** Images that users have reported. */
import { admin, at } from "../../../api/admin";
import type { ImageReport, ImageReportPage } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { ChoiceFilter, filtered } from "../../../ui/filters";
import { Empty } from "../../../ui/page";
import { PagedList, usePaged } from "../../../ui/paged";
import { TableScroll } from "../../../ui/table-scroll";
import { ExactTime } from "../../../ui/when";

const STATUSES = ["open", "dismissed", "deleted"];
const TONES = { open: "wait", dismissed: "neutral", deleted: "bad" } as const;

export function ReportedImages() {
  const status = filtered("status");
  const list = usePaged<ImageReport>(
    async (pageToken) => {
      const page = await admin<ImageReportPage>("GET", "/imageReports", {
        status,
        pageToken,
        pageSize: 25,
      });
      return { items: page.imageReports, nextPageToken: page.nextPageToken };
    },
    [status],
  );
  return (
    <>
      <div class="filters" role="search" aria-label="Filters">
        <ChoiceFilter name="status" options={STATUSES} />
      </div>
      <PagedList
        list={list}
        empty={
          <Empty icon="flag" title="Nothing is reported">
            Users report images that should not have been made; the reports wait here.
          </Empty>
        }
      >
        {(reports) => (
          <section class="card flush">
            <TableScroll label="Reported images">
              <table class="listing">
                <thead>
                  <tr>
                    <th scope="col">Reported</th>
                    <th scope="col">Why</th>
                    <th scope="col">State</th>
                  </tr>
                </thead>
                <tbody>
                  {reports.map((report) => (
                    <tr key={report.reportId}>
                      <th scope="row">
                        <a class="row-link" href={at`/operations/reports/${report.reportId}`}>
                          <ExactTime iso={report.createdAt} />
                        </a>
                      </th>
                      <td class="any-length">
                        {report.reason}
                        {report.comment && <span class="note block">{report.comment}</span>}
                      </td>
                      <td>
                        <ReportBadge status={report.status} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </TableScroll>
          </section>
        )}
      </PagedList>
    </>
  );
}

export function ReportBadge({ status }: { status: ImageReport["status"] }) {
  return <Badge tone={TONES[status]}>{status}</Badge>;
}
