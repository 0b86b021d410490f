"""Several endpoints behind one function: which path and method lead to which endpoint.

    ROUTES = {
        "/users": (list_users,),
        "/users/{userId}": (get_user, delete_user),
    }

An endpoint says its one method itself; a name in braces is the field of its request that stands
there in the path. All of them are for operators: a call needs a token with the claim `admin: true`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Request, Response

from imagegen.api import auth, body
from imagegen.api.endpoint import Endpoint, declaration_of
from imagegen.api.serve import HttpFunction, answering, require_app, require_method, success
from imagegen.errors import PathNotFound

Routes = Mapping[str, tuple[Callable[..., Any], ...]]

FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Route:
    """A path, and its endpoints by method."""

    path: str
    pattern: re.Pattern[str]
    endpoints: Mapping[str, Endpoint]


def serve(name: str, routes: Routes) -> HttpFunction:
    """The function `name`, which answers at `routes`.

    Called directly it sees the path below its own name, through Hosting all of `/api/{name}/…`.
    """
    table = compiled(routes)
    hosting = f"/api/{name}/"

    def call(request: Request, line: dict[str, str]) -> Response:
        path = request.path
        if path.startswith(hosting):
            path = path[len(hosting) - 1 :]
        route, in_path = _found(table, path)
        endpoint = route.endpoints[require_method(request, route.endpoints)]
        line["operation"] = endpoint.name
        require_app(request, endpoint, line)
        caller = auth.identify_admin(request.headers.get("Authorization"))
        line["operator"] = caller.uid or ""
        return success(
            endpoint.handler(body.read_below(request, endpoint.request, in_path), caller)
        )

    return answering(name, call)


def compiled(routes: Routes) -> tuple[Route, ...]:
    """The routes with their endpoints; one without a field is found before one with."""
    found = []
    for path, handlers in routes.items():
        declared = [declaration_of(handler) for handler in handlers]
        endpoints = {method: each for each in declared for method in each.methods}
        pattern = re.compile(FIELD.sub(r"(?P<\1>[^/]+)", path))
        found.append(Route(path, pattern, endpoints))
    return tuple(sorted(found, key=lambda route: route.path.count("{")))


def fields_of(path: str) -> list[str]:
    """The fields that stand in a path."""
    return FIELD.findall(path)


def _found(table: tuple[Route, ...], path: str) -> tuple[Route, Mapping[str, str]]:
    for route in table:
        if match := route.pattern.fullmatch(path):
            return route, match.groupdict()
    raise PathNotFound
