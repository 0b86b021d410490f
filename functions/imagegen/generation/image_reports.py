"""Reports of images: what is found offensive, and what operators do about it.

There is one report for a request, `imageReports/{generationRequestId}`, so reporting again changes
nothing. It holds no prompt and no image: an operator is shown those of the request, as long as they
are there.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from imagegen import actions, clock, db, logger
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DocumentId, Timestamp, WireModel, is_none, printable
from imagegen.errors import (
    GenerationRequestNotFound,
    ImageDeleted,
    ImageReportNotFound,
    NotReportable,
)
from imagegen.firestore.store import Document, Query
from imagegen.firestore.stored import Field as StoredField
from imagegen.firestore.stored import Stored, instant, text
from imagegen.generation import deletion
from imagegen.generation.access import find
from imagegen.generation.request import RequestDocument, Status

COLLECTION = "imageReports"


class ReportReason(StrEnum):
    """What is wrong with an image."""

    SEXUAL = "sexual"
    CHILD_SAFETY = "child_safety"
    VIOLENCE = "violence"
    HATE = "hate"
    HARASSMENT = "harassment"
    SELF_HARM = "self_harm"
    DECEPTIVE = "deceptive"
    PRIVACY = "privacy"
    COPYRIGHT = "copyright"
    OTHER = "other"


class ReportStatus(StrEnum):
    """What has become of a report."""

    OPEN = "open"
    DISMISSED = "dismissed"
    IMAGE_DELETED = "image_deleted"


# What the log of operators' actions calls it.
ACTIONS = {
    ReportStatus.DISMISSED: "dismiss report",
    ReportStatus.IMAGE_DELETED: "delete image",
}


class ImageReportDocument(Stored):
    """`imageReports/{generationRequestId}`."""

    user_id = StoredField("userId", text)  # whose request it is
    reporter_id: StoredField[str | None] = StoredField("reporterId", text, None)
    reason = StoredField("reason", ReportReason, ReportReason.OTHER)
    comment = StoredField("comment", text, "")
    status = StoredField("status", ReportStatus)
    created_at = StoredField("createdAt", instant)
    resolved_at: StoredField[datetime | None] = StoredField("resolvedAt", instant, None)
    resolved_by: StoredField[str | None] = StoredField("resolvedBy", text, None)


Comment = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=1000), AfterValidator(printable)
]


class ReportImage(WireModel):
    """Which image to report, and why."""

    generation_request_id: DocumentId = Field(description="The generation request.")
    reason: ReportReason = Field(description="What is wrong with the image.")
    comment: Comment | None = Field(
        default=None, description="Anything that helps to judge it; up to 1,000 characters."
    )


class ImageReport(WireModel):
    """A report of an image."""

    generation_request_id: str = Field(description="The generation request.")
    reason: ReportReason = Field(description="What is wrong with the image.")
    comment: str = Field(description="What the reporter adds; may be empty.")
    status: ReportStatus = Field(description="What has become of it.")
    created_at: Timestamp = Field(description="When the image was reported.")


class ReportedImage(ImageReport):
    """A report as operators see it, with the image."""

    user_id: str = Field(description="Whose image it is.")
    reporter_id: str | None = Field(description="Who has reported it; null without a token.")
    resolved_at: Timestamp | None = Field(description="When it was dismissed, or acted on.")
    resolved_by: str | None = Field(description="The operator who has done so.")
    model: str | None = Field(description="The model; null if the request is gone.")
    prompt: str = Field(description="What the image shows; empty once it has been deleted.")
    image_url: str | None = Field(description="The image; null once it has been deleted.")
    thumbnail_url: str | None = Field(
        default=None, exclude_if=is_none, description="A small WebP of it, where there is one."
    )


@endpoint(
    methods=("POST",),
    example={"generationRequestId": "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de", "reason": "violence"},
    success=Success(
        "The report.",
        {
            "reported": {
                "generationRequestId": "0d3c1f5c7f1e4b0f9f6f2f0a54b7c9de",
                "reason": "violence",
                "comment": "",
                "status": "open",
                "createdAt": "2026-11-22T08:00:00.000000Z",
            }
        },
    ),
    errors=(GenerationRequestNotFound, NotReportable, ImageDeleted),
)
def report_image(body: ReportImage, caller: Caller) -> ImageReport:
    """Report an image that is offensive, to the operators of the app.

    An image is reported once: another call answers with the report that there is. The image stays
    until an operator or its owner deletes it.
    """
    request = find(body.generation_request_id, caller)
    path, moment = _path(request.id), clock.now()

    def decide(transaction: db.Transaction) -> None:
        if transaction[path].exists:
            return
        if request.status is not Status.COMPLETED:
            raise NotReportable(generationRequestId=request.id, status=request.status)
        if request.image_deleted_at is not None:
            raise ImageDeleted(generationRequestId=request.id)
        report = ImageReportDocument.fields(
            user_id=request.user_id,
            reporter_id=caller.uid,
            reason=body.reason,
            comment=body.comment or "",
            status=ReportStatus.OPEN,
            created_at=moment,
            resolved_at=None,
            resolved_by=None,
        )
        transaction.create(path, report)

    report = ImageReportDocument(db.transact(decide, path)[path])
    if report.created_at == moment:  # ours, also if the reply to the commit was lost
        # An operator has to look at it: ops/ alerts on this line.
        logger.warn("image reported", generationRequestId=request.id, reason=report.reason)
    return _report(report)


def reports_query(
    status: ReportStatus, limit: int, after: tuple[datetime, str] | None = None
) -> Query:
    """A page of the reports with a status, the longest waiting first.

    `after` are `createdAt` and id of the last one of the page before.
    """
    return Query(
        COLLECTION,
        where=[("status", "==", status)],
        order_by=("createdAt", "ASCENDING"),
        limit=limit,
        start_after=after,
    )


def shown(documents: Iterable[Document]) -> Iterator[ReportedImage]:
    """Reports with their images, which are read for it. Raises BackendUnavailable."""
    reports = [ImageReportDocument(document) for document in documents]
    requests = db.read(*(db.generation_request(each.id) for each in reports)) if reports else []
    for report, document in zip(reports, requests, strict=True):
        request = RequestDocument(document)
        exists = request.exists
        yield ReportedImage(
            **_report(report).model_dump(),
            user_id=report.user_id,
            reporter_id=report.reporter_id,
            resolved_at=report.resolved_at,
            resolved_by=report.resolved_by,
            model=request.model if exists else None,
            prompt=request.prompt if exists else "",
            image_url=request.image_url if exists else None,
            thumbnail_url=request.thumbnail_url if exists else None,
        )


def get(report_id: str) -> ReportedImage:
    """The report with its image. Raises ImageReportNotFound; BackendUnavailable."""
    (document,) = db.read(_path(report_id))
    if not document.exists:
        raise ImageReportNotFound(imageReportId=report_id)
    (report,) = shown([document])
    return report


def dismiss(report_id: str, *, by: str, reason: str) -> ReportedImage:
    """Let the operator `by` end an open report and leave the image as it is.

    No-op for a report that is not open any more. Raises ImageReportNotFound; BackendUnavailable.
    """

    def decide(transaction: db.Transaction) -> None:
        _resolve(transaction, report_id, ReportStatus.DISMISSED, by=by, reason=reason)

    path = _path(report_id)
    (report,) = shown([db.transact(decide, path)[path]])
    return report


def delete_image(report_id: str, *, by: str, reason: str) -> ReportedImage:
    """Let the operator `by` delete the image of a report, also of one that was dismissed.

    The prompt and the source go, too (`deletion.delete`). One transaction does it, closes the
    report and logs the action. Safe twice.

    Raises ImageReportNotFound; GenerationRequestNotFound; BackendUnavailable, after which the same
    call may be repeated.
    """
    report, request = db.read(_path(report_id), db.generation_request(report_id))
    if not report.exists:
        raise ImageReportNotFound(imageReportId=report_id)
    if not request.exists:
        raise GenerationRequestNotFound(generationRequestId=report_id)

    def resolve(transaction: db.Transaction) -> None:
        _resolve(transaction, report_id, ReportStatus.IMAGE_DELETED, by=by, reason=reason)

    deletion.delete(RequestDocument(request), also=resolve)
    return get(report_id)


def _resolve(
    transaction: db.Transaction, report_id: str, status: ReportStatus, *, by: str, reason: str
) -> None:
    """Close a report, and log it; no-op if it has that status, or its image has been deleted."""
    report, moment = ImageReportDocument(transaction[_path(report_id)]), clock.now()
    if not report.exists:
        raise ImageReportNotFound(imageReportId=report_id)
    if status is report.status or report.status is ReportStatus.IMAGE_DELETED:
        return
    actions.record(
        transaction,
        ACTIONS[status],
        report.path,
        by=by,
        reason=reason,
        moment=moment,
        user_id=report.user_id,
        before={"status": report.status},
        after={"status": status},
    )
    resolved = ImageReportDocument.fields(status=status, resolved_at=moment, resolved_by=by)
    transaction.update(report.path, resolved)


def _path(report_id: str) -> str:
    return f"{COLLECTION}/{report_id}"


def _report(report: ImageReportDocument) -> ImageReport:
    return ImageReport(
        generation_request_id=report.id,
        reason=report.reason,
        comment=report.comment,
        status=report.status,
        created_at=report.created_at,
    )
