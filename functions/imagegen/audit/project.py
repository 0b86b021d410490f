"""The audit of a whole project, in one pass.

Three streams are read side by side, all as of one moment and all in the order of user ids: the
users, every ledger entry (a collection-group query by path) and every generation request (by
userId). So each document is read once, a busy project is seen in one consistent state, and memory
depends on the user with the longest history, not on the number of users.

No document stops the audit: values are decoded by `imagegen.firestore`, which takes what the
high-level client refuses, such as a reference to another project.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from google.cloud import firestore

from imagegen import db
from imagegen.audit.findings import Account, Finding, findings
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
# Accounts that are closing: of each, a part may be at its tombstone already.
CLOSING = Query(
    "accountClosures",
    where=[("status", "==", "closing")],
    select=["tombstone", "userId"],
    order_by=(PATH, "ASCENDING"),
)
REQUESTS_BY_PATH = replace(REQUESTS, select=["userId"], order_by=(PATH, "ASCENDING"))
PAGE = 1000
PAGE_SECONDS = 60.0
MAX_LISTED = 1000  # findings that are kept in memory


@dataclass
class Audit:
    """How much has been read, and what is wrong with it."""

    users: int = 0
    entries: int = 0
    requests: int = 0
    finding_count: int = 0
    findings: list[Finding] = field(default_factory=list)  # the first of them

    def add(self, finding: Finding) -> None:
        self.finding_count += 1
        if len(self.findings) < MAX_LISTED:
            self.findings.append(finding)

    def as_json(self) -> dict[str, Any]:
        return {
            "users": self.users,
            "entries": self.entries,
            "requests": self.requests,
            "findingCount": self.finding_count,
            "findings": [finding.as_json() for finding in self.findings],
        }


def run(client: firestore.Client, progress: Callable[[Audit], None]) -> Audit:
    """The audit of a project; `progress` is called after each user."""
    moment, audit = moment_of(client), Audit()
    for account in accounts(client, moment):
        audit.users += account.user is not None
        audit.entries += len(account.entries)
        audit.requests += len(account.requests)
        for finding in findings(account, moment):
            audit.add(finding)
        progress(audit)
    if _requests_in(client, moment) > audit.requests:
        for path in _requests_of_nobody(client, moment):
            audit.requests += 1
            audit.add(Finding("I6", "", path, "the request names no user"))
    return audit


def moment_of(client: firestore.Client) -> datetime:
    """The time of the database, as of which everything is read."""
    (snapshot,) = client.get_all([client.document("users/(audit)")])
    moment: datetime = snapshot.read_time
    return moment


def _requests_in(client: firestore.Client, moment: datetime) -> int:
    """How many there are, including those that name no user and belong to no account."""
    counted = client.collection("generationRequests").count(alias="all").get(read_time=moment)
    return int(counted[0][0].value)


def _requests_of_nobody(client: firestore.Client, moment: datetime) -> Iterator[str]:
    """Their paths. A query by userId does not find the requests without one, so all are read."""
    for request in _documents(FirestoreStore(client), REQUESTS_BY_PATH, moment):
        if _user_of_request(request) is None:
            yield request.path


def accounts(client: firestore.Client, moment: datetime) -> Iterator[Account]:
    """Every user that has a document, an entry or a request, in the order of their ids.

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
    return joined


def _accounts(store: FirestoreStore, moment: datetime) -> Iterator[Account]:
    """Every user, whether all of it is stored under one id or not."""
    streams = [
        _by_user(_documents(store, query, moment), key)
        for query, key in ((USERS, _id), (ENTRIES, _owner), (REQUESTS, _user_of_request))
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
            heads[position] = next(streams[position], None)
        yield account


def _documents(store: FirestoreStore, query: Query, moment: datetime) -> Iterator[Document]:
    """Reads in pages: a stream that has to wait for the other two would time out."""
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


def _user_of_request(request: Document) -> str | None:
    user_id = request.get("userId")
    return user_id if isinstance(user_id, str) and user_id else None
