/** One report of an image: look at the image, delete it, or dismiss the report. */
import { isImagegenError } from "imagegen-client";
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { AdminRequest, ImageReportPage, ReportedImage } from "../../../api/admin-types";
import { Button } from "../../../ui/button";
import { Failure } from "../../../ui/failure";
import { useTitle } from "../../../ui/hooks";
import { Loading } from "../../../ui/loading";
import { Empty, PageHead } from "../../../ui/page";
import { Picture } from "../../../ui/picture";
import { useResource } from "../../../ui/resource";
import { aspectOf } from "../../generation/aspect";
import { ReportFacts } from "./report-facts";
import { REPORTED_IMAGES } from "./reported-images";
import { Delete, Dismiss } from "./resolve-report";

interface Loaded {
  report: ReportedImage;
  /** null if it is gone. */
  request: AdminRequest | null;
}

/** A report has the id of its request. */
async function load(id: string): Promise<Loaded> {
  const [report, request] = await Promise.all([
    admin<ReportedImage>("GET", at`/imageReports/${id}`),
    admin<AdminRequest>("GET", at`/generationRequests/${id}`).catch((error: unknown) => {
      if (isImagegenError(error) && error.reason === "GENERATION_REQUEST_NOT_FOUND") return null;
      throw error;
    }),
  ]);
  return { report, request };
}

export function ReportedImagePage({ id }: { id: string }) {
  useTitle("Reported image");
  const loaded = useResource(() => load(id), [id]);
  const [open, setOpen] = useState<"dismiss" | "delete" | null>(null);
  if (!loaded.value) {
    return (
      <>
        <PageHead title="Reported image">
          <a href={REPORTED_IMAGES}>All reports</a>
        </PageHead>
        <Loading resource={loaded} height="20rem" />
      </>
    );
  }
  const { report, request } = loaded.value;
  const given = { report, request, onClose: () => setOpen(null), onDone: loaded.reload };
  return (
    <>
      <PageHead
        title="Reported image"
        actions={
          <>
            {report.status === "open" ? (
              <Button onClick={() => setOpen("dismiss")}>Dismiss the report</Button>
            ) : (
              <NextReport key={report.status} />
            )}
            {report.imageUrl && (
              <Button kind="danger" icon="trash" onClick={() => setOpen("delete")}>
                Delete the image
              </Button>
            )}
          </>
        }
      >
        <a href={REPORTED_IMAGES}>All reports</a>
      </PageHead>
      {loaded.error !== null && <Failure error={loaded.error} onRetry={loaded.reload} />}
      <div class="two-columns">
        <div class="stack">
          <Image report={report} request={request} />
          {report.prompt && <p class="detail-prompt">{report.prompt}</p>}
        </div>
        <section class="card" aria-label="The report">
          <ReportFacts report={report} />
        </section>
      </div>
      {open === "dismiss" && <Dismiss {...given} />}
      {open === "delete" && <Delete {...given} />}
    </>
  );
}

/** Nobody has to see a reported image who has not asked for it. */
function Image({ report, request }: Loaded) {
  const [shown, setShown] = useState(false);
  if (report.imageUrl && shown) {
    return (
      <Picture
        url={report.imageUrl}
        alt={report.prompt}
        ratio={request ? aspectOf(request, null) : 1}
      />
    );
  }
  return (
    <div class="card">
      {report.imageUrl ? (
        <Empty
          icon="flag"
          title="The image is hidden"
          action={<Button onClick={() => setShown(true)}>Show the image</Button>}
        >
          It may be disturbing.
        </Empty>
      ) : (
        <Empty icon="gallery" title="The image is deleted" />
      )}
    </div>
  );
}

/** The way to the report that has waited longest; nothing if none is open. */
function NextReport() {
  const next = useResource(
    () => admin<ImageReportPage>("GET", "/imageReports", { pageSize: 1 }),
    [],
  );
  const [report] = next.value?.imageReports ?? [];
  return report ? (
    <a class="button primary" href={at`/operations/reported-images/${report.generationRequestId}`}>
      Next report
    </a>
  ) : null;
}
