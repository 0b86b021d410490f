/** The two ways to close the report of an image: dismiss it, or delete the image. */
import { admin, at } from "../../../api/admin";
import type { AdminRequest, ReportedImage } from "../../../api/admin-types";
import { Confirm } from "../../../ui/confirm";
import { credits } from "../../../ui/format";
import { notify } from "../../../ui/notices";

interface Given {
  report: ReportedImage;
  /** null if it is gone. */
  request: AdminRequest | null;
  onClose: () => void;
  onDone: () => void;
}

export function Dismiss({ report, onClose, onDone }: Given) {
  return (
    <Confirm
      title="Dismiss the report"
      label="Dismiss"
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("PUT", at`/imageReports/${report.generationRequestId}`, {
          status: "dismissed",
          reason,
        });
        notify("The report is dismissed.");
        onDone();
      }}
    >
      <p>
        {report.imageUrl
          ? `The report is closed, and ${report.userId} keeps the image.`
          : "The report is closed. Its image is deleted already."}
      </p>
    </Confirm>
  );
}

export function Delete({ report, request, onClose, onDone }: Given) {
  return (
    <Confirm
      title="Delete the image"
      label="Delete the image"
      danger
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("DELETE", at`/imageReports/${report.generationRequestId}/image`, { reason });
        notify("The image is deleted.");
        onDone();
      }}
    >
      <p>
        The image and the prompt are deleted, also for {report.userId}.{" "}
        {request && `The ${credits(request.deductedCredits)} that it cost are not given back. `}
        This cannot be undone.
      </p>
    </Confirm>
  );
}
