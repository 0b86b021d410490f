"""Lots as tests write them into user documents, and accounts as they look past the code."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.cloud import firestore

from imagegen import db
from imagegen.credits.lots import LONG_AGO, PRIORITIES, Kind, Lot, stored


def lot(
    lot_id: str,
    credits: int,
    kind: Kind = Kind.TRIAL,
    *,
    expires_at: datetime | None = None,
    purchase_id: str | None = None,
) -> Lot:
    return Lot(lot_id, kind, credits, expires_at, PRIORITIES[kind], LONG_AGO, purchase_id)


def bought(purchase_id: str, credits: int, *, expires_at: datetime | None = None) -> Lot:
    return lot(purchase_id, credits, Kind.PURCHASE, expires_at=expires_at, purchase_id=purchase_id)


def with_lots(*some: Lot) -> dict[str, Any]:
    """Fields of a user document that holds these lots."""
    return {"credits": sum(each.credits for each in some), "lots": stored(some)}


def remaining(client: firestore.Client, user_id: str) -> dict[str, int]:
    """What remains of each lot; asserts that it is the balance."""
    user = client.document(db.user(user_id)).get().to_dict() or {}
    left = {lot_id: each["remaining"] for lot_id, each in user["lots"].items()}
    assert sum(left.values()) == user["credits"]
    return left
