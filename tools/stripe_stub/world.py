"""What happens at Stripe: payments, refunds, disputes and subscriptions, each with its events."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from stripe_stub import objects
from stripe_stub.delivery import Delivery
from stripe_stub.objects import Json

DAY_SECONDS = 86_400
PERIOD_SECONDS = {"month": 30 * DAY_SECONDS, "year": 365 * DAY_SECONDS}


class NoSuch(LookupError):
    """There is no such object."""


class World:
    """All objects by id, and what can be done with them, by any thread."""

    def __init__(self, delivery: Delivery, url: str = "") -> None:
        self.url = url
        self.objects: dict[str, Json] = {}
        self._delivery = delivery
        self._forms: dict[str, Mapping[str, Any]] = {}  # what sessions were made with
        self._lock = threading.RLock()

    def get(self, object_id: str) -> Json:
        if object_id not in self.objects:
            raise NoSuch(object_id)
        return self.objects[object_id]

    def all(self, kind: str, **fields: str) -> list[Json]:
        """All objects of a kind that have `fields`, the newest first."""
        return [
            it
            for it in reversed([*self.objects.values()])
            if it["object"] == kind and all(it.get(name) == v for name, v in fields.items())
        ]

    def add(self, it: Json) -> Json:
        self.objects[it["id"]] = it
        return it

    def tell(self, kind: str, it: Json) -> None:
        """Send the event `kind`, with the object as it is now."""
        self._delivery.send(objects.event(kind, deepcopy(it)))

    # --- checkout ---------------------------------------------------------------------------

    def create_session(self, form: Mapping[str, Any]) -> Json:
        with self._lock:
            price = self.get(form["line_items"]["0"]["price"])
            session = objects.session(form, price["unit_amount"], self.url)
            self._forms[session["id"]] = form
            return self.add(session)

    def pay(self, session_id: str, *, later: bool = False) -> Json:
        """The customer pays; with `later`, in a way that succeeds or fails days from now."""
        with self._lock:
            session = self._open_session(session_id)
            if session["mode"] == "subscription":
                self._subscribe(session)
            else:
                metadata = self._forms[session_id].get("payment_intent_data", {})
                intent = objects.payment_intent(
                    session["amount_total"], session["customer"], metadata.get("metadata", {})
                )
                session["payment_intent"] = self.add(intent)["id"]
                if not later:
                    self._succeed(intent)
                    session["payment_status"] = "paid"
            session["status"] = "complete"
            self.tell("checkout.session.completed", session)
            return session

    def finish(self, session_id: str, *, succeeds: bool) -> None:
        """A payment of the slow kind succeeds or fails."""
        with self._lock:
            session = self.get(session_id)
            if session["payment_status"] != "unpaid" or session["status"] != "complete":
                raise NoSuch(f"payment that is under way at {session_id}")
            intent = self.get(session["payment_intent"])
            if succeeds:
                self._succeed(intent)
                session["payment_status"] = "paid"
                self.tell("checkout.session.async_payment_succeeded", session)
            else:
                intent["status"] = "requires_payment_method"
                self.tell("checkout.session.async_payment_failed", session)

    def expire(self, session_id: str) -> Json:
        with self._lock:
            session = self._open_session(session_id)
            session["status"] = "expired"
            self.tell("checkout.session.expired", session)
            return session

    def _open_session(self, session_id: str) -> Json:
        session = self.get(session_id)
        if session["status"] != "open":
            raise NoSuch(f"open session {session_id}")
        return session

    def _succeed(self, intent: Json) -> Json:
        charge = self.add(objects.charge(intent))
        intent.update(status="succeeded", latest_charge=charge["id"])
        self.tell("payment_intent.succeeded", intent)
        self.tell("charge.succeeded", charge)
        return charge

    # --- refunds and disputes ---------------------------------------------------------------

    def refund(self, intent_id: str, amount: int | None = None) -> Json:
        with self._lock:
            charge = self._charge(intent_id)
            left = charge["amount"] - charge["amount_refunded"]
            refund = self.add(objects.refund(charge, min(left, amount or left)))
            charge["amount_refunded"] += refund["amount"]
            charge["refunded"] = charge["amount_refunded"] == charge["amount"]
            # A refund that succeeds at once is told twice, and not as `refund.updated`.
            self.tell("charge.refunded", charge)
            self.tell("refund.created", refund)
            return refund

    def fail_refund(self, refund_id: str) -> None:
        """The bank sends a refund back, perhaps weeks after it succeeded."""
        with self._lock:
            refund = self.get(refund_id)
            refund["status"] = "failed"
            self.get(refund["charge"])["amount_refunded"] -= refund["amount"]
            self.tell("refund.updated", refund)
            self.tell("refund.failed", refund)

    def dispute(self, intent_id: str) -> Json:
        with self._lock:
            charge = self._charge(intent_id)
            dispute = self.add(objects.dispute(charge, "needs_response"))
            charge["disputed"] = True
            self.tell("charge.dispute.created", dispute)
            self.tell("charge.dispute.funds_withdrawn", dispute)
            return dispute

    def close_dispute(self, dispute_id: str, *, won: bool) -> None:
        with self._lock:
            dispute = self.get(dispute_id)
            dispute["status"] = "won" if won else "lost"
            if won:
                self.tell("charge.dispute.funds_reinstated", dispute)
            self.tell("charge.dispute.closed", dispute)

    def _charge(self, intent_id: str) -> Json:
        return self.get(self.get(intent_id)["latest_charge"] or "charge of an unpaid payment")

    # --- subscriptions ----------------------------------------------------------------------

    def _subscribe(self, session: Json) -> None:
        form = self._forms[session["id"]]
        price = self.get(form["line_items"]["0"]["price"])
        start = objects.now()
        end = start + PERIOD_SECONDS[price["recurring"]["interval"]]
        metadata = form.get("subscription_data", {}).get("metadata", {})
        subscription = objects.subscription(session["customer"], price, metadata, start, end)
        self.add(subscription)
        self.tell("customer.subscription.created", subscription)
        invoice = self._invoice(subscription, "subscription_create")
        session.update(
            subscription=subscription["id"], invoice=invoice["id"], payment_status="paid"
        )

    def renew(self, subscription_id: str) -> Json:
        """The next period begins and is paid for."""
        with self._lock:
            subscription = self.get(subscription_id)
            if subscription["status"] == "canceled":
                raise NoSuch(f"running subscription {subscription_id}")
            item = subscription["items"]["data"][0]
            length = PERIOD_SECONDS[item["price"]["recurring"]["interval"]]
            item["current_period_start"] = item["current_period_end"]
            item["current_period_end"] += length
            self.tell("customer.subscription.updated", subscription)
            return self._invoice(subscription, "subscription_cycle")

    def cancel(self, subscription_id: str) -> Json:
        with self._lock:
            subscription = self.get(subscription_id)
            subscription.update(
                status="canceled", canceled_at=objects.now(), ended_at=objects.now()
            )
            self.tell("customer.subscription.deleted", subscription)
            return subscription

    def _invoice(self, subscription: Json, reason: str) -> Json:
        item = subscription["items"]["data"][0]
        start, end = item["current_period_start"], item["current_period_end"]
        line = objects.invoice_line(item["price"], subscription, start, end)
        invoice = self.add(objects.invoice(subscription, [line], start, reason))
        intent = objects.payment_intent(invoice["total"], invoice["customer"], {})
        self._succeed(self.add(intent))
        payment = self.add(objects.invoice_payment(invoice, intent))
        subscription["latest_invoice"] = invoice["id"]
        self.tell("invoice.paid", invoice)
        self.tell("invoice.payment_succeeded", invoice)
        self.tell("invoice_payment.paid", payment)
        return invoice
