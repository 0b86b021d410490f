"""What a benchmark runs against: an emulator of its own, and our functions beside the floor's."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "functions"), str(ROOT / "tools"), str(ROOT / "functions" / "tests")]

from demo import seed
from emulators import environment, ports, suite
from google.cloud import firestore
from support.task_api import TaskApi

PROJECT = "demo-bench"  # is emptied again and again
SIDES = {"ours": ROOT / "functions", "floor": ROOT / "bench" / "floor"}
FUNCTIONS = ("createGenerationRequest", "getUserCredits")
# As deployed, but for what would refuse the load: the limit on each user's calls.
PARAMETERS = {
    "AUTH_MODE": "optional",
    "CATALOGUE_TTL_SECONDS": "60",
    "MOCK_FAILURE_RATE": "0",
    "RATE_LIMIT_PER_MINUTE": "0",
    "THREADS": "80",
    "GCLOUD_PROJECT": PROJECT,
    "GOOGLE_CLOUD_PROJECT": PROJECT,
}
LONGEST_START_SECONDS = 60


@contextmanager
def emulator() -> Iterator[None]:
    """Emulators of Firestore and Storage; those that the environment names, if any."""
    with ExitStack() as until_done:
        if "FIRESTORE_EMULATOR_HOST" not in os.environ:
            private = suite.private(["firestore", "storage"], import_data=False)
            running = until_done.enter_context(private)
            os.environ["FIRESTORE_EMULATOR_HOST"] = running.address("firestore")
            os.environ["STORAGE_EMULATOR_HOST"] = f"http://{running.address('storage')}"
            os.environ.update(environment.no_proxy_for_loopback(os.environ))
        yield


def fresh_database() -> firestore.Client:
    """The project with nothing in it but the catalogue: a full emulator is a slow one."""
    host = os.environ["FIRESTORE_EMULATOR_HOST"]
    url = f"http://{host}/emulator/v1/projects/{PROJECT}/databases/(default)/documents"
    request = urllib.request.Request(url, method="DELETE")
    urllib.request.urlopen(request).close()  # noqa: S310
    client = firestore.Client(project=PROJECT)
    for path, fields in seed.catalogue("http://127.0.0.1:5000").items():
        # The mocks' waiting is not what is measured.
        client.document(path).set({k: v for k, v in fields.items() if k != "latencySeconds"})
    return client


@contextmanager
def served(side: str, function: str, **parameters: str) -> Iterator[int]:
    """One function behind functions-framework, as in production: the port it listens on."""
    with server(side, function, **parameters) as (port, _):
        yield port


@contextmanager
def server(
    side: str, function: str, **parameters: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The same, and the process that leads the group of its processes."""
    port = free_port()
    process = start(side, function, port, parameters)
    try:
        answer(port, {}, wait=True)
        yield port, process
    finally:
        stop(process)


@contextmanager
def queue() -> Iterator[str]:
    """The address of a queue that takes every task and has none of them done."""
    api = TaskApi(lambda function, body: None)
    try:
        yield api.address
    finally:
        api.stop()


def start(
    side: str, function: str, port: int, parameters: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "functions_framework", "--source", "main.py"]
    return subprocess.Popen(
        [*command, "--target", function, "--host", "127.0.0.1", "--port", str(port)],
        cwd=SIDES[side],
        env={**os.environ, **PARAMETERS, **parameters},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def free_port() -> int:
    return ports.free_ports(1)[0]


def is_listening(port: int) -> bool:
    return ports.is_taken(port)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answer(port: int, body: dict[str, Any], *, wait: bool = False) -> int:
    """The status of one POST; with `wait`, of the first that anybody answers."""
    end = time.monotonic() + (LONGEST_START_SECONDS if wait else 0)
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
            return connection.getresponse().status
        except ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        finally:
            connection.close()
