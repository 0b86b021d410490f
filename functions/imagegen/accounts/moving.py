"""What follows the user document to the tombstone, and what is deleted, page by page.

Each step yields after a page whose documents it has changed, so whoever runs it can stop there. It
finds what is left by queries: what has been moved no longer names the user.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imagegen import clock, db
from imagegen.accounts import images
from imagegen.accounts.renaming import renamed
from imagegen.credits import clawback, closures
from imagegen.credits.account import Account
from imagegen.credits.closures import ClosureDocument
from imagegen.credits.entries import EntryDocument
from imagegen.errors import AccountUnusable
from imagegen.firestore.store import PATH, Document, Query
from imagegen.generation.request import RequestDocument, Status
from imagegen.purchases import links

PAGE_SIZE = 200  # a page of the ledger is twice as many writes
REPORTS_PAGE_SIZE = 10  # long documents
MENTIONS = (
    ("imageReports", "reporterId"),
    ("imageReports", "resolvedBy"),
)

Change = Callable[[db.Transaction, Document], None]
Step = Callable[[ClosureDocument], Iterator[None]]


def ledger(closure: ClosureDocument) -> Iterator[None]:
    """The entries keep their ids and numbers; only their reasons may have named the user."""
    user_id, tombstone = _ids(closure)

    def change(transaction: db.Transaction, entry: Document) -> None:
        reason = EntryDocument(entry).reason
        fields = {**(entry.fields or {}), "reason": _renamed(closure, reason)}
        transaction.create(f"{db.entries(tombstone)}/{entry.id}", fields)
        transaction.delete(entry.path)

    yield from _pages(db.entries(user_id), {}, change)


def requests(closure: ClosureDocument) -> Iterator[None]:
    """Requests keep what the books and the reports need; the images are deleted first."""
    user_id, tombstone = _ids(closure)

    def change(transaction: db.Transaction, document: Document) -> None:
        request, moment = RequestDocument(document), clock.now()
        fields = RequestDocument.fields(
            user_id=tombstone,
            prompt="",
            source=None,
            image_url=None,
            thumbnail_url=None,
            image=None,
            provider_job=None,
            fingerprint="",
            updated_at=moment,
        )
        if request.status is Status.COMPLETED:
            fields |= RequestDocument.fields(image_deleted_at=moment)
        transaction.update(document.path, fields)

    yield from _pages("generationRequests", {"userId": user_id}, change, before=_delete_images)


def _delete_images(page: list[Document]) -> None:
    """Delete the images of all attempts. Raises GeneratorError: the page is tried again later."""
    images.delete([each for each in map(RequestDocument, page) if each.may_have_images])


def purchases(closure: ClosureDocument) -> Iterator[None]:
    """Purchases and what their events are matched by; of a merged account, to the other one.

    That one may have been closed meanwhile: then they are its holder's.
    """
    user_id, _ = _ids(closure)

    def change(transaction: db.Transaction, document: Document) -> None:
        holder = holder_of(transaction, closure)
        transaction.update(document.path, {"userId": holder})
        if document.get("owed"):
            _collect(transaction, holder, document.id)

    yield from _pages("purchases", {"userId": user_id}, change)
    yield from _pages("stripeLinks", {"userId": user_id}, change)


def holder_of(transaction: db.Transaction, closure: ClosureDocument) -> str:
    """The account that holds the money of one that has moved."""
    user_id, tombstone = _ids(closure)
    return tombstone if closure.merged_into is None else closures.holder(transaction, user_id)


def _collect(transaction: db.Transaction, holder: str, purchase_id: str) -> None:
    """Take what a purchase owes from what was paid for the holder while it was on its way."""
    if not transaction[db.user(holder)].exists:
        return
    try:
        account = Account(transaction, holder, clock.now())
    except AccountUnusable:  # it moves as it is; whoever repairs it has it collected
        return
    clawback.collect(account, purchase_id)


def belongings(closure: ClosureDocument) -> Iterator[None]:
    """What nobody needs any more: devices, exports, events, reports of images, the customer."""
    user_id, _ = _ids(closure)

    def change(transaction: db.Transaction, document: Document) -> None:
        transaction.delete(document.path)

    for collection in ("devices", "exports"):
        yield from _pages(f"{db.user(user_id)}/{collection}", {}, change)
    for collection in ("events", "imageReports"):
        yield from _pages(collection, {"userId": user_id}, change)
    (customer,) = db.read(links.customer_path(user_id))
    if customer.exists:
        _change([customer], change)
        yield


def merged(closure: ClosureDocument) -> Iterator[None]:
    """Accounts that were merged into this one: their money is its holder's from now on."""
    user_id, _ = _ids(closure)

    def change(transaction: db.Transaction, document: Document) -> None:
        holder = holder_of(transaction, closure)
        transaction.update(document.path, ClosureDocument.fields(merged_into=holder))

    yield from _pages("accountClosures", {"mergedInto": user_id}, change)


