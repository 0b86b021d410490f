"""What clients may ask about the catalogue."""

from collections.abc import Mapping
from typing import Literal, TypeVar

from pydantic import Field

from imagegen import clock
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, endpoint
from imagegen.api.schema import WireModel
from imagegen.catalogue import catalogue, products
from imagegen.catalogue.catalogue import Option


class ListModels(WireModel):
    """No fields."""


class CatalogueOption(WireModel):
    """A style or a color."""

    name: str = Field(description="The name to use in requests.")
    description: str = Field(description="A description for people.")


Shown = TypeVar("Shown", bound=CatalogueOption)


class CatalogueModel(CatalogueOption):
    """An image model."""

    aliases: tuple[str, ...] = Field(
        description="Other names that requests may use; case, spaces, - and _ do not matter."
    )
    background: bool = Field(
        description="Whether the model is so slow that it generates in the background only."
    )
    takes_photos: bool = Field(description="Whether an order may name a photo as its `source`.")


class CatalogueSize(CatalogueOption):
    """A size, which decides the price."""

    credits: int = Field(description="The price of one generation.")
    width: int = Field(description="In pixels.")
    height: int = Field(description="In pixels.")


class Catalogue(WireModel):
    """Everything that a generation request may name, in display order."""

    models: list[CatalogueModel] = Field(description="Models, in display order.")
    styles: list[CatalogueOption] = Field(description="Styles, in display order.")
    colors: list[CatalogueOption] = Field(description="Colors, in display order.")
    sizes: list[CatalogueSize] = Field(description="Sizes with prices, in display order.")


@endpoint(
    methods=("GET", "POST"),
    public=True,
    example={},
    success=Success(
        "The catalogue.",
        {
            "catalogue": {
                "models": [
                    {
                        "name": "Model A",
                        "description": "",
                        "aliases": ["model-a"],
                        "background": False,
                        "takesPhotos": True,
                    }
                ],
                "styles": [{"name": "anime", "description": ""}],
                "colors": [{"name": "neon", "description": ""}],
                "sizes": [
                    {
                        "name": "1024x1024",
                        "description": "",
                        "credits": 3,
                        "width": 1024,
                        "height": 1024,
                    }
                ],
            }
        },
    ),
)
def list_models(body: ListModels, caller: Caller) -> Catalogue:
    """List models, styles, colors and sizes.

    In display order, with the prices of the sizes.
    """
    current, moment = catalogue.current(), clock.now()

    def shown(options: Mapping[str, Option], model: type[Shown]) -> list[Shown]:
        return [
            model.model_validate({name: getattr(option, name) for name in model.model_fields})
            for option in options.values()
            if current.offers(option, moment)
        ]

    return Catalogue(
        models=shown(current.models, CatalogueModel),
        styles=shown(current.styles, CatalogueOption),
        colors=shown(current.colors, CatalogueOption),
        sizes=shown(current.sizes, CatalogueSize),
    )


class ListProducts(WireModel):
    """No fields."""


class CatalogueProduct(WireModel):
    """A product: credits for money."""

    id: str = Field(description="The product.")
    description: str = Field(description="A description for people.")
    credits: int = Field(description="Credits that it buys, for a subscription in each period.")
    kind: Literal["purchase", "subscription", "promotional"] = Field(
        description="Where the credits come from, as a balance shows it."
    )
    valid_days: int | None = Field(
        description="Days until the credits expire; null: never, or with the period that is paid."
    )
    stripe_price: str | None = Field(description="The price at Stripe, if it is sold there.")
    revenue_cat_product: str | None = Field(
        description="The product at RevenueCat, if it is sold there."
    )


class ProductList(WireModel):
    """Everything that is sold, in display order."""

    products: list[CatalogueProduct] = Field(description="Products, in display order.")


@endpoint(
    methods=("GET", "POST"),
    public=True,
    example={},
    success=Success(
        "The products.",
        {
            "products": {
                "products": [
                    {
                        "id": "pack-100",
                        "description": "100 credits",
                        "credits": 100,
                        "kind": "purchase",
                        "validDays": 365,
                        "stripePrice": "price_1QxW2pB9pB9pB9pB",
                        "revenueCatProduct": "credits_100",
                    }
                ]
            }
        },
    ),
)
def list_products(body: ListProducts, caller: Caller) -> ProductList:
    """List the products that credits are sold as.

    In display order. An app shows the prices that its store or Stripe has for them.
    """
    fields = set(CatalogueProduct.model_fields)
    return ProductList(
        products=[
            CatalogueProduct.model_validate(product.model_dump(include=fields), by_name=True)
            for product in products.current()
            if product.enabled
        ]
    )
