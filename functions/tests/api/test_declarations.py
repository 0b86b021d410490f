"""Declared endpoints (api/endpoint.py): what follows from the function itself."""

from typing import Any

import pytest

from imagegen.api.auth import Caller
from imagegen.api.endpoint import Success, declaration_of, endpoint
from imagegen.api.schema import Reply, WireModel


class GetWeather(WireModel):
    place: str


class Weather(WireModel):
    degrees: int


declared = endpoint(
    methods=("GET",),
    example={"place": "Bern"},
    success=Success("The weather.", {"cold": {"degrees": 3}}),
)


@declared
def get_weather(body: GetWeather, caller: Caller) -> Weather:
    """Read the weather."""
    return Weather(degrees=len(body.place))


@declared
def get_late_weather(body: GetWeather, caller: Caller) -> Reply[Weather]:
    """Read the weather, later."""
    return Reply(get_weather(body, caller), code=202)


def undeclared(body: GetWeather, caller: Caller) -> Weather:
    return get_weather(body, caller)


def test_name_request_and_reply_follow_from_the_function() -> None:
    declaration = declaration_of(get_weather)
    assert declaration.name == "getWeather"
    assert (declaration.request, declaration.reply) == (GetWeather, Weather)


def test_the_model_of_a_reply_with_headers_is_that_of_its_body() -> None:
    assert declaration_of(get_late_weather).reply is Weather


def test_a_declared_function_is_called_as_before() -> None:
    assert get_weather(GetWeather(place="Bern"), Caller(uid=None)) == Weather(degrees=4)


@pytest.mark.parametrize("function", [undeclared, len])
def test_a_function_without_a_declaration_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match="is not declared"):
        declaration_of(function)