def mentions(closure: ClosureDocument) -> Iterator[None]:
    """What somebody else has, and the user is named in: reports of images."""
    change = _rename_in(closure)
    for collection, field in MENTIONS:
        yield from _pages(collection, {field: closure.user_id}, change)


STEPS: tuple[Step, ...] = (ledger, requests, purchases, merged, belongings, mentions)


def rename_in_texts(closure: ClosureDocument) -> None:
    """Rename the user in the log of operators, in reports and in audits, wherever they say it.

    All of them are read: a reason may name anybody.
    """
    change = _rename_in(closure)
    for collection, page_size in (
        ("adminActions", PAGE_SIZE),
        ("reports", REPORTS_PAGE_SIZE),
        ("audits", REPORTS_PAGE_SIZE),
    ):
        for _ in _pages(collection, {}, change, page_size=page_size):
            pass


def _rename_in(closure: ClosureDocument) -> Change:
    def change(transaction: db.Transaction, document: Document) -> None:
        fields = document.fields or {}
        new = {name: _renamed(closure, value) for name, value in fields.items()}
        changed = {name: value for name, value in new.items() if value != fields[name]}
        if changed:
            transaction.update(document.path, changed)

    return change


def _renamed(closure: ClosureDocument, value: Any) -> Any:
    user_id, tombstone = _ids(closure)
    return renamed(value, user_id, closure.emails, tombstone)


def _ids(closure: ClosureDocument) -> tuple[str, str]:
    return str(closure.user_id), closure.tombstone


def _pages(
    collection: str,
    where: Mapping[str, Any],
    change: Change,
    *,
    before: Callable[[list[Document]], None] = lambda page: None,
    page_size: int | None = None,
) -> Iterator[None]:
    """Change the documents of a collection where fields have values; yields where it changed any.

    It goes on behind the last one: a query that began anew would step over all that is gone.
    """
    size, after = page_size or PAGE_SIZE, None
    while page := db.query(page_query(collection, where, size, after)):
        before(page)
        if _change(page, change):
            yield
        after = (page[-1].path, "")
        if len(page) < size:
            break


def page_query(
    collection: str, where: Mapping[str, Any], limit: int, after: tuple[str, str] | None = None
) -> Query:
    return Query(
        collection,
        where=[(field, "==", value) for field, value in where.items()],
        order_by=(PATH, "ASCENDING"),
        limit=limit,
        start_after=after,
    )


def _change(page: list[Document], change: Change) -> bool:
    """Change the documents of a page that are still there, in one transaction; whether any were."""
    is_changed = False

    def decide(transaction: db.Transaction) -> None:
        nonlocal is_changed
        for document in page:
            current = transaction[document.path]
            # Another task may have been here meanwhile.
            if current.exists and current.get("userId") == document.get("userId"):
                change(transaction, current)
        is_changed = bool(transaction.writes)

    db.transact(decide, *page)
    return is_changed
