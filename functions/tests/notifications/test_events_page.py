"""The consumers of docs/events.md, each run as it is written there."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from google.cloud import firestore
from support.events import Outbox
from support.paths import ROOT
from support.servers import free_port, kill, wait_for

from imagegen import clock
from imagegen.notifications import redelivery, registration
from imagegen.notifications.event import DeliveryStatus

PAGE = (ROOT / "docs" / "events.md").read_text()
PYTHON, CLOUD_FUNCTION = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(NODE,) = re.findall(r"```js\n(.*?)```", PAGE, re.DOTALL)
real_now = clock.now
Serve = Callable[..., str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a consumer with a secret; its URL."""
    processes = []

    def start(name: str, code: str, command: list[str], secret: str, port: int) -> str:
        (tmp_path / name).write_text(code)
        environment = {
            "WEBHOOK_SECRET": secret,
            "PORT": str(port),
            "GCLOUD_PROJECT": "demo-imagegen",
        }
        with (tmp_path / "log").open("w") as log:
            processes.append(
                psutil.Popen(command, cwd=tmp_path, env={**os.environ, **environment}, stdout=log)
            )
        wait_for(f"http://127.0.0.1:{port}/")
        return f"http://127.0.0.1:{port}/hook"

    yield start
    for process in processes:
        kill(process)


@pytest.fixture
def consume(
    in_outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[str, int], str]], str]:
    """Delivers a test event twice, and a forged one; the event's id."""
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")

    def deliver(start: Callable[[str, int], str]) -> str:
        in_outbox.moment = real_now()
        port = free_port()
        endpoint_id, secret = registration.register(f"http://127.0.0.1:{port}/hook")
        url = start(secret, port)
        event_id = redelivery.send_test(endpoint_id)
        in_outbox.deliver(event_id)
        assert in_outbox.delivery(event_id, endpoint_id).result == "HTTP 204"
        redelivery.redeliver(event_id, endpoint_id)
        in_outbox.deliver(event_id)
        assert in_outbox.delivery(event_id, endpoint_id).status is DeliveryStatus.DELIVERED
        forged = {"webhook-id": "e", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
        assert httpx.post(url, content=b"{}", headers=forged).status_code == 400
        return event_id

    return deliver


def test_the_consumer_in_python_does_its_work_once(
    serve: Serve, consume: Callable[..., str], tmp_path: Path
) -> None:
    def start(secret: str, port: int) -> str:
        command = [sys.executable, "-m", "flask", "--app", "consumer", "run", "--port", str(port)]
        return serve("consumer.py", PYTHON, command, secret, port)

    consume(start)
    assert (tmp_path / "log").read_text().count("test {}") == 1


def test_the_consumer_in_node_does_its_work_once(
    serve: Serve, consume: Callable[..., str], tmp_path: Path
) -> None:
    def start(secret: str, port: int) -> str:
        return serve("consumer.mjs", NODE, ["node", "consumer.mjs"], secret, port)

    consume(start)
    assert (tmp_path / "log").read_text().count("test {}") == 1


def test_the_consumer_as_a_cloud_function_does_its_work_once(
    client: firestore.Client, serve: Serve, consume: Callable[..., str]
) -> None:
    def start(secret: str, port: int) -> str:
        framework = str(Path(sys.executable).with_name("functions-framework"))
        return serve("main.py", CLOUD_FUNCTION, [framework, "--target", "hook"], secret, port)

    event_id = consume(start)
    assert client.document(f"told/{event_id}").get().exists
    assert client.document("latest/test").get().to_dict() == {}


@pytest.mark.parametrize("code", [PYTHON, NODE, CLOUD_FUNCTION])
def test_a_consumer_is_about_twenty_lines(code: str) -> None:
    assert len([line for line in code.splitlines() if line.strip()]) <= 22
