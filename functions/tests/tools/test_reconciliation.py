"""Stripe's payments against our purchases, with Stripe's stand-in or an export of the Dashboard."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from emulators.problem import Problem
from ops import reconciliation
from ops.stripe_payments import StripePayment, from_api, from_export, period
from support import shop as support
from support.shop import Shop

from imagegen.catalogue import products

shop = pytest.fixture(support.shop)
SINCE = datetime.now(UTC) - timedelta(days=1)
UNTIL = SINCE + timedelta(days=2)
# The header of an export with all columns, as the Dashboard writes it, up to those that matter.
COLUMNS = (
    "id",
    "Created date (UTC)",
    "Amount",
    "Amount Refunded",
    "Currency",
    "Captured",
    "Mode",
    "PaymentIntent ID",
    "Status",
    "Customer ID",
    "Disputed Amount",
    "Dispute Status",
    "Invoice ID",
    "userId (metadata)",
)


def with_api() -> dict[str, str]:
    """Problem by purchase or payment, as the API tells of the payments."""
    return named(reconciliation.compare(from_api(SINCE, UNTIL), SINCE, UNTIL, with_api=True))


def with_export(path: Path) -> dict[str, str]:
    payments = from_export(path)
    return named(reconciliation.compare(payments, SINCE, UNTIL, with_api=False))


def named(compared: reconciliation.Comparison) -> dict[str, str]:
    return {each.purchase_id or each.payment_intent: each.problem for each in compared.differences}


def export(shop: Shop, path: Path) -> Path:
    """What the Dashboard would export of the stand-in's payments."""
    disputes = {each["payment_intent"]: each["status"] for each in shop.world.all("dispute")}
    invoices = {
        each["payment"]["payment_intent"]: each["invoice"]
        for each in shop.world.all("invoice_payment")
    }
    with path.open("w", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        for charge in shop.world.all("charge"):
            intent = charge["payment_intent"]
            created = datetime.fromtimestamp(charge["created"], UTC)
            row = {
                "id": charge["id"],
                "Created date (UTC)": f"{created:%Y-%m-%d %H:%M:%S}",
                "Amount": f"{charge['amount'] / 100:,.2f}",
                "Amount Refunded": f"{charge['amount_refunded'] / 100:,.2f}",
                "Currency": "usd",
                "Captured": "true",
                "Mode": "Test",
                "PaymentIntent ID": intent,
                "Status": "Refunded" if charge["refunded"] else "Paid",
                "Dispute Status": disputes.get(intent, ""),
                "Invoice ID": invoices.get(intent, ""),
            }
            rows.writerow(row)
    return path


def lose_purchase(shop: Shop, purchase_id: str) -> None:
    """As if its event had never come."""
    for path in [path for path in shop.store.documents if purchase_id in path]:
        shop.store.documents.pop(path)
    for path, document in [*shop.store.documents.items()]:
        if path.startswith("stripeLinks/pi_") and document.get("purchaseId") == purchase_id:
            shop.store.documents.pop(path)
    shop.store.put("users/ann", {"credits": 0})


def test_nothing_differs_when_every_event_came(shop: Shop, tmp_path: Path) -> None:
    shop.buy()
    half = shop.buy()
    shop.buy("monthly-200")
    disputed = shop.buy()
    shop.deliver()
    shop.world.refund(half["payment_intent"], 495)
    shop.world.dispute(disputed["payment_intent"])
    shop.deliver()
    assert with_api() == {}
    assert with_export(export(shop, tmp_path / "all.csv")) == {}


def test_a_payment_whose_events_were_lost_is_named_and_booked(shop: Shop, tmp_path: Path) -> None:
    pack, period = shop.buy(), shop.buy("monthly-200")
    shop.told()  # and not delivered
    intent, invoice = pack["payment_intent"], f"stripe-{period['invoice']}"
    (renewal,) = (each["payment"]["payment_intent"] for each in shop.world.all("invoice_payment"))
    assert with_api() == {intent: "not_here", renewal: "not_here"}
    assert with_export(export(shop, tmp_path / "all.csv")) == {
        intent: "not_here",
        renewal: "not_here",
    }
    for _ in range(2):
        reconciliation.book(intent)
        reconciliation.book(renewal)
        assert shop.balance() == 300
    assert with_api() == {}
    assert {each["status"] for each in shop.purchases().values()} == {"paid"}
    assert shop.purchases()[invoice]["credits"] == 200


def test_refunds_and_disputes_that_were_not_told_are_named_and_booked(
    shop: Shop, tmp_path: Path
) -> None:
    refunded, disputed = shop.buy(), shop.buy()
    shop.deliver()
    shop.world.refund(refunded["payment_intent"], 495)
    dispute = shop.world.dispute(disputed["payment_intent"])
    shop.told()
    by_session = {each["stripeSession"]: name for name, each in shop.purchases().items()}
    first, second = by_session[refunded["id"]], by_session[disputed["id"]]
    expected = {first: "refunded", second: "disputed"}
    assert with_api() == with_export(export(shop, tmp_path / "all.csv")) == expected
    for intent in (refunded["payment_intent"], disputed["payment_intent"]):
        reconciliation.book(intent)
    assert with_api() == {}
    assert shop.balance() == 50
    shop.world.close_dispute(dispute["id"], won=True)
    shop.told()
    assert with_api() == {second: "disputed"}
    reconciliation.book(disputed["payment_intent"])
    assert with_api() == {}
    assert shop.balance() == 150


def test_a_purchase_that_is_not_booked_or_says_another_amount_is_named(shop: Shop) -> None:
    shop.store.documents.pop("products/pack-100")
    products.forget()
    with pytest.raises(Exception, match="product"):
        shop.checkout()
    shop.buy("pack-500")
    shop.deliver()
    (purchase_id,) = shop.purchases()
    purchase = dict(shop.purchase())
    shop.store.put(f"purchases/{purchase_id}", purchase | {"amount": 3991})
    assert with_api() == {purchase_id: "amount"}
    shop.store.put(f"purchases/{purchase_id}", purchase | {"currency": "eur"})
    assert with_api() == {purchase_id: "amount"}
    unbooked = {name: purchase[name] for name in purchase if name != "lotId"}
    shop.store.put(f"purchases/{purchase_id}", unbooked | {"status": "unmatched"})
    assert with_api() == {purchase_id: "not_booked"}


def test_a_purchase_of_which_stripe_knows_nothing_is_named(shop: Shop, tmp_path: Path) -> None:
    session = shop.buy()
    shop.deliver()
    (purchase_id,) = shop.purchases()
    charge = shop.world.get(session["payment_intent"])["latest_charge"]
    it = shop.world.objects.pop(charge)
    assert with_api() == {}  # the payment is there, though it was not begun in the period
    shop.buy()
    shop.deliver()
    assert with_export(export(shop, tmp_path / "all.csv")) == {purchase_id: "not_at_stripe"}
    shop.world.objects.pop(session["payment_intent"])
    assert with_api() == {purchase_id: "not_at_stripe"}
    shop.world.objects[charge] = it
    assert with_api() == {}


def test_what_was_paid_for_something_else_is_no_difference_where_the_api_can_tell(
    shop: Shop, tmp_path: Path
) -> None:
    shop.buy("monthly-200")
    shop.deliver()
    invoice, *_ = shop.world.all("invoice")
    line = invoice["lines"]["data"][0]
    line["parent"]["subscription_item_details"]["proration"] = True
    lose_purchase(shop, f"stripe-{invoice['id']}")
    assert with_api() == {}
    assert [*with_export(export(shop, tmp_path / "all.csv")).values()] == ["not_here"]


def test_payments_come_page_by_page(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagegen.purchases.stripe_api.PAGE_SIZE", 2)
    monkeypatch.setattr(reconciliation, "READ_AT_ONCE", 2)
    monkeypatch.setattr(reconciliation, "PAGE", 2)
    for _ in range(5):
        shop.buy()
    shop.deliver()
    compared = reconciliation.compare(from_api(SINCE, UNTIL), SINCE, UNTIL, with_api=True)
    assert (compared.payments, compared.purchases, compared.differences) == (5, 5, [])


def test_a_purchase_of_test_mode_or_of_a_store_is_left_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.buy()
    shop.deliver()
    (purchase_id,) = shop.purchases()
    shop.world.objects.clear()
    assert with_api() == {purchase_id: "not_at_stripe"}
    monkeypatch.setenv("STRIPE_SECRET_KEY", "rk_live_x")
    assert with_api() == {}
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")
    shop.store.put(f"purchases/{purchase_id}", {**shop.purchase(), "provider": "revenuecat"})
    assert with_api() == {}


# --- the export --------------------------------------------------------------------------------


def written(path: Path, *rows: dict[str, Any], without: str = "") -> Path:
    sound = {
        "Created date (UTC)": "2026-11-20 10:00:00",
        "Amount": "9.90",
        "Amount Refunded": "0.00",
        "Currency": "usd",
        "PaymentIntent ID": "pi_1",
        "Status": "Paid",
    }
    columns = [name for name in COLUMNS if name != without]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(sound | row for row in rows)
    return path


def test_an_export_is_read_row_by_row(tmp_path: Path) -> None:
    (payment,) = from_export(written(tmp_path / "a.csv", {"Invoice ID": "in_1"}))
    at = datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert payment == StripePayment("pi_1", 990, 0, "usd", is_disputed=False, at=at, invoice="in_1")
    assert period([payment]) == (at, at)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("9.90", "usd", 990),
        ("1,234.50", "USD", 123450),
        ("12,5", "eur", 1250),
        ("500", "jpy", 500),
        ("1.234", "kwd", 1234),
        ("0", "usd", 0),
    ],
)
def test_amounts_are_read_as_the_dashboard_writes_them(
    tmp_path: Path, text: str, currency: str, amount: int
) -> None:
    (payment,) = from_export(written(tmp_path / "a.csv", {"Amount": text, "Currency": currency}))
    assert payment.amount == amount


