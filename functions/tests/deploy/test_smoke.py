"""The proof after a deploy: on the emulators, and against a stand-in for a deployed project."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import my_app
import pytest
from deploy import proofs, smoke
from deploy.google import Google
from fake_google import FakeGoogle
from google.cloud import firestore

pytest_plugins = ["google_fixtures"]

Answer = tuple[int, Any]
OFFERS = {
    "models": [{"name": "Model A"}],
    "styles": [{"name": "anime"}],
    "colors": [{"name": "neon"}],
    "sizes": [{"name": "1024x1024", "credits": 3}, {"name": "512x512", "credits": 1}],
}


class FakeFunctions:
    """What is deployed, as it should be unless a test changes an answer."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {
            "listModels": (200, OFFERS),
            "processGeneration": (403, "<html>403 Forbidden</html>"),
            "recoverLostGenerations": (403, "<html>403 Forbidden</html>"),
            "createGenerationRequest": (202, {"generationRequestId": "g1"}),
        }
        self.statuses = ["pending", "processing", "completed"]
        self.entries = ["deduction"]
        self.error: dict[str, str] | None = None
        self.orders: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, function: str, token: str, body: dict[str, Any]) -> Answer:
        of_a_user = ("getUserCredits", "getGenerationStatus", "createGenerationRequest")
        if function in of_a_user and not token.startswith("Bearer id-token-of-smoke-"):
            return self.answers.get("stranger", (401, {"error": {"code": 401}}))
        if function == "createGenerationRequest":
            self.orders.append(body)
        if function == "getGenerationStatus":
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            return 200, {"generationRequestId": "g1", "status": status, "error": self.error}
        if function == "getUserCredits":
            entries = [{"type": each, "generationRequestId": "g1"} for each in self.entries]
            return 200, {"currentCredits": 0, "transactions": entries}
        return self.answers[function]


def _handler(fake: FakeFunctions) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            function = self.path.lstrip("/").partition("?")[0]
            token = self.headers.get("Authorization", "")
            code, answer = fake.answer(function, token, json.loads(content or "{}"))
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(code)
            kind = "text/html" if isinstance(answer, str) else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@pytest.fixture
def deployed_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFunctions]:
    monkeypatch.setattr(proofs, "POLL_SECONDS", 0.01)
    functions = FakeFunctions()
    yield functions
    functions.close()


def prove(google: Google, functions: FakeFunctions) -> int:
    return smoke.on_project(google, my_app.target(), url=functions.url)


def test_a_deploy_that_works_is_proved(
    deployed_app: FakeFunctions, google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prove(google, deployed_app) == 0
    assert [line[:6].strip() for line in capsys.readouterr().out.splitlines()] == ["ok"] * 5
    (order,) = deployed_app.orders
    assert (order["size"], order["mode"]) == ("512x512", "async")


def test_what_the_proof_has_made_is_removed(
    deployed_app: FakeFunctions, fake: FakeGoogle, google: Google
) -> None:
    before = dict(fake.resources)
    assert prove(google, deployed_app) == 0
    made = [path for verb, path in fake.calls if verb == "POST"]
    assert any(path.endswith("documents:commit") for path in made)
    assert (fake.resources, fake.accounts) == (before, {})
    deleted = [path for verb, path in fake.calls if verb == "DELETE"]
    assert any(path.endswith("documents/generationRequests/g1") for path in deleted)


def test_an_honest_failure_is_an_end_too(deployed_app: FakeFunctions, google: Google) -> None:
    deployed_app.statuses, deployed_app.entries = ["failed"], ["refund", "deduction"]
    deployed_app.error = {"reason": "MODEL_OVERLOADED"}
    assert prove(google, deployed_app) == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"listModels": (403, "<html>403</html>")}, "not public. make check"),
        ({"listModels": (200, OFFERS | {"models": []})}, "make catalogue"),
        ({"stranger": (200, {"currentCredits": 5})}, "set AUTH_MODE=required"),
        ({"processGeneration": (204, "")}, "answers 204 to anybody"),
        ({"recoverLostGenerations": (200, {})}, "answers 200 to anybody"),
        ({"createGenerationRequest": (402, {"error": {}})}, "createGenerationRequest answers 402"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_hold_is_told_and_fails(
    deployed_app: FakeFunctions,
    google: Google,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Answer],
    told: str,
) -> None:
    deployed_app.answers |= change
    assert prove(google, deployed_app) == 1
    printed = capsys.readouterr().out
    assert "FAILED" in printed
    assert told in printed


@pytest.mark.parametrize(
    ("status", "reason", "entries", "told"),
    [
        ("pending", None, ["deduction"], "the queue's call does not reach the worker"),
        ("failed", "GENERATION_LOST", ["deduction", "refund"], "the worker never did"),
        ("failed", "MODEL_OVERLOADED", ["deduction"], "run make audit"),
        ("completed", None, [], "its entries are none"),
    ],
)
def test_an_order_that_does_not_end_well_fails(
    deployed_app: FakeFunctions,
    fake: FakeGoogle,
    google: Google,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: str,
    reason: str | None,
    entries: list[str],
    told: str,
) -> None:
    monkeypatch.setattr(proofs, "ORDER_SECONDS", 0.3)
    deployed_app.statuses, deployed_app.entries = [status], entries
    deployed_app.error = {"reason": reason} if reason else None
    assert prove(google, deployed_app) == 1
    assert told in capsys.readouterr().out
    assert fake.accounts == {}


def test_a_deploy_that_is_not_there_is_told(
    google: Google, capsys: pytest.CaptureFixture[str]
) -> None:
    assert smoke.on_project(google, my_app.target(), url="http://127.0.0.1:1") == 1
    assert "does not answer. Is it deployed?" in capsys.readouterr().out


def test_what_may_not_be_made_fails_the_order_alone(
    deployed_app: FakeFunctions,
    fake: FakeGoogle,
    google: Google,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake.forbid("identitytoolkit/")
    assert prove(google, deployed_app) == 1
    assert capsys.readouterr().out.count("FAILED") == 1


def test_what_cannot_be_removed_is_named(
    deployed_app: FakeFunctions,
    fake: FakeGoogle,
    google: Google,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake.forbid("identitytoolkit/v1/projects/my-app/accounts:delete")
    assert prove(google, deployed_app) == 0
    (uid,) = fake.accounts
    assert f"The account {uid} and its documents are left over" in capsys.readouterr().out


def test_the_emulators_are_proved_as_far_as_they_go(
    deployed: httpx.Client, client: firestore.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over HTTP, through the queue: the same steps, but for what the emulators do not have."""
    before = {user.id for user in client.collection("users").list_documents()}
    assert smoke.on_emulators() == 0
    printed = capsys.readouterr().out
    assert printed.count("ok  ") == 3
    assert "an order in the background reaches its end" in printed
    assert "not shown" in printed
    assert {user.id for user in client.collection("users").list_documents()} <= before
