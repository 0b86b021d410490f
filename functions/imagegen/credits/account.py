"""An account within a transaction: what is due is booked first, then entries are appended.

Due are the opening grant of a new account, the expiry of lots and the allowance of the month. The
first call that sees one books it, in the transaction of whatever else the call does: so a balance
is the sum of the entries at any time, and no job has to visit every user. An entry that is due once
is looked up before it is written, as its user document may have been written by hand.
"""

from datetime import datetime, timedelta
from typing import Any

from imagegen import config, db
from imagegen.api.auth import Caller
from imagegen.credits import closures, free, lots
from imagegen.credits.entries import SIGNS, EntryDocument, EntryType
from imagegen.credits.free import Claim
from imagegen.credits.lots import PRIORITIES, Kind, Lot, Lots
from imagegen.credits.purchased import PurchasedCredits
from imagegen.credits.user import MAX_CREDITS, AccountStatus, UserDocument
from imagegen.errors import AccountClosing, AccountDisabled, UserNotFound
from imagegen.notifications import outbox
from imagegen.notifications.event import EventType

EVENTS = {
    EntryType.GRANT: EventType.CREDITS_GRANTED,
    EntryType.PURCHASE: EventType.CREDITS_PURCHASED,
    EntryType.EXPIRY: EventType.CREDITS_EXPIRED,
    EntryType.CLAWBACK: EventType.CREDITS_CLAWED_BACK,
}


class Account:
    """The account of `user_id` as of `moment`, with what is due booked.

    The transaction has read the user; without a `caller`, the call is our own. `hint` says why the
    owner does not get free credits that would be due.

    Raises UserNotFound.
    """

    def __init__(
        self,
        transaction: db.Transaction,
        user_id: str,
        moment: datetime,
        caller: Caller | None = None,
    ) -> None:
        self.transaction = transaction
        self.moment = moment
        self.user_id = user_id
        user, claim = self.user, free.claim(caller, user_id)
        is_new = not user.exists and claim.opens_account and _signup_is_due(user)
        if not user.exists and (not is_new or closures.is_closed(transaction, user_id)):
            raise UserNotFound(userId=user_id)
        self.hint = claim.hint if _has_free_credits_due(user, moment) else None
        if is_new and claim.is_allowed:
            open_account(transaction, user_id, moment)
        self._expire()
        if claim.is_allowed:
            self._grant_free_credits(claim)

    @property
    def user(self) -> UserDocument:
        return UserDocument(self.transaction[db.user(self.user_id)])

    @property
    def lots(self) -> Lots:
        """What the balance consists of; none of it is expired."""
        return self.user.held_lots if self.user.exists else ()

    @property
    def debt(self) -> int:
        return self.user.debt if self.user.exists else 0

    @property
    def next_number(self) -> int:
        """The number of the next entry."""
        return self.user.ledger_sequence + 1

    def update(self, **values: Any) -> None:
        """Write fields of the user document."""
        self.transaction.update(self.user.path, UserDocument.fields(**values))

    def add(
        self,
        entry_type: EntryType,
        added: Lot,
        *,
        entry_id: str,
        reason: str,
        generation_request_id: str | None = None,
    ) -> None:
        """Add a lot, with its entry."""
        self.enter(
            entry_type,
            lots.put(self.lots, added),
            (added,),
            entry_id=entry_id,
            reason=reason,
            generation_request_id=generation_request_id,
        )

    def restore(self, parts: Lots, entry_id: str) -> tuple[Lots, Lots]:
        """The lots with `parts` put back, and the parts as they were put: see `lots.restore`."""
        grace = timedelta(days=config.REFUND_GRACE_DAYS.value)
        return lots.restore(self.lots, parts, self.moment, grace, entry_id)

    def enter(
        self,
        entry_type: EntryType,
        left: Lots,
        moved: Lots,
        *,
        entry_id: str,
        reason: str,
        generation_request_id: str | None = None,
    ) -> None:
        """Append the entry by which `moved`, parts of lots, came or went, and `left` remain."""
        user, credits = self.user, lots.total(moved)
        change = SIGNS[entry_type] * credits
        balance_after, sequence = user.credits + change, user.ledger_sequence + 1
        if balance_after > MAX_CREDITS:
            raise user.malformed("credits", balance_after)
        self.update(
            credits=balance_after,
            lots=lots.stored(left),
            ledger_sequence=sequence,
            updated_at=self.moment,
        )
        self.transaction.create(
            f"{db.entries(self.user_id)}/{entry_id}",
            EntryDocument.fields(
                type=entry_type,
                credits=credits,
                delta=change,
                lots=[_told(part) for part in moved],
                generation_request_id=generation_request_id,
                balance_after=balance_after,
                sequence=sequence,
                timestamp=self.moment,
                reason=reason,
            ),
        )
        self._tell(entry_type, entry_id, user.credits, balance_after)

    def _tell(self, entry_type: EntryType, entry_id: str, before: int, after: int) -> None:
        """Write the events of an entry that changes the balance from `before` to `after`."""
        low = config.LOW_BALANCE.value
        told = [EVENTS[entry_type]] if entry_type in EVENTS else []
        if after < low <= before:
            told.append(EventType.CREDITS_LOW)
        about = f"{db.entries(self.user_id)}/{entry_id}"
        for event_type in told:
            outbox.record(self.transaction, event_type, about, self.moment, user_id=self.user_id)

    def _expire(self) -> None:
        if not any(lot.is_expired(self.moment) for lot in self.lots):
            return
        until = free.month_end(self.moment)
        rollover = config.ALLOWANCE_ROLLOVER.value
        left, expired = lots.lapse(self.lots, self.moment, rollover=rollover, until=until)
        self.update(lots=lots.stored(left))
        for part in expired:
            entry_id = f"{part.id}-expiry-{self.next_number}"
            self.enter(EntryType.EXPIRY, left, (part,), entry_id=entry_id, reason="expired")
            if part.purchase_id is not None:
                self._note_expired(part.purchase_id, part.credits)

    def _note_expired(self, purchase_id: str, credits: int) -> None:
        """Keep how many credits of a purchase have expired: no refund of it takes them again."""
        purchase = PurchasedCredits(self.transaction[db.purchase(purchase_id)])
        if purchase.exists:  # the lot of one that is gone was written by hand
            fields = PurchasedCredits.fields(expired_credits=purchase.expired_credits + credits)
            self.transaction.update(purchase.path, fields)

    def _grant_free_credits(self, claim: Claim) -> None:
        if self.user.exists and self.user.status is not AccountStatus.ACTIVE:
            return
        if _signup_is_due(self.user):
            self.update(signup_due=False)
            end = free.trial_end(self.moment)
            if free.admit_trial(self.transaction, claim.email, self.moment):
                self._grant_once("signup-grant", Kind.TRIAL, config.SIGNUP_CREDITS.value, end)
        if _allowance_is_due(self.user, self.moment):
            month, end = free.month(self.moment), free.month_end(self.moment)
            self.update(allowance={"period": month})
            credits = config.FREE_MONTHLY_CREDITS.value
            self._grant_once(f"allowance-{month}-grant", Kind.ALLOWANCE, credits, end)

    def _grant_once(self, entry_id: str, kind: Kind, credits: int, end: datetime | None) -> None:
        if self.transaction[f"{db.entries(self.user_id)}/{entry_id}"].exists:
            return
        lot = Lot(entry_id, kind, credits, end, PRIORITIES[kind], self.moment)
        self.add(EntryType.GRANT, lot, entry_id=entry_id, reason=kind)


