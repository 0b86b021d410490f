"""Products: documents that say what money buys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.cloud import firestore

from imagegen.catalogue import products

PACK = {"credits": 100, "kind": "purchase", "stripePrice": "price_1", "sortOrder": 2}


@pytest.fixture
def sell(client: firestore.Client) -> Iterator[Callable[..., None]]:
    """Writes a product; for the time of a test, there are no others."""
    written = []
    others = list(client.collection("products").stream())
    for other in others:
        other.reference.delete()
    products.forget()

    def write(product_id: str, **fields: Any) -> None:
        reference = client.document(f"products/{product_id}")
        reference.set(PACK | fields)
        written.append(reference)
        products.forget()

    yield write
    for reference in written:
        reference.delete()
    for other in others:
        other.reference.set(other.to_dict() or {})
    products.forget()


def test_products_are_listed_in_display_order_without_those_not_on_offer(
    sell: Callable[..., None], call: Callable[..., Any]
) -> None:
    sell("pack")
    sell("monthly", kind="subscription", revenueCatProduct="pro", validDays=31, sortOrder=1)
    sell("retired", enabled=False)
    listed = call("listProducts", "GET").get_json()["products"]
    assert [each["id"] for each in listed] == ["monthly", "pack"]
    assert listed[0] == {
        "id": "monthly", "description": "", "credits": 100, "kind": "subscription",
        "validDays": 31, "stripePrice": "price_1", "revenueCatProduct": "pro",
    }  # fmt: skip
    assert (listed[1]["validDays"], listed[1]["revenueCatProduct"]) == (None, None)


def test_a_product_that_is_not_on_offer_is_still_known(sell: Callable[..., None]) -> None:
    sell("retired", enabled=False, stripePrice="price_old")
    assert "price_old" in [product.stripe_price for product in products.current()]


@pytest.mark.parametrize(
    "wrong",
    [
        {"credits": 0},
        {"kind": "trial"},
        {"validDays": -1},
        # No payment of these could be booked: no balance is so great, and no year.
        {"credits": 2**53 + 1},
        {"validDays": 10_000_000},
    ],
)
def test_a_malformed_product_does_not_stop_the_others(
    sell: Callable[..., None], wrong: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    sell("pack")
    sell("wrong", **wrong)
    assert [product.id for product in products.current()] == ["pack"]
    assert "products/wrong" in capsys.readouterr().err


@pytest.mark.usefixtures("sell")
def test_nothing_need_be_sold(call: Callable[..., Any]) -> None:
    assert call("listProducts", json={}).get_json() == {"products": []}
