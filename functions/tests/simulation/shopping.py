"""What buyers, banks and operators do about purchases in one seed.

Every act is a step of its own, so a story can leave it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imagegen.api.auth import Caller
from imagegen.purchases import booking, checkout, operators
from simulation.memory_store import MemoryStore
from simulation.orders import Offered
from simulation.plan import Plan
from simulation.sales import PRODUCTS, Sale, Sales
from simulation.store_world import ANONYMOUS, StoreWorld
from simulation.stripe_world import StripeWorld
from simulation.world import Task, World

APP = "https://app.test"
PACKS, PERIODS = ("pack", "pack", "day"), ("monthly", "monthly", "yearly")


@dataclass(frozen=True)
class ToBuy:
    """What a checkout is for."""

    user_id: str
    product: str


class Shopping:
    """Plans the acts; `answered` is told of the ends of our own calls."""

    def __init__(
        self,
        world: World,
        plan: Plan,
        memory: MemoryStore,
        offered: Offered,
        sales: Sales,
        stripe: StripeWorld,
        stores: StoreWorld,
        answered: Callable[[Task], None],
    ) -> None:
        self._world = world
        self._random = world.random
        self._plan = plan
        self._memory = memory
        self._offered = offered
        self._sales = sales
        self._stripe = stripe
        self._stores = stores
        self._answered = answered

    def furnish(self) -> None:
        """Put the products on offer, except perhaps one that is forgotten until later."""
        forgotten = self._random.choice((None, None, *PRODUCTS))
        is_forgotten = forgotten is not None and self._world.happens()
        for name in PRODUCTS:
            self._put(name, None if is_forgotten and name == forgotten else PRODUCTS[name])
        if is_forgotten:
            self._world.tell(f"product {forgotten} has been forgotten")

    def shop(self) -> None:
        """Something that has to do with purchases."""
        doings: list[tuple[Callable[[], None], int]] = [
            (self._check_out, 6),
            (self._follow_link, 3),
            (self._subscribe, 4),
            (self._buy_in_store, 4),
            (self._subscribe_in_store, 3),
            (self._change_products, 2),
            (self._book_again, 1),
            (self._waive, 2),
            (self._mislead, 2),
        ]
        self._random.choices(*zip(*doings, strict=True))[0]()

    # --- packs ------------------------------------------------------------------------------

    def _check_out(self) -> None:
        self.check_out(self._some_user())

    def check_out(self, user_id: str) -> None:
        """The user goes to the checkout for a pack, and perhaps pays."""
        asked = ToBuy(user_id, self._random.choice(PACKS))

        def go_on(session: Any) -> None:
            self._settle(self._session_sale(asked, session), session)

        self._call_checkout(asked, go_on)

    def _follow_link(self) -> None:
        """A checkout that we have not made: its metadata may name a purchase that is not ours."""
        asked = ToBuy(self._some_user(), self._random.choice(PACKS))
        names_user, stranger = self._random.random() < 0.8, self._random.random() < 0.3
        session = self._stripe.link(
            asked.user_id, asked.product, names_user=names_user, stranger=stranger
        )
        sale = self._session_sale(asked, session)
        sale.names_user = names_user
        self._settle(sale, session)

    def _session_sale(self, asked: ToBuy, session: Any) -> Sale:
        named = session["metadata"].get("purchaseId", "not-ours")
        purchase_id = f"stripe-{session['id']}" if named == "not-ours" else named
        sale = Sale(purchase_id, asked.user_id, asked.product, session["amount_total"])
        return self._sales.add(sale)

    def _settle(self, sale: Sale, session: Any) -> None:
        """The buyer pays, at once, later or not at all."""
        stripe = self._stripe

        def pay_later() -> None:
            stripe.pay(sale, session, later=True)
            succeeds = self._random.random() < 0.7

            def finish() -> None:
                stripe.finish(sale, session, succeeds=succeeds)
                if succeeds:
                    self._money_goes_back(sale, session["payment_intent"])

            self._act(finish)

        def pay() -> None:
            stripe.pay(sale, session)
            self._money_goes_back(sale, session["payment_intent"])

        ways: list[tuple[Callable[[], None], int]] = [
            (pay, 8),
            (pay_later, 3),
            (lambda: stripe.pay_nothing(sale, session), 1),
            (lambda: stripe.expire(sale, session), 1),
        ]
        self._act(self._random.choices(*zip(*ways, strict=True))[0])

    def _call_checkout(self, asked: ToBuy, go_on: Callable[[Any], None], tries: int = 3) -> None:
        def done(task: Task) -> None:
            self._answered(task)
            if task.error is None:
                go_on(self._stripe.stub.get(task.reply.rpartition("/")[2]))
            elif tries > 1 and self._random.random() < 0.8:
                self._act(lambda: self._call_checkout(asked, go_on, tries - 1))

        def call() -> str:
            back = (f"{APP}/ok", f"{APP}/no")
            caller = Caller(uid=asked.user_id)
            return checkout.session_url(asked.user_id, asked.product, *back, caller)

        about = f"{asked.user_id} goes to the checkout for {asked.product}"
        self._world.spawn("checkout", about, call, asked=asked, done=done)

    # --- subscriptions ----------------------------------------------------------------------

    def _subscribe(self) -> None:
        asked = ToBuy(self._some_user(), self._random.choice(PERIODS))
        if self._random.random() < 0.5:
            self._call_checkout(asked, lambda session: self._go_on(asked, session))
        else:
            self._go_on(asked, self._stripe.link(asked.user_id, asked.product, names_user=True))

    def _go_on(self, asked: ToBuy, session: Any) -> None:
        """Periods, an upgrade and an end, each perhaps."""
        stripe = self._stripe

        def begin() -> None:
            goes_back(stripe.subscribe(asked.user_id, session))
            subscription_id = session["subscription"]
            for _ in range(self._random.choice((0, 1, 2))):
                self._act(lambda: goes_back(stripe.renew(subscription_id, asked.user_id)))
            if self._random.random() < 0.5:
                self._act(upgrade)
            if self._random.random() < 0.3:
                self._act(lambda: stripe.cancel(subscription_id, asked.user_id))

        def upgrade() -> None:
            to_yearly = self._random.random() < 0.5
            goes_back(stripe.upgrade(session["subscription"], asked.user_id, to_yearly=to_yearly))

        def goes_back(sale: Sale | None) -> None:
            if sale is None:
                return
            intent = stripe.payment_intent_of(sale.purchase_id.removeprefix("stripe-"))
            self._money_goes_back(sale, intent)

        self._act(begin)

    # --- money goes back --------------------------------------------------------------------

    def _money_goes_back(self, sale: Sale, intent_id: str | None) -> None:
        if intent_id is None or not sale.amount:
            return
        if self._random.random() < 0.3:
            self._act(self._waive)
        for _ in range(self._random.choice((0, 1, 1, 2, 3))):
            doing = self._random.choice((self._refund, self._refund, self._dispute))
            self._act(lambda doing=doing: doing(sale, intent_id))  # type: ignore[misc]

    def _refund(self, sale: Sale, intent_id: str) -> None:
        share = self._random.choice((1, 0.5, 0.34, 0.01))
        status = self._random.choice(("succeeded", "succeeded", "pending"))
        refund = self._stripe.refund(sale, intent_id, share, status)
        if refund is not None and (status == "pending" or self._random.random() < 0.3):
            end = self._random.choice(("succeeded", "failed", "canceled"))
            self._act(lambda: self._stripe.end_refund(sale, refund, end))

    def _dispute(self, sale: Sale, intent_id: str) -> None:
        share = self._random.choice((1, 1, 0.5))
        status = self._random.choice(("needs_response", "needs_response", "warning_needs_response"))
        dispute = self._stripe.dispute(sale, intent_id, share, status)

        def go_on(statuses: tuple[str, ...]) -> None:
            if statuses:
                self._stripe.end_dispute(sale, dispute, statuses[0])
                self._act(lambda: go_on(statuses[1:]))

        end = self._random.choice(("won", "won", "lost"))
        ways = [(), (end,), ("under_review", end)]
        if status.startswith("warning"):
            ways = [(), ("warning_closed",), ("needs_response",), ("needs_response", end)]
        way = self._random.choice(ways)
        self._act(lambda: go_on(way))

    # --- stores -----------------------------------------------------------------------------

    def _buy_in_store(self) -> None:
        user_id = self._some_user()
        sale, event = self._stores.buy(
            user_id, "pack", "NON_RENEWING_PURCHASE", **self._circumstances(user_id)
        )
        self._store_pays_back(sale, event)

    def buy_and_return(self, user_id: str) -> None:
        """A pack in a store is paid back after some seconds, and perhaps not after all."""
        sale, event = self._stores.buy(user_id, "pack", "NON_RENEWING_PURCHASE")

        def turn(*, is_reversed: bool) -> None:
            self._stores.refund(sale, event, is_reversed=is_reversed)
            if not is_reversed and self._random.random() < 0.3:
                self._act(lambda: turn(is_reversed=True))

        self._world.after(3, lambda: turn(is_reversed=False))

    def _subscribe_in_store(self) -> None:
        user_id, product = self._some_user(), self._random.choice(PERIODS)
        circumstances = self._circumstances(user_id)

        def next_period(kind: str) -> None:
            lasts = self._plan.period_seconds * self._random.choice((0.5, 1, 5))
            self._store_pays_back(
                *self._stores.buy(user_id, product, kind, lasts=lasts, **circumstances)
            )

        next_period("INITIAL_PURCHASE")
        for _ in range(self._random.choice((0, 1, 2))):
            self._act(lambda: next_period("RENEWAL"))

    def _circumstances(self, user_id: str) -> dict[str, Any]:
        some: tuple[dict[str, Any], ...] = (
            {},
            {},
            {},
            {"app_user_id": ANONYMOUS},
            {"app_user_id": ANONYMOUS, "aliases": [ANONYMOUS, user_id]},
            {"environment": "SANDBOX"},
        )
        return self._random.choice(some)

    def _store_pays_back(self, sale: Sale, event: Any) -> None:
        def turn(times: int) -> None:
            is_reversed = "all" in sale.refunds and sale.refunds["all"].counts
            self._stores.refund(sale, event, is_reversed=is_reversed)
            if times > 1:
                self._act(lambda: turn(times - 1))

        times = self._random.choice((0, 0, 1, 1, 2, 3))
        if times:
            self._act(lambda: turn(times))

    # --- others -----------------------------------------------------------------------------

    def _mislead(self) -> None:
        """Payments that must bring nothing: of another mode or account, forged, or none at all."""
        user_id = self._some_user()
        ways = (
            lambda: self._stores.tell_of_no_sale(user_id),
            lambda: self._stores.forge(user_id),
            lambda: self._stripe.forge(user_id),
            lambda: self._pay_elsewhere({"livemode": True}),
            lambda: self._pay_elsewhere({"account": "acct_other"}),
        )
        self._random.choice(ways)()

    def _pay_elsewhere(self, marks: dict[str, Any]) -> None:
        asked = ToBuy(self._some_user(), "pack")
        session = self._stripe.link(asked.user_id, asked.product, names_user=True)
        sale = self._session_sale(asked, session)
        sale.is_ours = False
        self._stripe.of_another(marks)
        self._stripe.pay(sale, session)
        self._stripe.of_another({})

    def _change_products(self) -> None:
        """The operator changes a product, or takes it away, or puts it back."""
        name = self._random.choice(list(PRODUCTS))
        changed = {**PRODUCTS[name], "credits": PRODUCTS[name]["credits"] + 2}
        fields = self._random.choice((None, PRODUCTS[name], changed))
        said = "is not on offer" if fields is None else f"gives {fields['credits']} credits"
        self._world.tell(f"from now on, product {name} {said}")
        self._put(name, fields)

    def _put(self, name: str, fields: dict[str, Any] | None) -> None:
        self._memory.put(f"products/{name}", fields)
        credits = None if fields is None else fields["credits"]
        self._offered.change("products", name, credits, self._world.seconds)

    def _book_again(self) -> None:
        """An operator looks after what was unmatched, and says whose it is."""
        for purchase_id, sale in self._unmatched():
            self._book(purchase_id, sale)

    def _book(self, purchase_id: str, sale: Sale) -> None:
        self._world.spawn(
            "operator",
            f"an operator books {purchase_id} for {sale.user_id}",
            lambda: booking.book_again(purchase_id, sale.user_id),
            done=self._answered,
        )

    def _waive(self) -> None:
        """An operator waives some of a debt, perhaps twice under one key."""
        debts = {
            document.id: document.get("debt", 0)
            for path, document in self._memory.documents.items()
            if path.startswith("users/") and path.count("/") == 1
        }
        owing = [user_id for user_id, debt in debts.items() if debt]
        if not owing:
            return
        user_id, key = self._random.choice(owing), self._random.choice(("w1", "w2"))
        credits = self._random.randint(1, debts[user_id])

        def waive() -> None:
            operators.waive(user_id, credits, by="operator", key=key, reason="goodwill")

        for _ in range(self._random.choice((1, 2))):
            about = f"an operator waives {credits} of what {user_id} owes, under key {key}"
            self._world.spawn("operator", about, waive, done=self._answered)

    def _unmatched(self) -> list[tuple[str, Sale]]:
        found = []
        for path, document in list(self._memory.documents.items()):
            is_unmatched = path.startswith("purchases/") and document["status"] == "unmatched"
            if is_unmatched and document.get("paidAt") is not None:
                found.append((document.id, self._sales.by_id[document.id]))
        return found

    def finish(self) -> None:
        """When all is at rest, everything is on offer, and nothing that was paid is left over.

        One after the other: many at once for one user conflict, and some may have to be repeated.
        """
        for name, fields in PRODUCTS.items():
            self._put(name, fields)
        for purchase_id, sale in self._unmatched():
            self._book(purchase_id, sale)
            self._world.run()

    def _some_user(self) -> str:
        return self._random.choice(list(self._plan.users))

    def _act(self, action: Callable[[], None]) -> None:
        """Plan an act some time after now, in a later second: providers are not that fast."""
        with self._world.new_strand():
            longest = self._random.choice((0, 5, self._plan.span_seconds))
            if self._world.happens():
                self._world.after(1 + longest * self._random.random(), action)
