"""Payments as Stripe knows them: from its API, or from an export of the Dashboard."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from emulators.problem import Problem
from imagegen import config
from imagegen.purchases import stripe_api
from imagegen.purchases.money import smallest_units
from imagegen.purchases.reversals import Dispute

# Columns of the Dashboard's export of payments; those for metadata and cards are not used.
ID, PAYMENT_INTENT, INVOICE = "id", "PaymentIntent ID", "Invoice ID"
CREATED = ("Created date (UTC)", "Created (UTC)")  # the second one in older exports
AMOUNT, REFUNDED, CURRENCY = "Amount", "Amount Refunded", "Currency"
STATUS, MODE, DISPUTE = "Status", "Mode", "Dispute Status"
NEEDED = (PAYMENT_INTENT, AMOUNT, REFUNDED, CURRENCY, STATUS)
NOT_PAID = re.compile(
    "failed|cancell?ed|pending|incomplete|uncaptured|blocked|requires.*", re.IGNORECASE
)
# 1234.5, 1,234.50, and 1234,50 where the export follows a language with a decimal comma.
NUMBER = re.compile(r"\d+(\.\d+)?|\d{1,3}(,\d{3})+(\.\d+)?")
DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}")


@dataclass(frozen=True)
class StripePayment:
    """A payment that succeeded. Amounts are in the currency's smallest unit."""

    payment_intent: str
    amount: int
    refunded: int
    currency: str
    is_disputed: bool  # the money is gone, or will be unless the dispute is won
    at: datetime
    invoice: str = ""  # where the source tells


def from_api(since: datetime, until: datetime) -> Iterator[StripePayment]:
    """The payments that were begun from `since` up to `until`, the newest first.

    Raises StripeRefused and PaymentProviderUnavailable.
    """
    begun = {"created[gte]": _seconds(since), "created[lt]": _seconds(until)}
    # A dispute comes up to months after its payment.
    disputes = _by_payment(stripe_api.pages("/v1/disputes", {"created[gte]": _seconds(since)}))
    for charge in stripe_api.pages("/v1/charges", begun):
        if charge["status"] == "succeeded" and charge["payment_intent"]:
            yield StripePayment(
                payment_intent=charge["payment_intent"],
                amount=charge["amount"],
                refunded=charge["amount_refunded"],
                currency=charge["currency"],
                is_disputed=disputes.get(charge["payment_intent"], False),
                at=datetime.fromtimestamp(charge["created"], UTC),
            )


def _by_payment(disputes: Iterator[Mapping[str, Any]]) -> dict[str, bool]:
    """Whether a dispute of a payment stands, by payment intent."""
    found: dict[str, bool] = {}
    for it in disputes:
        stands = Dispute(it["amount"], it["status"], it["created"]).counts
        found[it["payment_intent"]] = found.get(it["payment_intent"], False) or stands
    return found


def from_export(path: Path) -> list[StripePayment]:
    """The payments of a CSV file that the Dashboard exported with all columns.

    Raises Problem when it is none.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = rows.fieldnames or ()
            missing = [name for name in NEEDED if name not in columns]
            created = next((name for name in CREATED if name in columns), CREATED[0])
            if missing or created not in columns:
                names = ", ".join(missing or [created])
                raise Problem(f"{path} lacks {names}: export the payments with all columns.")
            return [*_payments(rows, created)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Problem(f"{path} cannot be read: {error}") from error


def _payments(rows: Iterator[Mapping[str, str]] | Any, created: str) -> Iterator[StripePayment]:
    other_mode = "test" if config.stripe_is_live() else "live"
    for number, row in enumerate(rows, start=2):
        is_other = (row.get(MODE) or "").lower() == other_mode
        if is_other or NOT_PAID.fullmatch(row[STATUS]) or not row[PAYMENT_INTENT]:
            continue
        try:
            yield _payment(row, row[created])
        except ValueError as error:
            raise Problem(f"Line {number} of the export makes no sense: {error}.") from error


def _payment(row: Mapping[str, str], created: str) -> StripePayment:
    currency = row[CURRENCY].lower()
    status = "_".join((row.get(DISPUTE) or "").lower().split())
    return StripePayment(
        payment_intent=row[PAYMENT_INTENT],
        amount=_smallest_units(row[AMOUNT], currency),
        refunded=_smallest_units(row[REFUNDED] or "0", currency),
        currency=currency,
        is_disputed=Dispute(0, status, 0).counts,
        at=datetime.fromisoformat(created).replace(tzinfo=UTC),
        invoice=row.get(INVOICE) or "",
    )


def _smallest_units(text: str, currency: str) -> int:
    """1250 for 12.50 usd. Raises ValueError."""
    if DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    elif not NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no amount")
    return smallest_units(Decimal(text.replace(",", "")), currency)


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def period(payments: Sequence[StripePayment]) -> tuple[datetime, datetime]:
    """When the first and the last of `payments` were begun. Raises Problem without any."""
    if not payments:
        raise Problem("The export has no payment that succeeded.")
    return min(each.at for each in payments), max(each.at for each in payments)
