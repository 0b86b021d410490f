"""The functions of main.py, in its order: for clients, for operators, and for the scheduler."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import main
from imagegen import errors
from imagegen.admin import routes
from imagegen.api import body
from imagegen.api.endpoint import AppCheck, Endpoint, Errors, declaration_of
from imagegen.errors import ImagegenError

DEPLOYED: Mapping[str, Any] = {
    name: function
    for name, function in vars(main).items()
    if hasattr(function, "__firebase_endpoint__")
}
ENDPOINTS: tuple[Endpoint, ...] = tuple(
    function.load_endpoint() for function in DEPLOYED.values() if hasattr(function, "load_endpoint")
)
# By path, below the name of their one function.
ROUTED: Mapping[str, tuple[Endpoint, ...]] = {
    f"/{routes.NAME}{path}": tuple(declaration_of(handler) for handler in handlers)
    for path, handlers in routes.ROUTES.items()
}
OF_OPERATORS: tuple[Endpoint, ...] = tuple(each for found in ROUTED.values() for each in found)
EVERY_ENDPOINT: tuple[Endpoint, ...] = (*ENDPOINTS, *OF_OPERATORS)
# By name: what a scheduled function answers when it has run.
SCHEDULED: Mapping[str, Mapping[str, str]] = {
    name: function.__reply__
    for name, function in DEPLOYED.items()
    if hasattr(function, "__reply__")
}

AT_EVERY_ENDPOINT: Errors = (
    ImagegenError,
    errors.InvalidField,
    errors.MethodNotAllowed,
    errors.BackendUnavailable,
)
WITH_A_BODY: Errors = (errors.MalformedJson, errors.PayloadTooLarge, errors.UnsupportedMediaType)
WITH_A_CALLER: Errors = (errors.TokenMissing, errors.TokenInvalid, errors.TokenExpired)
FROM_AN_APP: Errors = (errors.AppCheckMissing, errors.AppCheckInvalid)


def errors_of(endpoint: Endpoint, method: str) -> Errors:
    """All that the endpoint can answer to `method` when it does not succeed."""
    found = [
        *AT_EVERY_ENDPOINT,
        *(WITH_A_BODY if method in body.WITH_BODY else ()),
        *(() if endpoint.public else WITH_A_CALLER),
        *((errors.NotAdmin,) if endpoint in OF_OPERATORS else ()),
        *(() if endpoint.app_check is AppCheck.EXEMPT else FROM_AN_APP),
        *endpoint.errors,
    ]
    return tuple(sorted(found, key=lambda error: (error.code, error.reason)))


def summary(function: Any) -> str:
    """The first line of the docstring of an endpoint or a scheduled function."""
    return inspect.cleandoc(function.__doc__).partition("\n")[0].removesuffix(".")


def description(endpoint: Endpoint) -> str:
    """The paragraphs below the summary, each in one line."""
    _, *paragraphs = inspect.cleandoc(endpoint.handler.__doc__ or "").split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)
