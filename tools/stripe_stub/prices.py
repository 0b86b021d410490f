"""The prices that the stand-in knows, and the products of the demo that they are for."""

from __future__ import annotations

from typing import Any

from stripe_stub.objects import price

PRICES = (
    price("price_pack_100", 990, None),
    price("price_pack_500", 3990, None),
    price("price_monthly_200", 1490, "month"),
    price("price_monthly_600", 3490, "month"),
    price("price_yearly_2400", 14_900, "year"),
)
# Documents for `products`, by path.
PRODUCTS: dict[str, dict[str, Any]] = {
    "products/pack-100": {
        "credits": 100,
        "kind": "purchase",
        "stripePrice": "price_pack_100",
        "revenueCatProduct": "com.example.imagegen.pack100",
        "enabled": True,
        "sortOrder": 10,
        "description": "100 credits",
    },
    "products/pack-500": {
        "credits": 500,
        "kind": "purchase",
        "stripePrice": "price_pack_500",
        "enabled": True,
        "sortOrder": 20,
        "description": "500 credits, a fifth off",
    },
    "products/monthly-200": {
        "credits": 200,
        "kind": "subscription",
        "stripePrice": "price_monthly_200",
        "revenueCatProduct": "com.example.imagegen.monthly200",
        "enabled": True,
        "sortOrder": 30,
        "description": "200 credits each month",
    },
}
