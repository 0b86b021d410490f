"""The life of an invented app, day by day: who joins, who orders what, and how each request ends.

Nothing here writes to Firestore. The documents that the app's own code (requests, ledger) writes
are collected in `Life.written`, so the books are right because that code has kept them. The same
seed and the same days give the same documents.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from imagegen import db
from imagegen.catalogue.catalogue import Catalogue
from imagegen.credits import ledger
from imagegen.firestore.store import Document
from imagegen.generation import orders
from imagegen.generation.request import REFUNDED, Mode, RequestDocument
from imagegen.generation.settle import Outcome
from imagegen.providers.base import GeneratorError, StoredImage
from imagegen.purchases.purchase import Provider, PurchaseDocument, PurchaseStatus
from imagegen.report.weeks import Day

PREFIX = "demo-"  # of the users' ids
FIRST_USERS = 70
REQUESTS_A_DAY = 80.0
WEEKDAYS = (1.0, 1.05, 1.0, 1.1, 1.2, 0.85, 0.75)  # Monday first
WEEKLY_GROWTH = 1.01
NEW_USERS_A_DAY = 2
HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 8, 9, 8, 8, 8, 9, 10, 12, 13, 12, 9, 5, 3)
FAILURE_RATES = {"Model A": 0.03, "Model B": 0.05}
OPENING, PURCHASE = 20, 50  # credits
PRODUCT, PRICE = "pack-50", 490  # the price in cents
SCENES = "a lighthouse, a fox, an old harbour, a city of glass, a tea house, a sleeping dragon"
TIMES = "at dusk, in the rain, under northern lights, on a spring morning, in deep snow"
# A placeholder: an update needs the update time of its document, and these were never read.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Weather:
    """How a day differs from an ordinary one."""

    demand: float = 1.0  # how many times the usual number of requests
    style: str | None = None  # the style of the additional requests
    failing: Mapping[str, float] | None = None  # model -> failure rate
    newcomers: int = 0  # additional new users
    spree: int = 0  # requests of the largest size by one user


class Life:
    """The app so far: its users, and in `written` the documents that changed since `take`."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self.catalogue = catalogue
        # Only these have an image for every request without anybody making it.
        self.mocks = {
            name: model for name, model in catalogue.models.items() if model.generator == "mock"
        }
        self.rng = random.Random(seed)  # noqa: S311 - an invented life
        self.users: dict[str, Document] = {}
        self.weights: dict[str, float] = {}
        self.written: dict[str, Mapping[str, Any]] = {}
        self.days = 0

    def take(self) -> dict[str, Mapping[str, Any]]:
        """Path and fields of every document that has changed since the last call."""
        taken, self.written = self.written, {}
        return taken

    def begin(self, moment: datetime) -> None:
        """Create the users who joined before the first day."""
        for number in range(FIRST_USERS):
            self._join(moment - timedelta(days=self.rng.uniform(1, 200), seconds=number))

    def live(self, day: Day, weather: Weather, until: datetime) -> None:
        """Live through one day, up to `until`."""
        today, rng = date.fromisoformat(day.date), self.rng
        growth = WEEKLY_GROWTH ** (self.days / 7)
        usual = REQUESTS_A_DAY * WEEKDAYS[today.weekday()] * growth * rng.gammavariate(150, 1 / 150)
        additional = usual * max(0.0, weather.demand - 1)
        joined = sum(rng.random() < 0.5 for _ in range(2 * NEW_USERS_A_DAY)) + weather.newcomers
        events: list[tuple[datetime, str, str | None]] = []
        events += [(self._moment(day), "join", None) for _ in range(joined)]
        events += [
            (self._moment(day), "order", None)
            for _ in range(self._about(usual * min(1.0, weather.demand)))
        ]
        events += [
            (self._moment(day), "order", weather.style) for _ in range(self._about(additional))
        ]
        events += [(self._moment(day), "spree", None) for _ in range(weather.spree)]
        self.days += 1
        for moment, what, style in sorted(events, key=lambda each: each[0]):
            if moment >= until - timedelta(minutes=5):
                continue
            match what:
                case "join":
                    self._join(moment)
                case "spree":
                    self._order(self._spender(), moment, weather, size=self._largest())
                case _:
                    self._order(self._somebody(), moment, weather, style=style)

    def _about(self, mean: float) -> int:
        return max(0, round(self.rng.gauss(mean, mean**0.5)))

    def _moment(self, day: Day) -> datetime:
        share = (self.rng.choices(range(24), HOURS)[0] + self.rng.random()) / 24
        moment = day.start + (day.end - day.start) * share
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def _somebody(self) -> str:
        return self.rng.choices([*self.weights], [*self.weights.values()])[0]

    def _spender(self) -> str:
        """The same user every time: the first."""
        return next(iter(self.weights))

    def _largest(self) -> str:
        return max(self.catalogue.sizes.values(), key=lambda size: size.credits).name

    # --- what users do ------------------------------------------------------------------------

    def _join(self, moment: datetime) -> None:
        number = len(self.users) + 1
        user_id = f"{PREFIX}user-{number:03}"
        user = {
            "credits": OPENING,
            "ledgerSequence": 0,
            "createdAt": moment,
            "updatedAt": moment,
        }
        self.users[db.user(user_id)] = Document(db.user(user_id), user, NEVER)
        self.written[db.user(user_id)] = user
        self.weights[user_id] = min(8.0, self.rng.paretovariate(1.5))

    def _order(
        self,
        user_id: str,
        moment: datetime,
        weather: Weather,
        *,
        style: str | None = None,
        size: str | None = None,
    ) -> None:
        catalogue, rng = self.catalogue, self.rng
        order = orders.CreateGenerationRequest(
            user_id=user_id,
            model=self._pick(self.mocks),
            style=style or self._pick(catalogue.styles),
            color=self._pick(catalogue.colors),
            size=size or self._pick(catalogue.sizes),
            prompt=" ".join(rng.choice(part.split(", ")) for part in (SCENES, TIMES)),
            mode="async" if rng.random() < 0.15 else "sync",
        )
        choice = catalogue.choose(
            model=order.model, style=order.style, color=order.color, size=order.size
        )
        request_id, price = f"{rng.getrandbits(128):032x}", choice.size.credits
        if self.users[db.user(user_id)]["credits"] < price:
            self._purchase(user_id, moment)
        request_path = db.generation_request(request_id)

        def charge(transaction: db.Transaction) -> None:
            parts = ledger.deduct(transaction, user_id, request_id, price, moment)
            fields = orders.new_request(
                order,
                choice,
                order.mode or Mode.SYNC,
                f"{rng.getrandbits(128):032x}",
                moment,
                parts,
            )
            transaction.create(request_path, fields | {"startedAt": moment, "attempts": 1})

        request = self._apply(charge, user_id, Document(request_path))[request_path]
        self._settle(replace(request, update_time=NEVER), weather, choice.model.settings)

    def _settle(self, request: Document, weather: Weather, settings: Mapping[str, Any]) -> None:
        rates = {**FAILURE_RATES, **(weather.failing or {})}
        moment = request["createdAt"] + timedelta(milliseconds=self.rng.randint(900, 9000))
        outcome = Outcome.completed(StoredImage(str(settings.get("imageUrl", ""))))
        if request["mode"] == "async" and self.rng.random() < 0.05:
            outcome = Outcome.canceled()
        elif self.rng.random() < rates.get(request["model"], 0.03):
            error = GeneratorError("MOCK_FAILURE", "The mock model failed.", retryable=True)
            outcome = Outcome.failed(error)

        def settle(transaction: db.Transaction) -> None:
            transaction.update(request.path, outcome.fields(moment))
            if outcome.status in REFUNDED:
                ledger.refund(
                    transaction,
                    request["userId"],
                    request.id,
                    request["credits"],
                    moment,
                    charged_at=request["createdAt"],
                    parts=RequestDocument(request).lots,
                    reason=outcome.error.reason if outcome.error else "CANCELED",
                )

        self._apply(settle, request["userId"], request)

    def _purchase(self, user_id: str, moment: datetime) -> None:
        purchase_id, bought = f"{self.rng.getrandbits(64):016x}", moment - timedelta(seconds=30)
        purchase = Document(db.purchase(purchase_id))
        fields = PurchaseDocument.fields(
            user_id=user_id,
            product_id=PRODUCT,
            provider=Provider.STRIPE,
            status=PurchaseStatus.PAID,
            credits=PURCHASE,
            lot_id=purchase_id,
            amount=PRICE,
            currency="usd",
            is_test=True,
            created_at=bought,
            paid_at=bought,
            booked_at=bought,
            updated_at=bought,
        )

        def buy(transaction: db.Transaction) -> None:
            ledger.purchase(transaction, user_id, purchase_id, PURCHASE, bought, reason=PRODUCT)
            transaction.create(purchase.path, fields)

        self._apply(buy, user_id, purchase)

    def _pick(self, options: Mapping[str, Any]) -> str:
        """An option of the catalogue; the first ones are chosen most often."""
        enabled = [name for name, option in options.items() if option.enabled]
        return self.rng.choices(enabled, [1 / (rank + 2) for rank in range(len(enabled))])[0]

    def _apply(self, decide: Any, user_id: str, *documents: Document) -> Mapping[str, Document]:
        """Do what `db.transact` does, without Firestore."""
        user_path = db.user(user_id)
        transaction = db.Transaction([self.users[user_path], *documents])
        decide(transaction)
        for path in transaction.writes:
            self.written[path] = transaction[path].fields or {}
        self.users[user_path] = replace(transaction[user_path], update_time=NEVER)
        return {each.path: transaction[each.path] for each in documents}
