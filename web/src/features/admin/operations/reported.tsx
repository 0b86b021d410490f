/** One report of an image: look at the image, delete it, or dismiss the report. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AdminRequest, ImageReport } from "../../../api/admin-types";
import { Button, Identifier } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { Fact, Facts } from "../../../ui/facts";
import { Failure } from "../../../ui/failure";
import { credits, dateTime } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { notify } from "../../../ui/notices";
import { Empty, PageHead, Skeleton } from "../../../ui/page";
import { Picture } from "../../../ui/picture";
import { useResource } from "../../../ui/resource";
import { aspectOf } from "../../generation/aspect";
import { ReportBadge } from "./reported-images";

interface Loaded {
  report: ImageReport;
  request: AdminRequest;
}

async function load(id: string): Promise<Loaded> {
  const report = await admin<ImageReport>("GET", at`/imageReports/${id}`);
  const request = await admin<AdminRequest>(
    "GET",
    at`/generationRequests/${report.generationRequestId}`,
  );
  return { report, request };
}

export function Reported({ id }: { id: string }) {
  useTitle("Reported image");
  const loaded = useResource(() => load(id), [id]);
  const [open, setOpen] = useState<"dismiss" | "delete" | null>(null);
  /** Nobody has to see a reported image who has not asked for it. */
  const [shown, setShown] = useState(false);
  if (!loaded.value) {
    return (
      <>
        <PageHead title="Reported image">
          <a href="/operations?tab=reported-images">All reports</a>
        </PageHead>
        {loaded.error ? (
          <Failure error={loaded.error} onRetry={loaded.reload} />
        ) : (
          <Skeleton height="20rem" />
        )}
      </>
    );
  }
  const { report, request } = loaded.value;
  const close = () => setOpen(null);
  return (
    <>
      <PageHead
        title="Reported image"
        actions={
          report.status === "open" && (
            <>
              <Button onClick={() => setOpen("dismiss")}>Dismiss</Button>
              <Button kind="danger" icon="trash" onClick={() => setOpen("delete")}>
                Delete the image
              </Button>
            </>
          )
        }
      >
        <a href="/operations?tab=reported-images">All reports</a>
      </PageHead>
      <div class="two-columns">
        <div class="stack">
          {!request.imageUrl && <Empty icon="gallery" title="The image is deleted" />}
          {request.imageUrl && shown && (
            <Picture url={request.imageUrl} alt={request.prompt} ratio={aspectOf(request, null)} />
          )}
          {request.imageUrl && !shown && (
            <div class="card">
              <Empty
                icon="flag"
                title="Reported"
                action={<Button onClick={() => setShown(true)}>Show the image</Button>}
              >
                It may be disturbing.
              </Empty>
            </div>
          )}
        </div>
        <section class="card" aria-label="The report">
          <Facts>
            <Fact name="State">
              <ReportBadge status={report.status} />
            </Fact>
            <Fact name="Reason">{report.reason}</Fact>
            {report.comment && <Fact name="Comment">{report.comment}</Fact>}
            <Fact name="Reported">{dateTime(report.createdAt)}</Fact>
            <Fact name="By">
              <a href={at`/users/${report.userId}`}>{report.userId}</a>
            </Fact>
            <Fact name="Prompt">{request.prompt || "deleted"}</Fact>
            <Fact name="Request">
              <Identifier value={report.generationRequestId} />
              <a href={at`/requests/${report.generationRequestId}`}>Open</a>
            </Fact>
          </Facts>
        </section>
      </div>
      {open === "dismiss" && (
        <Confirm
          title="Dismiss the report"
          label="Dismiss"
          onClose={close}
          onConfirm={async (reason) => {
            await admin("PUT", at`/imageReports/${id}`, { status: "dismissed", reason });
            notify("The report is dismissed.");
            close();
            loaded.reload();
          }}
        >
          <p>The image stays. The report is closed.</p>
        </Confirm>
      )}
      {open === "delete" && (
        <Confirm
          title="Delete the image"
          label="Delete the image"
          danger
          onClose={close}
          onConfirm={async (reason) => {
            await admin("DELETE", at`/imageReports/${id}/image`, { reason });
            notify("The image is deleted.");
            close();
            loaded.reload();
          }}
        >
          <p>
            The image, its thumbnail and the prompt of {request.userId} are deleted. The request
            stays; its {credits(request.deductedCredits)} are not given back. This cannot be undone.
          </p>
        </Confirm>
      )}
    </>
  );
}
