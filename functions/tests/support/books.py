"""What Firestore holds of a user, read past the code under test, and whether it adds up."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from google.cloud import firestore

from imagegen import db
from imagegen.audit.findings import Account, findings


def ledger_of(client: firestore.Client, user_id: str) -> list[dict[str, Any]]:
    """All entries of a user, oldest first."""
    entries = client.collection(db.entries(user_id)).stream()
    return sorted(
        ({"id": e.id, **(e.to_dict() or {})} for e in entries), key=lambda e: e["sequence"]
    )


def requests_of(client: firestore.Client, user_id: str) -> list[dict[str, Any]]:
    """All generation requests of a user."""
    owned = client.collection("generationRequests").where(
        filter=firestore.FieldFilter("userId", "==", user_id)
    )
    return [{"id": r.id, **(r.to_dict() or {})} for r in owned.stream()]


def purchases_of(client: firestore.Client, user_id: str) -> dict[str, dict[str, Any]]:
    """All purchases of a user, by id."""
    owned = client.collection("purchases").where(
        filter=firestore.FieldFilter("userId", "==", user_id)
    )
    return {p.id: p.to_dict() or {} for p in owned.stream()}


def account_of(client: firestore.Client, user_id: str) -> Account:
    """All that is stored about a user, as the audit wants it."""
    return Account(
        user_id,
        client.document(db.user(user_id)).get().to_dict(),
        {entry["id"]: entry for entry in ledger_of(client, user_id)},
        {request["id"]: request for request in requests_of(client, user_id)},
        purchases_of(client, user_id),
    )


def check_books(
    client: firestore.Client, user_id: str, opening: int, *, ignoring: Collection[str] = ()
) -> int:
    """Assert that the audit of a user who began with `opening` finds nothing; the balance.

    `ignoring` names rules that a test has broken, where it wrote lots without their purchases.
    """
    account = account_of(client, user_id)
    found = findings(account, datetime.now(UTC), opening)
    assert [each for each in found if each.invariant not in ignoring] == []
    assert account.user is not None
    balance: int = account.user["credits"]
    return balance
