"""The audit: it says nothing of books that the app has kept, and finds whatever is broken."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support import projects
from support.orders import ANYBODY, now, order

from imagegen.audit import project as audit
from imagegen.audit.findings import Severity
from imagegen.audit.requests import RECOVERY
from imagegen.catalogue import catalogue, products
from imagegen.credits import ledger
from imagegen.errors import GenerationFailed
from imagegen.firestore import client as firestore_client
from imagegen.generation import create as generation
from imagegen.purchases import booking, reversing
from imagegen.purchases.booking import Payment
from imagegen.purchases.items import Item
from imagegen.purchases.purchase import Provider, PurchaseStatus
from imagegen.purchases.reversals import Refund, Reversals

PROJECT = "demo-audit-tests"


@pytest.fixture
def books(
    emulator: str, client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> Iterator[firestore.Client]:
    """An app of its own: ann has had one image, one failure and a grant; bob has done nothing."""
    own = projects.with_options_of(client, PROJECT)
    monkeypatch.setattr(firestore_client, "_client", own)
    catalogue.forget()
    for user_id, balance in (("ann", 10), ("bob", 3)):
        own.document(f"users/{user_id}").set({"credits": balance})
    generation.create(order("ann", size="1024x1024", idempotency_key="image"), ANYBODY)
    with pytest.raises(GenerationFailed):
        generation.create(order("ann", model="Doomed Model", idempotency_key="none"), ANYBODY)
    ledger.grant_credits("ann", 5, key="ticket", reason="sorry", by="cli:test")
    yield own
    own.close()
    catalogue.forget()


def audited(client: firestore.Client) -> audit.Audit:
    return audit.run(client, lambda so_far: None)


def request_of(client: firestore.Client, status: str) -> Any:
    wanted = firestore.FieldFilter("status", "==", status)
    (found,) = client.collection("generationRequests").where(filter=wanted).stream()
    return found


def entry_of(client: firestore.Client, status: str, kind: str) -> Any:
    request_id = request_of(client, status).id
    return client.document(f"users/ann/transactions/{request_id}-{kind}")


def test_books_that_the_app_kept_are_right(books: firestore.Client) -> None:
    found = audited(books)
    assert (found.users, found.entries, found.requests) == (2, 4, 2)
    assert found.findings == []


Break = Callable[[firestore.Client], Any]


def remove_deduction(client: firestore.Client) -> None:
    """As if the failed request had never been charged; the numbers are closed up again."""
    entry_of(client, "failed", "deduction").delete()
    entry_of(client, "failed", "refund").update({"sequence": 2, "balanceAfter": 8})
    client.document(ledger.grant_path("ann", "ticket")).update({"sequence": 3, "balanceAfter": 13})
    client.document("users/ann").update({"ledgerSequence": 3, "credits": 13})


def copy_deduction(client: firestore.Client) -> None:
    """The image charged a second time, under another id, with books that add up."""
    again = entry_of(client, "completed", "deduction").get().to_dict()
    again |= {"sequence": 5, "balanceAfter": 9}
    client.document("users/ann/transactions/again").set(again)
    client.document("users/ann").update({"ledgerSequence": 5, "credits": 9})


def refund_too_much(client: firestore.Client) -> None:
    entry_of(client, "failed", "refund").update(
        {
            "credits": 2,
            "delta": 2,
            "lots": [{"lot": "opening", "credits": 2}],
            "balanceAfter": 8,
        }
    )
    client.document(ledger.grant_path("ann", "ticket")).update({"balanceAfter": 13})
    client.document("users/ann").update({"credits": 13})


def leave_open(client: firestore.Client) -> None:
    expired = now() - RECOVERY - timedelta(minutes=1)
    changed = {"status": "pending", "expiresAt": expired}
    request_of(client, "completed").reference.update(changed)


@pytest.mark.parametrize(
    ("invariant", "break_it"),
    [
        ("I1", lambda client: client.document("users/bob").update({"credits": -1})),
        ("I2", lambda client: client.document("users/ann").update({"credits": 11})),
        ("I3", lambda client: client.document("users/ann").update({"ledgerSequence": 5})),
        (
            "I3",
            lambda client: entry_of(client, "failed", "deduction").update({"balanceAfter": 7}),
        ),
        ("I3", lambda client: entry_of(client, "failed", "refund").update({"sequence": 5})),
        ("I4", copy_deduction),
        ("I5", refund_too_much),
        ("I5", remove_deduction),
        (
            "I6",
            lambda client: request_of(client, "failed").reference.update({"status": "completed"}),
        ),
        (
            "I6",
            lambda client: request_of(client, "completed").reference.update({"status": "failed"}),
        ),
        ("I6", lambda client: request_of(client, "completed").reference.update({"credits": 4})),
        ("I6", lambda client: request_of(client, "completed").reference.delete()),
        ("I6", lambda client: request_of(client, "completed").reference.update({"userId": "bob"})),
        (
            "I6",
            lambda client: request_of(client, "completed").reference.update(
                {"userId": firestore.DELETE_FIELD}
            ),
        ),
        ("I10", leave_open),
    ],
)
def test_whatever_is_broken_is_found(
    books: firestore.Client, invariant: str, break_it: Break
) -> None:
    break_it(books)
    found = audited(books)
    assert invariant in {finding.invariant for finding in found.findings}
    assert all(finding.message for finding in found.findings)


def test_an_entry_without_a_user_and_one_without_sense_are_found(books: firestore.Client) -> None:
    books.document("users/ann").delete()
    books.document("users/bob/transactions/odd").set({"type": "gift", "credits": "many"})
    messages = {finding.user_id: finding.message for finding in audited(books).findings}
    assert messages["ann"] == "there is no user document, but 4 ledger entries"
    assert messages["bob"].startswith("entry odd makes no sense")


NAN = float("nan")
NO_USER_IDS: list[Any] = [None, 7, NAN, True, b"x", [], {}, "", now()]
ELSEWHERE = "projects/another/databases/(default)/documents/users/ann"  # no client decodes it


def store_reference(path: str, field: str) -> None:
    """A reference to a document of another project; no Python client writes one."""
    body = json.dumps({"fields": {field: {"referenceValue": ELSEWHERE}}}).encode()
    documents = f"projects/{PROJECT}/databases/(default)/documents"
    url = f"http://{os.environ['FIRESTORE_EMULATOR_HOST']}/v1/{documents}/{path}"
    headers = {"Authorization": "Bearer owner", "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PATCH")).close()


@pytest.mark.parametrize("page", [1, 1000])
def test_a_malformed_document_is_a_finding_with_its_path_and_the_audit_goes_on(
    books: firestore.Client, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", page)
    documents: dict[str, dict[str, Any]] = {
        "users/junk1": {"credits": NAN},
        "users/junk2": {"credits": {"a": [1]}, "ledgerSequence": "x"},
        "users/junk3": {},
        "users/junk3/transactions/empty": {},
        "users/junk3/transactions/odd": {"type": "grant", "credits": NAN, "timestamp": now()},
        "generationRequests/empty": {},
        "generationRequests/nan": {"userId": "ann", "status": "failed", "credits": NAN},
        "generationRequests/text": {"userId": "ann", "status": "failed", "createdAt": "today"},
        "generationRequests/status": {"userId": "ann", "status": ["failed"], "credits": 1},
        **{
            f"generationRequests/user{number}": {"userId": user_id, "status": "completed"}
            for number, user_id in enumerate(NO_USER_IDS)
        },
    }
    for path, fields in documents.items():
        books.document(path).set(fields)
    references = {
        "users/junk4": "credits",
        "users/junk3/transactions/reference": "type",
        "generationRequests/reference1": "userId",
        "generationRequests/reference2": "userId",
    }
    for path, field in references.items():
        store_reference(path, field)
    books.document("users/zoe").set({"credits": -1})  # the last of all
    found = audited(books)
    wrong = {*documents, *references, "users/zoe"} - {"users/junk3"}
    assert {finding.path for finding in found.findings if finding.path != "users/junk3"} == wrong
    assert found.requests == 2 + sum(path.startswith("generationReq") for path in wrong)


def test_other_collections_of_the_same_name_are_left_alone(books: firestore.Client) -> None:
    books.document("shops/ann/transactions/sale").set({"type": "sale"})
    books.document("users/ann/devices/phone/transactions/sale").set({"type": "sale"})
    found = audited(books)
    assert (found.entries, found.findings) == (4, [])


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_users_meet_their_own_entries_and_requests_whatever_their_ids_sort_like(
    books: firestore.Client, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", page)
    for user_id in ("Zoe", "a-b", "ab", "élise", "1"):
        books.document(f"users/{user_id}").set({"credits": 2})
        generation.create(order(user_id), ANYBODY)
    found = audited(books)
    assert (found.users, found.entries, found.requests) == (7, 9, 7)
    assert found.findings == []


def test_the_list_of_findings_ends_somewhere(
    books: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MAX_LISTED", 1)
    books.document("users/ann").update({"credits": -1})
    found = audited(books)
    assert (found.finding_count, len(found.findings)) == (2, 1)


# --- purchases ---------------------------------------------------------------------------------


def pay(purchase_id: str, user_id: str = "bob", product_id: str = "pack") -> PurchaseStatus:
    payment = Payment(
        purchase_id=purchase_id,
        provider=Provider.STRIPE,
        named=[user_id],
        items=[Item("id", product_id)],
        amount=100,
        currency="usd",
        at=now(),
        is_test=True,
        payment_intent=f"pi_{purchase_id}",
    )
    return booking.book(payment).status


def repay(purchase_id: str, amount: int) -> None:
    told = Reversals(refunds={"re_1": Refund(amount, "succeeded", 1)})
    reversing.reverse(purchase_id, Provider.STRIPE, told)


@pytest.fixture
def shop(books: firestore.Client) -> Iterator[firestore.Client]:
    """Bob, who had 3 credits, has bought 10 twice. The money of the first came back when he had
    spent 15: five of the second could be taken, five are owed.
    """
    books.document("products/pack").set({"credits": 10, "kind": "purchase"})
    products.forget()
    for purchase_id in ("first", "second"):
        assert pay(purchase_id) is PurchaseStatus.PAID
    for number in range(15):
        generation.create(order("bob", idempotency_key=str(number)), ANYBODY)
    repay("first", 100)
    yield books
    products.forget()


def test_purchases_that_the_app_kept_are_right(shop: firestore.Client) -> None:
    assert shop.document("purchases/first").get().get("owed") == 5
    found = audited(shop)
    assert (found.purchases, found.findings) == (2, [])


def test_unmatched_purchases_and_parked_refunds_are_warnings(shop: firestore.Client) -> None:
    assert pay("strange", product_id="unknown") is PurchaseStatus.UNMATCHED
    assert pay("nobody", user_id="") is PurchaseStatus.UNMATCHED
    repay("early", 50)  # its payment has not been told, so the document does not name a user
    reversing.park("pi_other", Reversals(refunds={"re_2": Refund(5, "succeeded", 1)}))
    found = audited(shop)
    assert {each.severity for each in found.findings} == {Severity.WARNING}
    assert {each.path: each.message for each in found.findings} == {
        "purchases/strange": "it is unmatched: no_product; 100 usd bought nothing",
        "purchases/nobody": "it is unmatched: no_user; 100 usd bought nothing",
        "purchases/early": "it is unmatched: no_payment; 0 of an unknown currency bought nothing",
        "stripeLinks/pi_other": "a refund or dispute is parked here: the payment itself has not "
        "been told",
    }
    assert (found.purchases, found.warning_count, found.error_count) == (5, 4, 0)


def bring_in_twice(client: firestore.Client) -> None:
    """The entry of the second purchase again, under another purchase's name."""
    entry = client.document("users/bob/transactions/second-purchase").get().to_dict() or {}
    user = client.document("users/bob").get().to_dict() or {}
    number, balance = user["ledgerSequence"] + 1, user["credits"] + 10
    again = entry | {"sequence": number, "balanceAfter": balance}
    client.document("users/bob/transactions/third-purchase").set(again)
    client.document("users/bob").update({"ledgerSequence": number, "credits": balance})


