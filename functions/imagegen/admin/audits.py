"""Audits of the books, which run in the background."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from imagegen import db
from imagegen.admin.wire import Page, Reason, uid_of
from imagegen.api import paging
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DocumentId, NextPageToken, Reply, Timestamp, WireModel, is_none
from imagegen.audit import runs
from imagegen.audit.findings import Severity
from imagegen.audit.runs import AuditDocument, AuditStatus
from imagegen.errors import AuditNotFound, OutcomeUnknown
from imagegen.firestore.stored import readable

EXAMPLE_AUDIT_ID = "c4ca4238a0b923820dcc509a6f75849b"


class StartAudit(WireModel):
    """Why an audit is to run."""

    reason: Reason


class StartedAudit(WireModel):
    """An audit that runs in the background."""

    audit_id: str = Field(description="The audit.")


@endpoint(
    methods=("POST",),
    example={"reason": "Before the release."},
    success=Success(
        "It runs in the background.", {"started": {"auditId": EXAMPLE_AUDIT_ID}}, code=202
    ),
    errors=(OutcomeUnknown,),
)
def start_audit(body: StartAudit, caller: Caller) -> Reply[StartedAudit]:
    """Audit the books now.

    Checks every balance against the ledger, and every request against its entries, as
    `make audit` does, in the background. For a project so large that it takes more than half an
    hour there is `make audit`.
    """
    return Reply(StartedAudit(audit_id=runs.start(by=uid_of(caller), reason=body.reason)), code=202)


class AuditFinding(WireModel):
    """Something that is wrong in the books."""

    severity: Severity = Field(description="A `warning` is no fault of the books.")
    invariant: str = Field(description="The rule that is broken.")
    user_id: str = Field(description="The user; empty if there is none.")
    path: str = Field(description="The document.")
    message: str = Field(description="What is wrong.")


class AuditView(WireModel):
    """An audit."""

    audit_id: str = Field(description="The audit.")
    status: AuditStatus = Field(description="How far it is.")
    by: str = Field(description="Who asked for it.")
    requested_at: Timestamp = Field(description="When it was asked for.")
    ended_at: Timestamp | None = Field(description="When it ended; null while it runs.")
    users: int = Field(description="Users that were read.")
    entries: int = Field(description="Ledger entries that were read.")
    requests: int = Field(description="Generation requests that were read.")
    purchases: int = Field(description="Purchases that were read.")
    finding_count: int = Field(description="How many findings there are.")
    warning_count: int = Field(description="How many of them are warnings.")
    findings: list[AuditFinding] = Field(
        description=f"The first {runs.MAX_STORED} of them; empty in a list of audits."
    )
    error: str | None = Field(
        default=None, exclude_if=is_none, description="Why it failed. Absent if it did not."
    )

    @classmethod
    def from_document(cls, audit: AuditDocument, *, with_findings: bool) -> AuditView:
        return cls(
            audit_id=audit.id,
            status=audit.status,
            by=audit.by,
            requested_at=audit.requested_at,
            ended_at=audit.ended_at,
            users=audit.users,
            entries=audit.entries,
            requests=audit.requests,
            purchases=audit.purchases,
            finding_count=audit.finding_count,
            warning_count=audit.warning_count,
            findings=[AuditFinding.model_validate(each, by_alias=True) for each in audit.findings]
            if with_findings
            else [],
            error=audit.error,
        )


class GetAudit(WireModel):
    """Which audit to look at."""

    audit_id: DocumentId = Field(description="The audit.")


EXAMPLE_AUDIT: dict[str, Any] = {
    "auditId": EXAMPLE_AUDIT_ID,
    "status": "done",
    "by": "operator1",
    "requestedAt": "2026-11-27T08:00:00.000000Z",
    "endedAt": "2026-11-27T08:00:42.000000Z",
    "users": 1200,
    "entries": 48000,
    "requests": 23000,
    "purchases": 800,
    "findingCount": 0,
    "warningCount": 0,
    "findings": [],
}


@endpoint(
    methods=("GET",),
    example={"auditId": EXAMPLE_AUDIT_ID},
    success=Success("The audit.", {"done": EXAMPLE_AUDIT}),
    errors=(AuditNotFound,),
)
def get_audit(body: GetAudit, caller: Caller) -> AuditView:
    """Look at an audit.

    How far it is, and what it has found. One whose instance has ended counts as failed after five
    minutes.
    """
    return AuditView.from_document(runs.find(body.audit_id), with_findings=True)


class ListAudits(Page):
    """Which audits to list."""


class AuditPage(WireModel):
    """A page of audits."""

    audits: list[AuditView] = Field(description="Audits, newest first, without their findings.")
    next_page_token: NextPageToken = None


@endpoint(
    methods=("GET",),
    example={"pageSize": 20},
    success=Success("A page of audits.", {"firstPage": {"audits": [EXAMPLE_AUDIT]}}),
)
def list_audits(body: ListAudits, caller: Caller) -> AuditPage:
    """List audits.

    Newest first, without their findings. A page holds `pageSize` of them, 20 by default and 100 at
    most.
    """
    size, bound_to = body.size(), ("audits",)
    found = db.query(runs.newest_query(size + 1, body.after(bound_to)))
    return AuditPage(
        audits=readable(
            found[:size],
            AuditDocument,
            lambda audit: AuditView.from_document(audit, with_findings=False),
        ),
        next_page_token=paging.next_token(found, size, bound_to, by="requestedAt"),
    )
