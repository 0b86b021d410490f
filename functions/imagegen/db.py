"""The way to Firestore: paths, reads, and `transact`, the only way to write.

`transact` is an optimistic transaction, the protocol of Firestore's own web and mobile SDKs: read
the documents, decide, and commit every write at once, each on condition that its document has not
changed since. Nothing is locked. On a conflict it waits a random moment, reads and decides again.

A commit whose reply is lost may have been applied. Therefore a decision has to recognise its own
earlier success in what it reads (see `generation.charge`), and every failed commit, whatever its
error, is followed by the same thing: read again, decide again.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from google.api_core import exceptions
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import firestore

from imagegen import logger
from imagegen.errors import BackendUnavailable, OutcomeUnknown
from imagegen.firestore import client as firestore_client
from imagegen.firestore.store import Create, Delete, Document, Query, Store, Update, Write

DEADLINE_SECONDS = 10.0
RPC_TIMEOUT_SECONDS = 5.0
# A last attempt, its reads and a commit, may begin RPC_TIMEOUT_SECONDS before the deadline. What a
# decision does besides, such as a query, and what follows the commit come on top.
LONGEST_TRANSACTION_SECONDS = DEADLINE_SECONDS + RPC_TIMEOUT_SECONDS
AFTER_COMMIT_SECONDS = 5.0
FIRST_BACKOFF_SECONDS = 0.01
MAX_BACKOFF_SECONDS = 0.5

# Somebody else wrote first; nothing of ours was applied.
CONFLICT = (
    exceptions.Aborted,
    exceptions.AlreadyExists,
    exceptions.FailedPrecondition,
    exceptions.NotFound,
)
# Firestore could not be reached or could not answer; what was sent may have been applied.
UNAVAILABLE_ERRORS = (
    exceptions.Cancelled,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.ResourceExhausted,
    exceptions.ServiceUnavailable,
    exceptions.Unknown,
)
# A read may be tried again after these, and when it was aborted in favour of a write.
RETRYABLE_READ = (exceptions.Aborted, *UNAVAILABLE_ERRORS)

Result = TypeVar("Result")
Action = Callable[[float], None]


def client() -> firestore.Client:
    """The Firestore client of this instance."""
    return firestore_client.client()


def connection() -> Store:
    """Where documents live; the simulation replaces it."""
    return firestore_client.connection()


def user(user_id: str) -> str:
    return f"users/{user_id}"


def entries(user_id: str) -> str:
    return f"users/{user_id}/transactions"


def generation_request(generation_request_id: str) -> str:
    return f"generationRequests/{generation_request_id}"


def purchase(purchase_id: str) -> str:
    return f"purchases/{purchase_id}"


def event(event_id: str) -> str:
    return f"events/{event_id}"


def device(user_id: str, device_id: str) -> str:
    return f"users/{user_id}/devices/{device_id}"


def read(*paths: str) -> list[Document]:
    """The documents at `paths`, as of one moment.

    Raises BackendUnavailable when Firestore is out of reach.
    """
    try:
        return retry(lambda seconds: connection().read(paths, seconds), RETRYABLE_READ)
    except RETRYABLE_READ as error:
        _log(error)
        raise BackendUnavailable from error


def query(wanted: Query, *, deadline_seconds: float | None = None) -> list[Document]:
    """The documents that match.

    Raises BackendUnavailable when Firestore is out of reach until the deadline, by default
    DEADLINE_SECONDS.
    """
    try:
        return retry(
            lambda seconds: connection().query(wanted, seconds), RETRYABLE_READ, deadline_seconds
        )
    except RETRYABLE_READ as error:
        _log(error)
        raise BackendUnavailable from error


class _NotRead(Exception):
    """A decision needs a document that was not read."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class Transaction:
    """The documents a decision may look at, and the writes it asks for."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = {document.path: document for document in documents}
        self.writes: dict[str, Write] = {}
        self.actions: list[Action] = []

    def __getitem__(self, path: str) -> Document:
        """The document, with what this decision has already changed in it.

        For one that was not named to `transact`, because a decision needs it rarely, everything is
        read again together with it, and the decision begins anew: documents of different moments
        could lead to a refusal that was right at no moment.
        """
        if path not in self._documents:
            raise _NotRead(path)
        return self._documents[path]

    def found(self, documents: Sequence[Document]) -> list[Document]:
        """Documents that the decision has queried for, as it may go on to write them.

        Whatever changes the outcome of the query must also write a document that was read before.
        """
        for document in documents:
            self._documents.setdefault(document.path, document)
        return [self._documents[document.path] for document in documents]

    def require_current(self, path: str) -> None:
        """Have the decision begin anew if the document has changed since it was read.

        For what contradicts the outcome of a query, which is later than what was read.
        """
        (current,) = read(path)
        if current.update_time != self._documents[path].update_time:
            raise exceptions.Aborted(f"{path} has changed")

    def create(self, path: str, fields: Mapping[str, Any]) -> None:
        """Write a document that must not exist."""
        self.writes[path] = Create(path, fields)
        self._documents[path] = Document(path, fields)

    def update(self, path: str, fields: Mapping[str, Any]) -> None:
        """Replace fields of a document that was read; two updates of one document are one write.

        So are the creation of a document and an update of it.
        """
        document, pending = self._documents[path], self.writes.get(path)
        if isinstance(pending, Create):
            self.create(path, {**pending.fields, **fields})
            return
        if document.update_time is None:
            raise LookupError(f"{path} was not read, so it cannot be updated")
        before = pending.fields if isinstance(pending, Update) else {}
        changed = {**before, **fields}
        self.writes[path] = Update(path, changed, document.update_time)
        self._documents[path] = Document(
            path, {**(document.fields or {}), **fields}, document.update_time
        )

    def delete(self, path: str) -> None:
        """Delete a document that was read, also what this decision has changed in it."""
        document = self._documents[path]
        if document.update_time is None:
            raise LookupError(f"{path} was not read, so it cannot be deleted")
        self.writes[path] = Delete(path, document.update_time)
        self._documents[path] = Document(path)

    def after_commit(self, action: Action) -> None:
        """Have `action` run once the writes are known to be applied.

        It is given the seconds that it may take; none may be left. It does not run when the reply
        to the commit is lost, or when the process dies first, so something else has to make up for
        it. It must not raise.
        """
        self.actions.append(action)

    def committed(self, update_times: Sequence[Any]) -> dict[str, Document]:
        """All documents as they stand after the commit: good preconditions for the next one."""
        for (path, write), update_time in zip(self.writes.items(), update_times, strict=True):
            if not isinstance(write, Delete):
                self._documents[path] = Document(path, self._documents[path].fields, update_time)
        return self._documents


def transact(
    decide: Callable[[Transaction], None],
    *documents: str | Document,
    deadline_seconds: float | None = None,
) -> Mapping[str, Document]:
    """Read `documents`, let `decide` ask for writes, commit them; all documents as they then are.

    A path is read; a `Document`, known from an earlier commit (or known to be absent, because its
    id was just drawn), is taken as it is and read only after a conflict. `decide` may run several
    times, so it must do nothing but look and ask; what it raises goes to the caller and nothing is
    written. Without writes, nothing is committed.

    Every document that the decision rests on must be among those it writes: only those are
    guarded by a precondition.

    Raises BackendUnavailable when Firestore stays out of reach until the deadline (by default
    DEADLINE_SECONDS) and nothing was sent, OutcomeUnknown after any error once a commit was sent,
    because it is not known whether it was applied.
    """
    connected = connection()
    paths = [d.path if isinstance(d, Document) else d for d in documents]
    known = {d.path: d for d in documents if isinstance(d, Document)}
    commit_sent = False

    def attempt(seconds: float) -> tuple[Transaction, Mapping[str, Document]]:
        nonlocal commit_sent
        left = seconds  # for all reads of this attempt
        while True:
            unread, began = [path for path in paths if path not in known], time.monotonic()
            found = connected.read(unread, left) if unread else []
            left = max(0.001, left - (time.monotonic() - began))
            transaction = Transaction([*known.values(), *found])
            known.clear()  # good for one attempt
            try:
                decide(transaction)
                break
            except _NotRead as needed:
                paths.append(needed.path)
        if not transaction.writes:
            return transaction, transaction.committed([])
        commit_sent = True
        update_times = connected.commit([*transaction.writes.values()], seconds)
        return transaction, transaction.committed(update_times)

    try:
        done, found = retry(attempt, (*CONFLICT, *UNAVAILABLE_ERRORS), deadline_seconds)
    except (GoogleAPICallError, BackendUnavailable) as error:
        _log(error)
        if commit_sent:  # whatever the last error was, one of the commits may have been applied
            raise OutcomeUnknown from error
        if isinstance(error, (*CONFLICT, *UNAVAILABLE_ERRORS)):
            raise BackendUnavailable from error
        raise
    end = time.monotonic() + AFTER_COMMIT_SECONDS
    for action in done.actions:
        action(max(0.0, end - time.monotonic()))
    return found


def _log(error: Exception) -> None:
    """Log what Firestore has said: whoever calls is told only that it is out of reach."""
    if isinstance(error, GoogleAPICallError):
        logger.warn("firestore out of reach", error=repr(error))


def retry(
    attempt: Callable[[float], Result],
    errors: tuple[type[GoogleAPICallError], ...],
    deadline_seconds: float | None = None,
) -> Result:
    """What `attempt(RPC timeout)` returns, tried again after `errors` until the deadline.

    Raises the last error. The deadline is DEADLINE_SECONDS unless another is given.

    Between attempts it waits a random part of a growing while ("full jitter"), so that those who
    met in a conflict do not meet again: AWS Architecture Blog, Exponential Backoff And Jitter.
    """
    deadline = time.monotonic() + (deadline_seconds or DEADLINE_SECONDS)
    longest_pause = FIRST_BACKOFF_SECONDS
    while True:
        try:
            return attempt(max(0.001, min(RPC_TIMEOUT_SECONDS, deadline - time.monotonic())))
        except errors:
            pause = random.uniform(0, longest_pause)  # noqa: S311 - jitter, not a secret
            longest_pause = min(MAX_BACKOFF_SECONDS, longest_pause * 2)
            if time.monotonic() + pause >= deadline:
                raise
            time.sleep(pause)
