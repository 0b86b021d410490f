"""The catalogue as operators see it: every document, what is wrong with it, and changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from imagegen.admin.wire import Reason, told, uid_of
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import DocumentId, Flag, WireModel, is_none
from imagegen.catalogue import editing
from imagegen.catalogue.editing import Edit
from imagegen.errors import OptionNotFound


class CatalogueProblem(WireModel):
    """Why the catalogue cannot use a document."""

    field: str = Field(description="The field of the document.")
    description: str = Field(description="What is wrong with it.")


class CatalogueDocument(WireModel):
    """A document of the catalogue."""

    name: str = Field(description="Its id: the name in requests, or the product.")
    document: dict[str, Any] = Field(description="All its fields.")
    problems: list[CatalogueProblem] = Field(description="Why it cannot be used; empty: it can.")


class WholeCatalogue(WireModel):
    """The whole catalogue, also what is not enabled."""

    models: list[CatalogueDocument] = Field(description="Models, in display order.")
    styles: list[CatalogueDocument] = Field(description="Styles, in display order.")
    colors: list[CatalogueDocument] = Field(description="Colors, in display order.")
    sizes: list[CatalogueDocument] = Field(description="Sizes, in display order.")
    products: list[CatalogueDocument] = Field(description="Products, in display order.")


class GetCatalogue(WireModel):
    """No fields."""


EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "models": {"generator": "mock", "imageUrl": "https://example.com/c.png", "enabled": True},
    "styles": {"description": "Thick lines.", "enabled": True, "sortOrder": 7},
    "colors": {"description": "Earth and sand.", "enabled": True, "sortOrder": 7},
    "sizes": {"credits": 8, "width": 2048, "height": 2048, "enabled": False},
    "products": {"credits": 100, "kind": "purchase", "stripePrice": "price_1a", "enabled": True},
}
NAMES: Mapping[str, str] = {
    "models": "Model C",
    "styles": "woodcut",
    "colors": "earthen",
    "sizes": "2048x2048",
    "products": "pack-100",
}


@endpoint(
    methods=("GET",),
    example={},
    success=Success(
        "The catalogue.",
        {
            "catalogue": {
                collection: [{"name": NAMES[collection], "document": document, "problems": []}]
                for collection, document in EXAMPLES.items()
            }
        },
    ),
)
def get_catalogue(body: GetCatalogue, caller: Caller) -> WholeCatalogue:
    """Read the whole catalogue.

    Every model, style, color, size and product with all fields, also those that are not enabled,
    and what is wrong with a document that cannot be used.
    """
    shown = {
        collection: [
            CatalogueDocument(
                name=document.id,
                document=told(document.fields),
                problems=[
                    CatalogueProblem(field=field, description=text) for field, text in problems
                ],
            )
            for document, problems in documents
        ]
        for collection, documents in editing.everything().items()
    }
    return WholeCatalogue.model_validate(shown)


class PutCatalogueDocument(WireModel):
    """A document of the catalogue, as it is to be."""

    name: DocumentId = Field(
        description="The name in requests, up to 100 characters; or the id of a product."
    )
    document: dict[str, Any] = Field(description="All its fields; others that it has are removed.")
    reason: Reason
    dry_run: Flag = Field(
        default=False, description="Check it and show what would change; store nothing."
    )


class DeleteCatalogueDocument(WireModel):
    """Which document of the catalogue to delete."""

    name: DocumentId = Field(description="The name in requests, or the product.")
    reason: Reason


class FieldChange(WireModel):
    """A field that changes."""

    field: str = Field(description="The field.")
    before: Any = Field(description="Its value before; null where it had none.")
    after: Any = Field(description="Its value after; null where it has none any more.")


class CatalogueChange(WireModel):
    """What has changed, or would change."""

    before: dict[str, Any] | None = Field(description="The document before; null: there was none.")
    after: dict[str, Any] | None = Field(description="The document after; null: there is none.")
    changes: list[FieldChange] = Field(description="The fields that differ.")
    action_id: str | None = Field(
        default=None,
        exclude_if=is_none,
        description="The action in the log, which can be undone. Absent if nothing was stored.",
    )

    @classmethod
    def from_edit(cls, edit: Edit) -> CatalogueChange:
        return cls(
            before=told(edit.before),
            after=told(edit.after),
            changes=[
                FieldChange(field=field, before=told(before), after=told(after))
                for field, before, after in edit.changes
            ],
            action_id=edit.action_id,
        )


EXAMPLE_ACTION_ID = "3c59dc048e8850243be8079a5c74d079"


def editors(collection: str, one: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The endpoints that store and delete a document of `collection`, of which `one` is one."""
    name, document = NAMES[collection], EXAMPLES[collection]
    changes = [
        {"field": each, "before": None, "after": document[each]} for each in sorted(document)
    ]

    def put(body: PutCatalogueDocument, caller: Caller) -> CatalogueChange:
        return CatalogueChange.from_edit(
            editing.put(
                collection,
                body.name,
                body.document,
                by=uid_of(caller),
                reason=body.reason,
                is_dry_run=body.dry_run,
            )
        )

    put.__name__ = f"put_{one}"
    put.__doc__ = f"""Store a {one}.

    Makes the document of the {one}, or replaces all of it, if the catalogue can use it; else the
    answer names each field and what is wrong with it. Instances find out within
    CATALOGUE_TTL_SECONDS. With `dryRun` nothing is stored.
    """

    def delete(body: DeleteCatalogueDocument, caller: Caller) -> CatalogueChange:
        return CatalogueChange.from_edit(
            editing.delete(collection, body.name, by=uid_of(caller), reason=body.reason)
        )

    delete.__name__ = f"delete_{one}"
    delete.__doc__ = f"""Delete a {one}.

    Generation requests and purchases that name it stay as they are. To take it off the offer for a
    while, store it with `enabled: false`.
    """
    made: dict[str, Any] = {
        "before": None,
        "after": document,
        "changes": changes,
        "actionId": EXAMPLE_ACTION_ID,
    }
    gone = made | {"before": document, "after": None, "changes": []}
    return (
        endpoint(
            methods=("PUT",),
            example={"name": name, "document": document, "reason": "Asked for by users."},
            success=Success("What has changed.", {"made": made}),
        )(put),
        endpoint(
            methods=("DELETE",),
            example={"name": name, "reason": "Nobody orders it."},
            success=Success("What has changed.", {"deleted": gone}),
            errors=(OptionNotFound,),
        )(delete),
    )
