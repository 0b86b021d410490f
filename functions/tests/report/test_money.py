"""Revenue, credits by kind and liability of the weekly report, from what the app has written.

The clock of the app stands where a test puts it; the report reads the emulator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from support.past_app import MONDAY, SUNDAY_NIGHT, empty_client

from imagegen import clock, db
from imagegen.api.auth import Caller
from imagegen.catalogue import products
from imagegen.credits import clawback, ledger
from imagegen.credits.account import Account
from imagegen.firestore import client as firestore_client
from imagegen.purchases import booking, reversing
from imagegen.purchases.booking import Payment
from imagegen.purchases.items import Item
from imagegen.purchases.purchase import Provider
from imagegen.purchases.reversals import Dispute, Refund, Reversals
from imagegen.report import credit_flows, weekly
from imagegen.report.source import Source

WEEK, LAST_WEEK = "2026-W10", "2026-W09"
TUESDAY = MONDAY + timedelta(days=1, hours=9)
PRODUCTS = {
    "pack": {"credits": 100, "kind": "purchase", "stripePrice": "price_pack"},
    "monthly": {"credits": 200, "kind": "subscription", "stripePrice": "price_monthly"},
}


class App:
    """An app whose time is `moment`."""

    def __init__(self, client: firestore.Client) -> None:
        self.client = client
        self.moment = TUESDAY
        self._number = 0

    def now(self) -> datetime:
        return self.moment

    def buy(self, user_id: str = "ada", product: str = "pack", **terms: Any) -> str:
        self._number += 1
        self._require(user_id)
        told: dict[str, Any] = {
            "purchase_id": f"p{self._number}",
            "provider": Provider.STRIPE,
            "named": [user_id],
            "items": [Item("id", product)],
            "amount": 990,
            "currency": "usd",
            "at": self.moment,
            "is_test": False,
        }
        return booking.book(Payment(**told | terms)).id

    def grant(self, credits: int, user_id: str = "ada") -> None:
        self._number += 1
        self._require(user_id)
        ledger.grant_credits(user_id, credits, key=str(self._number), reason="test", by="cli:test")

    def _require(self, user_id: str) -> None:
        user = self.client.document(db.user(user_id))
        if not user.get().exists:
            user.set({"credits": 0, "createdAt": self.moment})

    def spend(self, credits: int, user_id: str = "ada", *, status: str = "completed") -> None:
        """A request that has ended, and its entries."""
        self._number += 1
        request_id, moment = f"r{self._number}", self.moment

        def charge(transaction: db.Transaction) -> None:
            parts = ledger.deduct(transaction, user_id, request_id, credits, moment)
            if status == "failed":
                ledger.refund(
                    transaction,
                    user_id,
                    request_id,
                    credits,
                    moment,
                    charged_at=moment,
                    reason="TEST",
                    parts=parts,
                )
            kept = [{"lot": p.id, "credits": p.credits, "kind": p.kind} for p in parts]
            fields = {
                "userId": user_id, "model": "Model A", "style": "anime", "color": "neon",
                "size": "512x512", "credits": credits, "status": status, "createdAt": moment,
                "completedAt": moment, "lots": kept,
            }  # fmt: skip
            transaction.create(db.generation_request(request_id), fields)

        path = db.generation_request(request_id)
        db.transact(charge, db.user(user_id), path)

    def visit(self, user_id: str = "ada") -> None:
        """The user looks at the balance, by which what is due is booked."""
        ledger.read_account(user_id, Caller(uid=user_id))


@pytest.fixture
def app(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    client = empty_client()
    made = App(client)
    monkeypatch.setattr(firestore_client, "_client", client)
    monkeypatch.setattr(clock, "now", made.now)
    monkeypatch.setenv("REPORT_TIME_ZONE", "UTC")
    for product_id, fields in PRODUCTS.items():
        client.document(f"products/{product_id}").set(fields)
    products.forget()
    yield made
    products.forget()
    client.close()


def made(week: str = WEEK) -> dict[str, Any]:
    report = weekly.run(week=week).to_firestore()
    assert [each for each in report["dataQuality"] if each["severity"] == "warning"] == []
    return report


def refund(purchase_id: str, amount: int) -> None:
    told = Reversals(refunds={"re": Refund(amount, "succeeded", 1)})
    reversing.reverse(purchase_id, Provider.STRIPE, told)


def dispute(purchase_id: str, amount: int) -> None:
    told = Reversals(disputes={"du": Dispute(amount, "needs_response", 1)})
    reversing.reverse(purchase_id, Provider.STRIPE, told)


def row(**changes: Any) -> dict[str, Any]:
    found = {
        "productId": "pack", "currency": "usd", "isTest": False, "purchases": 1, "credits": 100,
        "gross": 990, "refunded": 0, "disputed": 0, "net": 990,
    }  # fmt: skip
    return found | changes


def kinds(report: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Credits by kind, without the zeros."""
    return {
        kind: {name: number for name, number in flows.items() if number}
        for kind, flows in report["creditsByKind"].items()
    }


