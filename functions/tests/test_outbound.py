"""Outbound requests: where they may not go, and how long and large an answer may be."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.receiver import Receiver

from imagegen import outbound
from imagegen.outbound import (
    ENVELOPE_BYTES,
    OutboundRefused,
    OutboundUnanswered,
    OutboundUnreachable,
    Response,
)

HOST = "hooks.example.com"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    server = Receiver()
    yield server
    server.stop()


def post(url: str, **options: Any) -> Response:
    settings: dict[str, Any] = {"timeout_seconds": 5, "body": b"{}"} | options
    return outbound.request("POST", url, **settings)


def test_a_request_has_its_method_headers_and_body_and_the_answer_is_read(server: Receiver) -> None:
    server.content = b"received"
    response = post(server.url, headers={"X-Name": "x", "Host": "elsewhere"}, max_bytes=8)
    assert (response.status, response.body) == (200, b"received")
    assert response.headers["location"] == "/elsewhere"
    assert server.messages == [{}]
    assert server.hosts == [f"127.0.0.1:{server.port}"]
    assert server.headers[0]["X-Name"] == "x"


def test_no_body_is_read_where_none_is_wanted(server: Receiver) -> None:
    server.content = b"received"
    assert post(server.url).body == b""


def test_a_redirect_is_an_answer_like_any_other(server: Receiver) -> None:
    server.answers = [302]
    assert post(server.url).status == 302
    assert len(server.messages) == 1


def test_a_server_that_hangs_up_has_not_answered(server: Receiver) -> None:
    server.answers = [0]
    with pytest.raises(OutboundUnanswered, match="RemoteDisconnected"):
        post(server.url)


@pytest.mark.parametrize("says_its_length", [True, False])
def test_an_answer_that_is_too_long_is_not_read(server: Receiver, says_its_length: bool) -> None:
    server.content = b"x" * 9
    server.says_its_length = says_its_length
    assert post(server.url, max_bytes=9).body == b"x" * 9
    with pytest.raises(OutboundUnanswered, match="longer than 8 bytes"):
        post(server.url, max_bytes=8)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        (CHUNKED + b"-1\r\n", b"x"),
        (CHUNKED + b"-2\r\n", b"x"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: x\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["a chunk of -1 bytes", "of -2 bytes", "trailers without end", "heads without end"],
)
def test_an_answer_without_end_is_not_kept_in_memory(
    head: bytes, rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUNCTIONS_EMULATOR", "true")
    sent = 0

    def answer() -> None:
        nonlocal sent
        with listener, listener.accept()[0] as connection, contextlib.suppress(OSError):
            connection.sendall(head)
            while sent < 50 * ENVELOPE_BYTES:
                sent += connection.send(rest * 10_000)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with pytest.raises(OutboundUnanswered):
            post(f"http://127.0.0.1:{listener.getsockname()[1]}/", max_bytes=10)
    finally:
        thread.join()
    assert sent < 20 * ENVELOPE_BYTES


def test_an_answer_that_breaks_off_is_none(server: Receiver) -> None:
    server.content = b"x" * 9
    server.breaks_off_after = 4
    with pytest.raises(OutboundUnanswered, match="IncompleteRead"):
        post(server.url, max_bytes=100)


def test_a_server_that_sends_byte_after_byte_cannot_exceed_the_time(server: Receiver) -> None:
    server.content = b"x" * 100
    server.seconds_a_byte = 0.05
    began = time.monotonic()
    with pytest.raises(OutboundUnanswered, match="TimeoutError"):
        post(server.url, max_bytes=100, timeout_seconds=0.4)
    assert time.monotonic() - began < 2


def test_a_server_that_is_not_there_is_unreachable(server: Receiver) -> None:
    server.stop()
    with pytest.raises(OutboundUnreachable, match="ConnectionRefusedError"):
        post(server.url)


def test_an_error_names_no_part_of_the_url(server: Receiver) -> None:
    server.answers = [0]
    with pytest.raises(OutboundUnanswered) as caught:
        post(server.url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "ftp://example.com/hook",
        "https:///hook",
        "https://user:password@example.com/hook",
        "https://example.com:99999/hook",
        "https://[::1/hook",
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://2130706433/hook",
        "https://10.1.2.3/hook",
        "https://169.254.169.254/computeMetadata/v1/",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://[fd00::1]/hook",
        "https://[fe80::1]/hook",
        "https://[fec0::1]/hook",
        "https://[64:ff9b::a00:1]/hook",
        "https://[2002:a00:1::]/hook",
        "https://0.0.0.0/hook",
        "https://224.0.0.1/hook",
        "https://example.com/a b",
        "https://exämple.com/hook",
    ],
)
def test_outside_the_emulator_only_https_to_public_addresses(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FUNCTIONS_EMULATOR", raising=False)
    with pytest.raises(OutboundRefused):
        post(url)


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FUNCTIONS_EMULATOR", raising=False)
    resolve_to(monkeypatch, "93.184.215.14", "192.168.0.1")
    with pytest.raises(OutboundRefused):
        post(f"https://{HOST}/hook")


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Every name now has these addresses; the names that were looked up."""
    asked = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr("imagegen.outbound.socket.getaddrinfo", getaddrinfo)
    return asked


def test_it_connects_to_the_address_that_was_checked_with_the_names_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate, key = certificate_for(HOST, tmp_path)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(certificate, key)
    server = Receiver(tls=served)
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(outbound, "tls_context", lambda: trusting)
    connected = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        sock = socket.socket()
        sock.connect(("127.0.0.1", address[1]))
        return sock

    monkeypatch.setattr("imagegen.outbound.socket.create_connection", connect)
    monkeypatch.delenv("FUNCTIONS_EMULATOR", raising=False)
    asked = resolve_to(monkeypatch, "93.184.215.14")
    try:
        body = json.dumps({"a": 1}).encode()
        assert post(f"https://{HOST}:{server.port}/hook", body=body).status == 200
        assert server.messages == [{"a": 1}]
        assert server.hosts == [f"{HOST}:{server.port}"]
        assert (asked, connected) == ([HOST], [("93.184.215.14", server.port)])
        with pytest.raises(OutboundUnreachable, match="SSLCertVerificationError"):
            post(f"https://other.example.com:{server.port}/hook")
    finally:
        server.stop()


def certificate_for(host: str, directory: Path) -> tuple[Path, Path]:
    """A certificate of our own, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = directory / "certificate.pem", directory / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
