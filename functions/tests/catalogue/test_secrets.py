"""What looks like a key in a document that everybody may read."""

import json
from typing import Any

import pytest
from support.paths import ROOT

from imagegen.catalogue import secrets


@pytest.mark.parametrize(
    "fields",
    [
        {"apiKey": "0123456789"},
        {"api_key": "0123456789"},
        {"key": "sk-proj-abcdefghijklmnopqrstuvwx"},
        {"secret": "a plain password"},
        {"token": "abc"},
        {"note": "r8_" + "a" * 37},
        {"url": "https://api.example/v1?key=AIza" + "B" * 35},
        {"note": "-----BEGIN PRIVATE KEY-----\nMIIEvQ"},
        {"header": "Bearer abcdefghijklmnopqrstuvwxyz"},
        {"note": "sk_live_abcdefghijklmnop"},
        {"note": "1b4e28ba-2fa1-11d2-883f-0016d3cca427:" + "0a" * 16},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_looks_like_a_key_is_found(fields: dict[str, Any]) -> None:
    assert secrets.found_in(fields) == list(fields)


def test_a_key_is_found_in_maps_and_lists_and_named_by_its_path() -> None:
    fields = {"headers": {"x-api-key": "abc"}, "urls": [{"token": "abc"}, {"token": "def"}]}
    assert secrets.found_in(fields) == ["headers.x-api-key", "urls.token"]


@pytest.mark.parametrize(
    "fields",
    [
        {"secret": "OPENAI_API_KEY"},  # the name of one
        {"secret": "FAL_KEY"},
        {"apiKey": ""},
        {"maxTokens": 4096, "token": None, "secret": True},
        {"description": "Fast: a token of what is possible, and key to the rest."},
        {"endpoint": "https://api.example/v1/images/generations"},
        {"imageUrl": "https://example.com/sk/a-picture-with-a-long-name.png"},
        {"model": "black-forest-labs/flux-1.1-pro", "keywords": ["risk-adjusted-portraits"]},
        {"version": "5599ed30703defd1d160a25a63321b4dec97101d98b4674bcc56e41f62f35637"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_is_no_key_is_left_alone(fields: dict[str, Any]) -> None:
    assert secrets.found_in(fields) == []


def test_the_default_catalogue_holds_no_key() -> None:
    catalogue = next((ROOT / "tools").rglob("catalogue.json"))
    for collection in json.loads(catalogue.read_text()).values():
        for name, fields in collection.items():
            assert secrets.found_in(fields) == [], name
