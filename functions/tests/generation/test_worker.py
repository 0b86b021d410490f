"""The asynchronous road: accept, lease, try again, settle, however often a task is delivered."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import firebase_admin
import httpx
import psutil
import pytest
from firebase_functions.https_fn import FunctionsErrorCode
from google.cloud import firestore
from support.books import check_books, requests_of
from support.orders import ANYBODY, now, order, order_body
from support.paths import FUNCTIONS
from support.proxy import FirestoreProxy
from support.servers import free_port, kill, wait_for

from imagegen import clock, db, firebase, tasks
from imagegen.catalogue import catalogue
from imagegen.deadline import Threads
from imagegen.errors import BackendUnavailable, GenerationRequestNotFound
from imagegen.firestore.store import Document
from imagegen.generation import create as generation
from imagegen.generation import recovery, worker
from imagegen.generation.replies import Generation
from imagegen.generation.request import RequestDocument
from imagegen.generation.settle import Outcome
from imagegen.generation.worker import RetryLater
from imagegen.providers import registry as providers
from imagegen.providers import run
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that were put on the queue; nothing is delivered."""
    ids: list[str] = []
    monkeypatch.setattr(tasks, "enqueue", lambda request_id, **_: ids.append(request_id))
    return ids


class Scripted:
    """A generator that brings one outcome after another, the last one for ever."""

    def __init__(self, *outcomes: GeneratedImage | GeneratorError) -> None:
        self._outcomes = list(outcomes)
        self.runs = 0

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        outcome = self._outcomes[min(self.runs, len(self._outcomes) - 1)]
        self.runs += 1
        if isinstance(outcome, GeneratorError):
            raise outcome
        return outcome


IMAGE = GeneratedImage(url="https://example.com/done.png")
BUSY = GeneratorError("BUSY", "busy", retryable=True)
REFUSED = GeneratorError("SAFETY", "no", retryable=False)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    def use(*outcomes: GeneratedImage | GeneratorError) -> Scripted:
        scripted = Scripted(*outcomes)
        monkeypatch.setitem(providers.GENERATORS, "mock", scripted)
        return scripted

    return use


def accept(user_id: str, **changes: Any) -> str:
    reply = generation.create(order(user_id, mode="async", **changes), ANYBODY)
    assert reply.code == 202
    assert isinstance(reply.body, Generation)
    return reply.body.generation_request_id


def deliver(request_id: str) -> None:
    worker.process({"generationRequestId": request_id})


def stored(client: firestore.Client, request_id: str) -> dict[str, Any]:
    return client.document(db.generation_request(request_id)).get().to_dict() or {}


def test_a_background_request_is_accepted_with_202_and_where_to_look(
    call: Callable[..., Any], new_user: Callable[..., str], enqueued: list[str]
) -> None:
    body = order_body(new_user(5), size="1024x1024")
    response = call("createGenerationRequest", json=body, headers={"Prefer": "respond-async"})
    assert response.status_code == 202
    accepted = response.get_json()
    request_id = accepted["generationRequestId"]
    assert accepted == {
        "generationRequestId": request_id,
        "deductedCredits": 3,
        "imageUrl": None,
        "status": "pending",
    }
    expected = f"getGenerationStatus?generationRequestId={request_id}"
    assert response.headers["Location"].endswith(expected)
    assert response.headers["Preference-Applied"] == "respond-async"
    assert int(response.headers["Retry-After"]) > 0
    assert enqueued == [request_id]


def test_a_callable_client_is_told_with_200(
    call: Callable[..., Any], new_user: Callable[..., str], enqueued: list[str]
) -> None:
    body = {"data": order_body(new_user(5), mode="async")}
    response = call("createGenerationRequest", json=body)
    assert response.status_code == 200
    assert response.get_json()["result"]["status"] == "pending"


def test_a_delivery_completes_the_request(
    client: firestore.Client, new_user: Callable[..., str], enqueued: list[str]
) -> None:
    user_id = new_user(5)
    request_id = accept(user_id)
    assert stored(client, request_id)["attempts"] == 0
    deliver(request_id)
    request = stored(client, request_id)
    assert (request["status"], request["attempts"]) == ("completed", 1)
    assert request["imageUrl"] == "https://example.com/sure.png"
    assert check_books(client, user_id, opening=5) == 4


