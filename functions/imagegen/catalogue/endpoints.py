"""The catalogue as clients see it: what may be ordered, and what it costs."""

from collections.abc import Mapping

from imagegen.api.auth import Caller
from imagegen.api.schema import WireModel
from imagegen.catalogue import catalogue


class ListModels(WireModel):
    """Everything on offer; there is nothing to say."""


class OfferedOption(WireModel):
    """A style or a colour on offer."""

    name: str
    description: str


class OfferedModel(OfferedOption):
    """A model on offer, and what else it answers to."""

    aliases: tuple[str, ...]


class OfferedSize(OfferedOption):
    """A size on offer, in pixels, and the price of a generation, in credits."""

    credits: int
    width: int
    height: int


class Offers(WireModel):
    """What may be ordered, in display order."""

    models: list[OfferedModel]
    styles: list[OfferedOption]
    colors: list[OfferedOption]
    sizes: list[OfferedSize]


def listing(_: ListModels, __: Caller) -> Offers:
    """What a client may offer its users to choose from.

    Raises BackendUnavailable when the catalogue cannot be read.
    """
    current = catalogue.current()
    return Offers.model_validate(
        {
            collection: [
                option.model_dump(include=set(kind.model_fields))
                for option in getattr(current, collection).values()
                if option.enabled
            ]
            for collection, kind in OFFERED.items()
        },
        by_name=True,
    )


OFFERED: Mapping[str, type[WireModel]] = {
    "models": OfferedModel,
    "styles": OfferedOption,
    "colors": OfferedOption,
    "sizes": OfferedSize,
}
