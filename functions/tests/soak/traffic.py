"""What the clients of the soak do, and what they remember of it.

Clients behave as real ones do: an order has an idempotency key, and is sent again, unchanged, until
an answer settles it; the shop's server sends an event again until it is answered 200.
"""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from typing import Any

import httpx
from stripe_stub.delivery import signature
from support.orders import order_body

CREATE = "createGenerationRequest"
SETTLED = {200, 202, 402, 500}  # done or taken; too few credits; failed and refunded
UNSETTLED = {409, 503}  # at work, or out of reach: ask again
LEFT = {"ACCOUNT_CLOSING", "USER_NOT_FOUND"}  # what orders of a deleted account are refused with
PAUSES_SECONDS = (0.25, 0.5, 1, 2, *[4] * 8)  # after each try
CLIENT_SECONDS = 60
SECRET = "soak-secret"
PACK, PACK_CREDITS = "com.example.imagegen.pack100", 100
Call = dict[str, Any]


class Journal:
    """Everything that was sent and answered; for any number of clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answers: Counter[tuple[str, int]] = Counter()  # 0: none
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.orders: list[tuple[Call, httpx.Response | None]] = []
        self.statements: list[httpx.Response] = []
        self.purchases: list[Call] = []  # one event of each
        self.unanswered: list[Call] = []  # events that were not taken
        self.left: list[str] = []  # users who have deleted their accounts

    def note(self, function: str, status: int, seconds: float) -> None:
        with self._lock:
            self.answers[function, status] += 1
            if status:
                self.seconds[function].append(seconds)

    def told(self) -> list[str]:
        """The clients' view, a line for each function: answers, p50 and p99."""
        lines = []
        for function, times in sorted(self.seconds.items()):
            ranked = sorted(times)
            p50, p99 = (ranked[int(share * len(ranked))] for share in (0.5, 0.99))
            codes = {code: n for (name, code), n in self.answers.items() if name == function}
            lines.append(
                f"{function}: p50 {p50:.3f} s, p99 {p99:.3f} s, {dict(sorted(codes.items()))}"
            )
        return lines

    def unavailable(self) -> float:
        """The share of all calls that were answered 503, or not at all."""
        failed = sum(n for (_, code), n in self.answers.items() if code in (0, 503))
        return failed / self.answers.total()


class Client:
    """One client, which does one thing after the other, and waits for no answer once `stopped`."""

    def __init__(
        self, url: str, users: list[str], journal: Journal, stopped: threading.Event, seed: int
    ) -> None:
        self._url, self._users, self._journal, self._stopped = url, users, journal, stopped
        self._chance = random.Random(seed)
        self._recent: deque[Call] = deque(maxlen=3)
        self._http = httpx.Client(timeout=CLIENT_SECONDS, trust_env=False)

    def act(self) -> None:
        actions = {
            self._order: 45, self._order_in_background: 20, self._look_at_credits: 15,
            self._look_at_gallery: 12, self._repeat_order: 4, self._buy: 4,
        }  # fmt: skip
        names, weights = list(actions), list(actions.values())
        while not self._stopped.is_set():
            self._chance.choices(names, weights)[0]()
        self._http.close()

    def _user(self) -> str:
        return self._chance.choice(self._users)

    def _new_order(self, **changes: Any) -> Call:
        model = self._chance.choices(["Sure Model", "Doomed Model"], [4, 1])[0]
        size = self._chance.choices(["512x512", "1024x1024"], [3, 1])[0]
        key = uuid.UUID(int=self._chance.getrandbits(128)).hex
        return order_body(self._user(), model=model, size=size, idempotencyKey=key, **changes)

    def _order(self) -> None:
        body = self._new_order()
        self._recent.append(body)
        self._journal.orders.append((body, self.settled(CREATE, body)))

    def _repeat_order(self) -> None:
        if self._recent:
            body = self._chance.choice(self._recent)
            self._journal.orders.append((body, self.settled(CREATE, body)))

    def _order_in_background(self) -> None:
        body = self._new_order(mode="async")
        answer = self.settled(CREATE, body)
        self._journal.orders.append((body, answer))
        if answer is None or answer.status_code != 202:
            return
        named = {"generationRequestId": answer.json()["generationRequestId"]}
        if self._chance.random() < 0.25:
            self.once("cancelGenerationRequest", named)
        self.once("getGenerationStatus", named)

    def _look_at_credits(self) -> None:
        answer = self.once("getUserCredits", {"userId": self._user(), "pageSize": 1000})
        if answer is not None and answer.status_code == 200:
            self._journal.statements.append(answer)

    def _look_at_gallery(self) -> None:
        self.once("listGenerationRequests", {"userId": self._user(), "pageSize": 20})

    def _buy(self) -> None:
        """Pay in a store, whose server tells the webhook, sometimes twice."""
        event = {
            "app_user_id": self._user(),
            "environment": "PRODUCTION",
            "event_timestamp_ms": int(time.time() * 1000),
            "id": uuid.uuid4().hex,
            "type": "NON_RENEWING_PURCHASE",
            "product_id": PACK,
            "store": "APP_STORE",
            "transaction_id": uuid.uuid4().hex,
        }
        self._journal.purchases.append(event)
        for _ in range(self._chance.choices([1, 2], [9, 1])[0]):
            if self.tell(event) is None:
                self._journal.unanswered.append(event)

    def tell(self, event: Call) -> httpx.Response | None:
        """Send an event, signed, until it is taken."""
        body = json.dumps({"event": event}).encode()
        for pause_seconds in PAUSES_SECONDS:
            headers = {"X-RevenueCat-Webhook-Signature": signature(body, SECRET)}
            answer = self.once("revenueCatWebhook", body, headers)
            if answer is not None and answer.status_code == 200:
                return answer
            if self._stopped.wait(pause_seconds):
                break
        return None

    def settled(
        self, function: str, body: Call, headers: Mapping[str, str] | None = None
    ) -> httpx.Response | None:
        """What a patient client ends up with: the answer that settles the call, or None."""
        for pause_seconds in PAUSES_SECONDS:
            answer = self.once(function, body, headers)
            if answer is not None and (answer.status_code in SETTLED or has_left(answer)):
                return answer
            assert answer is None or answer.status_code in UNSETTLED, answer.text
            if self._stopped.wait(pause_seconds):
                break
        return None

    def once(
        self, function: str, body: Call | bytes, headers: Mapping[str, str] | None = None
    ) -> httpx.Response | None:
        """One call; None when the server is killed, or not there again yet."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        began = time.monotonic()
        try:
            answer = self._http.post(f"{self._url}{function}", content=content, headers=headers)
        except httpx.TransportError:
            self._journal.note(function, 0, 0.0)
            return None
        self._journal.note(function, answer.status_code, time.monotonic() - began)
        return answer


def has_left(answer: httpx.Response) -> bool:
    """Whether a call is refused because the user's account is deleted, or about to be."""
    return answer.status_code in {404, 409} and answer.json()["error"]["details"]["reason"] in LEFT
