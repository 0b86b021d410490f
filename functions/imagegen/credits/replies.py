"""What clients are shown of credits."""

from collections import Counter
from enum import StrEnum

from pydantic import Field

from imagegen.api.schema import NextPageToken, Timestamp, WireModel, is_none
from imagegen.credits.entries import EntryDocument, EntryType
from imagegen.credits.lots import Kind, Lots
from imagegen.credits.user import UserDocument


class View(StrEnum):
    """How much to show."""

    BASIC = "basic"
    FULL = "full"


class LedgerEntry(WireModel):
    """One entry of a user's history."""

    id: str = Field(description="The ledger entry.")
    type: EntryType = Field(description="What changed the balance, and in which direction.")
    credits: int = Field(description="Credits, always positive.")
    generation_request_id: str | None = Field(
        description="The generation request; null for entries that belong to none."
    )
    timestamp: Timestamp = Field(description="When the entry was written.")
    delta: int | None = Field(
        default=None,
        exclude_if=is_none,
        description="Full view: the change of the balance, signed.",
    )
    balance_after: int | None = Field(
        default=None, exclude_if=is_none, description="Full view: the balance after the entry."
    )
    reason: str | None = Field(
        default=None, exclude_if=is_none, description="Full view: why the entry was written."
    )

    @classmethod
    def from_document(cls, entry: EntryDocument, view: View | None) -> "LedgerEntry":
        is_full = view is View.FULL
        return cls(
            id=entry.id,
            type=entry.type,
            credits=entry.credits,
            generation_request_id=entry.generation_request_id,
            timestamp=entry.timestamp,
            delta=entry.change if is_full else None,
            balance_after=entry.balance_after if is_full else None,
            reason=entry.reason if is_full else None,
        )


class CreditLot(WireModel):
    """Credits of one kind and one expiry that came in together."""

    id: str = Field(description="The lot.")
    kind: Kind = Field(description="Where the credits come from.")
    remaining: int = Field(description="Credits that are left.")
    expires_at: Timestamp | None = Field(description="When they expire; null: never.")


class CreditTotals(WireModel):
    """The balance by kind; the sum is the balance."""

    allowance: int = Field(description="Free credits of this month.")
    trial: int = Field(description="Credits that a new account gets.")
    promotional: int = Field(description="Credits from promotions.")
    subscription: int = Field(description="Credits of subscriptions.")
    purchased: int = Field(description="Credits that were bought.")
    granted: int = Field(description="Credits from an operator.")
    opening: int = Field(description="Credits from before there were kinds.")


class NextExpiry(WireModel):
    """What expires next."""

    credits: int = Field(description="Credits that expire.")
    expires_at: Timestamp = Field(description="When they expire.")


class UserCredits(WireModel):
    """The balance, and the entries that explain it."""

    current_credits: int = Field(description="The balance.")
    transactions: list[LedgerEntry] = Field(description="The ledger entries, newest first.")
    lots: list[CreditLot] | None = Field(
        default=None,
        exclude_if=is_none,
        description="Full view: what the balance consists of, in the order of spending.",
    )
    totals: CreditTotals | None = Field(
        default=None, exclude_if=is_none, description="Full view: the balance by kind."
    )
    next_expiry: NextExpiry | None = Field(
        default=None,
        exclude_if=is_none,
        description="Full view: what expires next. Absent if nothing does.",
    )
    debt: int | None = Field(
        default=None,
        exclude_if=is_none,
        description="Full view: credits that are owed, as their purchase was refunded after they "
        "were spent. While there are any, nothing can be spent.",
    )
    next_page_token: NextPageToken = None

    def with_lots_of(self, user: UserDocument) -> "UserCredits":
        """The full view."""
        held = user.held_lots
        lots = [
            CreditLot(id=lot.id, kind=lot.kind, remaining=lot.credits, expires_at=lot.expires_at)
            for lot in held
        ]
        more = {
            "lots": lots,
            "totals": _totals(held),
            "next_expiry": _next_expiry(held),
            "debt": user.debt,
        }
        return self.model_copy(update=more)


def _next_expiry(held: Lots) -> NextExpiry | None:
    """What expires next: all lots that expire at that very moment."""
    ends = [lot.expires_at for lot in held if lot.expires_at is not None]
    if not ends:
        return None
    credits = sum(lot.credits for lot in held if lot.expires_at == min(ends))
    return NextExpiry(credits=credits, expires_at=min(ends))


def _totals(held: Lots) -> CreditTotals:
    by_kind = Counter[Kind]()
    for lot in held:
        by_kind[lot.kind] += lot.credits
    return CreditTotals(
        allowance=by_kind[Kind.ALLOWANCE],
        trial=by_kind[Kind.TRIAL],
        promotional=by_kind[Kind.PROMOTIONAL],
        subscription=by_kind[Kind.SUBSCRIPTION],
        purchased=by_kind[Kind.PURCHASE],
        granted=by_kind[Kind.GRANT],
        opening=by_kind[Kind.OPENING],
    )
