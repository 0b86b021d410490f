/** What is known of the report of an image. */
import { at } from "../../../api/admin";
import type { ReportedImage } from "../../../api/admin-types";
import { Identifier } from "../../../ui/button";
import { Fact, Facts } from "../../../ui/facts";
import { dateTime } from "../../../ui/format";
import { REASONS } from "../../gallery/report-reasons";
import { ReportBadge } from "./reported-images";

export function ReportFacts({ report }: { report: ReportedImage }) {
  const { generationRequestId, userId, reporterId } = report;
  return (
    <Facts>
      <Fact name="State">
        <ReportBadge status={report.status} />
      </Fact>
      <Fact name="What is wrong">{REASONS[report.reason]}</Fact>
      {report.comment && <Fact name="Comment">{report.comment}</Fact>}
      <Fact name="Reported">{dateTime(report.createdAt)}</Fact>
      <Fact name="Reported by">
        {reporterId ? (
          <a href={at`/users/${reporterId}`}>{reporterId}</a>
        ) : (
          "somebody not signed in"
        )}
      </Fact>
      <Fact name="Image of">
        <a href={at`/users/${userId}`}>{userId}</a>
      </Fact>
      <Fact name="Model">{report.model ?? "The request is gone"}</Fact>
      <Fact name="Request">
        <Identifier value={generationRequestId} />{" "}
        <a href={at`/requests/${generationRequestId}`}>Open the request</a>
      </Fact>
      {report.resolvedAt && <Fact name="Closed">{dateTime(report.resolvedAt)}</Fact>}
      {report.resolvedBy && <Fact name="Closed by">{report.resolvedBy}</Fact>}
    </Facts>
  );
}
