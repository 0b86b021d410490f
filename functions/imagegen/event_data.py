"""What events say: `data`, read at delivery from the document that an event is about.

It stands above the packages whose documents it reads: they write events, so none of them can be
imported by those who deliver them.
"""

from typing import Any

from imagegen import db
from imagegen.api.schema import Timestamp, WireModel
from imagegen.credits.entries import EntryDocument
from imagegen.credits.replies import LedgerEntry, View
from imagegen.firestore.store import Document
from imagegen.firestore.stored import Field, Stored, instant, text, whole_number
from imagegen.generation.replies import GenerationRequest
from imagegen.generation.request import RequestDocument
from imagegen.notifications.event import EventDocument, EventType


class EntryOfUser(LedgerEntry):
    """A ledger entry, and whose it is."""

    user_id: str


class StoredReport(WireModel):
    """Which weekly report has been stored."""

    iso_week: str
    revision: int
    period_start: Timestamp
    period_end: Timestamp
    generated_at: Timestamp


class ReportDocument(Stored):
    """The part of `reports/{isoWeek}` that is told."""

    iso_week = Field("isoWeek", text)
    revision = Field("revision", whole_number)
    period_start = Field("periodStart", instant)
    period_end = Field("periodEnd", instant)
    generated_at = Field("generatedAt", instant)


def of(event: EventDocument) -> dict[str, Any] | None:
    """The `data` of an event, or None where what it is about is gone, or is another's by now.

    Raises BackendUnavailable; MalformedDocument.
    """
    if event.type is EventType.TEST:
        return {}
    (document,) = db.read(event.about)
    if not document.exists:
        return None
    kind = event.type.partition(".")[0]
    read = {"generation": _generation, "credits": _credits, "report": _report}[kind]
    data = read(event, document)
    return None if data is None else data.model_dump(mode="json", by_alias=True)


def _generation(event: EventDocument, document: Document) -> GenerationRequest | None:
    request = RequestDocument(document)
    if request.user_id != event.user_id:  # the account was deleted
        return None
    return GenerationRequest.from_document(request)


def _credits(event: EventDocument, document: Document) -> EntryOfUser:
    entry = LedgerEntry.from_document(EntryDocument(document), View.FULL)
    return EntryOfUser(user_id=event.user_id or "", **entry.model_dump())


def _report(event: EventDocument, document: Document) -> StoredReport:
    report = ReportDocument(document)
    return StoredReport(
        iso_week=report.iso_week,
        revision=report.revision,
        period_start=report.period_start,
        period_end=report.period_end,
        generated_at=report.generated_at,
    )