def test_later_deliveries_do_nothing(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    script: Callable[..., Scripted],
) -> None:
    scripted = script(IMAGE)
    request_id = accept(new_user(5))
    for _ in range(3):
        deliver(request_id)
    assert scripted.runs == 1


def test_of_two_deliveries_at_once_one_works_and_the_other_comes_back_later(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = []

    class Slow:
        def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
            runs.append(job.generation_request_id)
            time.sleep(0.5)
            return IMAGE

    monkeypatch.setitem(providers.GENERATORS, "mock", Slow())
    user_id = new_user(5)
    request_id = accept(user_id)
    start = threading.Barrier(4)

    def delivery(_: int) -> str:
        start.wait()
        try:
            deliver(request_id)
        except RetryLater:
            return "later"
        return "done"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(delivery, range(4))) == ["done", "later", "later", "later"]
    assert runs == [request_id]
    assert check_books(client, user_id, opening=5) == 4


def test_a_retryable_failure_is_tried_again_and_may_succeed(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    script: Callable[..., Scripted],
) -> None:
    script(BUSY, BUSY, IMAGE)
    user_id = new_user(5)
    request_id = accept(user_id)
    for number in (1, 2):
        deliver(request_id)
        assert stored(client, request_id)["status"] == "processing"
        assert enqueued == [request_id] * (number + 1)  # the next attempt
    deliver(request_id)
    assert (stored(client, request_id)["status"], stored(client, request_id)["attempts"]) == (
        "completed",
        3,
    )
    assert check_books(client, user_id, opening=5) == 4


def test_after_the_last_attempt_it_is_failed_and_refunded(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    script: Callable[..., Scripted],
) -> None:
    scripted = script(BUSY)
    user_id = new_user(5)
    request_id = accept(user_id)
    for _ in range(4):
        deliver(request_id)
    assert scripted.runs == 3
    assert enqueued == [request_id] * 3
    assert stored(client, request_id)["error"]["reason"] == "BUSY"
    assert check_books(client, user_id, opening=5) == 5


def test_a_permanent_failure_is_refunded_at_once(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    script: Callable[..., Scripted],
) -> None:
    scripted = script(REFUSED)
    user_id = new_user(5)
    deliver(accept(user_id))
    assert scripted.runs == 1
    assert check_books(client, user_id, opening=5) == 5


def test_a_model_that_is_gone_by_then_is_refunded(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
) -> None:
    user_id = new_user(5)
    request_id = accept(user_id)
    client.document(db.generation_request(request_id)).update({"model": "Gone Model"})
    deliver(request_id)
    assert stored(client, request_id)["error"]["reason"] == "OPTION_REMOVED"
    assert check_books(client, user_id, opening=5) == 5


