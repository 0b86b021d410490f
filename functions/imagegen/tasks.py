"""Cloud Tasks: one task for each background request."""

import math
from typing import Any

from firebase_admin import exceptions
from google.auth.exceptions import GoogleAuthError

from imagegen import config, firebase
from imagegen.deadline import NoThread, Threads
from imagegen.errors import BackendUnavailable

WORKER = "processGeneration"
ENQUEUE_SECONDS = 10.0  # the SDK alone would wait up to four minutes for a silent queue

# One for each call that the instance serves, and as many whose queue has not answered in time.
threads = Threads(lambda: 2 * config.THREADS.value)


def enqueue(generation_request_id: str, *, delay_seconds: float = 0) -> None:
    """Have the worker called with the id, at least once, `delay_seconds` from now or later.

    The emulator ignores the delay.

    Raises BackendUnavailable when the queue does not confirm the task: it may have it all the same.
    """
    # Not at the top: only one of the functions uses the queue, and not at every start.
    from firebase_admin import functions  # noqa: PLC0415

    task: dict[str, Any] = {"data": {"generationRequestId": generation_request_id}}
    worker = f"locations/{config.REGION.value}/functions/{WORKER}"
    options = functions.TaskOptions(schedule_delay_seconds=math.ceil(delay_seconds) or None)

    def send() -> None:
        functions.task_queue(worker, app=firebase.app()).enqueue(task, options)

    try:
        threads.call(send, seconds=ENQUEUE_SECONDS, name=f"enqueue {generation_request_id}")
    except (
        exceptions.FirebaseError,
        GoogleAuthError,
        ValueError,
        TimeoutError,
        NoThread,
    ) as error:
        raise BackendUnavailable("The queue is out of reach.") from error
