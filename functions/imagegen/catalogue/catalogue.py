"""What is on offer and what it costs: data in Firestore, cached in the instance.

The price depends on the size alone. Names and aliases are matched ignoring case, hyphens,
underscores and spaces; what a request stores is the catalogue's own spelling.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from imagegen import config, db, logger
from imagegen.errors import BackendUnavailable, UnknownOption
from imagegen.firestore.store import Document, Query

FIELDS = ("model", "style", "color", "size")  # of a request, each chosen from its collection


class Option(BaseModel):
    """One thing to choose: a style or a colour; the document's id is its name."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="allow")

    name: str
    enabled: bool = True
    sort_order: int = 0
    description: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def folded_names(self) -> frozenset[str]:
        return frozenset(folded(name) for name in (self.name, *self.aliases))


class Model(Option):
    """An image model; what else its document holds are the settings of its generator."""

    generator: str

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.model_extra or {}


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
    return name.casefold().translate({ord(c): None for c in "-_ "})


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


_lock = threading.Lock()
_cached: tuple[float, Catalogue] | None = None  # (monotonic second of loading, what was loaded)


def current() -> Catalogue:
    """The catalogue, at most CATALOGUE_TTL_SECONDS old.

    Raises BackendUnavailable when it cannot be read, is empty or holds a document that is no
    option: a failed load is never cached and never looks like an empty catalogue.
    """
    global _cached  # noqa: PLW0603 - the cache belongs to the instance
    with _lock:  # one thread loads, the others wait for it
        now = time.monotonic()
        if _cached is None or now - _cached[0] >= config.CATALOGUE_TTL_SECONDS.value:
            _cached = None
            _cached = (now, _load())
        return _cached[1]


def forget() -> None:
    """Read the catalogue anew at the next call."""
    global _cached  # noqa: PLW0603
    with _lock:
        _cached = None


def _load() -> Catalogue:
    return Catalogue(
        models=_options("models", Model),
        styles=_options("styles", Option),
        colors=_options("colors", Option),
        sizes=_options("sizes", Size),
    )


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
