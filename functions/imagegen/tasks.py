"""The asynchronous road: a task on Cloud Tasks for each background request."""

from typing import Any

from firebase_admin import exceptions
from google.auth.exceptions import GoogleAuthError

from imagegen import firebase
from imagegen.errors import BackendUnavailable

WORKER = "locations/us-central1/functions/processGeneration"


def enqueue(generation_request_id: str) -> None:
    """Have the worker called with the id, at least once.

    Raises BackendUnavailable when the queue does not take the task, or does not say that it did.
    """
    # Not at the top: of the functions, only one has to do with the queue, and not at every start.
    from firebase_admin import functions  # noqa: PLC0415

    task: dict[str, Any] = {"data": {"generationRequestId": generation_request_id}}
    try:
        functions.task_queue(WORKER, app=firebase.app()).enqueue(task)
    except (exceptions.FirebaseError, GoogleAuthError, ValueError) as error:
        raise BackendUnavailable("The queue is out of reach.") from error