def test_a_week_without_sales_has_no_revenue_and_no_liability(app: App) -> None:
    report = made()
    assert (report["revenue"], report["creditsByKind"]) == ([], {})
    assert report["liability"] == {"paid": 0, "free": 0, "byKind": {}}


def test_revenue_is_by_product_currency_and_mode(app: App) -> None:
    app.buy()
    half, whole, disputed = (app.buy() for _ in range(3))
    app.buy("bob", "monthly", period_end=SUNDAY_NIGHT + timedelta(days=20), amount=1490)
    app.buy("bob", currency="eur", amount=900)
    app.buy("bob", is_test=True)
    refund(half, 495)
    refund(whole, 990)
    dispute(disputed, 990)
    app.moment = SUNDAY_NIGHT
    app.buy()  # in the next week
    assert made()["revenue"] == [
        row(productId="monthly", credits=200, gross=1490, net=1490),
        row(currency="eur", gross=900, net=900),
        row(
            purchases=4, credits=400, gross=4 * 990, refunded=495 + 990, disputed=990,
            net=4 * 990 - 2 * 990 - 495,
        ),
        row(isTest=True),
    ]  # fmt: skip


def test_more_than_was_paid_is_never_lost(app: App) -> None:
    purchase_id = app.buy()
    refund(purchase_id, 500)
    dispute(purchase_id, 990)
    assert made()["revenue"] == [row(refunded=500, disputed=490, net=0)]


def test_a_refund_counts_with_its_purchase_when_the_report_is_made_again(app: App) -> None:
    purchase_id = app.buy()
    assert made()["revenue"] == [row()]
    app.moment = SUNDAY_NIGHT + timedelta(days=9)
    refund(purchase_id, 990)
    assert made()["revenue"] == [row(refunded=990, net=0)]


def test_what_could_not_be_booked_counts_in_the_week_in_which_it_is(app: App) -> None:
    app.moment = MONDAY - timedelta(days=2)
    purchase_id = app.buy(product="unknown")
    assert made(LAST_WEEK)["revenue"] == []
    app.client.document("products/unknown").set(PRODUCTS["pack"])
    products.forget()
    app.moment = TUESDAY
    booking.book_again(purchase_id)
    assert made(LAST_WEEK)["revenue"] == []
    assert made()["revenue"] == [row(productId="unknown")]


