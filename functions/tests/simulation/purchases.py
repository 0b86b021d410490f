"""Purchases as a payment provider tells of them: the state decides, not the order of arrival."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from imagegen import clock, db
from imagegen.credits import clawback, closures, ledger
from imagegen.credits.account import Account
from imagegen.credits.clawback import PurchasedCredits
from imagegen.credits.lots import Kind

PURCHASES = ("pack1", "pack2")
CREDITS = 6  # of each
GRACE = timedelta(seconds=1)  # a period that has ended before it is booked lasts a moment more


@dataclass(frozen=True)
class Bought:
    """A purchase of a user; one with an expiry is a period of a subscription."""

    user_id: str
    name: str
    expires_at: datetime | None = None

    @property
    def id(self) -> str:
        return f"{self.user_id}-{self.name}"

    @property
    def path(self) -> str:
        return db.purchase(self.id)

    def book(self) -> None:
        """Add the lot, and collect what any purchase of the user owes."""
        others = [Bought(self.user_id, name).id for name in PURCHASES if name != self.name]

        def decide(transaction: db.Transaction) -> None:
            if transaction[self.path].exists:
                return
            moment, holder = clock.now(), closures.holder(transaction, self.user_id)
            kind = Kind.SUBSCRIPTION if self.expires_at else Kind.PURCHASE
            ledger.purchase(
                transaction,
                self.user_id,
                self.id,
                CREDITS,
                moment,
                kind=kind,
                expires_at=self.expires_at and max(self.expires_at, moment + GRACE),
            )
            fields = {"userId": holder, "credits": CREDITS, "clawedBack": 0, "owed": 0}
            transaction.create(self.path, fields)
            account = Account(transaction, holder, moment)
            for purchase_id in others:
                clawback.collect(account, purchase_id)

        db.transact(decide, self.path, db.user(self.user_id), *map(db.purchase, others))

    def take_back(self, target: int) -> None:
        """Have `target` credits of it taken back, or owed: more than now, or fewer."""

        def decide(transaction: db.Transaction) -> None:
            stands = PurchasedCredits(transaction[self.path])
            if not stands.exists:
                return
            holder = closures.holder(transaction, str(stands.document["userId"]))
            if holder != stands.document["userId"]:
                transaction.update(self.path, {"userId": holder})
            account = Account(transaction, holder, clock.now())
            difference = target - stands.clawed_back - stands.owed
            if difference > 0:
                clawback.claw_back(account, self.id, difference, reason="refund")
            elif difference < 0:
                clawback.reinstate(account, self.id, -difference, reason="dispute won")

        db.transact(decide, self.path, db.user(self.user_id))
