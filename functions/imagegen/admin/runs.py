"""What is scheduled, run now: recovery, and the report of a week."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from imagegen import actions, clock
from imagegen.accounts import recovery as account_recovery
from imagegen.admin.wire import Reason, uid_of
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import Timestamp, WireModel
from imagegen.errors import InvalidField
from imagegen.generation import recovery
from imagegen.notifications import recovery as event_recovery
from imagegen.report import weekly, weeks


class RunRecovery(WireModel):
    """Why recovery is to run now."""

    reason: Reason


class Recovery(WireModel):
    """What recovery has done."""

    recovered_requests: int = Field(description="Lost requests that were failed and refunded.")
    failed_requests: int = Field(
        description="Lost requests that could not be settled; the logs say why."
    )
    enqueued_events: int = Field(description="Events that were due and are delivered now.")
    enqueued_accounts: int = Field(
        description="Accounts that are being deleted, whose next step was due and is taken now."
    )


@endpoint(
    methods=("POST",),
    example={"reason": "After the outage of the queue."},
    success=Success(
        "What was done.",
        {
            "recovered": {
                "recoveredRequests": 2,
                "failedRequests": 0,
                "enqueuedEvents": 5,
                "enqueuedAccounts": 1,
            }
        },
    ),
)
def run_recovery(body: RunRecovery, caller: Caller) -> Recovery:
    """Run recovery now.

    What the scheduler does every five minutes: requests that were lost are failed and refunded,
    events that are due are delivered, and accounts that are being deleted go on.
    """
    actions.record_alone("recovery", "", by=uid_of(caller), reason=body.reason)
    recovered, failed = recovery.recover_all()
    try:
        events = event_recovery.recover()
    finally:
        closing_accounts = account_recovery.recover()
    return Recovery(
        recovered_requests=recovered,
        failed_requests=failed,
        enqueued_events=events,
        enqueued_accounts=closing_accounts,
    )


class MakeReport(WireModel):
    """Which report to make again, and why."""

    week: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-W[0-9]{2}\z")] = Field(
        description="An ISO week that is over, such as 2026-W46."
    )
    reason: Reason


class MadeReport(WireModel):
    """A report that was made."""

    week: str = Field(description="The ISO week, under which the report is stored.")
    revision: int = Field(description="How often it has been made.")
    generated_at: Timestamp = Field(description="When it was made.")


@endpoint(
    methods=("POST",),
    example={"week": "2026-W46", "reason": "Requests were edited by hand."},
    success=Success(
        "The report is stored.",
        {
            "made": {
                "week": "2026-W46",
                "revision": 2,
                "generatedAt": "2026-11-27T08:00:00.000000Z",
            }
        },
    ),
)
def make_report(body: MakeReport, caller: Caller) -> MadeReport:
    """Make a weekly report again.

    As the scheduler makes it on Mondays. A large week takes longer than the 60 seconds of Hosting;
    the report is stored all the same.
    """
    week = _week(body.week)
    actions.record_alone("report", f"reports/{week.name}", by=uid_of(caller), reason=body.reason)
    made = weekly.run(week=week.name)
    return MadeReport(week=week.name, revision=made.revision, generated_at=made.generated_at)


def _week(name: str) -> weeks.Week:
    try:
        week = weeks.named(name, clock.time_zone())
    except ValueError as error:
        raise InvalidField.of("week", "is no ISO week") from error
    if week.end > clock.now():
        raise InvalidField.of("week", "is not over")
    return week
