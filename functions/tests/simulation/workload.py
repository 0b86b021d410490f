"""What clients, operators, the queue and the clock do in one seed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

from imagegen import db
from imagegen.api.endpoint import declaration_of
from imagegen.credits import ledger
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.generation import create as generation
from imagegen.generation import recovery
from imagegen.generation.endpoints import cancel_generation_request, get_generation_status
from simulation.books import OPEN, Books
from simulation.hand_edits import HandEdits
from simulation.memory_store import MemoryStore
from simulation.orders import MODELS, Named, Offered, Wanted
from simulation.plan import Plan
from simulation.world import Task, World

RECOVERY_SECONDS = 300
CATALOGUE: dict[str, dict[str, Any]] = {
    "models/Model A": {
        "generator": "mock",
        "imageUrl": "https://images.test/a",
        "aliases": ["flash"],
        "sortOrder": 1,
    },
    "models/Model B": {
        "generator": "mock",
        "imageUrl": "https://images.test/b",
        "sortOrder": 2,
    },
    # Paid for, each in the other's place where it is out of order.
    "models/Model C": {"generator": "at-once", "fallbackModel": "Model D", "sortOrder": 3},
    "models/Model D": {"generator": "by-job", "fallbackModel": "Model C", "sortOrder": 4},
    "styles/anime": {"sortOrder": 1},
    "styles/sketch": {"sortOrder": 2},
    "colors/neon": {"sortOrder": 1},
    "sizes/small": {"credits": 1, "width": 512, "height": 512},
    "sizes/large": {"credits": 3, "width": 1024, "height": 1024},
}


class Workload:
    """Schedules everything that is started from outside; `answered` is told of every end."""

    def __init__(
        self,
        world: World,
        plan: Plan,
        memory: MemoryStore,
        books: Books,
        offered: Offered,
        answered: Callable[[Task], None],
        shop: Callable[[], None],
    ) -> None:
        self._world = world
        self._random = world.random
        self._plan = plan
        self._memory = memory
        self._books = books
        self._offered = offered
        self._answered = answered
        self._shop = shop
        self._hand_edits = HandEdits(world, memory, books)

    def schedule(self) -> None:
        """Furnish the store, and let everything happen within the plan's span."""
        self._furnish()
        for _ in range(self._plan.calls):
            self._sometime(lambda: self._random.choices(*zip(*self._doings(), strict=True))[0])
        for _ in range(self._plan.changes):
            self._sometime(lambda: self._change_catalogue)
        for _ in range(self._plan.edits):
            self._sometime(lambda: self._hand_edits.edit)
        for _ in range(4):
            self._sometime(lambda: self._jump_clock)
        for number in range(1, 3 + int(self._plan.span_seconds / RECOVERY_SECONDS)):
            for _ in range(self._random.choice((0, 1, 1, 2))):
                start = number * RECOVERY_SECONDS + self._random.random()
                self._step(start, self.recover)
        for _ in range(self._random.choice((0, 0, 2))):  # also when nobody expects it
            self._sometime(lambda: self.recover)

    def _furnish(self) -> None:
        for path, fields in CATALOGUE.items():
            self._put(path, fields)
        for user_id, user in self._plan.users.items():
            if user:
                self._memory.put(db.user(user_id), user)
            if "devices" in user:
                self._memory.put(db.device(user_id, "phone"), {"token": "t", "registered": True})
            self._books.open_account(user_id, user)

    def _doings(self) -> list[tuple[Callable[[], None], int]]:
        return [
            (self._order, 8),
            (self._order_with_key, 8),
            (self._order_at_once, 3),
            (self._cancel, 4),
            (self._look, 2),
            (self._read_statement, 2),
            (self._grant, 2),
            # What a provider knows and what an edit has destroyed could not be told apart.
            (self._shop, 0 if self._plan.edits else 24 if self._plan.sells else 4),
        ]

    def _sometime(self, choose: Callable[[], Callable[[], None]]) -> None:
        """Plan a step whose details are drawn from a strand of its own."""
        with self._world.new_strand():
            self._step(self._random.uniform(0, self._plan.span_seconds), choose())

    def _step(self, start: float, action: Callable[[], None]) -> None:
        with self._world.new_strand():
            if self._world.happens():
                self._world.after(start, action)

    def _call(
        self,
        kind: str,
        about: str,
        body: Callable[[], Any],
        asked: Any = None,
        then: Callable[[Task], None] = lambda task: None,
    ) -> None:
        def done(task: Task) -> None:
            self._answered(task)
            then(task)

        self._world.spawn(kind, about, body, asked=asked, done=done)

    def _some_user(self) -> str:
        return self._random.choice(list(self._plan.users))

    def _some_order(self, **fixed: Any) -> Wanted:
        pick, user_id = self._random.choice, self._some_user()
        return Wanted(
            user_id="nobody" if self._random.random() < 0.02 else user_id,
            model=pick(MODELS),
            style=pick(("anime", "anime", "sketch")),
            size=pick(("small", "large")),
            mode=pick(("sync", "async")),
            spelling=self._random.randrange(4),
            caller=pick((None, *[user_id] * 15, "stranger")),
            **fixed,
        )

    def _place(self, wanted: Wanted, tries: int = 1) -> None:
        def again(task: Task) -> None:
            reason = getattr(task.error, "reason", None)
            unsettled = task.died or reason in ("BACKEND_UNAVAILABLE", "REQUEST_IN_PROGRESS")
            is_again = tries > 1 and (unsettled or self._random.random() < 0.2)
            if is_again and self._world.happens():
                wait = self._random.choice((0, 5, 100)) * self._random.random()
                other = dataclasses.replace(wanted, spelling=self._random.randrange(4))
                self._world.after(wait, lambda: self._place(other, tries - 1))

        sent, caller = wanted.sent(), wanted.who()
        about = f"{wanted.user_id} orders a {wanted.size} image of {wanted.model}, {wanted.mode}"
        about += f", under key {wanted.key}" if wanted.key else ""
        self._call("create", about, lambda: generation.create(sent, caller), wanted, again)

    def _order(self) -> None:
        self._place(self._some_order())

    def _order_with_key(self) -> None:
        """One order, sent several times; sometimes another body slips in under its key."""
        wanted = self._some_order(key=self._random.choice(("k1", "k2", "k3", "k4")))
        for _ in range(self._random.choice((1, 1, 2, 3))):
            if self._world.happens():
                self._place(wanted, tries=3)
        if self._random.random() < 0.3 and self._world.happens():
            other = dataclasses.replace(wanted, prompt="something else")
            self._world.after(self._random.random(), lambda: self._place(other, tries=2))

    def _order_at_once(self) -> None:
        wanted = self._some_order()
        for _ in range(self._random.randint(2, 5)):
            if self._world.happens():
                self._place(wanted)

    def spend(self, user_id: str) -> None:
        """The user orders several images, one soon after the other."""
        for number in range(1, 4):
            wanted = Wanted(user_id=user_id, size="large", mode="async", caller=user_id)
            with self._world.new_strand():
                self._step(0.5 * number, partial(self._place, wanted))

    def _some_request(self) -> Named | None:
        known = list(self._books.requests)
        if not known:
            return None
        request_id = self._random.choice(known[-4:])
        return Named(request_id, entitled=self._random.random() < 0.9)

    def _cancel(self) -> None:
        self._about_request("cancel", cancel_generation_request)

    def _look(self) -> None:
        self._about_request("status", get_generation_status)

    def _about_request(self, kind: str, function: Callable[..., Any], tries: int = 5) -> None:
        named = self._some_request()
        if named is None:
            if tries:  # nobody has ordered anything yet
                wait = self._random.random()
                self._world.after(wait, lambda: self._about_request(kind, function, tries - 1))
            return
        model = declaration_of(function).request
        body = model.model_validate({"generationRequestId": named.request_id})
        owner = self._books.charged_by[named.request_id].asked.user_id
        caller = Wanted(owner, caller=owner if named.entitled else "stranger").who()
        about = f"{owner} asks for request {named.request_id[:6]}"
        self._call(kind, about, lambda: function(body, caller), named)

    def _read_statement(self) -> None:
        user_id = self._some_user()
        body = GetUserCredits(user_id=user_id, view="full")
        caller = Wanted(user_id, caller=user_id).who()
        about = f"{user_id} asks for the balance"
        self._call("statement", about, lambda: get_user_credits(body, caller), user_id)

    def _grant(self) -> None:
        """An operator gives credits, several times under one key."""
        user_id, key = self._some_user(), self._random.choice(("g1", "g2"))
        path, amount = ledger.grant_path(user_id, key), 5

        def give() -> None:
            ledger.grant_credits(user_id, amount, key=key, reason="sorry", by="cli:ann")

        for _ in range(self._random.randint(1, 3)):
            self._call(
                "grant", f"an operator gives {user_id} {amount}, under key {key}", give, path
            )

    def _change_catalogue(self) -> None:
        choices: list[tuple[str, dict[str, Any] | None]] = [
            ("sizes/small", {"credits": 2}),
            ("sizes/large", {"credits": 4}),
            ("sizes/large", {"credits": 2}),
            ("sizes/small", {"enabled": False}),
            ("models/Model B", {"enabled": False}),
            ("models/Model B", None),
            ("styles/sketch", None),
        ]
        path, changes = self._random.choice(choices)
        said = "is not on offer" if changes is None else f"becomes {changes}"
        self._world.tell(f"the operator says that {path} {said}")
        self._put(path, {**CATALOGUE[path], **changes} if changes else None)

    def _put(self, path: str, fields: dict[str, Any] | None) -> None:
        self._memory.put(path, fields)
        collection, _, name = path.partition("/")
        on_offer = fields is not None and fields.get("enabled", True)
        price = fields.get("credits", 1) if fields and on_offer else None
        self._offered.change(collection, name, price, self._world.seconds)

    def _jump_clock(self) -> None:
        self._world.maybe_jump(self._random.choice(self._world.processes), chance=1)

    def meddle(self, request_id: str) -> None:
        """Have recovery run just when a task is delivered whose request has expired."""
        request = self._books.state(request_id)
        if request.get("status") in OPEN and request["expiresAt"] < self._world.moment():
            for _ in range(self._random.choice((0, 1, 3))):
                self._world.after(self._random.random() / 10, self.recover)

    def change_meanwhile(self, call: Task) -> None:
        """Withdraw what an order names while its charge is late, and is thought to have failed."""
        if call.kind == "create" and self._random.random() < 0.5:
            path = self._random.choice((f"sizes/{call.asked.size}", f"models/{call.asked.model}"))
            self._world.tell(f"the operator withdraws {path}")
            self._put(path, {**CATALOGUE[path], "enabled": False})

    def recover(self) -> None:
        self._call("recovery", "recovery runs", recovery.recover)


def faults_end(plan: Plan) -> float:
    """When everything works again."""
    return plan.span_seconds + 400
