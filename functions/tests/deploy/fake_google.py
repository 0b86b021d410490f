"""A stand-in for Google's REST APIs on the loopback: resources by path, and what goes wrong.

It serves `http://127.0.0.1:PORT/{api}/{path}`. A call that Google's own description of the API does
not know, with a parameter or a body it does not know, is recorded in `misuses` and answered 400; so
is an answer of the fake that does not have the described form. Credentials are those of a service
account whose tokens the fake issues itself.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import discovery
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

Json = dict[str, Any]
Answer = tuple[int, Json]
TOKEN = "token-of-the-fake"


class FakeGoogle:
    """The APIs; `resources` holds every answer by `api/path`, with its verb where it has one."""

    def __init__(self, resources: Mapping[str, Json]) -> None:
        self._lock = threading.Lock()
        self.reset(resources)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def reset(self, resources: Mapping[str, Json]) -> None:
        """Hold `resources`, and let nothing go wrong any more."""
        self.resources = dict(resources)
        self.accounts: dict[str, Json] = {}
        self.handlers: dict[str, Callable[[Json], Answer]] = {
            "documents:commit": self._commit,
            "/accounts": self._sign_up,
            "accounts:signInWithPassword": self._sign_in,
            "accounts:delete": self._delete_account,
        }
        self.calls: list[tuple[str, str]] = []
        self.queries: list[Mapping[str, Any]] = []
        self.misuses: list[str] = []
        self.page_size = 100
        self.issues_tokens = True
        self._errors: list[tuple[str, Answer]] = []
        self._delays: list[tuple[str, float]] = []

    @property
    def address(self) -> str:
        """The template of the APIs' addresses."""
        return self.url + "/{api}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # --- what goes wrong ----------------------------------------------------------------------

    def forbid(self, prefix: str) -> None:
        """Answer 403 below `prefix`, as to a caller without the permission."""
        self.fail(prefix, 403, "The caller does not have permission", "PERMISSION_DENIED")

    def disable(self, api: str) -> None:
        """Answer as an API does that has not been enabled in the project."""
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": {"service": f"{api}.googleapis.com", "consumer": "projects/1234567890"},
        }
        message = f"{api} API has not been used in project 1234567890 before or it is disabled."
        self.fail(f"{api}/", 403, message, "PERMISSION_DENIED", info)

    def fail(self, prefix: str, code: int, message: str, status: str, *details: Json) -> None:
        self._errors.append((prefix, _error(code, message, status, *details)))

    def delay(self, prefix: str, seconds: float) -> None:
        """Answer below `prefix` only after `seconds`."""
        self._delays.append((prefix, seconds))

    def token(self) -> Answer:
        """An access token for the key file's account, as oauth2.googleapis.com gives it."""
        if self.issues_tokens:
            return 200, {"access_token": TOKEN, "expires_in": 3600}
        return 400, {"error": "invalid_grant", "error_description": "Token has been revoked."}

    # --- the server ---------------------------------------------------------------------------

    def answer(
        self, verb: str, path: str, query: Mapping[str, Any], headers: Any, body: Json | None
    ) -> Answer:
        api, _, rest = path.partition("/")
        self.calls.append((verb, path))
        self.queries.append(query)
        time.sleep(sum(seconds for prefix, seconds in self._delays if path.startswith(prefix)))
        if headers.get("Authorization") != f"Bearer {TOKEN}" and "key" not in query:
            return _error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
        method = discovery.method(verb, api, rest)
        if method is None:
            self.misuses.append(f"there is no method for {verb} {path}")
            return _error(404, "Method not found.", "NOT_FOUND")
        if found := method.faults_of_call(query, body):
            self.misuses += found
            return _error(400, "Invalid request.", "INVALID_ARGUMENT")
        for prefix, error in self._errors:
            if path.startswith(prefix):
                return error
        with self._lock:
            code, content = self._served(verb, path, query, body, method)
        if code == 200:
            self.misuses += method.faults_of_answer(content)
        return code, content

    def _served(
        self,
        verb: str,
        path: str,
        query: Mapping[str, Any],
        body: Json | None,
        method: discovery.Method,
    ) -> Answer:
        handler = next((each for end, each in self.handlers.items() if path.endswith(end)), None)
        answer = _error(404, "Requested entity was not found.", "NOT_FOUND")
        if handler is not None:
            answer = handler(body or {})
        elif path in self.resources and verb in ("GET", "POST"):
            answer = 200, self.resources[path]
        elif verb == "GET" and method.list_field:
            answer = 200, self._page(path, query, method.list_field)
        elif verb == "POST":
            answer = self._created(path, body or {})
        elif verb == "PUT" or (verb == "PATCH" and path in self.resources):
            self.resources[path] = self.resources.get(path, {}) | (body or {})
            answer = 200, self.resources[path]
        elif verb == "DELETE":
            self.resources.pop(path, None)
            answer = 200, {}
        return answer

    def _page(self, path: str, query: Mapping[str, Any], field: str) -> Json:
        items = [
            resource for name, resource in self.resources.items() if name.rpartition("/")[0] == path
        ]
        start = int(query.get("pageToken", ["0"])[0])
        end = start + self.page_size
        answer: Json = {field: items[start:end]} if items else {}
        return answer | ({"nextPageToken": str(end)} if end < len(items) else {})

    def _created(self, path: str, body: Json) -> Answer:
        """A resource below a collection, under the name it brings or a new one."""
        api, version, parent = path.split("/", 2)
        name = body.get("name") or f"{parent}/{uuid.uuid4().hex[:8]}"
        place = f"{api}/{version}/{name}"
        if place in self.resources:
            return _error(409, "Requested entity already exists.", "ALREADY_EXISTS")
        self.resources[place] = {"name": name} | body
        return 200, self.resources[place]

    def _commit(self, body: Json) -> Answer:
        """Firestore's commit, of writes that create documents."""
        names = [f"firestore/v1/{write['update']['name']}" for write in body["writes"]]
        if any(name in self.resources for name in names):
            return _error(409, "Document already exists.", "ALREADY_EXISTS")
        for name, write in zip(names, body["writes"], strict=True):
            self.resources[name] = write["update"]
        return 200, {"writeResults": [{} for _ in names]}

    def _sign_up(self, body: Json) -> Answer:
        self.accounts[body["localId"]] = body
        return 200, {"localId": body["localId"]}

    def _sign_in(self, body: Json) -> Answer:
        for uid, account in self.accounts.items():
            if all(account[name] == body[name] for name in ("email", "password")):
                return 200, {"localId": uid, "idToken": f"id-token-of-{uid}"}
        return _error(400, "INVALID_LOGIN_CREDENTIALS", "INVALID_ARGUMENT")

    def _delete_account(self, body: Json) -> Answer:
        self.accounts.pop(body["localId"])
        return 200, {}


def _error(code: int, message: str, status: str, *details: Json) -> Answer:
    error: Json = {"code": code, "message": message, "status": status}
    return code, {"error": error | ({"details": list(details)} if details else {})}


def _handler(fake: FakeGoogle) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            url = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = unquote(url.path).lstrip("/")
            if path == "token":
                code, answer = fake.token()
            else:
                body = json.loads(content) if content else None
                code, answer = fake.answer(
                    self.command, path, parse_qs(url.query), self.headers, body
                )
            text = json.dumps(answer).encode()
            try:
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except BrokenPipeError:
                pass  # the caller did not wait: that is what a delay is for

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def credentials_file(fake: FakeGoogle, directory: Path) -> Path:
    """A key file of a service account whose tokens the fake issues."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = directory / "credentials.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "client_email": "deployer@my-app.iam.gserviceaccount.com",
                "private_key": pem.decode(),
                "token_uri": f"{fake.url}/token",
                "project_id": "my-app",
            }
        )
    )
    return path