def test_credits_are_counted_by_kind(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNUP_CREDITS", "10")
    monkeypatch.setenv("SIGNUP_CREDITS_DAYS", "2")
    app.visit()
    app.buy()
    app.spend(4)
    app.spend(3, status="failed")
    app.moment += timedelta(days=3)  # the rest of the trial expires
    app.spend(20)
    app.grant(5)
    refund("p1", 495)
    report = made()
    assert kinds(report) == {
        "trial": {"granted": 10, "charged": 7, "refunded": 3, "expired": 6},
        "purchase": {"sold": 100, "charged": 20, "clawedBack": 50},
        "grant": {"granted": 5},
    }
    totals = report["totals"]
    by_kind = report["creditsByKind"].values()
    assert sum(each["charged"] for each in by_kind) == totals["creditsCharged"] == 27
    assert sum(each["refunded"] for each in by_kind) == totals["creditsRefunded"] == 3
    assert report["liability"] == {"paid": 30, "free": 5, "byKind": {"grant": 5, "purchase": 30}}


def test_reinstated_credits_are_counted(app: App) -> None:
    purchase_id = app.buy()
    refund(purchase_id, 990)
    told = Reversals(refunds={"re": Refund(990, "failed", 2)})
    reversing.reverse(purchase_id, Provider.STRIPE, told)
    assert kinds(made()) == {"purchase": {"sold": 100, "clawedBack": 100, "reinstated": 100}}


def test_the_liability_is_that_of_the_end_of_the_week_whenever_it_is_counted(app: App) -> None:
    app.client.document("users/cid").set({"credits": 7})  # of a release without lots
    app.buy()
    app.grant(10)
    end = SUNDAY_NIGHT
    app.buy("bob", "monthly", period_end=end + timedelta(days=2))
    app.spend(30, "bob")
    app.moment = end
    expected = {
        "paid": 270,
        "free": 17,
        "byKind": {"grant": 10, "opening": 7, "purchase": 100, "subscription": 170},
    }

    def counted() -> dict[str, Any]:
        app.client.document(f"reports/{WEEK}").delete()
        liability: dict[str, Any] = made()["liability"]
        return liability

    assert counted() == expected
    happens: list[Callable[[], object]] = [
        lambda: app.spend(5),
        lambda: app.spend(2, status="failed"),
        lambda: app.buy("eve"),
        lambda: app.grant(4, "eve"),
        lambda: refund("p1", 990),
        lambda: app.visit("bob"),  # whose period has ended meanwhile
    ]
    for day, happened in enumerate(happens, start=1):
        app.moment = end + timedelta(days=day)
        happened()
        assert counted() == expected, day


def test_what_had_expired_by_the_end_of_the_week_is_no_liability(app: App) -> None:
    app.client.document("products/short").set(PRODUCTS["pack"] | {"validDays": 1})
    products.forget()
    app.buy(product="short")
    app.buy("bob", "short")
    app.moment += timedelta(days=3)
    app.visit()  # which books the expiry; bob does not come
    report = made()
    assert kinds(report) == {"purchase": {"sold": 200, "expired": 100}}
    assert report["liability"] == {"paid": 0, "free": 0, "byKind": {}}
    app.moment = SUNDAY_NIGHT + timedelta(days=1)
    app.visit("bob")
    app.client.document(f"reports/{WEEK}").delete()
    assert made()["liability"] == {"paid": 0, "free": 0, "byKind": {}}


def test_a_report_that_is_made_again_keeps_its_liability(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.buy()
    first = made()
    app.client.document("users/ada").update({"credits": 1000})  # by hand: not in the ledger
    monkeypatch.setattr(credit_flows, "changes_since", None)  # nor is anything counted again
    again = weekly.run(week=WEEK).to_firestore()
    assert again["liability"] == first["liability"] == {
        "paid": 100, "free": 0, "byKind": {"purchase": 100},
    }  # fmt: skip


def test_an_allowance_that_rolls_over_stays_a_liability(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREE_MONTHLY_CREDITS", "10")
    monkeypatch.setenv("ALLOWANCE_ROLLOVER", "4")
    app.moment = datetime(2026, 2, 10, tzinfo=UTC)
    app.client.document("users/ada").set({"credits": 0})
    app.visit()
    counted = []
    for moment in (SUNDAY_NIGHT, SUNDAY_NIGHT + timedelta(days=1)):
        app.client.document(f"reports/{WEEK}").delete()
        app.moment = moment
        counted.append(made()["liability"]["byKind"])
        app.visit()
    assert counted == [{"allowance": 4}] * 2


def test_a_malformed_purchase_or_account_is_named_and_the_report_is_made(app: App) -> None:
    purchase_id = app.buy()
    app.client.document(f"purchases/{purchase_id}").update({"amount": "9.90"})
    app.client.document("users/odd").set({"credits": "many"})
    report = weekly.run(week=WEEK).to_firestore()
    named = {each["check"]: each.get("paths") for each in report["dataQuality"]}
    assert named["revenue"] == [f"purchases/{purchase_id}"]
    assert named["liability"] == ["users/odd"]
    assert (report["revenue"], report["liability"]["paid"]) == ([], 100)


def test_a_purchase_without_its_entry_is_noticed(app: App) -> None:
    purchase_id = app.buy()
    app.client.document(f"users/ada/transactions/{purchase_id}-purchase").delete()
    report = weekly.run(week=WEEK).to_firestore()
    (wrong,) = (each for each in report["dataQuality"] if each["check"] == "purchases")
    assert wrong["message"] == (
        "1 purchases booked in the week (100 credits), but 0 purchases in the ledger (0 credits)."
    )


def test_what_cannot_be_read_is_a_finding_and_never_a_zero(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.buy()

    def refuse(*_: Any, **__: Any) -> Any:
        raise exceptions.PermissionDenied("no")

    monkeypatch.setattr(Source, "read", refuse)
    monkeypatch.setattr(credit_flows, "of_week", refuse)
    report = weekly.run(week=WEEK).to_firestore()
    assert (report["revenue"], report["creditsByKind"], report["liability"]) == (None, None, None)
    problems = {each["check"]: each["problem"] for each in report["dataQuality"]}
    for check in ("revenue", "creditsByKind", "liability"):
        assert problems[check] == "unavailable"


def test_pages_are_read_one_after_the_other(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    for user_id in ("ada", "bob", "cid", "élise", "1"):
        app.buy(user_id)
    monkeypatch.setattr("imagegen.report.source.PAGE", 2)
    report = made()
    assert (report["revenue"][0]["purchases"], report["liability"]["paid"]) == (5, 500)


def test_credits_of_a_release_without_lots_are_of_an_unknown_kind(app: App) -> None:
    entry = {"type": "grant", "credits": 5, "timestamp": TUESDAY}
    app.client.document("users/old/transactions/g").set(entry)
    request = {
        "userId": "old", "model": "Model A", "style": "anime", "color": "neon", "size": "512x512",
        "credits": 2, "status": "completed", "createdAt": TUESDAY, "completedAt": TUESDAY,
    }  # fmt: skip
    app.client.document("generationRequests/r").set(request)
    deduction = {"type": "deduction", "credits": 2, "timestamp": TUESDAY}
    app.client.document("users/old/transactions/r-deduction").set(deduction)
    assert kinds(made()) == {"unknown": {"granted": 5, "charged": 2}}


def test_a_transfer_between_users_changes_nothing(app: App) -> None:
    purchase_id = app.buy()
    app.grant(3, "bob")
    app.moment = SUNDAY_NIGHT + timedelta(days=1)

    def move(transaction: db.Transaction) -> None:
        lots = [purchase_id]
        ledger.transfer(transaction, "ada", "bob", lots, app.moment, key="k", reason="merge")

    db.transact(move, db.user("ada"), db.user("bob"))
    assert made()["liability"] == {"paid": 100, "free": 3, "byKind": {"grant": 3, "purchase": 100}}


def test_a_waiver_is_no_change_of_credits(app: App) -> None:
    purchase_id = app.buy()
    app.spend(60)
    refund(purchase_id, 990)

    def waive(transaction: db.Transaction) -> None:
        account = Account(transaction, "ada", app.moment)
        clawback.waive(account, purchase_id, 60)

    db.transact(waive, db.user("ada"), db.purchase(purchase_id))
    report = made()
    assert kinds(report) == {"purchase": {"sold": 100, "charged": 60, "clawedBack": 40}}
    assert report["liability"]["byKind"] == {}
