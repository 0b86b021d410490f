"""A stand-in for the HTTP v1 API of Firebase Cloud Messaging, on this machine.

It takes only what the schema that Google publishes has, and answers as the API's documentation
shows. The SDK's own client speaks to it: what it raises and returns is judged, not our idea of it.
https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any

import firebase_admin
import pytest
from firebase_admin import credentials, messaging
from google.oauth2.credentials import Credentials

from imagegen import firebase

ERRORS = {
    "UNREGISTERED": (404, "NOT_FOUND"),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED"),
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT"),
    "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED"),
    "THIRD_PARTY_AUTH_ERROR": (401, "UNAUTHENTICATED"),
}
_documents = resources.files("googleapiclient.discovery_cache.documents")
SCHEMAS: Mapping[str, Any] = json.loads(_documents.joinpath("fcm.v1.json").read_text())["schemas"]


class MessagingServer:
    """Keeps the messages it gets, and answers for each token as `answers` says."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.answers: dict[str, str] = {}  # by token: one of ERRORS
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.path == "/v1/projects/demo-imagegen/messages:send"
                assert self.headers["Authorization"] == "Bearer a-token"
                require_schema("SendMessageRequest", body)
                message = body["message"]
                error = server.answers.get(message["token"])
                if error is None:
                    server.messages.append(message)
                    self._answer(200, {"name": "projects/demo-imagegen/messages/1"})
                else:
                    self._answer(ERRORS[error][0], _error(error))

            def _answer(self, code: int, content: Mapping[str, Any]) -> None:
                text = json.dumps(content).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _error(name: str) -> dict[str, Any]:
    code, status = ERRORS[name]
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": name}]
    return {"error": {"code": code, "status": status, "message": name, "details": details}}


def require_schema(name: str, value: Mapping[str, Any]) -> None:
    """Fail for a field that the published schema does not have."""
    properties = SCHEMAS[name]["properties"]
    for field, inner in value.items():
        assert field in properties, f"{name} has no {field}"
        if "$ref" in properties[field]:
            require_schema(properties[field]["$ref"], inner)


class _Token(Credentials):
    def refresh(self, request: object) -> None:
        self.token = "a-token"


class _Credential(credentials.Base):  # type: ignore[misc] # the SDK has no types
    def get_credential(self) -> Credentials:
        return _Token(token="a-token")  # type: ignore[no-untyped-call]


@pytest.fixture
def messaging_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MessagingServer]:
    """What the SDK's client sends its messages to."""
    server = MessagingServer()
    app = firebase_admin.initialize_app(
        _Credential(), {"projectId": "demo-imagegen"}, name="messaging of a test"
    )
    monkeypatch.delenv("FUNCTIONS_EMULATOR", raising=False)
    monkeypatch.setattr(firebase, "app", lambda: app)
    url = server.url + "/v1/projects/{0}/messages:send"
    monkeypatch.setattr(messaging._MessagingService, "FCM_URL", url)
    yield server
    firebase_admin.delete_app(app)
    server.stop()
