"""One guarded HTTPS POST to an address that somebody has configured.

The host is resolved here, every address of it must be a public one, and the connection goes to an
address that was checked: what the name resolves to a moment later (DNS rebinding) does not matter.
Certificate and Host header are those of the name. Redirects are not followed, as they would lead
around all this. In the emulators, plain HTTP and private addresses are allowed.

A delivery is tried again only while it is certain that it has not arrived.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

ATTEMPTS = 3
TIMEOUT_SECONDS = 5.0
FIRST_PAUSE_SECONDS = 1.0
# Addresses that carry another one inside: NAT64, Teredo, 6to4.
TUNNELS = [ipaddress.ip_network(each) for each in ("64:ff9b::/96", "2001::/32", "2002::/16")]


@dataclass(frozen=True)
class Delivery:
    """How it went: sent, failed, refused (not tried), or unknown (sent, but nobody answered)."""

    status: str
    attempts: int
    error: str | None = None


class Refused(Exception):
    """The URL leads where nothing may be sent."""


def deliver(url: str, message: Mapping[str, Any]) -> Delivery:
    """POST `message` as JSON; never raises for what may go wrong outside of here."""
    body, error = json.dumps(message).encode(), ""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            parts = _checked(url)
            addresses = _addresses(parts)
            connection = _connected(parts, addresses)
        except Refused as reason:
            return Delivery("refused", attempt - 1, str(reason))
        except OSError as reason:
            error = f"no connection: {type(reason).__name__}"
        else:
            try:
                status = _post(connection, parts, body)
            except (OSError, http.client.HTTPException) as reason:
                return Delivery("unknown", attempt, f"no answer: {type(reason).__name__}")
            finally:
                connection.close()
            if 200 <= status < 300:
                return Delivery("sent", attempt)
            error = f"HTTP {status}"
            if status != 429 and status < 500:
                return Delivery("failed", attempt, error)
        if attempt < ATTEMPTS:
            time.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
    return Delivery("failed", ATTEMPTS, error)


def _in_emulator() -> bool:
    return bool(os.environ.get("FIRESTORE_EMULATOR_HOST"))


def _checked(url: str) -> SplitResult:
    schemes = ("https", "http") if _in_emulator() else ("https",)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        raise Refused("an https URL without a user is needed")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _addresses(parts: SplitResult) -> list[str]:
    """The addresses of the host, all of them good to connect to."""
    found = socket.getaddrinfo(parts.hostname, _port(parts), type=socket.SOCK_STREAM)
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    if not _in_emulator() and not all(is_public(each) for each in addresses):
        raise Refused("the host has an address that is not public")
    return addresses


def is_public(address: str) -> bool:
    """Whether `address` belongs to the public internet, whichever way it is written."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif any(ip in network for network in TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _connected(parts: SplitResult, addresses: Sequence[str]) -> http.client.HTTPConnection:
    """A connection to the first address that takes one; raises OSError."""
    host, port = str(parts.hostname), _port(parts)
    errors = []
    for address in addresses:
        try:
            sock = socket.create_connection((address, port), TIMEOUT_SECONDS)
        except OSError as error:
            errors.append(error)
            continue
        if parts.scheme == "https":
            try:
                sock = tls_context().wrap_socket(sock, server_hostname=host)
            except OSError:
                sock.close()
                raise
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        connection.sock = sock  # connected already, so it does not look up the name again
        return connection
    raise errors[0] if errors else OSError("the host has no address")


def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _post(connection: http.client.HTTPConnection, parts: SplitResult, body: bytes) -> int:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc, "Content-Type": "application/json", "Connection": "close"}
    connection.request("POST", target, body, headers)
    return connection.getresponse().status
