"""A shop for tests: Firestore in memory, the stand-in for Stripe, and users who buy."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from firebase_admin import auth
from simulation.memory_store import MemoryStore
from stripe_stub import objects
from stripe_stub.prices import PRICES, PRODUCTS
from stripe_stub.server import Stub

from imagegen import clock, db
from imagegen.api.auth import Caller
from imagegen.catalogue import products
from imagegen.credits import ledger
from imagegen.purchases import checkout, stripe

Json = dict[str, Any]
APP = "https://app.example.com"


class Shop:
    """Everything that a purchase touches, without the emulators."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = MemoryStore(clock.now)
        self.auth_users: set[str] = set()
        self.stub = Stub(PRICES).start()
        self.world = self.stub.world
        self._told = 0
        monkeypatch.setattr(db, "connection", lambda: self.store)
        monkeypatch.setattr(auth, "get_user", self._get_user)
        products.forget()
        for name, value in {
            "PAYMENTS": "both",
            "STRIPE_API_BASE": self.stub.url,
            "STRIPE_SECRET_KEY": "sk_test_x",
            "CHECKOUT_ORIGINS": f"{APP}, http://127.0.0.1:5000",
        }.items():
            monkeypatch.setenv(name, value)
        for path, fields in PRODUCTS.items():
            self.store.put(path, fields)
        self.store.put("users/ann", {"credits": 0})

    def _get_user(self, uid: str, app: object = None) -> object:
        if uid not in self.auth_users:
            raise auth.UserNotFoundError(f"no {uid}")
        return uid

    # --- at the app -------------------------------------------------------------------------

    def checkout(
        self, product_id: str = "pack-100", user_id: str = "ann", caller: Caller | None = None
    ) -> str:
        """The id of a new checkout session."""
        url = checkout.session_url(user_id, product_id, f"{APP}/ok", f"{APP}/no", caller)
        return url.rpartition("/")[2]

    def buy(self, product_id: str = "pack-100", user_id: str = "ann") -> Json:
        """The session of a checkout that is paid for; its events wait."""
        return self.world.pay(self.checkout(product_id, user_id))

    def told(self) -> list[Json]:
        """The events since the last call."""
        found = self.stub.delivery.sent[self._told :]
        self._told = len(self.stub.delivery.sent)
        return found

    def deliver(self) -> list[Json]:
        """Hand over the events that wait, in order."""
        events = self.told()
        for event in events:
            stripe.handle(event)
        return events

    def event(self, kind: str, it: Json, *, at: int | None = None) -> Json:
        """An event that Stripe might send, not sent yet."""
        return objects.event(kind, it) | {"created": at or int(time.time())}

    # --- in Firestore -----------------------------------------------------------------------

    def document(self, path: str) -> Mapping[str, Any]:
        (found,) = self.store.read([path], 1)
        return found.fields or {}

    def purchases(self) -> dict[str, Mapping[str, Any]]:
        """All purchases, by id."""
        return {
            path.partition("/")[2]: document.fields or {}
            for path, document in self.store.documents.items()
            if path.startswith("purchases/")
        }

    def purchase(self) -> Mapping[str, Any]:
        """The only purchase."""
        (found,) = self.purchases().values()
        return found

    def entries(self, user_id: str = "ann") -> list[tuple[str, int]]:
        """Type and delta of a user's entries, the oldest first."""
        prefix = f"users/{user_id}/transactions/"
        found = [d for path, d in self.store.documents.items() if path.startswith(prefix)]
        found.sort(key=lambda entry: entry["sequence"])
        return [(entry["type"], entry["delta"]) for entry in found]

    def balance(self, user_id: str = "ann") -> int:
        """A user's balance, which is checked against the entries, the lots and the debt."""
        user = self.document(f"users/{user_id}")
        balance: int = user["credits"]
        assert balance >= 0
        assert balance == sum(change for _, change in self.entries(user_id))
        assert balance == sum(lot["remaining"] for lot in user.get("lots", {}).values())
        owned = [p for p in self.purchases().values() if p.get("userId") == user_id]
        assert user.get("debt", 0) == sum(p.get("owed", 0) for p in owned)
        for each in owned:
            taken = sum(each.get(name, 0) for name in ("clawedBack", "owed", "waived"))
            assert 0 <= taken <= each.get("credits", 0)
        return balance

    def spend(self, credits: int, user_id: str = "ann") -> None:
        """Spend credits, as a generation request does."""
        number = len(self.store.documents)

        def decide(transaction: db.Transaction) -> None:
            ledger.deduct(transaction, user_id, f"request-{number}", credits, clock.now())

        db.transact(decide, db.user(user_id))


def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """For `pytest.fixture`: a shop with the user `ann`, who has nothing."""
    made = Shop(monkeypatch)
    yield made
    made.stub.stop()
