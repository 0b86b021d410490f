"""Images that users have reported: look at them, dismiss the report, or delete the image."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from imagegen import db
from imagegen.admin.wire import Page, Reason, uid_of
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DocumentId, NextPageToken, WireModel
from imagegen.errors import GenerationRequestNotFound, ImageReportNotFound, OutcomeUnknown
from imagegen.generation import image_reports
from imagegen.generation.image_reports import ReportedImage, ReportStatus

EXAMPLE_ID = "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de"
EXAMPLE_REPORT: dict[str, Any] = {
    "generationRequestId": EXAMPLE_ID,
    "reason": "violence",
    "comment": "",
    "status": "open",
    "createdAt": "2026-11-22T08:00:00.000000Z",
    "userId": "testUser1",
    "reporterId": "testUser2",
    "resolvedAt": None,
    "resolvedBy": None,
    "model": "Model A",
    "prompt": "A lighthouse at dusk",
    "imageUrl": "https://example.com/images/model-a.png",
}
RESOLVED = {"resolvedAt": "2026-11-22T09:00:00.000000Z", "resolvedBy": "operator1"}
ReportId = Annotated[
    DocumentId, Field(description="The report, by the id of its generation request.")
]


class ListImageReports(Page):
    """Which reports to list."""

    status: ReportStatus = Field(
        default=ReportStatus.OPEN, description="Only those with this status."
    )


class ImageReportPage(WireModel):
    """A page of reports of images."""

    image_reports: list[ReportedImage] = Field(description="Reports, the longest waiting first.")
    next_page_token: NextPageToken = None


@endpoint(
    methods=("GET",),
    example={"status": "open", "pageSize": 20},
    success=Success("A page of reports.", {"firstPage": {"imageReports": [EXAMPLE_REPORT]}}),
)
def list_image_reports(body: ListImageReports, caller: Caller) -> ImageReportPage:
    """List the images that were reported.

    The longest waiting first, with the image and the prompt as long as they are there. A page holds
    `pageSize` of them, 20 by default and 100 at most.
    """
    size, bound_to = body.size(), ("imageReports", body.status)
    query = image_reports.reports_query(body.status, size + 1, body.after(bound_to))
    found = db.query(query)
    return ImageReportPage(
        image_reports=list(image_reports.shown(found[:size])),
        next_page_token=paging.next_token(found, size, bound_to),
    )


class GetImageReport(WireModel):
    """Which report to look at."""

    report_id: ReportId


@endpoint(
    methods=("GET",),
    example={"reportId": EXAMPLE_ID},
    success=Success("The report.", {"open": EXAMPLE_REPORT}),
    errors=(ImageReportNotFound,),
)
def get_image_report(body: GetImageReport, caller: Caller) -> ReportedImage:
    """Look at the report of an image.

    What is wrong with it by its reporter, with the image and the prompt as long as they are there.
    """
    return image_reports.get(body.report_id)


class DismissImageReport(WireModel):
    """Which report to dismiss, and why."""

    report_id: ReportId
    status: Literal["dismissed"] = Field(description="`dismissed`: the image stays as it is.")
    reason: Reason


@endpoint(
    methods=("PUT",),
    example={"reportId": EXAMPLE_ID, "status": "dismissed", "reason": "It shows a lighthouse."},
    success=Success(
        "The report.", {"dismissed": EXAMPLE_REPORT | {"status": "dismissed"} | RESOLVED}
    ),
    errors=(ImageReportNotFound,),
)
def dismiss_image_report(body: DismissImageReport, caller: Caller) -> ReportedImage:
    """Dismiss the report of an image.

    The image stays as it is. A report that is not open any more stays as it is, too.
    """
    return image_reports.dismiss(body.report_id, by=uid_of(caller), reason=body.reason)


class DeleteReportedImage(WireModel):
    """Whose image to delete, and why."""

    report_id: ReportId
    reason: Reason


@endpoint(
    methods=("DELETE",),
    example={"reportId": EXAMPLE_ID, "reason": "It shows what the report says."},
    success=Success(
        "The report.",
        {
            "deleted": EXAMPLE_REPORT
            | {"status": "image_deleted", "prompt": "", "imageUrl": None}
            | RESOLVED
        },
    ),
    errors=(ImageReportNotFound, GenerationRequestNotFound, OutcomeUnknown),
)
def delete_reported_image(body: DeleteReportedImage, caller: Caller) -> ReportedImage:
    """Delete an image that was reported.

    With the prompt and what the image was made from; its price stays paid. Safe to repeat.
    """
    return image_reports.delete_image(body.report_id, by=uid_of(caller), reason=body.reason)