def _told(part: Lot) -> dict[str, Any]:
    """A part of a lot as an entry tells it: enough for the report to count credits by kind."""
    told = {"lot": part.id, "credits": part.credits, "kind": part.kind}
    return told if part.expires_at is None else told | {"expiresAt": part.expires_at}


def require_active(user: UserDocument) -> None:
    """Raises AccountClosing or AccountDisabled for an account that is being closed or disabled.

    One that is about to be opened has no document yet.
    """
    if not user.exists:
        return
    if user.status is AccountStatus.DISABLED:
        raise AccountDisabled
    if user.status is not AccountStatus.ACTIVE:
        raise AccountClosing


def open_account(transaction: db.Transaction, user_id: str, moment: datetime) -> None:
    """Create the user document, without credits: its opening grant is due."""
    fields = UserDocument.fields(
        credits=0,
        lots={},
        ledger_sequence=0,
        signup_due=True,
        created_at=moment,
        updated_at=moment,
    )
    transaction.create(db.user(user_id), fields)


def is_due(user: UserDocument, moment: datetime, claim: Claim) -> bool:
    """Whether something would be booked for `user`, who may be about to be opened, at `moment`."""
    if not user.exists and not claim.opens_account:
        return False
    has_expired = user.exists and any(lot.is_expired(moment) for lot in user.held_lots)
    return has_expired or (claim.is_allowed and _has_free_credits_due(user, moment))


def _has_free_credits_due(user: UserDocument, moment: datetime) -> bool:
    if user.exists and user.status is not AccountStatus.ACTIVE:
        return False
    return _signup_is_due(user) or (user.exists and _allowance_is_due(user, moment))


def _signup_is_due(user: UserDocument) -> bool:
    return config.SIGNUP_CREDITS.value > 0 and (not user.exists or user.signup_due)


def _allowance_is_due(user: UserDocument, moment: datetime) -> bool:
    """Once a month, and never for an earlier one: a clock that was ahead has booked the later."""
    booked = user.allowance.get("period")
    month = free.month(moment) if config.FREE_MONTHLY_CREDITS.value > 0 else ""
    return month > (booked if isinstance(booked, str) else "")
