"""Changes of the catalogue by operators: checked before they are stored, logged, and undone.

What is checked is what the catalogue itself checks when it loads: one document that it cannot read,
or a name that stands for two things, would leave every app without models. All changes write
`catalogueEdits/latest`, so two of them at once cannot contradict each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.cloud.firestore import DELETE_FIELD
from pydantic import ValidationError

from imagegen import actions, clock, db
from imagegen.actions import ActionDocument
from imagegen.catalogue import catalogue, products, secrets
from imagegen.catalogue.catalogue import Model, Option, Size
from imagegen.catalogue.products import Product
from imagegen.errors import (
    ActionNotFound,
    ChangedSince,
    InvalidField,
    NotUndoable,
    OptionNotFound,
)
from imagegen.firestore.store import Document, Query
from imagegen.providers import registry

KINDS: Mapping[str, type[Option] | type[Product]] = {
    "models": Model,
    "styles": Option,
    "colors": Option,
    "sizes": Size,
    "products": Product,
}
LATEST = "catalogueEdits/latest"
UNDOABLE = ("catalogue.put", "catalogue.delete", "catalogue.undo")
MAX_NAME = 100
MAX_DEPTH = 18  # of a document's maps and lists; Firestore takes 20 in all
INT64 = 2**63

Fields = Mapping[str, Any]
Problem = tuple[str, str]  # a field, and what is wrong with it


@dataclass(frozen=True)
class Edit:
    """A change of one document: None where there was none, or is none any more."""

    path: str
    before: Fields | None
    after: Fields | None
    action_id: str | None  # None: nothing was stored, as nothing changes, or for a dry run

    @property
    def changes(self) -> Iterator[tuple[str, Any, Any]]:
        """The fields that change, with their values before and after; None where it has none."""
        before, after = self.before or {}, self.after or {}
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name) or (name in before) != (name in after):
                yield name, before.get(name), after.get(name)


def put(
    collection: str, name: str, fields: Fields, *, by: str, reason: str, is_dry_run: bool = False
) -> Edit:
    """Let the operator `by` make a document, or replace all of it.

    Raises InvalidField for what the catalogue could not use; BackendUnavailable, OutcomeUnknown.
    """

    def after(_: Document) -> Fields:
        return fields

    return _edit(f"{collection}/{name}", "catalogue.put", after, by, reason, is_dry_run=is_dry_run)


def delete(collection: str, name: str, *, by: str, reason: str, is_dry_run: bool = False) -> Edit:
    """Let the operator `by` delete a document.

    Raises OptionNotFound; InvalidField for the last of a collection; BackendUnavailable,
    OutcomeUnknown.
    """

    def after(document: Document) -> None:
        if not document.exists:
            raise OptionNotFound(path=document.path)

    path = f"{collection}/{name}"
    return _edit(path, "catalogue.delete", after, by, reason, is_dry_run=is_dry_run)


def undo(action_id: str, *, by: str, reason: str) -> Edit:
    """Let the operator `by` put a document back as it was before an action of the log.

    Nothing is stored where it is like that already.

    Raises ActionNotFound; NotUndoable for an action that is no change of the catalogue;
    ChangedSince when the document is neither like that nor as the action has left it; and what
    `put` raises.
    """
    action = ActionDocument(db.read(actions.path(action_id))[0])
    if not action.exists:
        raise ActionNotFound(actionId=action_id)
    if action.action not in UNDOABLE:
        raise NotUndoable(actionId=action_id)

    def after(document: Document) -> Fields | None:
        if document.fields not in (action.after, action.before):
            raise ChangedSince(actionId=action_id)
        return action.before

    return _edit(action.subject, "catalogue.undo", after, by, reason)


def _edit(
    path: str,
    action: str,
    decide_after: Callable[[Document], Fields | None],
    by: str,
    reason: str,
    *,
    is_dry_run: bool = False,
) -> Edit:
    collection, _, name = path.partition("/")
    moment, done = clock.now(), Edit(path, None, None, None)
    key = actions.action_id(action, path, None)
    logged = actions.path(actions.action_id(action, path, key))

    def decide(transaction: db.Transaction) -> None:
        nonlocal done
        if transaction[logged].exists:
            return  # an earlier commit of this call succeeded and only its reply was lost
        document = transaction[path]
        fields = decide_after(document)
        others = [each for each in db.query(Query(collection)) if each.id != name]
        if problems := [*_problems(collection, name, fields, others)]:
            raise InvalidField(
                fieldViolations=[{"field": field, "description": text} for field, text in problems]
            )
        done = Edit(path, document.fields, fields, None)
        if is_dry_run or document.fields == fields:
            return
        _write(transaction, path, fields)
        _note(transaction, moment)
        action_id = actions.record(
            transaction,
            action,
            path,
            by=by,
            reason=reason,
            moment=moment,
            key=key,
            before=document.fields,
            after=fields,
        )
        done = Edit(path, document.fields, fields, action_id)

    db.transact(decide, path, LATEST, logged)
    catalogue.forget()
    products.forget()
    return done


def _write(transaction: db.Transaction, path: str, fields: Fields | None) -> None:
    document = transaction[path]
    if fields is None:
        transaction.delete(path)
    elif document.fields is None:
        transaction.create(path, fields)
    else:
        removed = dict.fromkeys(document.fields.keys() - fields.keys(), DELETE_FIELD)
        transaction.update(path, {**fields, **removed})


def _note(transaction: db.Transaction, moment: datetime) -> None:
    """Write what every change writes, so that of two at once one is decided again."""
    if transaction[LATEST].exists:
        transaction.update(LATEST, {"at": moment})
    else:
        transaction.create(LATEST, {"at": moment})


def everything() -> dict[str, list[tuple[Document, list[Problem]]]]:
    """Every document of the catalogue in display order, with what is wrong with it.

    Raises BackendUnavailable.
    """
    shown = {}
    for collection in KINDS:
        documents = db.query(Query(collection))
        documents.sort(key=_place)
        shown[collection] = [
            (each, [*_of_fields(collection, each.id, each.fields or {}), *_twice(each, documents)])
            for each in documents
        ]
    return shown


def _place(document: Document) -> tuple[float, str]:
    order = document.get("sortOrder", 0)
    return (order if isinstance(order, int | float) else 0, document.id)


def _problems(
    collection: str, name: str, fields: Fields | None, others: list[Document]
) -> Iterator[Problem]:
    """What is wrong with `fields` of a document, or with deleting it where they are None."""
    if fields is None:
        if collection != "products" and not any(_is_usable(other) for other in others):
            yield "name", "is the last of its kind that can be used: nothing could be ordered"
        return
    if collection != "products" and len(name) > MAX_NAME:
        yield "name", f"must be at most {MAX_NAME} characters long, as in requests"
    document = Document(f"{collection}/{name}", fields)
    found = [*_unstorable("document", fields, 0)]
    found = found or [*_of_fields(collection, name, fields)]
    yield from found or _twice(document, others)


def _is_usable(document: Document) -> bool:
    collection = document.path.partition("/")[0]
    return not [*_of_fields(collection, document.id, document.fields or {})]


def _of_fields(collection: str, name: str, fields: Fields) -> Iterator[Problem]:
    """What the catalogue cannot read, and secrets, which must not stand in public documents."""
    key = "id" if collection == "products" else "name"
    if key in fields:
        yield f"document.{key}", "is the document's id, and no field"
        return
    try:
        kind = KINDS[collection].model_validate({**fields, key: name})
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            yield ".".join(["document", *map(str, each["loc"])]), each["msg"]
        return
    if leaked := secrets.found_in(fields):
        yield f"document.{leaked[0]}", "looks like a secret: name one, and do not store it"
    elif isinstance(kind, Model):
        try:
            registry.validate_settings(kind.generator, kind.settings)
        except registry.SettingsError as error:
            yield f"document.{error.field}", error.problem


def _twice(document: Document, documents: list[Document]) -> Iterator[Problem]:
    """Names that another document has too, of options; prices that another product has, too."""
    collection = document.path.partition("/")[0]
    for other in documents:
        if other.id == document.id:
            continue
        if collection == "products":
            for field in ("stripePrice", "revenueCatProduct"):
                if document.get(field) and document.get(field) == other.get(field):
                    yield f"document.{field}", f"is that of {other.id}, too"
        elif shared := _names(document) & _names(other):
            yield "document.aliases", f"{other.id} is also called {', '.join(sorted(shared))}"


def _names(document: Document) -> frozenset[str]:
    aliases = document.get("aliases")
    aliases = aliases if isinstance(aliases, list | tuple) else ()
    return frozenset(catalogue.folded(str(name)) for name in (document.id, *aliases))


def _unstorable(field: str, value: Any, depth: int) -> Iterator[Problem]:
    """What Firestore would refuse of a JSON value."""
    if depth > MAX_DEPTH:
        yield field, "is nested too deeply"
    elif isinstance(value, Mapping):
        for name, each in value.items():
            if not name or name[:2] == name[-2:] == "__" or not _is_unicode(name):
                yield field, f"has a field that cannot be called {name!r}"
            else:
                yield from _unstorable(f"{field}.{name}", each, depth + 1)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            if isinstance(each, list):
                yield f"{field}.{number}", "must be no list in a list"
            yield from _unstorable(f"{field}.{number}", each, depth + 1)
    elif isinstance(value, str) and not _is_unicode(value):
        yield field, "must not contain unpaired surrogates"
    elif isinstance(value, int) and not -INT64 <= value < INT64:
        yield field, "is too great a number"


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
