"""The audit of a whole project, in one pass.

Four streams are read side by side, all as of one moment and all in the order of user ids: the
users, every ledger entry (a collection-group query by path), every generation request and every
purchase (both by userId). So each document is read once, a busy project is seen in one consistent
state, and memory depends on the user with the longest history, not on the number of users. Where
there are purchases of nobody, which no query by userId finds, all purchases are read once more. The
links of Stripe's payments come last.

No document stops the audit: values are decoded by `imagegen.firestore`, which takes what the
high-level client refuses, such as a reference to another project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from google.cloud import firestore

from imagegen import db
from imagegen.audit import purchases
from imagegen.audit.findings import Account, Finding, Severity, findings, of_purchases
from imagegen.audit.purchases import Purchases
from imagegen.firestore.client import FirestoreStore
from imagegen.firestore.store import PATH, Document, Query

# Only these fields are transferred; they are those that `imagegen.audit` looks at.
USERS = Query(
    "users",
    select=["credits", "ledgerSequence", "lots", "debt"],
    order_by=(PATH, "ASCENDING"),
)
ENTRIES = Query(
    "transactions",
    select=[
        "type",
        "credits",
        "delta",
        "generationRequestId",
        "balanceAfter",
        "sequence",
        "timestamp",
        "lots",
    ],
    order_by=(PATH, "ASCENDING"),
    in_group=True,
)
REQUESTS = Query(
    "generationRequests",
    select=[
        "userId",
        "status",
        "credits",
        "createdAt",
        "expiresAt",
        "imageUrl",
        "imageDeletedAt",
        "lots",
    ],
    order_by=("userId", "ASCENDING"),
)
PURCHASES = Query(
    "purchases",
    select=[
        "userId",
        "status",
        "reason",
        "credits",
        "amount",
        "currency",
        "lotId",
        "clawedBack",
        "clawedBackLots",
        "owed",
        "waived",
        "reversals",
    ],
    order_by=("userId", "ASCENDING"),
)
# Accounts that are closing: of each, a part may be at its tombstone already.
CLOSING = Query(
    "accountClosures",
    where=[("status", "==", "closing")],
    select=["tombstone", "userId"],
    order_by=(PATH, "ASCENDING"),
)
REQUESTS_BY_PATH = replace(REQUESTS, select=["userId"], order_by=(PATH, "ASCENDING"))
PURCHASES_BY_PATH = replace(PURCHASES, order_by=(PATH, "ASCENDING"))
LINKS = Query("stripeLinks", select=["parked"], order_by=(PATH, "ASCENDING"))
PAGE = 1000
PAGE_SECONDS = 60.0
MAX_LISTED = 1000  # findings that are kept in memory
MAX_MESSAGE = 1000  # characters of each; a message may repeat what was stored


@dataclass
class Audit:
    """How much has been read, and what is wrong with it."""

    users: int = 0
    entries: int = 0
    requests: int = 0
    purchases: int = 0
    finding_count: int = 0
    warning_count: int = 0  # of the findings
    findings: list[Finding] = field(default_factory=list)  # the first of them

    @property
    def error_count(self) -> int:
        return self.finding_count - self.warning_count

    def add(self, finding: Finding) -> None:
        self.finding_count += 1
        self.warning_count += finding.severity is Severity.WARNING
        if len(self.findings) < MAX_LISTED:
            self.findings.append(replace(finding, message=finding.message[:MAX_MESSAGE]))

    def as_json(self) -> dict[str, Any]:
        return {
            "users": self.users,
            "entries": self.entries,
            "requests": self.requests,
            "purchases": self.purchases,
            "findingCount": self.finding_count,
            "warningCount": self.warning_count,
            "findings": [finding.as_json() for finding in self.findings],
        }


def run(client: firestore.Client, progress: Callable[[Audit], None]) -> Audit:
    """The audit of a project; `progress` is called after each user."""
    moment, audit, followed = moment_of(client), Audit(), Purchases()
    for account in accounts(client, moment):
        audit.users += account.user is not None
        audit.entries += len(account.entries)
        audit.requests += len(account.requests)
        for finding in findings(account, moment, purchases=followed):
            audit.add(finding)
        _note_purchases(audit, account.user_id, account.purchases)
        progress(audit)
    if _number_of("generationRequests", client, moment) > audit.requests:
        for request in _of_nobody(client, REQUESTS_BY_PATH, moment):
            audit.requests += 1
            audit.add(Finding("I6", "", request.path, "the request names no user"))
    if _number_of("purchases", client, moment) > audit.purchases:
        for purchase in _of_nobody(client, PURCHASES_BY_PATH, moment):
            fields = {purchase.id: purchase.fields or {}}
            followed.add("", fields, ())
            _note_purchases(audit, "", fields)
    for finding in of_purchases(followed):
        audit.add(finding)
    for link in _documents(FirestoreStore(client), LINKS, moment):
        if (message := purchases.parked(link.fields or {})) is not None:
            audit.add(Finding("I13", "", link.path, message, Severity.WARNING))
    return audit


def _note_purchases(audit: Audit, user_id: str, found: Mapping[str, Mapping[str, Any]]) -> None:
    """Count purchases; those whose money has bought nothing are warnings."""
    audit.purchases += len(found)
    for purchase_id, fields in found.items():
        if (message := purchases.unmatched(fields)) is not None:
            path = db.purchase(purchase_id)
            audit.add(Finding("I13", user_id, path, message, Severity.WARNING))


def moment_of(client: firestore.Client) -> datetime:
    """The time of the database, as of which everything is read."""
    (snapshot,) = client.get_all([client.document("users/(audit)")])
    moment: datetime = snapshot.read_time
    return moment


def _number_of(collection: str, client: firestore.Client, moment: datetime) -> int:
    """How many documents there are, including those that name no user."""
    counted = client.collection(collection).count(alias="all").get(read_time=moment)
    return int(counted[0][0].value)


def _of_nobody(client: firestore.Client, query: Query, moment: datetime) -> Iterator[Document]:
    """Those that name no user. A query by userId does not find them, so all are read."""
    for document in _documents(FirestoreStore(client), query, moment):
        if _user_of(document) is None:
            yield document


def accounts(client: firestore.Client, moment: datetime) -> Iterator[Account]:
    """Every user that has a document, an entry, a request or a purchase, in the order of ids.

    Those who are on their way to a tombstone come last, as one account with it.
    """
    store = FirestoreStore(client)
    closing = {
        str(document.get("userId")): str(document["tombstone"])
        for document in _documents(store, CLOSING, moment)
    }
    split: dict[str, list[Account]] = {tombstone: [] for tombstone in closing.values()}
    for account in _accounts(store, moment):
        tombstone = closing.get(account.user_id, account.user_id)
        if tombstone in split:
            split[tombstone].append(account)
        else:
            yield account
    for tombstone, parts in split.items():
        if parts:
            yield _joined(tombstone, parts)


def _joined(user_id: str, parts: Iterable[Account]) -> Account:
    """One account of which only one part has the user document."""
    joined = Account(user_id)
    for part in parts:
        joined.user = joined.user or part.user
        joined.entries = {**joined.entries, **part.entries}
        joined.requests = {**joined.requests, **part.requests}
        joined.purchases = {**joined.purchases, **part.purchases}
    return joined


def _accounts(store: FirestoreStore, moment: datetime) -> Iterator[Account]:
    """Every user, whether all of it is stored under one id or not."""
    streams = [
        _by_user(_documents(store, query, moment), key)
        for query, key in (
            (USERS, _id),
            (ENTRIES, _owner),
            (REQUESTS, _user_of),
            (PURCHASES, _user_of),
        )
    ]
    heads = [next(stream, None) for stream in streams]
    while waiting := [head[0] for head in heads if head is not None]:
        user_id = min(waiting, key=str.encode)
        account = Account(user_id)
        for position, head in enumerate(heads):
            if head is None or head[0] != user_id:
                continue
            documents = {each.id: each.fields or {} for each in head[1]}
            match position:
                case 0:
                    account.user = documents[user_id]
                case 1:
                    account.entries = documents
                case 2:
                    account.requests = documents
                case 3:
                    account.purchases = documents
            heads[position] = next(streams[position], None)
        yield account


def _documents(store: FirestoreStore, query: Query, moment: datetime) -> Iterator[Document]:
    """Reads in pages: a stream that has to wait for the others would time out."""
    rest = replace(query, limit=PAGE)
    while True:
        page = db.retry(lambda _: _page(store, rest, moment), db.RETRYABLE_READ, PAGE_SECONDS)  # noqa: B023 - called at once
        documents = [store.document(message) for message in page]
        yield from documents
        if len(page) < PAGE:
            return
        last = documents[-1]
        # The value as it came: it may be of a type that only Firestore has.
        value = last.path if query.order_by == (PATH, "ASCENDING") else page[-1].fields["userId"]
        rest = replace(rest, start_after=(value, last.id))


def _page(store: FirestoreStore, query: Query, moment: datetime) -> list[Any]:
    return list(store.stream(query, PAGE_SECONDS, read_time=moment))


def _by_user(
    documents: Iterable[Document], key: Callable[[Document], str | None]
) -> Iterator[tuple[str, list[Document]]]:
    last = b""
    for user_id, group in groupby(documents, key):
        if user_id is None:
            continue
        if user_id.encode() <= last:
            raise RuntimeError(f"{user_id} came out of order: Firestore no longer sorts by bytes")
        last = user_id.encode()
        yield user_id, list(group)


def _id(user: Document) -> str:
    return user.id


def _owner(entry: Document) -> str | None:
    """The user an entry belongs to; None if its collection `transactions` is not one of a user."""
    collection, user_id, *rest = entry.path.split("/")
    return user_id if collection == "users" and len(rest) == 2 else None


def _user_of(document: Document) -> str | None:
    """The user that a request or purchase names."""
    user_id = document.get("userId")
    return user_id if isinstance(user_id, str) and user_id else None
