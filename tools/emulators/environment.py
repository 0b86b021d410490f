"""The environment variables of the processes around an emulator suite."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Where firebase-tools looks for a proxy, in this order.
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
NO_KEEP_ALIVE = Path(__file__).with_name("no_keep_alive.cjs")


def current() -> dict[str, str]:
    """This process's environment, in which loopback addresses are reached without a proxy."""
    return os.environ | no_proxy_for_loopback(os.environ)


def no_proxy_for_loopback(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that exempt loopback addresses, and what is exempt already, from the proxy.

    gRPC uses the proxy for 127.0.0.1 too, so behind one no emulator would be reached. Programs
    differ in which spelling they read. gRPC prefers `no_grpc_proxy`, where it is set.
    """
    names = ["no_proxy", "NO_PROXY"]
    if environment.get("no_grpc_proxy"):
        names.append("no_grpc_proxy")
    exempt: dict[str, None] = {}  # a set that keeps its order
    for name in names:
        hosts = (host.strip() for host in environment.get(name, "").split(","))
        exempt |= dict.fromkeys(host for host in hosts if host)
    exempt |= dict.fromkeys(LOOPBACK)
    return dict.fromkeys(names, ",".join(exempt))


def for_firebase_tools() -> dict[str, str]:
    """What firebase-tools needs to load the functions and to deploy them."""
    return {"FUNCTIONS_DISCOVERY_TIMEOUT": "120", "NO_COLOR": "1"} | current()


def for_emulators() -> dict[str, str]:
    """What firebase-tools needs to run the emulators.

    It ignores `no_proxy`, so behind a proxy it would not reach its own emulators: it gets no proxy.
    The functions that it starts find theirs in ALL_PROXY, which it does not read.
    """
    variables = for_firebase_tools()
    proxies = [variables.pop(name, "") for name in PROXIES]
    if proxy := next(filter(None, proxies), None):
        variables.setdefault("ALL_PROXY", proxy)
    options = [variables.get("NODE_OPTIONS"), f'--require "{NO_KEEP_ALIVE}"']
    variables["NODE_OPTIONS"] = " ".join(filter(None, options))
    return variables
