"""What the emulators are started with, derived from firebase.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from emulators.paths import ROOT

Config = dict[str, Any]

# Emulators that listen although firebase.json gives them no port: firebase-tools looks for free
# ones, but two suites that look at the same moment find the same.
WEBSOCKET = "firestore.websocket"
UNLISTED = ("hub", "logging", "eventarc", WEBSOCKET)


def read() -> Config:
    config: Config = json.loads((ROOT / "firebase.json").read_text())
    return config


def ports_of(config: Config) -> dict[str, int]:
    """The port of every emulator that `config` starts."""
    return {
        name: service["port"]
        for name, service in config["emulators"].items()
        if isinstance(service, dict) and "port" in service and service.get("enabled", True)
    }


def without_ui(config: Config) -> Config:
    derived = deepcopy(config)
    derived["emulators"]["ui"] = {"enabled": False}
    return derived


def with_ports(config: Config, ports: Mapping[str, int]) -> Config:
    derived = deepcopy(config)
    emulators = derived["emulators"]
    for name, port in ports.items():
        if name == WEBSOCKET:
            emulators["firestore"]["websocketPort"] = port
        else:
            emulators.setdefault(name, {})["port"] = port
    return derived
