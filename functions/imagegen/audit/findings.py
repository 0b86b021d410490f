"""Everything that is wrong with the stored documents of one user."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any

from imagegen import db
from imagegen.audit.entries import Entry, check_balance, check_sequence, read_entry
from imagegen.audit.lots import check_lots
from imagegen.audit.purchases import Purchases, check_debt
from imagegen.audit.requests import check_request

Fields = Mapping[str, Any]


class Severity(StrEnum):
    """How grave a finding is."""

    ERROR = "error"  # the books are wrong
    WARNING = "warning"  # they are right, but something waits for an operator


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    invariant: str
    user_id: str
    path: str  # of the document that is wrong, or of the user's, where several disagree
    message: str
    severity: Severity = Severity.ERROR

    def as_json(self) -> dict[str, str]:
        return {
            "severity": self.severity,
            "invariant": self.invariant,
            "userId": self.user_id,
            "path": self.path,
            "message": self.message,
        }


@dataclass
class Account:
    """All that is stored about one user; entries, requests and purchases are by id.

    `user` is None if there is no user document.
    """

    user_id: str
    user: Fields | None = None
    entries: Mapping[str, Fields] = field(default_factory=dict)
    requests: Mapping[str, Fields] = field(default_factory=dict)
    purchases: Mapping[str, Fields] = field(default_factory=dict)


def findings(
    account: Account,
    moment: datetime,
    opening: int | None = None,
    purchases: Purchases | None = None,
) -> Iterator[Finding]:
    """What is wrong with `account` as of `moment`.

    `opening` is the balance before the first entry, if it is known; else it is derived from the
    first entry. A purchase whose entries lie in another account is wrong, unless `purchases`
    follows all accounts: then `of_purchases` says at the end what is wrong with them.
    """

    user_path = db.user(account.user_id)

    def finding(invariant: str, message: str, path: str = user_path) -> Finding:
        return Finding(invariant, account.user_id, path, message)

    entries: list[Entry] = []
    for entry_id, fields in account.entries.items():
        try:
            entries.append(read_entry(entry_id, fields))
        except ValueError as error:
            path = f"{db.entries(account.user_id)}/{entry_id}"
            yield finding("I2", f"entry {entry_id} makes no sense: {error}", path)
    entries.sort(key=lambda entry: (entry.sequence, entry.id))
    of_user = (
        check_balance(account.user, entries, opening),
        check_sequence(account.user, entries),
        check_lots(account.user, entries),
        check_debt(account.user, account.purchases),
    )
    for invariant, message in chain.from_iterable(of_user):
        yield finding(invariant, message)
    by_request: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.request_id is not None:
            by_request[entry.request_id].append(entry)
    for request_id in sorted({*by_request, *account.requests}):
        request, own = account.requests.get(request_id), by_request.get(request_id, [])
        for invariant, message in check_request(request, own, moment):
            path = db.generation_request(request_id)
            yield finding(invariant, f"request {request_id}: {message}", path)
    followed = purchases if purchases is not None else Purchases()
    followed.add(account.user_id, account.purchases, entries)
    if purchases is None:
        yield from of_purchases(followed)


def of_purchases(purchases: Purchases) -> Iterator[Finding]:
    """What is wrong with purchases, when all accounts that may hold their entries were added."""
    for user_id, purchase_id, invariant, message in purchases.wrong():
        yield Finding(invariant, user_id, db.purchase(purchase_id), message)
