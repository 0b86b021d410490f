"""What Cloud Tasks is told of a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import firebase_admin
import pytest
from firebase_admin import _http_client

from imagegen import firebase, tasks

ENQUEUE: dict[str, Callable[[], None]] = {
    "processGeneration": lambda: tasks.enqueue("r"),
    "deliverEvent": lambda: tasks.enqueue_event("e"),
    "runAudit": lambda: tasks.enqueue_audit("a"),
    "processAccount": lambda: tasks.enqueue_account("closureId", "c"),
}
DEFAULT_SECONDS = 600  # how long Cloud Tasks waits for an answer where a task says nothing


def test_every_queue_is_here(manifest: dict[str, Any]) -> None:
    queues = {name for name, each in manifest["endpoints"].items() if "taskQueueTrigger" in each}
    assert queues == ENQUEUE.keys()


@pytest.mark.parametrize("function", ENQUEUE)
def test_cloud_tasks_waits_for_as_long_as_the_function_may_take(
    function: str, manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []

    def body(_: object, method: str, url: str, **request: Any) -> dict[str, Any]:
        assert method == "post"
        assert url.endswith(f"/queues/{function}/tasks")
        sent.append(request["json"]["task"])
        return {"task": {"name": f"/{url[url.index('projects/') :]}/1"}}

    monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.setattr(_http_client.JsonHttpClient, "body", body)
    app = firebase_admin.initialize_app(options={"projectId": "demo"}, name=function)
    monkeypatch.setattr(firebase, "app", lambda: app)
    try:
        ENQUEUE[function]()
    finally:
        firebase_admin.delete_app(app)
    (task,) = sent
    seconds = int((task["dispatchDeadline"] or f"{DEFAULT_SECONDS}s").removesuffix("s"))
    assert seconds >= manifest["endpoints"][function]["timeoutSeconds"]
