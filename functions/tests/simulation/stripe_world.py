"""Stripe: the stand-in that the rest of the tests use, with a memory of what is true.

Its objects and events are those of `tools/stripe_stub`. Here it gets endpoints of several versions,
a network, and what the stand-in's buttons do not do: refunds that are pending, fail or are partial,
inquiries, prorations, payments that cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from google.api_core.exceptions import GoogleAPICallError
from stripe_stub import objects
from stripe_stub.api import Api
from stripe_stub.world import World as Stub

from imagegen.credits.closures import is_tombstone
from imagegen.firestore.store import Document
from simulation import stripe_versions
from simulation.faults import ON_ENQUEUE
from simulation.network import Network
from simulation.plan import Plan
from simulation.post import Post
from simulation.sales import PRODUCTS, Back, Sale, Sales
from simulation.world import Violation, World

Json = dict[str, Any]
AMOUNTS = {"price_pack": 600, "price_day": 990, "price_monthly": 600, "price_yearly": 3490}
INTERVALS = {"price_monthly": "month", "price_yearly": "year"}
PRODUCT_OF = {fields["stripePrice"]: name for name, fields in PRODUCTS.items()}
MONTHS_A_YEAR = 5  # time is short here
TIMEOUT_SECONDS = 8.0


class StripeWorld:
    """What happens at Stripe; each act changes what is true, and tells it."""

    def __init__(
        self, world: World, plan: Plan, network: Network, sales: Sales, post: Post
    ) -> None:
        self._world = world
        self._plan = plan
        self._network = network
        self._sales = sales
        self._post = post
        self.period_margin = timedelta(seconds=plan.period_margin_seconds)
        month = plan.period_seconds
        self.period_seconds = {"month": month, "year": MONTHS_A_YEAR * month}
        self._marks: Json = {}  # what the events of another mode or account have
        self.stub = Stub(self)  # type: ignore[arg-type]  # of its Delivery it needs `send`
        self._api = Api(self.stub)
        for price, amount in AMOUNTS.items():
            self.stub.add(objects.price(price, amount, INTERVALS.get(price)))
        self.stub.add(objects.price("price_other", 300, "month"))

    # --- for imagegen -----------------------------------------------------------------------

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """As `httpx.Client.request`, over the network; Stripe may be busy."""
        path, random = url.removeprefix("https://api.stripe.com"), self._world.random
        key = headers.get("Idempotency-Key")
        is_search = method == "GET" and not path.endswith("/lines")
        if is_search and not self._plan.may_search:
            return httpx.Response(403, json={"error": {"code": "permission_denied"}})
        is_busy = random.random() < self._plan.faults.rate and not self._plan.faults.over
        if is_busy and self._world.happens():
            code = random.choice((409, 429, 500))
            self._world.tell(f"    Stripe answers {code} to {method} {path}")
            return httpx.Response(code, json={"error": {"code": "by_schedule"}})

        def perform() -> tuple[int, Json]:
            return self._api.answer(method, path, urlencode(params or data or {}), key)

        try:
            code, content = self._network.call(
                ON_ENQUEUE, f"{method} {path}", perform, TIMEOUT_SECONDS
            )
        except GoogleAPICallError as error:
            raise httpx.ConnectError(str(error)) from error
        return httpx.Response(code, json=content)

    # --- for the stand-in -------------------------------------------------------------------

    def send(self, event: Json) -> None:
        """As `Delivery.send`: every endpoint gets the event in the shape of its version."""
        for version in self._plan.stripe_versions:
            sent = stripe_versions.as_sent(event, version, self.payment_intent_of)
            if sent is None:
                continue
            if sent["type"] == "charge.refunded" and version == stripe_versions.OLDEST:
                sent = stripe_versions.with_refunds(sent, self._refunds)
            self._post.send("stripe", self._cut(sent) | self._marks)

    def _refunds(self, charge_id: str) -> list[Json]:
        return self.stub.all("refund", charge=charge_id)

    def _cut(self, event: Json) -> Json:
        """An event holds at most some lines of an invoice: here, one."""
        it = event["data"]["object"]
        if it["object"] == "invoice" and len(it["lines"]["data"]) > 1:
            it["lines"] |= {"data": it["lines"]["data"][:1], "has_more": True}
        return event

    # --- checkouts --------------------------------------------------------------------------

    def link(self, user_id: str, product: str, *, names_user: bool, stranger: bool = False) -> Json:
        """A session that we have not made: of a Payment Link, or of the dashboard."""
        names = {"productId": product, **({"userId": user_id} if names_user else {})}
        names |= {"purchaseId": "not-ours"} if stranger else {}
        price = PRODUCTS[product]["stripePrice"]
        is_renewed = price in INTERVALS
        form: Json = {
            "mode": "subscription" if is_renewed else "payment",
            "line_items": {"0": {"price": price}},
            "metadata": names,
            "success_url": "x",
            "cancel_url": "x",
        }
        heir = "subscription_data" if is_renewed else "payment_intent_data"
        return self.stub.create_session(form | {heir: {"metadata": names}})

    def pay(self, sale: Sale, session: Json, *, later: bool = False) -> None:
        """A pack is paid for; with `later`, in a way that takes its time."""
        if not later:
            sale.paid_at = self._now()
        self._tell(f"{sale.user_id} pays {sale.amount} for {sale.product}{' later' * later}")
        self.stub.pay(session["id"], later=later)

    def pay_nothing(self, sale: Sale, session: Json) -> None:
        """A coupon covers all of it, so there is no payment."""
        sale.paid_at, sale.amount = self._now(), 0
        session.update(amount_total=0, payment_status="no_payment_required", status="complete")
        self._tell(f"{sale.user_id} gets {sale.product} for nothing, by a coupon")
        self.stub.tell("checkout.session.completed", session)

    def finish(self, sale: Sale, session: Json, *, succeeds: bool) -> None:
        """A payment that took its time succeeds or fails."""
        if succeeds:
            sale.paid_at = self._now()
        else:
            sale.ended = "failed"
        self._tell(f"the payment of {sale.user_id} {'succeeds' if succeeds else 'fails'}")
        self.stub.finish(session["id"], succeeds=succeeds)

    def expire(self, sale: Sale, session: Json) -> None:
        sale.ended = "expired"
        self._tell(f"the checkout of {sale.user_id} expires")
        self.stub.expire(session["id"])

    def of_another(self, marks: Json) -> None:
        """The events from now on are of another mode or account; none of them with ``{}``."""
        self._marks = marks

    def forge(self, user_id: str) -> None:
        """Somebody else says that a pack was paid for."""
        session = self.link(user_id, "pack", names_user=True) | {"payment_status": "paid"}
        self._post.forge("stripe", objects.event("checkout.session.completed", session))

    # --- subscriptions ----------------------------------------------------------------------

    def subscribe(self, user_id: str, session: Json, *, names_user: bool = True) -> Sale:
        """A subscription begins with its first period; the sale is that of its invoice."""
        self._tell(f"{user_id} pays for a subscription")
        self.stub.pay(session["id"])
        return self._sold(session["subscription"], user_id, names_user=names_user)

    def renew(self, subscription_id: str, user_id: str) -> Sale | None:
        if self.stub.get(subscription_id)["status"] == "canceled":
            return None
        self._tell(f"the subscription of {user_id} is renewed")
        self.stub.renew(subscription_id)
        return self._sold(subscription_id, user_id)

    def cancel(self, subscription_id: str, user_id: str) -> None:
        self._tell(f"the subscription of {user_id} ends")
        self.stub.cancel(subscription_id)

    def upgrade(self, subscription_id: str, user_id: str, *, to_yearly: bool) -> Sale | None:
        """Within a period: prorations alone; with another interval also a line for a period."""
        subscription = self.stub.get(subscription_id)
        if subscription["status"] == "canceled":
            return None
        item = subscription["items"]["data"][0]
        start, end = objects.now(), item["current_period_end"]
        old = item["price"]
        lines = [
            objects.invoice_line(old, subscription, start, end, amount=-200, proration=True),
            objects.invoice_line(old, subscription, start, end, amount=350, proration=True),
        ]
        if to_yearly:
            item["price"] = new = self.stub.get("price_yearly")
            item["current_period_end"] = end = start + self.period_seconds["year"]
            lines[1] = objects.invoice_line(new, subscription, start, end)
            if self._world.random.random() < 0.5:  # something that is none of our products
                other = self.stub.get("price_other")
                lines.insert(0, objects.invoice_line(other, subscription, start, end))
        self._tell(f"{user_id} upgrades{' to a year' * to_yearly}, with prorations")
        invoice = self.stub.add(objects.invoice(subscription, lines, start, "subscription_update"))
        subscription["latest_invoice"] = invoice["id"]
        self._charge_for(invoice)
        return self._sold(subscription_id, user_id) if to_yearly else None

    def _charge_for(self, invoice: Json) -> None:
        intent = objects.payment_intent(invoice["total"], invoice["customer"], {})
        charge = self.stub.add(objects.charge(self.stub.add(intent)))
        intent.update(status="succeeded", latest_charge=charge["id"])
        payment = self.stub.add(objects.invoice_payment(invoice, intent))
        self.stub.tell("invoice.paid", invoice)
        self.stub.tell("invoice_payment.paid", payment)

    def _sold(self, subscription_id: str, user_id: str, *, names_user: bool = True) -> Sale:
        """The sale of the latest invoice of a subscription."""
        invoice = self.stub.get(self.stub.get(subscription_id)["latest_invoice"])
        line = invoice["lines"]["data"][-1]
        price = line["pricing"]["price_details"]["price"]
        sale = Sale(
            f"stripe-{invoice['id']}",
            user_id,
            PRODUCT_OF[price],
            invoice["total"],
            self._now(),
            datetime.fromtimestamp(line["period"]["end"], UTC),
            names_user=names_user,
            is_ours=not self._marks,
        )
        return self._sales.add(sale)

    # --- money goes back --------------------------------------------------------------------

    def refund(self, sale: Sale, intent_id: str, share: float, status: str) -> Json | None:
        """Refund a share of what was paid; None where all of it was."""
        charge = self._charge(intent_id)
        left = charge["amount"] - charge["amount_refunded"]
        amount = min(left, max(1, int(charge["amount"] * share)))
        if amount <= 0:
            return None
        refund = self.stub.add(objects.refund(charge, amount) | {"status": status})
        sale.refunds[refund["id"]] = Back(amount)
        charge["amount_refunded"] += amount
        self._tell(f"{amount} of {sale.amount} are refunded to {sale.user_id} ({status})")
        self.stub.tell("charge.refunded", charge)
        self.stub.tell("refund.created", refund)
        return refund

    def end_refund(self, sale: Sale, refund: Json, status: str) -> None:
        """A refund succeeds, or the bank sends it back, perhaps weeks after it succeeded."""
        if refund["status"] in ("failed", "canceled", status):
            return
        refund["status"] = status
        if status != "succeeded":
            sale.refunds[refund["id"]].counts = False
            sale.refunds[refund["id"]].returned = True
            self.stub.get(refund["charge"])["amount_refunded"] -= refund["amount"]
        self._tell(f"the refund of {refund['amount']} to {sale.user_id} is {status}")
        self.stub.tell("refund.failed" if status == "failed" else "refund.updated", refund)

    def dispute(self, sale: Sale, intent_id: str, share: float, status: str) -> Json:
        charge = self._charge(intent_id)
        amount = max(1, int(charge["amount"] * share))
        dispute = self.stub.add(objects.dispute(charge, status) | {"amount": amount})
        is_inquiry = status.startswith("warning")
        sale.disputes[dispute["id"]] = Back(amount, not is_inquiry, not is_inquiry)
        self._tell(f"{sale.user_id} disputes {amount} of {sale.amount} ({status})")
        self.stub.tell("charge.dispute.created", dispute)
        return dispute

    def end_dispute(self, sale: Sale, dispute: Json, status: str) -> None:
        """A dispute is won or lost; an inquiry is closed, or becomes a dispute."""
        dispute["status"] = status
        back = sale.disputes[dispute["id"]]
        back.counts = status in ("lost", "needs_response", "under_review")
        back.has_counted = back.has_counted or back.counts
        back.returned = status == "won"
        self._tell(f"the dispute of {sale.user_id} is {status}")
        kind = {"needs_response": "funds_withdrawn", "under_review": "updated"}
        self.stub.tell(f"charge.dispute.{kind.get(status, 'closed')}", dispute)
        if status == "won":
            self.stub.tell("charge.dispute.funds_reinstated", dispute)

    def payment_intent_of(self, invoice_id: str) -> str | None:
        """The payment intent that has paid an invoice."""
        paid = self.stub.all("invoice_payment", invoice=invoice_id)
        return str(paid[0]["payment"]["payment_intent"]) if paid else None

    def goes_on(self, subscription_id: str) -> bool:
        return bool(self.stub.get(subscription_id)["status"] != "canceled")

    def check_at_rest(self, documents: Mapping[str, Document]) -> None:
        """What is kept of a subscription is its latest state, and nobody pays on who has left.

        Nobody sees the cards and invoices of another. Raises Violation.
        """
        customers: dict[str, str] = {}
        for path, document in documents.items():
            if path.startswith("stripeCustomers/"):
                other = customers.setdefault(document["customer"], path)
                if other != path:
                    raise Violation(f"{path} and {other} are both {document['customer']}")
        for subscription in self.stub.all("subscription"):
            link = documents.get(f"stripeLinks/{subscription['id']}")
            if link is None or link.get("status") != subscription["status"]:
                raise Violation(f"{subscription['id']} is {subscription['status']}, not {link}")
            has_left = is_tombstone(link.get("userId") or "")
            if has_left and self.goes_on(subscription["id"]):
                raise Violation(f"{subscription['id']} goes on, and its user has left")

    def _charge(self, intent_id: str) -> Json:
        return self.stub.get(self.stub.get(intent_id)["latest_charge"])

    def _now(self) -> datetime:
        return datetime.fromtimestamp(objects.now(), UTC)

    def _tell(self, what: str) -> None:
        self._world.tell(f"at Stripe, {what}")
