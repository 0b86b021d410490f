"""What is on offer and what it costs: data in Firestore, cached in the instance.

The price depends on the size alone. Names and aliases are matched ignoring case, hyphens,
underscores and spaces; what a request stores is the catalogue's own spelling.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from imagegen import config, db, logger
from imagegen.catalogue import secrets, suspension
from imagegen.catalogue.cache import Cache
from imagegen.errors import BackendUnavailable, UnknownOption
from imagegen.firestore.store import Document, Query
from imagegen.providers import registry

IGNORED = str.maketrans("", "", "-_ ")
FIELDS = ("model", "style", "color", "size")  # of a request, each chosen from its collection


class Option(BaseModel):
    """One thing to choose: a style or a colour; the document's id is its name."""

    # As for WireModel: most functions never read the catalogue.
    model_config = ConfigDict(
        alias_generator=to_camel, frozen=True, extra="allow", defer_build=True
    )

    name: str
    enabled: bool = True
    sort_order: int = 0
    description: str = ""
    aliases: tuple[str, ...] = ()

    @cached_property
    def folded_names(self) -> frozenset[str]:
        return frozenset(folded(name) for name in (self.name, *self.aliases))


class Model(Option):
    """An image model; what else its document holds are the settings of its generator."""

    generator: str
    background: bool = False

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.model_extra or {}

    @property
    def fallback_model(self) -> str | None:
        """The model to try where this one is not available; its provider has checked the type."""
        name = self.settings.get("fallbackModel")
        return name if isinstance(name, str) and name != self.name else None

    @property
    def is_paid(self) -> bool:
        """Whether its provider charges for images."""
        return self.generator not in registry.FREE_OF_CHARGE

    @property
    def takes_photos(self) -> bool:
        """Whether an order may start from a photo; the mocks, which draw nothing, take any."""
        return not self.is_paid or self.settings.get("sources") is True


class Size(Option):
    """An image size, in pixels, and the price of a generation, in credits."""

    credits: Annotated[int, Field(gt=0, strict=True)]
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]


AnyOption = TypeVar("AnyOption", bound=Option)


@dataclass(frozen=True)
class Choice:
    """What one request asks for, in the catalogue's terms."""

    model: Model
    style: Option
    color: Option
    size: Size


@dataclass(frozen=True)
class Catalogue:
    """Everything on offer at one moment, by name and in display order."""

    models: Mapping[str, Model]
    styles: Mapping[str, Option]
    colors: Mapping[str, Option]
    sizes: Mapping[str, Size]
    # Until when models are suspended, by name; the past for those on probation.
    suspended: Mapping[str, datetime] = field(default_factory=dict)

    def offers(self, option: Option, moment: datetime) -> bool:
        """Whether an option can be ordered: it is enabled, and no model that is suspended."""
        until = self.suspended.get(option.name) if isinstance(option, Model) else None
        return option.enabled and (until is None or until <= moment)

    def choose(self, *, model: str, style: str, color: str, size: str) -> Choice:
        """The options that a request names.

        Raises UnknownOption for the first that is not on offer; its details name the field, the
        value and all that is allowed.
        """
        return Choice(
            model=_match("model", model, self.models),
            style=_match("style", style, self.styles),
            color=_match("color", color, self.colors),
            size=_match("size", size, self.sizes),
        )

    def spelling(self, field: str, value: str) -> str:
        """The catalogue's spelling of an option, also a disabled one; `value` where it has none."""
        options: Iterable[Option] = getattr(self, f"{field}s").values()
        matches = (option.name for option in options if folded(value) in option.folded_names)
        return next(matches, value)


def folded(name: str) -> str:
    """`name` as it is compared: without case, hyphens, underscores and spaces."""
    return name.casefold().translate(IGNORED)


def _match(field: str, value: str, options: Mapping[str, AnyOption]) -> AnyOption:
    wanted = folded(value)
    for option in options.values():
        if option.enabled and wanted in option.folded_names:
            return option
    raise UnknownOption(
        f"The catalogue offers no such {field}.",
        field=field,
        value=value,
        allowed=[option.name for option in options.values() if option.enabled],
    )


def current() -> Catalogue:
    """The catalogue, at most CATALOGUE_TTL_SECONDS old.

    Raises BackendUnavailable when it cannot be read, is empty or holds an invalid document: a
    failed load never looks like an empty catalogue. An instance that has loaded it before serves
    it 10 minutes longer.
    """
    return _cache.get(config.CATALOGUE_TTL_SECONDS.value)


def forget() -> None:
    """Read the catalogue again at the next call."""
    _cache.clear()


def _load() -> Catalogue:
    models = _usable(_options("models", Model))
    return Catalogue(
        models=models,
        styles=_options("styles", Option),
        colors=_options("colors", Option),
        sizes=_options("sizes", Size),
        # Only a key or a quota suspends a model, and models free of charge have neither.
        suspended=suspension.load() if any(each.is_paid for each in models.values()) else {},
    )


def _usable(models: dict[str, Model]) -> dict[str, Model]:
    """The models whose documents their providers can use; the others are logged and left out.

    A document that is readable by everybody must not hold a secret either: it names one.
    """
    usable = {}
    for name, model in models.items():
        path = f"models/{name}"
        if leaked := secrets.found_in(model.settings):
            logger.error("model left out", document=path, field=leaked[0], problem="holds a secret")
            continue
        try:
            registry.validate_settings(model.generator, model.settings)
        except registry.SettingsError as error:
            logger.error("model left out", document=path, field=error.field, problem=error.problem)
            continue
        usable[name] = model
    if not usable:
        logger.error("catalogue cannot be used", collection="models", problem="none can be used")
        raise BackendUnavailable("The catalogue cannot be used at the moment.")
    return usable


def _options(collection: str, kind: type[AnyOption]) -> dict[str, AnyOption]:
    options = [_option(document, kind) for document in db.query(Query(collection))]
    names = [name for option in options for name in option.folded_names]
    if not options or len(set(names)) < len(names):
        problem = "names something twice" if options else "is empty"
        logger.error("catalogue cannot be used", collection=collection, problem=problem)
        raise BackendUnavailable("The catalogue cannot be used at the moment.")
    options.sort(key=lambda option: (option.sort_order, option.name))
    return {option.name: option for option in options}


def _option(document: Document, kind: type[AnyOption]) -> AnyOption:
    try:
        return kind.model_validate({**(document.fields or {}), "name": document.id})
    except ValidationError as error:
        logger.error("catalogue cannot be used", document=document.path, problem=str(error))
        raise BackendUnavailable("The catalogue cannot be used at the moment.") from error


_cache = Cache(_load)
