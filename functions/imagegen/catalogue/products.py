"""What money buys: products, which are documents, cached in the instance like the catalogue."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from imagegen import config, db, logger
from imagegen.catalogue.cache import Cache
from imagegen.firestore.store import Document, Query


class Product(BaseModel):
    """`products/{id}`: how many credits of which kind it buys, and for how long they are valid.

    A payment names the product by the price or product of its provider.
    """

    # As for WireModel: most functions never read a product.
    model_config = ConfigDict(
        alias_generator=to_camel, frozen=True, extra="ignore", defer_build=True
    )

    id: str
    credits: Annotated[int, Field(gt=0, le=1_000_000_000)]
    kind: Literal["purchase", "subscription", "promotional"]
    valid_days: Annotated[int, Field(gt=0, le=36_500)] | None = None
    priority: int | None = None
    stripe_price: str | None = None
    revenue_cat_product: str | None = None
    enabled: bool = True
    sort_order: int = 0
    description: str = ""


def current() -> tuple[Product, ...]:
    """All products in display order, also those not offered any more: they may still be renewed.

    They are at most CATALOGUE_TTL_SECONDS old. A document that is no product is logged and left
    out: the others can still be sold.

    Raises BackendUnavailable when they cannot be read.
    """
    return _cache.get(config.CATALOGUE_TTL_SECONDS.value)


def forget() -> None:
    """Read the products again at the next call."""
    _cache.clear()


def _load() -> tuple[Product, ...]:
    products = [product for each in db.query(Query("products")) if (product := _product(each))]
    return tuple(sorted(products, key=lambda product: (product.sort_order, product.id)))


def _product(document: Document) -> Product | None:
    try:
        return Product.model_validate({**(document.fields or {}), "id": document.id})
    except ValidationError as error:
        logger.error("product cannot be sold", document=document.path, problem=str(error))
        return None


_cache = Cache(_load)
