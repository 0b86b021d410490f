"""A Postman collection (v2.1) of an OpenAPI document: one request for each operation.

Only what our document uses is understood: JSON bodies, query and header parameters, references to
components, one bearer token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
Json = dict[str, Any]


def collection(document: Mapping[str, Any]) -> Json:
    emulator = document["servers"][0]
    base_url = emulator["url"]
    for name, variable in emulator["variables"].items():
        base_url = base_url.replace(f"{{{name}}}", variable["default"])
    return {
        "info": {
            "name": document["info"]["title"],
            "description": document["info"]["description"],
            "schema": SCHEMA,
        },
        "auth": {
            "type": "bearer",
            "bearer": [{"key": "token", "value": "{{idToken}}", "type": "string"}],
        },
        "variable": [
            {"key": "baseUrl", "value": base_url, "type": "string"},
            {"key": "idToken", "value": "", "type": "string"},
        ],
        "item": [
            {
                "name": tag["name"],
                "description": tag["description"],
                "item": _items(document, tag["name"]),
            }
            for tag in document["tags"]
        ],
    }


def _items(document: Mapping[str, Any], tag: str) -> list[Json]:
    return [
        _item(document, path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "servers" and tag in operation["tags"]
    ]


def _item(document: Mapping[str, Any], path: str, method: str, operation: Json) -> Json:
    request = _request(path, method, operation)
    return {
        "name": operation["operationId"],
        "request": request,
        "response": [
            _response(request, int(code), name, _resolved(document, example)["value"])
            for code, response in operation["responses"].items()
            for name, example in _examples(response).items()
        ],
    }


def _request(path: str, method: str, operation: Json) -> Json:
    parameters = operation.get("parameters", [])
    request: Json = {
        "method": method.upper(),
        "description": operation["description"],
        "header": [_parameter(each) for each in parameters if each["in"] == "header"],
        "url": _url(
            _filled(path, parameters),
            [_parameter(each) for each in parameters if each["in"] == "query"],
        ),
    }
    if operation.get("security") == []:
        request["auth"] = {"type": "noauth"}
    if "requestBody" in operation:
        example = operation["requestBody"]["content"]["application/json"]["example"]
        request["header"].append({"key": "Content-Type", "value": "application/json"})
        request["body"] = {
            "mode": "raw",
            "raw": json.dumps(example, indent=2, ensure_ascii=False),
            "options": {"raw": {"language": "json"}},
        }
    return request


def _filled(path: str, parameters: list[Json]) -> str:
    """The path with the examples of the parameters that stand in it."""
    for each in parameters:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", quote(each["example"], safe=""))
    return path


def _url(path: str, query: list[Json]) -> Json:
    sent = "&".join(f"{each['key']}={each['value']}" for each in query if not each["disabled"])
    return {
        "raw": "{{baseUrl}}" + path + (f"?{sent}" if sent else ""),
        "host": ["{{baseUrl}}"],
        "path": path.strip("/").split("/"),
        "query": query,
    }


def _parameter(parameter: Json) -> Json:
    """A parameter to switch on; what a header would change about the example is switched off."""
    example = parameter.get("example")
    return {
        "key": parameter["name"],
        "value": "" if example is None else str(example),
        "description": parameter.get("description", ""),
        "disabled": parameter["in"] == "header" or example is None,
    }


def _examples(response: Json) -> Json:
    content = response["content"]["application/json"]
    if "examples" in content:
        examples: Json = content["examples"]
        return examples
    return {"example": {"value": content["example"]}}


def _resolved(document: Mapping[str, Any], node: Json) -> Json:
    """`node`, or the component that it refers to."""
    if "$ref" not in node:
        return node
    target: Any = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    found: Json = target
    return found


def _response(request: Json, code: int, name: str, body: Any) -> Json:
    return {
        "name": f"{code} {name}",
        "originalRequest": request,
        "status": HTTPStatus(code).phrase,
        "code": code,
        "_postman_previewlanguage": "json",
        "header": [{"key": "Content-Type", "value": "application/json"}],
        "cookie": [],
        "body": json.dumps(body, indent=2, ensure_ascii=False),
    }
