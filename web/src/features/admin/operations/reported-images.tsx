/** Images that users have reported, the longest waiting first. */
import { admin, at } from "../../../api/admin";
import type { ImageReportPage, ReportedImage } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { ChoiceFilter, filtered } from "../../../ui/filters";
import { Listing } from "../../../ui/listing";
import { Empty } from "../../../ui/page";
import { PagedList, usePaged } from "../../../ui/paged";
import { ExactTime } from "../../../ui/when";
import { REASONS } from "../../gallery/report-reasons";

export const REPORTED_IMAGES = "/operations?tab=reported-images";

const STATES: Record<ReportedImage["status"], { name: string; tone: string }> = {
  open: { name: "open", tone: "wait" },
  dismissed: { name: "dismissed", tone: "neutral" },
  image_deleted: { name: "image deleted", tone: "bad" },
};
/** Without a filter, the open ones are shown. */
const FILTERS = { dismissed: "Dismissed", image_deleted: "Image deleted" };

export function ReportedImages() {
  const status = filtered("status");
  const list = usePaged<ReportedImage>(
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
        <ChoiceFilter name="status" options={Object.keys(FILTERS)} names={FILTERS} any="Open" />
      </div>
      <PagedList
        list={list}
        empty={
          status ? (
            <Empty icon="flag" title="Nothing matches" />
          ) : (
            <Empty icon="flag" title="No report is open">
              Users report images that should not have been made. Their reports wait here.
            </Empty>
          )
        }
      >
        {(reports) => (
          <Listing
            label="Reported images"
            head={
              <>
                <th scope="col">Reported</th>
                <th scope="col">What is wrong</th>
                <th scope="col" class="wide-cell">
                  Image of
                </th>
                <th scope="col">State</th>
              </>
            }
          >
            {reports.map((report) => (
              <Row key={report.generationRequestId} report={report} />
            ))}
          </Listing>
        )}
      </PagedList>
    </>
  );
}

function Row({ report }: { report: ReportedImage }) {
  const { generationRequestId, createdAt, reason, comment, status, userId } = report;
  return (
    <tr>
      <th scope="row">
        <a class="row-link" href={at`/operations/reported-images/${generationRequestId}`}>
          <ExactTime iso={createdAt} />
        </a>
      </th>
      <td class="any-length">
        {REASONS[reason]}
        {comment && <span class="note block">{comment}</span>}
        <span class="note narrow-only">{userId}</span>
      </td>
      <td class="any-length wide-cell">
        <a class="above" href={at`/users/${userId}`}>
          {userId}
        </a>
      </td>
      <td>
        <ReportBadge status={status} />
      </td>
    </tr>
  );
}

export function ReportBadge({ status }: { status: ReportedImage["status"] }) {
  const { name, tone } = STATES[status];
  return <Badge tone={tone}>{name}</Badge>;
}
