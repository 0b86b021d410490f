"""Who is told of events: servers that fail, hang and go away, and phones.

They keep what has reached them, and compare it with the outbox: nothing may be told that has not
been committed.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from email.message import Message
from typing import Any

from imagegen.notifications.event import (
    DeliveryStatus,
    EventDocument,
    EventType,
    Result,
    most_attempts,
)
from imagegen.outbound import OutboundUnanswered, OutboundUnreachable, Response
from simulation.memory_store import MemoryStore
from simulation.plan import Plan
from simulation.world import EPOCH, Violation, World

SECRET = "whsec_" + base64.b64encode(b"a secret of the simulation").decode()
# What each endpoint asked for.
SUBSCRIBED: tuple[tuple[str, ...], ...] = (
    tuple(EventType),
    ("generation.completed", "generation.failed", "credits.low"),
)


class Consumers:
    """The endpoints of a plan, and the devices of its users."""

    def __init__(self, world: World, plan: Plan, memory: MemoryStore) -> None:
        self._world = world
        self._memory = memory
        self._fails = plan.consumer_failure_rate
        self._goes_away = plan.consumer_goes_away
        self.over = False
        self.types = {f"endpoint{n}": SUBSCRIBED[n] for n in range(plan.endpoints)}
        self.dropped: set[str] = set()  # events of users who have left
        self.gone: set[str] = set()  # endpoints that have answered 410
        self.reached: set[tuple[str, str]] = set()  # (endpoint or "push", event)

    def furnish(self) -> None:
        """Register the endpoints."""
        for endpoint_id, types in self.types.items():
            fields = {
                "url": f"https://{endpoint_id}.test/hook",
                "types": list(types),
                "secrets": [{"secret": SECRET, "expiresAt": None}],
                "createdAt": EPOCH,
            }
            self._memory.put(f"webhookEndpoints/{endpoint_id}", fields)

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes, **_: Any
    ) -> Response:
        """As `outbound.request`, of which it takes the place."""
        endpoint_id = url.removeprefix("https://").partition(".")[0]
        random = self._world.random
        self._world.note(self._world.running(), f"POST to {endpoint_id}")
        self._world.pause(random.random() / 10)
        fault = None if self.over or random.random() >= self._fails else random.randrange(6)
        if fault == 0:
            raise OutboundUnreachable("by schedule")
        if fault == 1:
            return self._answer(random.choice((302, 404, 429, 500)))
        if fault == 2 and self._goes_away:
            self.gone.add(endpoint_id)
            return self._answer(410)
        if fault == 3:
            self._world.kill(self._world.running().process)  # and the next line ends the task
            self._world.pause(0)
        self._receive(endpoint_id, headers, body)
        if fault in (4, 5):  # received, and not answered
            self._world.pause(15)
            raise OutboundUnanswered("by schedule")
        return self._answer(200)

    def push(self, event: EventDocument, user_id: str, found: Sequence[Any]) -> Result:
        """As `push._send`, of which it takes the place."""
        self._world.pause(self._world.random.random() / 10)
        if not self.over and self._world.random.random() < self._fails:
            return Result(DeliveryStatus.PENDING, "by schedule")
        self._require_committed(event.id, event.type)
        self.reached.add(("push", event.id))
        return Result(DeliveryStatus.DELIVERED, "sent")

    def _receive(self, endpoint_id: str, headers: Mapping[str, str], body: bytes) -> None:
        event_id, content = headers["webhook-id"], json.loads(body)
        signed = f"{event_id}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        if headers["webhook-signature"] != f"v1,{expected}":
            self._world.accuse(f"{endpoint_id} got a signature that is wrong")
        if content["id"] != event_id:
            self._world.accuse(f"{endpoint_id} got {content['id']} under the id {event_id}")
        self._require_committed(event_id, content["type"])
        self.reached.add((endpoint_id, event_id))

    def _require_committed(self, event_id: str, event_type: str) -> None:
        document = self._memory.documents.get(f"events/{event_id}")
        if document is None and event_id in self.dropped:
            return
        if document is None or document["type"] != event_type:
            self._world.accuse(f"{event_type} was told and is not in the outbox")

    def _answer(self, status: int) -> Response:
        return Response(status, Message(), b"")

    def recover(self, recover: Callable[[], Any]) -> None:
        """Let recovery run for as long as something is pending."""
        for _ in range(10):
            times = [
                fields["nextAttemptAt"]
                for fields in self._events().values()
                if fields.get("nextAttemptAt") is not None
            ]
            if not times:
                return
            last = (max(times) - EPOCH).total_seconds()
            self._world.run(until=max(self._world.seconds, last) + 1)
            self._world.spawn("event recovery", "recovery of events runs", recover)
            self._world.run()

    def check_at_rest(self, is_edited: Callable[[str], bool]) -> None:
        """Every event has reached everybody whom it is for, or the outbox says why not.

        `is_edited`: what the event at a path is about has been deleted or made malformed by hand.
        """
        for event_id, fields in self._events().items():
            if is_edited(fields["about"]):
                continue
            for name, delivery in fields["deliveries"].items():
                status = delivery["status"]
                if status == "dropped" and name in self.gone:
                    continue
                if status == "failed" and delivery["attempts"] == most_attempts(name):
                    continue
                if status != "delivered":
                    raise Violation(f"{fields['type']} to {name} is {status} at rest")
                if (name, event_id) not in self.reached:
                    raise Violation(f"{fields['type']} to {name} is said to be delivered")

    def _events(self) -> dict[str, Mapping[str, Any]]:
        return {
            path.removeprefix("events/"): document.fields or {}
            for path, document in self._memory.documents.items()
            if path.startswith("events/")
        }
