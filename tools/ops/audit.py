"""The books of a whole project, read once.

Three streams run side by side, all as of one moment and all in the order of user ids: the users,
every ledger entry (a collection-group query by name) and every generation request (by userId). So
each document is read once, a busy project stays consistent while it is read, and memory is that of
the user with the longest history, however many users there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.field_path import FieldPath

from ops.books import Account, Fault, faults

ENTRY_FIELDS = ("type", "credits", "generationRequestId", "balanceAfter", "sequence")
REQUEST_FIELDS = ("userId", "status", "credits", "expiresAt")
PAGE = 1000
MOST_FAULTS = 1000  # kept in memory and listed


@dataclass
class Audit:
    """How much has been read, and what is wrong with it."""

    users: int = 0
    entries: int = 0
    requests: int = 0
    faulty: int = 0
    faults: list[Fault] = field(default_factory=list)  # the first of them

    def add(self, fault: Fault) -> None:
        self.faulty += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"faults": [each.as_json() for each in self.faults]}


def run(client: firestore.Client, progress: Callable[[Audit], None]) -> Audit:
    """The audit of a project; `progress` is told after each user."""
    moment, audit = moment_of(client), Audit()
    for account in accounts(client, moment):
        audit.users += account.user is not None
        audit.entries += len(account.entries)
        audit.requests += len(account.requests)
        for fault in faults(account, moment):
            audit.add(fault)
        progress(audit)
    unread = _requests_in(client, moment) - audit.requests
    if unread:
        audit.add(Fault("I6", "", f"{unread} requests name no user"))
    return audit


def moment_of(client: firestore.Client) -> datetime:
    """The moment as of which everything is read."""
    (snapshot,) = client.get_all([client.document("users/(audit)")])
    moment: datetime = snapshot.read_time
    return moment


def _requests_in(client: firestore.Client, moment: datetime) -> int:
    """How many there are, also those that name no user and so are in no account."""
    counted = client.collection("generationRequests").count(alias="all").get(read_time=moment)
    return int(counted[0][0].value)


def accounts(client: firestore.Client, moment: datetime) -> Iterator[Account]:
    """Every user that has a document, an entry or a request, in the order of their ids."""
    name = FieldPath.document_id()
    users = client.collection("users").select(["credits", "ledgerSequence"]).order_by(name)
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
    """In pages: a stream that has to wait for the others until they catch up would time out."""
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
            raise RuntimeError(f"{user_id} came out of order: Firestore does not sort by bytes")
        last = user_id.encode()
        yield user_id, list(group)


def _id(user: Any) -> str:
    return str(user.id)


def _owner(entry: Any) -> str | None:
    """The user to whom an entry belongs; None for a `transactions` collection of something else."""
    parent = entry.reference.parent.parent
    is_user = parent is not None and parent.parent.parent is None and parent.parent.id == "users"
    return str(parent.id) if is_user else None


def _user_of_request(request: Any) -> str | None:
    user_id = (request.to_dict() or {}).get("userId")
    return user_id if isinstance(user_id, str) and user_id else None
