"""Endpoints: a function of the domain, declared with everything that a client is told about it.

    @endpoint(
        methods=("GET", "POST"),
        example={"userId": "testUser1"},
        success=Success("The balance and its history.", {"balance": {"currentCredits": 97, …}}),
        errors=(NotOwner, UserNotFound),
    )
    def get_user_credits(body: GetUserCredits, caller: Caller) -> UserCredits:
        \"\"\"Read a balance and its history.

        The entries are sorted from the newest to the oldest.
        \"\"\"

The declaration leaves the function as it is. `imagegen.api.serve` makes an HTTP function of it,
`imagegen.api.deferred` one that imports it only where it is served, and tools/openapi describes it.
Name, summary and description are those of the function, the fields of the request and of the answer
those of its annotations.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import Any, TypeVar, get_args, get_origin

from pydantic.alias_generators import to_camel

from imagegen.api.headers import Header
from imagegen.api.schema import Reply, WireModel
from imagegen.errors import ImagegenError

Errors = tuple[type[ImagegenError], ...]
Handler = TypeVar("Handler", bound=Callable[..., WireModel | Reply[Any]])


@dataclass(frozen=True)
class Success:
    """An answer to a call that succeeded, and examples of its body by name."""

    description: str
    examples: Mapping[str, Mapping[str, Any]]
    code: int = 200
    headers: tuple[Header, ...] = ()
    schema: Mapping[str, Any] = field(default_factory=dict)  # what narrows the model's JSON Schema
    links: Mapping[str, str] = field(default_factory=dict)  # by name: an endpoint to call next


class AppCheck(Enum):
    """What an endpoint asks of App Check, in a deployment that uses it."""

    REUSABLE = auto()  # a token is good for any number of calls
    ONCE = auto()  # with replay protection, a token is good for one call
    EXEMPT = auto()  # called by servers, which have no tokens


@dataclass(frozen=True)
class Binary:
    """A field of bytes: base64 in JSON, or the whole body of a POST that says what it is.

    In the second case the Content-Type is one of `types`, and the other fields come from the query
    string.
    """

    field: str
    types: tuple[str, ...]
    max_bytes: int


@dataclass(frozen=True, eq=False)
class Endpoint:
    """The declaration of an endpoint."""

    handler: Callable[..., WireModel | Reply[Any]]
    methods: tuple[str, ...]
    example: Mapping[str, Any]
    successes: tuple[Success, ...]
    errors: Errors
    replayed_errors: Errors
    headers: tuple[Header, ...]
    public: bool
    app_check: AppCheck
    binary: Binary | None

    @property
    def name(self) -> str:
        """The name of the exported function."""
        return to_camel(self.handler.__name__)

    @cached_property
    def request(self) -> type[WireModel]:
        """The model of the request's fields."""
        model: type[WireModel] = self._annotations["body"]
        return model

    @cached_property
    def reply(self) -> type[WireModel]:
        """The model of the body of a success."""
        annotation = self._annotations["return"]
        model: type[WireModel]
        (model,) = get_args(annotation) if get_origin(annotation) is Reply else (annotation,)
        return model

    @property
    def _annotations(self) -> Mapping[str, Any]:
        return inspect.get_annotations(self.handler, eval_str=True)


def endpoint(
    *,
    methods: tuple[str, ...],
    example: Mapping[str, Any],
    success: Success | tuple[Success, ...],
    errors: Errors = (),
    replayed_errors: Errors = (),
    headers: tuple[Header, ...] = (),
    public: bool = False,
    app_check: AppCheck = AppCheck.REUSABLE,
    binary: Binary | None = None,
) -> Callable[[Handler], Handler]:
    """Declare a function an endpoint. It takes a `body` and a `caller` and returns its reply.

    The fields of the body come from the JSON of a POST, from the query string of a GET, and from
    `headers`; `example` shows them. `errors` are those of this endpoint; what every endpoint can
    answer (400 to 415, 500, 503) need not be listed. `replayed_errors` may also be the outcome of
    an earlier call with the same idempotency key. A `public` endpoint takes calls without a token;
    `app_check` says what it asks of App Check tokens. A `binary` field is longer than other bodies
    may be.
    """

    def declare(handler: Handler) -> Handler:
        declaration = Endpoint(
            handler,
            methods,
            example,
            success if isinstance(success, tuple) else (success,),
            errors,
            replayed_errors,
            headers,
            public,
            app_check,
            binary,
        )
        handler.__endpoint__ = declaration  # type: ignore[attr-defined]
        return handler

    return declare


def declaration_of(handler: Callable[..., Any]) -> Endpoint:
    """The declaration of an endpoint. Raises TypeError for a function without one."""
    declaration = getattr(handler, "__endpoint__", None)
    if not isinstance(declaration, Endpoint):
        raise TypeError(f"{handler.__name__} is not declared with @endpoint")
    return declaration
