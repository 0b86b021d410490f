"""What Firestore holds of a user, read past the code under test, and whether it adds up."""

from typing import Any

from google.cloud import firestore

from imagegen import db


def ledger_of(client: firestore.Client, user_id: str) -> list[dict[str, Any]]:
    """All entries of a user, oldest first, past the code under test."""
    entries = client.collection(db.entries(user_id)).stream()
    return sorted(
        ({"id": e.id, **(e.to_dict() or {})} for e in entries), key=lambda e: e["sequence"]
    )


def requests_of(client: firestore.Client, user_id: str) -> list[dict[str, Any]]:
    """All generation requests of a user, past the code under test."""
    owned = client.collection("generationRequests").where(
        filter=firestore.FieldFilter("userId", "==", user_id)
    )
    return [{"id": r.id, **(r.to_dict() or {})} for r in owned.stream()]


def check_books(client: firestore.Client, user_id: str, opening: int) -> int:
    """Assert that the ledger of a user holds; the balance. Its own arithmetic, not the code's."""
    user = client.document(db.user(user_id)).get().to_dict() or {}
    entries = ledger_of(client, user_id)
    balance = opening
    for sequence, entry in enumerate(entries, start=1):
        balance += -entry["credits"] if entry["type"] == "deduction" else entry["credits"]
        assert (entry["sequence"], entry["balanceAfter"]) == (sequence, balance)
        assert entry["credits"] > 0
        assert balance >= 0
    assert user["credits"] == balance
    assert user.get("ledgerSequence", 0) == len(entries)
    for request in requests_of(client, user_id):
        kinds = {
            e["type"]: e["credits"] for e in entries if e["generationRequestId"] == request["id"]
        }
        paid_back = (
            {"refund": request["credits"]} if request["status"] in ("failed", "canceled") else {}
        )
        assert kinds == {"deduction": request["credits"]} | paid_back
    charged_for = {e["generationRequestId"] for e in entries if e["type"] != "grant"}
    assert charged_for <= {r["id"] for r in requests_of(client, user_id)}
    return balance