def test_a_lease_that_ran_out_is_taken_over_and_the_late_worker_changes_nothing(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_id = new_user(5)
    request_id = accept(user_id)
    late = threading.Event()

    class Late:
        def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
            late.wait(10)
            return GeneratedImage(url="https://example.com/late.png")

    monkeypatch.setitem(providers.GENERATORS, "mock", Late())
    first = threading.Thread(target=deliver, args=[request_id])
    first.start()
    while stored(client, request_id)["status"] != "processing":
        time.sleep(0.02)
    monkeypatch.setitem(providers.GENERATORS, "mock", Scripted(IMAGE))
    with monkeypatch.context() as later:
        moment = now() + timedelta(seconds=136)
        later.setattr(clock, "now", lambda: moment)
        deliver(request_id)
    late.set()
    first.join()
    request = stored(client, request_id)
    assert (request["status"], request["imageUrl"]) == ("completed", IMAGE.url)
    assert request["attempts"] == 2
    assert check_books(client, user_id, opening=5) == 4


def test_workers_that_die_again_and_again_end_in_a_refund(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_id = new_user(5)
    request_id = accept(user_id)
    moment = now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    for _ in range(3):
        assert (
            worker._take_lease(request_id, catalogue.current()) is not None
        )  # and then the process is gone
        moment += timedelta(seconds=200)
    deliver(request_id)
    assert stored(client, request_id)["error"]["reason"] == "ATTEMPTS_EXHAUSTED"
    assert check_books(client, user_id, opening=5) == 5


@pytest.mark.parametrize("data", [None, {}, {"generationRequestId": "a/b"}, "x", {"x": 1}])
def test_a_task_that_names_no_request_is_dropped(data: object) -> None:
    worker.process(data)


def test_a_task_for_an_unknown_or_a_synchronous_request_does_nothing(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    deliver("no-such-request")
    user_id = new_user(5)
    generation.create(order(user_id), ANYBODY)
    (request,) = requests_of(client, user_id)
    client.document(db.generation_request(request["id"])).update({"status": "pending"})
    deliver(request["id"])
    assert stored(client, request["id"])["status"] == "pending"


def test_when_the_queue_takes_no_task_the_charge_is_refunded(
    call: Callable[..., Any],
    client: firestore.Client,
    new_user: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "enqueue", refuse)
    user_id = new_user(5)
    body = order_body(user_id, mode="async", idempotencyKey="k")
    for _ in range(2):  # the second time by its key
        response = call("createGenerationRequest", json=body)
        assert response.status_code == 500  # final: 503 would ask to try the same key again
        details = response.get_json()["error"]["details"]
        assert (details["reason"], details["refundedCredits"]) == ("GENERATION_FAILED", 1)
        assert (details["cause"], details["retryable"]) == ("QUEUE_UNAVAILABLE", True)
    assert check_books(client, user_id, opening=5) == 5
    assert len(requests_of(client, user_id)) == 1


def refuse(*_: object, **__: object) -> None:
    raise BackendUnavailable("The queue is out of reach.")


def test_a_repeated_call_does_not_fail_a_request_because_the_queue_is_down(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_id = new_user(5)
    first = accept(user_id, idempotencyKey="k")
    minute_ago = now() - timedelta(minutes=1)
    client.document(db.generation_request(first)).update({"enqueuedAt": minute_ago})
    monkeypatch.setattr(tasks, "enqueue", refuse)
    assert accept(user_id, idempotencyKey="k") == first
    assert stored(client, first)["status"] == "pending"


def test_the_next_attempt_waits_as_long_as_the_provider_asked(
    client: firestore.Client,
    new_user: Callable[..., str],
    script: Callable[..., Scripted],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delays: list[float] = []
    monkeypatch.setattr(
        tasks, "enqueue", lambda _, *, delay_seconds=0.0: delays.append(delay_seconds)
    )
    asks = [GeneratorError("BUSY", "b", retryable=True, retry_after=s) for s in (90.0, 10_000.0)]
    script(*asks)
    request_id = accept(user_id := new_user(5))
    deliver(request_id)
    assert delays == [0, 90]
    deliver(request_id)  # nobody waits that long: refunded now
    assert delays == [0, 90]
    assert stored(client, request_id)["status"] == "failed"
    assert check_books(client, user_id, opening=5) == 5


def test_when_the_queue_takes_no_next_attempt_the_task_itself_comes_back(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    script: Callable[..., Scripted],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script(BUSY, IMAGE)
    request_id = accept(new_user(5))
    with monkeypatch.context() as down:
        down.setattr(tasks, "enqueue", refuse)
        with pytest.raises(RetryLater) as later:
            deliver(request_id)
    assert later.value.code is FunctionsErrorCode.ABORTED  # 409; 429 and 503 slow the whole queue
    deliver(request_id)
    assert stored(client, request_id)["status"] == "completed"


def test_a_catalogue_out_of_reach_costs_no_attempt(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request_id = accept(new_user(5))
    monkeypatch.setattr(catalogue, "current", refuse)
    with pytest.raises(BackendUnavailable):
        deliver(request_id)
    assert stored(client, request_id)["attempts"] == 0


def test_an_instance_without_a_thread_for_the_model_costs_no_attempt(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request_id = accept(new_user(5))
    with monkeypatch.context() as full:
        full.setattr(run, "threads", Threads(lambda: 0))
        with pytest.raises(RetryLater):
            deliver(request_id)
    assert stored(client, request_id)["attempts"] == 0
    deliver(request_id)
    assert stored(client, request_id)["status"] == "completed"


@pytest.mark.parametrize(("left", "expected"), [(91, 90.0), (89, None)])
def test_a_retry_that_would_come_after_the_request_has_expired_is_not_waited_for(
    left: int, expected: float | None
) -> None:
    """The attempt that has failed has used up some of the request's time."""
    fields = RequestDocument.fields(attempts=1, expires_at=now() + timedelta(seconds=left))
    lease = RequestDocument(Document("generationRequests/r1", fields))
    busy = GeneratorError("BUSY", "b", retryable=True, retry_after=90.0)
    assert worker._delay_before_retry(lease, Outcome.failed(busy)) == expected


def test_a_queue_that_does_not_answer_cannot_fill_the_instance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "threads", Threads(lambda: 0))
    with pytest.raises(BackendUnavailable):
        tasks.enqueue("r1")


def test_a_silent_queue_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", f"{host}:{port}")
        monkeypatch.setattr(tasks, "ENQUEUE_SECONDS", 0.3)
        app = firebase_admin.initialize_app(options={"projectId": "demo"}, name="silent")
        monkeypatch.setattr(firebase, "app", lambda: app)
        started = time.monotonic()
        with pytest.raises(BackendUnavailable):
            tasks.enqueue("r1")
        assert time.monotonic() - started < 5


def test_a_queue_that_nobody_answers_at_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    project = {"projectId": "demo-imagegen"}
    lonely = firebase_admin.initialize_app(options=project, name="lonely")
    monkeypatch.setattr(firebase, "app", lambda: lonely)
    monkeypatch.setenv("CLOUD_TASKS_EMULATOR_HOST", "127.0.0.1:9")
    with pytest.raises(BackendUnavailable):
        tasks.enqueue("r1")


def test_a_repeated_call_puts_a_request_on_the_queue_again_that_no_worker_has_taken(
    client: firestore.Client, new_user: Callable[..., str], enqueued: list[str]
) -> None:
    user_id = new_user(5)
    first = accept(user_id, idempotencyKey="k")
    minute_ago = now() - timedelta(minutes=1)
    client.document(db.generation_request(first)).update({"enqueuedAt": minute_ago})
    with ThreadPoolExecutor(4) as pool:  # however often it is repeated
        replies = pool.map(lambda _: accept(user_id, idempotencyKey="k"), range(20))
        assert set(replies) == {first}
    assert enqueued == [first, first]
    deliver(first)
    reply = generation.create(order(user_id, mode="async", idempotencyKey="k"), ANYBODY)
    assert (reply.code, reply.headers) == (200, {"Idempotency-Replayed": "true"})
    assert enqueued == [first, first]
    assert check_books(client, user_id, opening=5) == 4


def test_a_repeated_call_says_so_when_its_request_is_deleted_meanwhile(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user_id = new_user(5)
    request_id = accept(user_id, idempotencyKey="k")
    reference = client.document(db.generation_request(request_id))
    reference.update({"enqueuedAt": now() - timedelta(minutes=1)})
    enqueue_again = generation.enqueue_again

    def deleted_first(request: RequestDocument) -> RequestDocument:
        reference.delete()
        return enqueue_again(request)

    monkeypatch.setattr(generation, "enqueue_again", deleted_first)
    with pytest.raises(GenerationRequestNotFound) as raised:
        accept(user_id, idempotencyKey="k")
    assert raised.value.details == {"generationRequestId": request_id}
    assert enqueued == [request_id]


def test_accepting_costs_two_rpcs_and_one_task(
    proxy: FirestoreProxy, new_user: Callable[..., str], enqueued: list[str]
) -> None:
    accept(new_user(5))
    assert proxy.traffic.rpcs == {"BatchGetDocuments": 1, "Commit": 1}
    assert len(enqueued) == 1


def test_open_background_requests_are_limited_and_a_settled_one_makes_room(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAX_IN_FLIGHT", "1")
    user_id = new_user(5)
    first = accept(user_id)
    with pytest.raises(Exception, match="Too many requests"):
        accept(user_id)
    generation.create(order(user_id), ANYBODY)  # a synchronous one takes no place
    deliver(first)
    accept(user_id)
    assert check_books(client, user_id, opening=5) == 2


# On the emulators: Cloud Tasks delivers, the Functions emulator runs the worker.


def until_settled(client: firestore.Client, request_id: str, seconds: float = 60) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        request = stored(client, request_id)
        if request["status"] not in ("pending", "processing"):
            return request
        time.sleep(0.2)
    pytest.fail(f"still {request['status']} after {seconds} s")


def test_cloud_tasks_brings_a_background_request_to_its_end(
    deployed: httpx.Client, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    body = order_body(user_id)
    accepted = deployed.post(
        "/createGenerationRequest", json=body, headers={"Prefer": "respond-async"}
    )
    assert accepted.status_code == 202
    where = httpx.URL(str(accepted.request.url)).join(accepted.headers["Location"])
    request_id = accepted.json()["generationRequestId"]
    assert until_settled(client, request_id)["status"] == "completed"
    seen = httpx.get(where).json()
    assert (seen["status"], seen["imageUrl"]) == ("completed", "https://example.com/sure.png")
    assert check_books(client, user_id, opening=5) == 4


def test_cloud_tasks_tries_again_until_the_attempts_are_used_up(
    deployed: httpx.Client, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    body = order_body(user_id, mode="async", model="Doomed Model")
    request_id = deployed.post("/createGenerationRequest", json=body).json()["generationRequestId"]
    request = until_settled(client, request_id)
    assert (request["status"], request["attempts"]) == ("failed", 3)
    assert check_books(client, user_id, opening=5) == 5


def test_two_tasks_for_one_request_are_one_generation(
    deployed: httpx.Client, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    body = order_body(user_id, mode="async", idempotencyKey="twice")
    ids = {
        deployed.post("/createGenerationRequest", json=body).json()["generationRequestId"]
        for _ in range(2)
    }
    (request_id,) = ids
    tasks.enqueue(request_id)
    assert until_settled(client, request_id)["attempts"] == 1
    assert check_books(client, user_id, opening=5) == 4


@pytest.fixture
def killable_worker(emulator: str) -> Iterator[Callable[[], tuple[psutil.Popen, str]]]:
    """Starts the worker as a process of its own; the process and where to deliver to."""
    started: list[psutil.Popen] = []

    def start() -> tuple[psutil.Popen, str]:
        port = free_port()
        serve = [sys.executable, "-m", "functions_framework", "--source", "main.py"]
        process = psutil.Popen(
            [*serve, "--target", "processGeneration", "--port", str(port), "--host", "127.0.0.1"],
            cwd=FUNCTIONS,
            env={**os.environ, "ASYNC_ATTEMPT_SECONDS": "60"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(process)
        url = f"http://127.0.0.1:{port}/"
        wait_for(url)
        return process, url

    yield start
    for process in started:
        kill(process)


@pytest.mark.parametrize("rescue", ["another delivery", "recovery"])
def test_a_worker_killed_in_the_middle_costs_nobody_a_credit(
    client: firestore.Client,
    new_user: Callable[..., str],
    enqueued: list[str],
    killable_worker: Callable[[], tuple[psutil.Popen, str]],
    monkeypatch: pytest.MonkeyPatch,
    rescue: str,
) -> None:
    user_id = new_user(5)
    request_id = accept(user_id, model="Slow Model")
    process, url = killable_worker()
    task = {"data": {"generationRequestId": request_id}}
    with ThreadPoolExecutor(1) as pool:
        delivery = pool.submit(httpx.post, url, json=task, timeout=60)
        while stored(client, request_id)["status"] != "processing":
            time.sleep(0.05)
        kill(process)
        assert isinstance(delivery.exception(), httpx.TransportError)
    with pytest.raises(RetryLater):  # its lease still stands
        deliver(request_id)
    moment = now() + timedelta(minutes=20)
    monkeypatch.setattr(clock, "now", lambda: moment)
    if rescue == "recovery":
        recovery.recover()
        assert stored(client, request_id)["error"]["reason"] == "GENERATION_LOST"
        assert check_books(client, user_id, opening=5) == 5
    else:
        monkeypatch.setitem(providers.GENERATORS, "mock", Scripted(IMAGE))
        deliver(request_id)
        assert stored(client, request_id)["attempts"] == 2
        assert check_books(client, user_id, opening=5) == 4
