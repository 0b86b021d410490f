"""Calls to vendors: deadlines, caps, lost answers and redirects, over real sockets."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from studio.server import Studio
from studio.wire import Reply

from imagegen.providers import http, transport
from imagegen.providers.base import GeneratorError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that does with each connection what it is told; its URL."""
    listeners = []

    def start(handle: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=run, args=(connection,), daemon=True).start()

        def run(connection: socket.socket) -> None:
            with connection:
                try:
                    handle(connection)
                except OSError:
                    return  # the caller has gone

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


def error_of(method: str, url: str, seconds: float = 1.0, **content: object) -> GeneratorError:
    with pytest.raises(GeneratorError) as failed:
        http.call(method, url, deadline=time.monotonic() + seconds, **content)  # type: ignore[arg-type]
    return failed.value


def drip(data: bytes) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        for position in range(len(data)):
            connection.sendall(data[position : position + 1])
            time.sleep(0.2)

    return handle


@pytest.mark.parametrize(
    "answer",
    [OK, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100],
    ids=["headers", "body"],
)
def test_a_deadline_holds_against_an_answer_that_drips(serve: Serve, answer: bytes) -> None:
    url, started = serve(drip(answer)), time.monotonic()
    assert error_of("POST", url, 1.0).reason == "GENERATION_TIMEOUT"
    assert time.monotonic() - started < 5


def test_a_deadline_holds_against_a_vendor_that_stops_in_the_middle(serve: Serve) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        time.sleep(0.7)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
        time.sleep(10)

    url, started = serve(handle), time.monotonic()
    assert error_of("POST", url, 1.0).reason == "GENERATION_TIMEOUT"
    assert time.monotonic() - started < 5


def test_a_deadline_holds_against_a_vendor_that_does_not_read(serve: Serve) -> None:
    url, started = serve(lambda connection: time.sleep(10)), time.monotonic()
    error = error_of("POST", url, 1.0, content=b"x" * 20_000_000)
    assert error.reason == "GENERATION_TIMEOUT"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("method", "reason"), [("POST", "OUTCOME_UNKNOWN"), ("GET", "PROVIDER_UNREACHABLE")]
)
@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"SMTP"]
)
def test_a_lost_answer_to_an_order_is_not_known_and_a_lost_question_is_asked_again(
    serve: Serve, method: str, reason: str, answer: bytes
) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    error = error_of(method, serve(handle))
    assert (error.reason, error.billed) == (reason, method == "POST")


def test_where_nobody_listens_nothing_was_sent() -> None:
    error = error_of("POST", "http://127.0.0.1:9")
    assert (error.reason, error.retryable, error.billed) == ("PROVIDER_UNREACHABLE", True, False)


@pytest.mark.parametrize("length", [b"Content-Length: 3000\r\n", b""])
def test_a_long_answer_is_not_read_to_its_end(serve: Serve, length: bytes) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + b"x" * 3000)

    error = error_of("POST", serve(handle), max_bytes=1000)
    assert (error.reason, error.billed) == ("NO_IMAGE", True)


def test_a_redirect_of_a_vendor_is_not_followed(studio: Studio, serve: Serve) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        target = f"{studio.url}/pictures/a".encode()
        head = b"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: "
        connection.sendall(head + target + b"\r\n\r\n")

    headers = {"Authorization": "Bearer secret"}
    answer = http.call("POST", serve(handle), deadline=time.monotonic() + 5, headers=headers)
    assert answer.status == 307
    assert http.failure_of(answer).reason == "PROVIDER_REJECTED"
    assert not studio.requests


def test_connections_are_used_again_and_shared_by_threads(serve: Serve) -> None:
    connections = []

    def handle(connection: socket.socket) -> None:
        connections.append(connection)
        while connection.recv(65536):
            connection.sendall(OK)

    url = serve(handle)
    for _ in range(5):
        http.call("GET", url, deadline=time.monotonic() + 5)
    assert len(connections) == 1


def test_as_many_calls_run_at_once_as_there_are_threads(serve: Serve) -> None:
    barrier = threading.Barrier(40)

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        barrier.wait(10)  # nobody is answered before all have asked
        connection.sendall(OK)

    url, statuses = serve(handle), []

    def call() -> None:
        statuses.append(http.call("GET", url, deadline=time.monotonic() + 15).status)

    threads = [threading.Thread(target=call) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40


def test_the_environments_proxy_is_not_for_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    transport.client.cache_clear()
    assert not transport.client()._mounts


def test_images_are_fetched_over_redirects_but_not_for_ever(studio: Studio) -> None:
    studio.pictures["a"] = Reply(b"", 302, {"Location": "/pictures/b"})
    studio.pictures["b"] = Reply(b"", 307, {"Location": f"{studio.url}/pictures/c"})
    studio.pictures["c"] = Reply(b"picture", content_type="image/png")
    studio.pictures["nowhere"] = Reply(b"", 302, {"Location": "http://["})
    studio.pictures["loop"] = Reply(b"", 302, {"Location": "/pictures/loop"})
    deadline = time.monotonic() + 5
    assert http.fetch(f"{studio.url}/pictures/a", deadline=deadline, max_bytes=10) == b"picture"
    assert {each.headers.get("User-Agent") for each in studio.requests} == {"imagegen"}
    for name, max_bytes in (("a", 3), ("loop", 10), ("nowhere", 10), ("missing", 10)):
        with pytest.raises(GeneratorError) as failed:
            http.fetch(f"{studio.url}/pictures/{name}", deadline=deadline, max_bytes=max_bytes)
        assert (failed.value.reason, failed.value.retryable) == ("IMAGE_NOT_FETCHED", True)


def test_an_image_is_fetched_from_public_addresses_only(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "false")
    for url in (f"{studio.url}/pictures/a", "https://127.0.0.1/a", "https://169.254.169.254/"):
        with pytest.raises(GeneratorError) as failed:
            http.fetch(url, deadline=time.monotonic() + 5, max_bytes=10)
        assert failed.value.reason == "IMAGE_NOT_FETCHED"
    assert not studio.requests


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("rate_limit_exceeded", "HTTP 400 rate_limit_exceeded"),
        ("E005", "HTTP 400 E005"),
        ("draw me a lighthouse", "HTTP 400"),
        ("", "HTTP 400"),
    ],
)
def test_the_log_gets_a_vendors_code_but_not_its_prose(code: str, shown: str) -> None:
    assert http.failure_of(http.Answer(400, {}, b""), code).detail == shown