def lose_clawback(client: firestore.Client) -> None:
    client.document("purchases/first").update(
        {"clawedBack": 0, "clawedBackLots": [], "status": "paid", "owed": 0}
    )
    client.document("users/bob").update({"debt": 0})


@pytest.mark.parametrize(
    ("invariant", "path", "break_it"),
    [
        ("I13", "third", bring_in_twice),
        ("I13", "first", lose_clawback),
        ("I13", "first", lambda client: client.document("purchases/first").delete()),
        (
            "I13",
            "second",
            lambda client: client.document("purchases/second").update({"credits": 9}),
        ),
        (
            "I13",
            "second",
            lambda client: client.document("purchases/second").update({"status": "pending"}),
        ),
        (
            "I13",
            "unpaid",
            lambda client: client.document("purchases/unpaid").set(
                {"userId": "bob", "status": "paid", "credits": 5, "lotId": "unpaid"}
            ),
        ),
        ("I13", "first", lambda client: client.document("purchases/first").update({"waived": 1})),
        ("I13", "first", lambda client: client.document("purchases/first").update({"owed": "x"})),
    ],
)
def test_whatever_is_broken_about_purchases_is_found(
    shop: firestore.Client, invariant: str, path: str, break_it: Break
) -> None:
    break_it(shop)
    found = {(each.invariant, each.path): each.severity for each in audited(shop).findings}
    assert found[invariant, f"purchases/{path}"] is Severity.ERROR


@pytest.mark.parametrize("debt", [0, 4, 6])
def test_a_debt_that_is_not_what_purchases_owe_is_found(shop: firestore.Client, debt: int) -> None:
    shop.document("users/bob").update({"debt": debt})
    ((invariant, message),) = ((each.invariant, each.message) for each in audited(shop).findings)
    assert invariant == "I15"
    assert message == f"the debt is {debt}, but the purchases owe 5"


def test_a_purchase_may_lie_in_another_account_than_its_entries(shop: firestore.Client) -> None:
    shop.document("purchases/second").update({"userId": "ann"})
    assert audited(shop).findings == []
