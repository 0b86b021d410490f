"""The audit of a whole project, in one pass.

Three streams are read side by side, all as of one moment and all in the order of user ids: the
users, every ledger entry (a collection-group query by name) and every generation request (by
userId). So each document is read once, a busy project is seen in one consistent state, and memory
depends on the user with the longest history, not on the number of users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.field_path import FieldPath

from imagegen.audit.findings import Account, Finding, findings

# Only these fields are transferred; they are those that `imagegen.audit` looks at.
USER_FIELDS = ("credits", "ledgerSequence", "lots", "debt")
ENTRY_FIELDS = (
    "type",
    "credits",
    "delta",
    "generationRequestId",
    "balanceAfter",
    "sequence",
    "lots",
)
REQUEST_FIELDS = ("userId", "status", "credits", "expiresAt", "imageUrl", "lots", "createdAt")
PAGE = 1000
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
    unread = _requests_in(client, moment) - audit.requests
    if unread:
        audit.add(Finding("I6", "", f"{unread} requests name no user"))
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


def accounts(client: firestore.Client, moment: datetime) -> Iterator[Account]:
    """Every user that has a document, an entry or a request, in the order of their ids."""
    name = FieldPath.document_id()
    users = client.collection("users").select(USER_FIELDS).order_by(name)
    entries = client.collection_group("transactions").select(ENTRY_FIELDS).order_by(name)
    requests = client.collection("generationRequests").select(REQUEST_FIELDS).order_by("userId")
    streams = [
        _by_user(_documents(query, moment), key)
        for query, key in ((users, _id), (entries, _owner), (requests, _user_of_request))
    ]
    heads = [next(stream, None) for stream in streams]
    while waiting := [head[0] for head in heads if head is not None]:
        user_id = min(waiting, key=str.encode)
        account = Account(user_id)
        for position, head in enumerate(heads):
            if head is None or head[0] != user_id:
                continue
            documents = {each.id: each.to_dict() or {} for each in head[1]}
            match position:
                case 0:
                    account.user = documents[user_id]
                case 1:
                    account.entries = documents
                case 2:
                    account.requests = documents
            heads[position] = next(streams[position], None)
        yield account


def _documents(query: Any, moment: datetime) -> Iterator[Any]:
    """Reads in pages: a stream that has to wait for the other two would time out."""
    after = None
    while True:
        rest = query if after is None else query.start_after(after)
        page = list(rest.limit(PAGE).stream(read_time=moment))
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]


def _by_user(
    snapshots: Iterable[Any], key: Callable[[Any], str | None]
) -> Iterator[tuple[str, list[Any]]]:
    last = b""
    for user_id, group in groupby(snapshots, key):
        if user_id is None:
            continue
        if user_id.encode() <= last:
            raise RuntimeError(f"{user_id} came out of order: Firestore no longer sorts by bytes")
        last = user_id.encode()
        yield user_id, list(group)


def _id(user: Any) -> str:
    return str(user.id)


def _owner(entry: Any) -> str | None:
    """The user an entry belongs to; None if its collection `transactions` is not one of a user."""
    parent = entry.reference.parent.parent
    is_user = parent is not None and parent.parent.parent is None and parent.parent.id == "users"
    return str(parent.id) if is_user else None


def _user_of_request(request: Any) -> str | None:
    user_id = (request.to_dict() or {}).get("userId")
    return user_id if isinstance(user_id, str) and user_id else None
