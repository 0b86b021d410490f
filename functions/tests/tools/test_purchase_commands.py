"""The operators' commands for purchases, as they are typed, on the emulator."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from google.cloud import firestore
from ops import admin
from stripe_stub.prices import PRICES, PRODUCTS
from stripe_stub.server import Stub
from support import projects
from support.admin_calls import actions_about
from support.books import check_books
from support.orders import ANYBODY, order
from support.paths import FUNCTIONS
from typer.testing import CliRunner, Result

from imagegen import actions, clock
from imagegen.catalogue import catalogue, products
from imagegen.firestore import client as firestore_client
from imagegen.generation import create as generation
from imagegen.purchases import booking, links, operators, reversing
from imagegen.purchases.booking import Payment
from imagegen.purchases.items import Item
from imagegen.purchases.purchase import Provider
from imagegen.purchases.reversals import Refund, Reversals

PROJECT = "demo-purchases-tests"
Run = Callable[..., Result]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs a command in this process; what it sets in the environment is forgotten."""

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(admin.app, arguments, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    with mock.patch.dict("os.environ"):
        yield run


@pytest.fixture
def shop(
    emulator: str, client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[firestore.Client]:
    """A project of its own, in which a pack of 10 credits is sold; ann has 2 credits, bob none."""
    own = projects.with_options_of(client, PROJECT)
    own.document("products/pack").set({"credits": 10, "kind": "purchase", "stripePrice": "price"})
    own.document("users/ann").set({"credits": 2})
    own.document("users/bob").set({"credits": 0})
    monkeypatch.setattr(firestore_client, "_client", own)
    catalogue.forget()
    products.forget()
    yield own
    own.close()
    catalogue.forget()
    products.forget()


def buy(purchase_id: str, user_id: str = "ann", **terms: Any) -> None:
    told: dict[str, Any] = {
        "provider": Provider.REVENUECAT,
        "items": [Item("id", "pack")],
        "amount": 990,
        "currency": "usd",
        "at": datetime.now(UTC),
        "is_test": True,
        "ids": {"transaction_id": purchase_id},
    }
    booking.book(Payment(purchase_id=purchase_id, named=[user_id], **told | terms))


def told(result: Result) -> Any:
    return json.loads(result.stdout)


def test_purchases_are_listed_by_user_by_status_and_since_when(
    shop: firestore.Client, run: Run
) -> None:
    buy("first")
    buy("second", "bob")
    buy("strange", items=[Item("id", "unknown")])
    assert [each["purchaseId"] for each in told(run("--json", "purchases", "list"))] == [
        "strange",
        "second",
        "first",
    ]

    def listed(*options: str) -> list[str]:
        return [each["purchaseId"] for each in told(run("--json", "purchases", "list", *options))]

    assert listed("--user", "ann") == ["strange", "first"]
    assert listed("--status", "unmatched") == ["strange"]
    assert listed("--user", "ann", "--status", "paid") == ["first"]
    assert listed("--limit", "1") == ["strange"]
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    assert listed("--since", tomorrow) == []
    table = run("purchases", "list").stdout
    assert "9.90 USD" in table
    assert "unmatched" in table
    assert "No such purchase" in run("purchases", "list", "--user", "eve").stdout


def test_a_purchase_is_shown_by_its_id(shop: firestore.Client, run: Run) -> None:
    buy("first")
    shown = told(run("--json", "purchases", "show", "first"))
    assert (shown["status"], shown["credits"], shown["amount"]) == ("paid", 10, 990)
    assert "first" in run("purchases", "show", "first").stdout
    assert "There is no such purchase" in run("purchases", "show", "none", code=1).stderr


def test_a_refund_that_no_store_tells_and_a_waiver_of_its_debt(
    shop: firestore.Client, run: Run
) -> None:
    buy("first")
    for number in range(7):
        generation.create(order("ann", idempotency_key=str(number)), ANYBODY)
    why = ("--reason", "refunded by Apple")
    for _ in range(2):
        state = told(run("--json", "refund-purchase", "first", *why))
        assert (state["status"], state["clawedBackCredits"]) == ("refunded", 3)
        assert state["owedCredits"] == 7
    assert check_books(shop, "ann", 2) == 2
    waiver = ("waive", "ann", "5", "--reason", "goodwill", "--key", "ticket-1")
    assert told(run("--json", *waiver)) == {"isNew": True, "debt": 2}
    assert told(run("--json", *waiver)) == {"isNew": False, "debt": 2}
    assert "waived before" in run(*waiver).stdout
    too_much = run("waive", "ann", "3", "--reason", "r", "--key", "ticket-2", code=1)
    assert "are more than the debt" in too_much.stderr
    assert check_books(shop, "ann", 2) == 2
    assert "The books are right" in run("audit").stdout
    assert "is reinstated" in run("refund-purchase", "first", *why, "--undo").stdout
    assert check_books(shop, "ann", 2) == 5
    logged = {each.get("action") for each in shop.collection(actions.COLLECTION).stream()}
    assert logged == {"refund", "waive", "undo refund"}


def test_a_refund_of_stripe_is_left_to_stripe(shop: firestore.Client, run: Run) -> None:
    buy("first", provider=Provider.STRIPE, ids={})
    refused = run("refund-purchase", "first", "--reason", "r", code=1)
    assert "Only a store purchase" in refused.stderr


def test_two_waivers_at_once_under_one_key_are_one(shop: firestore.Client) -> None:
    buy("first")
    for number in range(8):
        generation.create(order("ann", idempotency_key=str(number)), ANYBODY)
    refund = Reversals(refunds={"first": Refund(None, "succeeded", 1)})
    reversing.reverse("first", Provider.REVENUECAT, refund)

    def waive(_: int) -> Any:
        return operators.waive("ann", 3, by="cli:test", key="k", reason="r")

    with ThreadPoolExecutor(8) as threads:
        done = [*threads.map(waive, range(8))]
    assert sum(each.is_new for each in done) == 1
    assert shop.document("users/ann").get().get("debt") == 5
    assert check_books(shop, "ann", 2) == 2


def test_purchases_are_reconciled_with_stripe_and_what_was_missing_is_booked(
    shop: firestore.Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = Stub(PRICES).start()
    monkeypatch.setenv("STRIPE_API_BASE", stub.url)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")
    for path, fields in PRODUCTS.items():
        shop.document(path).set(fields)
    products.forget()
    form = {
        "mode": "payment",
        "client_reference_id": "ann",
        "metadata": {"userId": "ann", "productId": "pack-100"},
        "line_items": {"0": {"price": "price_pack_100"}},
        "success_url": "",
        "cancel_url": "",
    }
    paid = stub.world.pay(stub.world.create_session(form)["id"])  # and no event arrives
    tomorrow = (clock.now() + timedelta(days=1)).date().isoformat()
    reconcile = ("purchases", "reconcile", "--until", tomorrow)
    (missing,) = told(run("--json", *reconcile, code=1))["differences"]
    assert (missing["problem"], missing["payment_intent"]) == ("not_here", paid["payment_intent"])
    assert "Stripe took 990 usd" in run(*reconcile, code=1).stdout
    assert "--book needs a --reason" in run(*reconcile, "--book", "--reason", " ", code=2).stderr
    booked = run(*reconcile, "--book", "--reason", "events were lost").stdout
    assert "checkout.session.completed: paid" in booked
    assert "No difference" in booked
    assert check_books(shop, "ann", 2) == 102
    stub.world.refund(paid["payment_intent"], 99)
    assert "refunded: pi_" in run(*reconcile, code=1).stdout
    again = ("--book", "--reason", "a refund was lost")
    assert told(run("--json", *reconcile, *again))["differences"] == []
    assert check_books(shop, "ann", 2) == 92
    found = actions_about(shop, links.path(paid["payment_intent"]))
    assert {each["reason"] for each in found} == {"events were lost", "a refund was lost"}
    stub.stop()
    refused = run("purchases", "reconcile", "none.csv", code=1)
    assert "none.csv cannot be read" in refused.stderr


def documented() -> list[list[str]]:
    """The commands of docs/credits.md, as arguments of imagegen-admin."""
    text = (FUNCTIONS.parent / "docs/credits.md").read_text()
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", text, re.DOTALL))
    found = []
    typed = re.findall(r"^(?:make (?:purchases|audit)|\S*imagegen-admin).*", blocks, re.MULTILINE)
    for line in [*typed, *re.findall(r"`(imagegen-admin [a-z-]+ [A-Z][^`]*)`", text)]:
        words = shlex.split(line, comments=True)
        match words:
            case ["make", "purchases"]:
                found.append(["purchases", "list"])
            case ["make", "purchases", arguments]:
                found.append(["purchases", *shlex.split(arguments.removeprefix("ARGS="))])
            case ["make", "audit"]:
                found.append(["audit"])
            case [program, *arguments] if program.endswith("imagegen-admin"):
                found.append(arguments)
    return found


def test_every_command_of_the_documentation_runs_as_it_is_written(
    shop: firestore.Client, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stub = Stub(PRICES).start()
    monkeypatch.setenv("STRIPE_API_BASE", stub.url)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_x")
    header = "id,Created date (UTC),Amount,Amount Refunded,Currency,PaymentIntent ID,Status\n"
    row = "ch_1,2026-11-20 10:00:00,9.90,9.90,usd,pi_1,Refunded\n"
    (tmp_path / "payments.csv").write_text(header + row)
    monkeypatch.chdir(tmp_path)
    shop.document("users/testUser1").set({"credits": 1})
    buy("owing", "testUser1")
    buy("PURCHASE", "testUser1")
    for number in range(15):
        generation.create(order("testUser1", idempotency_key=str(number)), ANYBODY)
    reversing.reverse(
        "owing", Provider.REVENUECAT, Reversals(refunds={"x": Refund(None, "succeeded", 1)})
    )
    shop.document("users/UID").set({"credits": 0})
    commands = documented()
    assert len(commands) >= 12
    for arguments in commands:
        # What is in the export and not in the books is a difference.
        run(*arguments, code=1 if "payments.csv" in arguments else 0)
    stub.stop()
