"""The function table as Firebase reads it at deployment."""

import contextlib
import os
from dataclasses import dataclass
from typing import Any

import yaml
from firebase_functions.private import serving

from support.paths import FUNCTIONS


@dataclass(frozen=True)
class Declared:
    """How a function is to run."""

    concurrency: int
    timeout_seconds: int
    memory_mb: int


def read() -> dict[str, Any]:
    """The whole manifest."""
    with contextlib.chdir(FUNCTIONS):
        return dict(yaml.safe_load(serving.functions_as_yaml(serving.get_functions())))


def parameters() -> dict[str, str]:
    """The parameters that a deployment gives to its functions, from ``functions/.env``."""
    lines = (FUNCTIONS / ".env").read_text().splitlines()
    stated = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in stated}


def declared(function: str) -> Declared:
    """What the manifest says of `function`, with the parameters' values."""
    endpoint = read()["endpoints"][function]

    def value(option: str) -> int:
        stated = str(endpoint[option])
        name = stated.removeprefix("{{ params.").removesuffix(" }}")
        return int(parameters()[name] if name != stated else stated)

    return Declared(value("concurrency"), value("timeoutSeconds"), value("availableMemoryMb"))


def emulator_hosts() -> dict[str, str]:
    """The addresses of the emulators that this process knows."""
    return {name: value for name, value in os.environ.items() if name.endswith("_EMULATOR_HOST")}
