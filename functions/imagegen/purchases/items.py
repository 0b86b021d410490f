"""What was paid for, in terms of our products."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from imagegen import logger
from imagegen.catalogue import products
from imagegen.catalogue.products import Product

# By which field of a product a payment names it.
NameField = Literal["id", "stripe_price", "revenue_cat_product"]


@dataclass(frozen=True)
class Item:
    """So many of the product whose `field` is `name`."""

    field: NameField
    name: str
    quantity: int = 1


@dataclass(frozen=True)
class Bought:
    """What a payment buys: credits, on the terms of a product."""

    product: Product
    credits: int


def bought(items: Sequence[Item]) -> Bought | None:
    """What `items` come to, on the terms of the first; None when none is a product of ours.

    An item that is no product does not stand in the way of the others: it is logged.

    Raises BackendUnavailable.
    """
    found = [(item, product) for item in items if (product := find(item.field, item.name))]
    for item in items:
        if item not in [each for each, _ in found]:
            logger.error("no product for what was paid", field=item.field, name=item.name)
    if not found:
        return None
    credits = sum(product.credits * item.quantity for item, product in found)
    return Bought(found[0][1], credits)


def find(field: NameField, name: str) -> Product | None:
    """The product whose `field` is `name`; looked for again in Firestore if it is not cached."""
    for product in products.current():
        if getattr(product, field) == name:
            return product
    products.forget()
    return next((each for each in products.current() if getattr(each, field) == name), None)
