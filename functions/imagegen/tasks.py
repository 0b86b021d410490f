"""Cloud Tasks: for background requests, events to deliver, audits, and accounts that leave."""

import math
from collections.abc import Mapping
from typing import Any

from firebase_admin import exceptions
from google.auth.exceptions import GoogleAuthError

from imagegen import config, firebase, parameters
from imagegen.deadline import NoThread, Threads
from imagegen.errors import BackendUnavailable

WORKER = "processGeneration"
DELIVERER = "deliverEvent"
AUDITOR = "runAudit"
ACCOUNT_WORKER = "processAccount"
ENQUEUE_SECONDS = 10.0  # the SDK alone would wait up to four minutes for a silent queue

# One for each call that the instance serves, and as many whose queue has not answered in time.
threads = Threads(lambda: 2 * config.THREADS.value)


def enqueue(generation_request_id: str, *, delay_seconds: float = 0) -> None:
    """Have the worker called with the id, at least once, `delay_seconds` from now or later.

    The emulator ignores the delay.

    Raises BackendUnavailable when the queue does not confirm the task: it may have it all the same.
    """
    data = {"generationRequestId": generation_request_id}
    _send(WORKER, data, generation_request_id, ENQUEUE_SECONDS, delay_seconds)


def enqueue_event(event_id: str, *, timeout_seconds: float = ENQUEUE_SECONDS) -> None:
    """Have the event with the id delivered, as far as it is due.

    Raises BackendUnavailable, as `enqueue` does.
    """
    _send(DELIVERER, {"eventId": event_id}, event_id, timeout_seconds)


def enqueue_audit(audit_id: str) -> None:
    """Have the audit with the id run. Raises BackendUnavailable, as `enqueue` does."""
    _send(
        AUDITOR,
        {"auditId": audit_id},
        audit_id,
        ENQUEUE_SECONDS,
        dispatch_deadline_seconds=parameters.AUDIT_TIMEOUT_SECONDS,
    )


def enqueue_account(kind: str, account_id: str) -> None:
    """Have the work on an account done: `kind` is closureId or exportOf.

    Raises BackendUnavailable, as `enqueue` does.
    """
    _send(ACCOUNT_WORKER, {kind: account_id}, account_id, ENQUEUE_SECONDS)


def _send(
    function: str,
    data: Mapping[str, str],
    about: str,
    timeout_seconds: float,
    delay_seconds: float = 0,
    dispatch_deadline_seconds: int | None = None,
) -> None:
    # Not at the top: few of the functions use the queue, and not at every start.
    from firebase_admin import functions  # noqa: PLC0415

    task: dict[str, Any] = {"data": data}
    name = f"locations/{config.REGION.value}/functions/{function}"
    options = functions.TaskOptions(
        schedule_delay_seconds=math.ceil(delay_seconds) or None,
        dispatch_deadline_seconds=dispatch_deadline_seconds,
    )

    def send() -> None:
        functions.task_queue(name, app=firebase.app()).enqueue(task, options)

    try:
        threads.call(send, seconds=timeout_seconds, name=f"enqueue {about}")
    except (
        exceptions.FirebaseError,
        GoogleAuthError,
        ValueError,
        TimeoutError,
        NoThread,
    ) as error:
        raise BackendUnavailable("The queue is out of reach.") from error
