"""The webhook: when it is tried again, and where it may not lead."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from receiver import Receiver, receiver

from imagegen.report import webhook

__all__ = ["receiver"]  # a fixture

HOST = "hooks.example.com"


def test_a_server_in_trouble_is_asked_again_but_not_for_ever(receiver: Receiver) -> None:
    receiver.answers = [503, 429]
    assert webhook.deliver(receiver.url, {}) == webhook.Delivery("sent", 3)
    receiver.answers = [500] * 9
    assert webhook.deliver(receiver.url, {}) == webhook.Delivery("failed", 3, "HTTP 500")


def test_what_may_have_arrived_is_not_sent_again(receiver: Receiver) -> None:
    receiver.answers = [0]
    delivery = webhook.deliver(receiver.url, {})
    assert (delivery.status, delivery.attempts, len(receiver.messages)) == ("unknown", 1, 1)


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [302]
    assert webhook.deliver(receiver.url, {}) == webhook.Delivery("failed", 1, "HTTP 302")
    assert len(receiver.messages) == 1


def test_a_server_that_is_not_there_is_tried_again(receiver: Receiver) -> None:
    receiver.stop()
    delivery = webhook.deliver(receiver.url, {})
    assert (delivery.status, delivery.attempts) == ("failed", 3)
    assert delivery.error == "no connection: ConnectionRefusedError"


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
        "https://[64:ff9b::a00:1]/hook",
        "https://[2002:a00:1::]/hook",
        "https://0.0.0.0/hook",
        "https://224.0.0.1/hook",
    ],
)
def test_outside_the_emulator_only_https_to_public_addresses(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    delivery = webhook.deliver(url, {})
    assert (delivery.status, delivery.attempts) == ("refused", 0)


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    resolve_to(monkeypatch, "93.184.215.14", "192.168.0.1")
    assert webhook.deliver(f"https://{HOST}/hook", {}).status == "refused"


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Every name now has these addresses; the names that were looked up."""
    asked = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr("imagegen.report.webhook.socket.getaddrinfo", getaddrinfo)
    return asked


def test_it_connects_to_the_address_that_was_checked_with_the_names_certificate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate, key = certificate_for(HOST, tmp_path)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(certificate, key)
    server = Receiver(tls=served)
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(webhook, "tls_context", lambda: trusting)
    monkeypatch.setattr(webhook, "FIRST_PAUSE_SECONDS", 0.01)
    connected = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        sock = socket.socket()
        sock.connect(("127.0.0.1", address[1]))
        return sock

    monkeypatch.setattr("imagegen.report.webhook.socket.create_connection", connect)
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    asked = resolve_to(monkeypatch, "93.184.215.14")
    try:
        assert webhook.deliver(f"https://{HOST}:{server.port}/hook", {"a": 1}).status == "sent"
        assert server.messages == [{"a": 1}]
        assert server.hosts == [f"{HOST}:{server.port}"]
        assert (asked, connected) == ([HOST], [("93.184.215.14", server.port)])
        other = webhook.deliver(f"https://other.example.com:{server.port}/hook", {})
        assert (other.status, other.error) == ("failed", "no connection: SSLCertVerificationError")
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
