"""The operators' commands for the catalogue: models, styles, colors, sizes and products.

imagegen-admin catalogue show                        what is on offer, and what is wrong with it
imagegen-admin catalogue put KIND NAME FILE --reason R [--dry-run]    store a document from JSON
imagegen-admin catalogue delete KIND NAME --reason R
imagegen-admin catalogue undo ACTION --reason R      put a document back as it was
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from emulators.problem import Problem
from imagegen.catalogue import editing
from imagegen.catalogue.editing import Edit
from ops.terminal import Reason, operator, problems, show

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class Kind(StrEnum):
    """The collections of the catalogue."""

    MODELS = "models"
    STYLES = "styles"
    COLORS = "colors"
    SIZES = "sizes"
    PRODUCTS = "products"


Name = Annotated[str, typer.Argument(help="The name in orders, or the product.")]


@app.callback()
def catalogue_() -> None:
    """Show and change models, styles, colors, sizes and products."""


@app.command("show")
def show_(context: typer.Context) -> None:
    """Show every document, and what is wrong with one that cannot be used."""
    with problems():
        found = editing.everything()
    value = {
        kind: [
            {"name": document.id, "document": document.fields, "problems": wrong}
            for document, wrong in documents
        ]
        for kind, documents in found.items()
    }
    lines = [
        f"{document.path}" + "".join(f"\n    {field}: {text}" for field, text in wrong)
        for documents in found.values()
        for document, wrong in documents
    ]
    show(context, value, "\n".join(lines) or "The catalogue is empty.")


@app.command()
def put(
    context: typer.Context,
    kind: Kind,
    name: Name,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JSON object.")],
    reason: Reason,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change.")] = False,
) -> None:
    """Store a document, if the catalogue can use it; fields that it lacks are removed."""
    with problems():
        fields = json.loads(file.read_text())
        if not isinstance(fields, dict):
            raise Problem(f"{file} holds no JSON object.")
        edit = editing.put(kind, name, fields, by=operator(), reason=reason, is_dry_run=dry_run)
    _show(context, edit)


@app.command()
def delete(context: typer.Context, kind: Kind, name: Name, reason: Reason) -> None:
    """Delete a document; what names it stays as it is."""
    with problems():
        edit = editing.delete(kind, name, by=operator(), reason=reason)
    _show(context, edit)


@app.command()
def undo(
    context: typer.Context,
    action: Annotated[str, typer.Argument(help="The action's id.")],
    reason: Reason,
) -> None:
    """Put a document back as it was before an action, if nobody has changed it since."""
    with problems():
        edit = editing.undo(action, by=operator(), reason=reason)
    _show(context, edit)


def _show(context: typer.Context, edit: Edit) -> None:
    changes = [
        {"field": field, "before": before, "after": after} for field, before, after in edit.changes
    ]
    value: dict[str, Any] = {"path": edit.path, "changes": changes, "actionId": edit.action_id}
    lines = [f"{each['field']}: {each['before']!r} → {each['after']!r}" for each in changes]
    done = (
        "Nothing was stored." if edit.action_id is None else f"Stored as action {edit.action_id}."
    )
    show(context, value, "\n".join([edit.path, *lines, done]))
