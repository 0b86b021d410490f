"""What comes in and what goes out, the same for all four protocols."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import HTTP
from typing import Any

from studio.faults import Fault


@dataclass(frozen=True)
class Request:
    """One request, as it came."""

    method: str
    path: str
    headers: Message
    body: bytes
    base_url: str  # the address of the studio as the caller knows it

    def json(self) -> Any:
        """The JSON body; an empty object where there is none."""
        return json.loads(self.body or b"{}")

    def form(self) -> dict[str, bytes]:
        """The fields of a multipart form, files among them."""
        kind = self.headers["Content-Type"].encode()
        message = message_from_bytes(
            b"Content-Type: " + kind + b"\r\n\r\n" + self.body, policy=HTTP
        )
        fields = {}
        for part in message.iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            content: Any = part.get_payload(decode=True)
            fields[name] = bytes(content)
        return fields


@dataclass(frozen=True)
class Reply:
    """One reply: JSON, or bytes of a type. With `drip`, one byte at a time; `lost`, none at all."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    drip: bool = False
    lost: bool = False

    def body(self) -> bytes:
        return (
            self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        )


NOT_FOUND = Reply({"error": {"message": "There is no such thing here."}}, status=404)


@dataclass
class Job:
    """An order: what to draw, and what goes wrong. fal and Replicate work on it for a while."""

    fault: Fault | None
    prompt: str
    width: int
    height: int
    photo: bytes | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: float = field(default_factory=time.monotonic)
    canceled: bool = False