@pytest.mark.parametrize(
    ("status", "stands"),
    [
        ("", False),
        ("needs_response", True),
        ("Needs response", True),
        ("lost", True),
        ("won", False),
        ("warning_closed", False),
    ],
)
def test_a_dispute_counts_while_the_money_is_gone(
    tmp_path: Path, status: str, stands: bool
) -> None:
    (payment,) = from_export(written(tmp_path / "a.csv", {"Dispute Status": status}))
    assert payment.is_disputed is stands


def test_what_was_not_paid_or_is_of_the_other_mode_is_left_out(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"Status": name} for name in ("Failed", "Canceled", "Pending")]
    rows += [{"Mode": "Live"}, {"PaymentIntent ID": ""}]
    assert from_export(written(tmp_path / "a.csv", *rows)) == []
    kept = [{"Status": "Refunded"}, {"Status": "Partially Refunded"}, {"Mode": "Test"}]
    assert len(from_export(written(tmp_path / "b.csv", *kept))) == 3
    with pytest.raises(Problem, match="no payment that succeeded"):
        period([])


@pytest.mark.parametrize("column", ["PaymentIntent ID", "Amount Refunded", "Created date (UTC)"])
def test_an_export_that_lacks_a_column_is_refused(tmp_path: Path, column: str) -> None:
    with pytest.raises(Problem, match=rf"lacks {column[:8]}"):
        from_export(written(tmp_path / "a.csv", {}, without=column))


@pytest.mark.parametrize("wrong", [{"Amount": "much"}, {"Created date (UTC)": "today"}])
def test_a_row_that_makes_no_sense_is_named(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(Problem, match="Line 3 of the export makes no sense"):
        from_export(written(tmp_path / "a.csv", {}, wrong))


def test_a_file_that_is_no_export_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none", tmp_path / "b", tmp_path):
        with pytest.raises(Problem, match="cannot be read"):
            from_export(path)
