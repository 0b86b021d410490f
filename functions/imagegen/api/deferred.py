"""Endpoints by name, imported only by the instances that serve them.

An instance serves one function. functions-framework names it in FUNCTION_TARGET before it imports
main.py, so that endpoint is imported there and then: a release whose code cannot be imported does
not start. Where no function is named (a deploy that reads the function table, a tool), an endpoint
is imported when it is first needed.
"""

import functools
import os
import pkgutil

from flask import Request, Response
from pydantic.alias_generators import to_camel

from imagegen.api.endpoint import Endpoint, declaration_of
from imagegen.api.serve import HttpFunction, serve


def serve_from(path: str) -> HttpFunction:
    """The HTTP function of the endpoint at `path`, such as ``imagegen.credits.endpoints:get_it``.

    Its attribute `load_endpoint` is a function that returns the declaration.
    """
    name = to_camel(path.partition(":")[2])

    @functools.cache
    def endpoint() -> Endpoint:
        return declaration_of(pkgutil.resolve_name(path))

    @functools.cache
    def function() -> HttpFunction:
        return serve(endpoint())

    def answer(request: Request) -> Response:
        return function()(request)

    answer.__name__ = name  # the name under which Firebase deploys it
    answer.load_endpoint = endpoint  # type: ignore[attr-defined]
    if os.environ.get("FUNCTION_TARGET") == name:
        function()
    return answer
