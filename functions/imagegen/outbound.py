"""Guarded HTTPS requests to addresses that are not ours: webhooks and images of providers.

The host name is resolved once, every address it resolves to must be public, and the connection
goes to an address that was checked, so a name that resolves to another address a moment later (DNS
rebinding) changes nothing. Certificate and Host header are those of the name. Redirects are not
followed, since their targets are not checked. On the emulators (FUNCTIONS_EMULATOR is true), plain
HTTP and private addresses are allowed.

OutboundError
├── OutboundRefused      the URL must not be called; nothing was sent
├── OutboundUnreachable  no connection; nothing was sent
└── OutboundUnanswered   sent, perhaps received; no complete answer
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import SplitResult, urlsplit

# IPv6 addresses that have an IPv4 address inside: NAT64, Teredo, 6to4.
TUNNELS = [ipaddress.ip_network(each) for each in ("64:ff9b::/96", "2001::/32", "2002::/16")]
SITE_LOCAL = ipaddress.ip_network("fec0::/10")  # private until 2004; Python takes it for public
CHUNK_BYTES = 64 * 1024
ENVELOPE_BYTES = 1024 * 1024  # of an answer: head, marks between chunks, trailers


class OutboundError(Exception):
    """Base of all of them. The message names no part of the URL, which may be a secret."""


class OutboundRefused(OutboundError):
    """The URL is not https, or leads to an address that is not public. Trying again is useless."""


class OutboundUnreachable(OutboundError):
    """No connection could be made, so nothing was sent."""


class OutboundUnanswered(OutboundError):
    """The request was sent, at least in part, and no complete answer came."""


@dataclass(frozen=True)
class Response:
    """An answer of any status; header names are case-insensitive."""

    status: int
    headers: Message
    body: bytes


def request(
    method: str,
    url: str,
    *,
    timeout_seconds: float,
    max_bytes: int = 0,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Response:
    """Send one request, once. `timeout_seconds` covers all of it but the look-up of the name.

    The body of the answer is read only where `max_bytes` allows for one.

    Raises OutboundRefused, OutboundUnreachable, or OutboundUnanswered, which also stands for an
    answer whose body is longer than `max_bytes`.
    """
    deadline = time.monotonic() + timeout_seconds
    parts = _checked(url)
    try:
        sock = _connected(parts, _addresses(parts), deadline)
    except OSError as error:
        raise OutboundUnreachable(f"no connection: {type(error).__name__}") from error
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fixed = {"Host": parts.netloc, "Connection": "close"}
    with sock:
        connection = http.client.HTTPConnection(parts.netloc)
        # So it does not connect by itself.
        connection.sock = _LimitedSocket(sock, deadline, max_bytes + ENVELOPE_BYTES)
        try:
            connection.request(method, target, body, {**(headers or {}), **fixed})
            response = connection.getresponse()
            content = _read(response, max_bytes) if max_bytes else b""
            return Response(response.status, response.headers, content)
        # ValueError: http.client reads a chunk of -2 bytes.
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise OutboundUnanswered(f"no answer: {type(error).__name__}") from error


def require_allowed(url: str) -> None:
    """Check that `request` would call `url` as its host resolves now. Nothing is sent.

    Raises OutboundRefused, or OutboundUnreachable when the name cannot be resolved.
    """
    try:
        _addresses(_checked(url))
    except OSError as error:
        raise OutboundUnreachable(f"the host cannot be found: {type(error).__name__}") from error


def _in_emulator() -> bool:
    return os.environ.get("FUNCTIONS_EMULATOR") == "true"


def _checked(url: str) -> SplitResult:
    schemes = ("https", "http") if _in_emulator() else ("https",)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        raise OutboundRefused("an https URL without a user is needed")
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise OutboundRefused("the URL has characters that must be encoded")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _addresses(parts: SplitResult) -> list[str]:
    """The addresses of the host, all of them allowed. Raises OSError, OutboundRefused."""
    try:
        found = socket.getaddrinfo(parts.hostname, _port(parts), type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long
        raise OutboundRefused("the host name is not valid") from error
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    if not _in_emulator() and not all(is_public(each) for each in addresses):
        raise OutboundRefused("the host has an address that is not public")
    return addresses


def is_public(address: str) -> bool:
    """Whether `address` belongs to the public internet, in whichever form it is written."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in SITE_LOCAL or any(ip in network for network in TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _connected(parts: SplitResult, addresses: Sequence[str], deadline: float) -> socket.socket:
    """A connection to the first address that accepts one. Raises OSError."""
    host, port = str(parts.hostname), _port(parts)
    errors = []
    for address in addresses:
        try:
            sock = socket.create_connection((address, port), remaining(deadline))
        except OSError as error:
            errors.append(error)
            continue
        if parts.scheme == "https":
            try:
                sock.settimeout(remaining(deadline))
                sock = tls_context().wrap_socket(sock, server_hostname=host)
            except OSError:
                sock.close()
                raise
        return sock
    raise errors[0] if errors else OSError("the host has no address")


def tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _read(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    if response.length is not None and response.length > max_bytes:
        raise OutboundUnanswered(f"the answer is longer than {max_bytes:,} bytes")
    body = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise OutboundUnanswered(f"the answer is longer than {max_bytes:,} bytes")
    if response.length:
        raise http.client.IncompleteRead(bytes(body), response.length)
    return bytes(body)


def remaining(deadline: float) -> float:
    """Seconds left. Raises TimeoutError when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the time is up")
    return seconds


class _LimitedSocket:
    """The parts of a socket that http.client uses, with one deadline and one limit for them all.

    A socket's own timeout starts again with every byte received, so a server that sends one byte
    at a time could hold a request for as long as it likes. And http.client reads a chunk of -1
    bytes to the end of the connection at once, however long that is.
    """

    def __init__(self, sock: socket.socket, deadline: float, max_bytes: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._max_bytes = max_bytes

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(remaining(self._deadline))
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline, self._max_bytes))

    def close(self) -> None:
        """Nothing: http.client closes its socket before the body is read; `request` closes it."""


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float, max_bytes: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._left = max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(remaining(self._deadline))
        received = self._sock.recv_into(buffer)
        self._left -= received
        if self._left < 0:
            raise OutboundUnanswered("the answer is longer than it may be")
        return received
