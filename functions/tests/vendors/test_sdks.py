"""The studio satisfies the vendors' own SDKs, and what we send is what they send.

`make test-vendors` runs this; VENDORS_PYTHON is the interpreter that has the SDKs.
"""

import base64
import datetime
import ipaddress
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from studio.drawing import draw
from studio.faults import Fault
from studio.server import Studio
from studio.wire import Request
from support.images import image, size_of
from support.models import job, settings_at

from imagegen.providers import http, registry, service_account
from imagegen.providers.base import GeneratedImage, GenerationJob, JobProvider, Photo

SDK = Path(__file__).with_name("sdk.py")
PHOTO = image(64, 64)
PROMPT = "a lighthouse. Style: anime. Colors: neon."


@pytest.fixture(autouse=True)
def _key(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENERATOR_SECRETS", f"STUDIO_KEY:{studio.host}")
    monkeypatch.setenv("STUDIO_KEY", "sk-studio")


@pytest.fixture
def secure_studio(tmp_path: Path) -> Iterator[tuple[Studio, str]]:
    """A studio over https, which fal's SDK insists on, and the path of its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "studio")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, certificates = serialization.Encoding.PEM, tmp_path / "certificate.pem"
    certificates.write_bytes(certificate.public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, *private))
    studio = Studio(certificate=(str(certificates), str(tmp_path / "key.pem"))).start()
    yield studio, str(certificates)
    studio.stop()


def of_sdk(vendor: str, **order: Any) -> dict[str, Any]:
    """What the SDK answers to an order."""
    ran = subprocess.run(
        [os.environ["VENDORS_PYTHON"], str(SDK), vendor, json.dumps(order)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PATH": os.environ["PATH"]},
    )
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return answer


def of_ours(generator: str, order: GenerationJob) -> GeneratedImage:
    """What our provider answers to the same order, without what the core does with it."""
    provider, deadline = registry.find(generator), time.monotonic() + 20
    if not isinstance(provider, JobProvider):
        return provider.generate(order, deadline=deadline)
    provider_job = provider.submit(order, deadline=deadline)
    while True:
        answer = provider.poll(order, provider_job, deadline=deadline)
        if answer is not None:
            return answer
        time.sleep(0.05)


def picture(answer: dict[str, Any]) -> bytes:
    assert "image" in answer, answer
    return base64.b64decode(answer["image"])


def sent(studio: Studio) -> Request:
    """The order, among what the studio has received since it was last asked."""
    orders = [each for each in studio.requests if each.method == "POST"]
    studio.requests.clear()
    assert len(orders) == 1
    return orders[0]


def test_openai(studio: Studio) -> None:
    settings = settings_at(studio, "openai", sizes={"512x512": {"size": "1024x1024"}})
    fields = {"model": "studio-1", "prompt": PROMPT, "size": "1024x1024"}
    assert of_ours("openai", job(settings)).data == draw(PROMPT, 1024, 1024)
    ours = sent(studio)
    answer = of_sdk("openai", base_url=settings["baseUrl"], fields=fields, check=ours.json())
    assert picture(answer) == draw(PROMPT, 1024, 1024)
    theirs = sent(studio)
    assert (ours.path, ours.json()) == (theirs.path, theirs.json())
    assert ours.headers["Authorization"] == theirs.headers["Authorization"]
    assert ours.headers["Content-Type"] == theirs.headers["Content-Type"]


def test_openai_with_a_photo(studio: Studio) -> None:
    settings = settings_at(studio, "openai", sources=True)
    fields = {"model": "studio-1", "prompt": PROMPT, "size": "512x512"}
    ours_image = of_ours("openai", job(settings, photo=Photo(PHOTO, "image/png")))
    ours = sent(studio)
    photo = base64.b64encode(PHOTO).decode()
    answer = of_sdk("openai", base_url=settings["baseUrl"], fields=fields, photo=photo)
    assert picture(answer) == ours_image.data
    theirs = sent(studio)
    assert ours.path == theirs.path == "/openai/v1/images/edits"
    assert ours.form() == theirs.form()


@pytest.mark.parametrize("api_version", ["v1beta", "v1"])
def test_gemini(studio: Studio, monkeypatch: pytest.MonkeyPatch, api_version: str) -> None:
    on_vertex = api_version == "v1"
    settings = settings_at(studio, "gemini", project="demo", sources=True)
    if on_vertex:
        settings["secret"] = None
        monkeypatch.setattr(service_account, "access_token", lambda: "ya29.studio")
    ours_image = of_ours("gemini", job(settings, photo=Photo(PHOTO, "image/png")))
    ours = sent(studio)
    answer = of_sdk(
        "gemini",
        base_url=settings["baseUrl"],
        api_version=api_version,
        model="studio-1",
        prompt=PROMPT,
        photo=base64.b64encode(PHOTO).decode(),
        check=ours.json(),
    )
    assert picture(answer) == ours_image.data
    theirs = sent(studio)
    assert ours.path == theirs.path
    assert meant(ours.json()) == meant(theirs.json())
    header = "authorization" if on_vertex else "x-goog-api-key"
    assert ours.headers[header] == theirs.headers[header]


def meant(body: Any) -> Any:
    """A body for Gemini without the two liberties that the SDK takes with the photo.

    Google's JSON allows field names in snake_case, and the URL-safe alphabet of base64.
    """
    photo = body["contents"][0]["parts"][1]["inlineData"]
    photo["mimeType"] = photo.pop("mimeType", None) or photo.pop("mime_type")
    photo["data"] = http.base64_decoded(photo["data"])
    return body


def test_fal(studio: Studio, secure_studio: tuple[Studio, str]) -> None:
    settings = settings_at(studio, "fal")
    answer = of_ours("fal", job(settings))
    ours = sent(studio)
    secure, certificates = secure_studio
    environment = {"FAL_QUEUE_RUN_HOST": f"{secure.host}/fal", "SSL_CERT_FILE": certificates}
    fields = {"prompt": PROMPT, "image_size": {"width": 512, "height": 512}}
    order = {"model": settings["providerModel"], "fields": fields, "environment": environment}
    data = http.fetch(str(answer.url), deadline=time.monotonic() + 5, max_bytes=10**7)
    assert picture(of_sdk("fal", **order)) == data
    theirs = sent(secure)
    assert (ours.path, ours.json()) == (theirs.path, theirs.json())
    assert ours.headers["Authorization"] == theirs.headers["Authorization"] == "Key sk-studio"

    secure.seconds = 60
    assert of_sdk("fal", **order, cancel=True)["error"] == "FalClientHTTPError"
    their_cancel = next(each for each in secure.requests if each.method == "PUT")
    provider = registry.find("fal")
    assert isinstance(provider, JobProvider)
    studio.seconds = 60
    provider_job = provider.submit(job(settings), deadline=time.monotonic() + 5)
    provider.cancel(job(settings), provider_job, deadline=time.monotonic() + 5)
    our_cancel = studio.requests[-1]
    assert our_cancel.method == "PUT"
    assert without_id(our_cancel) == without_id(their_cancel)


def test_replicate(studio: Studio) -> None:
    settings = settings_at(studio, "replicate")
    ours_image = of_ours("replicate", job(settings))
    ours = sent(studio)
    fields = {"prompt": PROMPT, "aspect_ratio": "1:1"}
    order = {"base_url": settings["baseUrl"], "model": "acme/studio-1", "fields": fields}
    answer = picture(of_sdk("replicate", **order))
    assert size_of(answer) == (1024, 1024)
    deadline = time.monotonic() + 5
    assert http.fetch(str(ours_image.url), deadline=deadline, max_bytes=10**7) == answer
    theirs = sent(studio)
    assert (ours.path, ours.json()) == (theirs.path, theirs.json())
    assert ours.headers["Authorization"] == theirs.headers["Authorization"]

    studio.seconds = 60
    assert of_sdk("replicate", **order, cancel=True)["message"] == "canceled"
    their_cancel = next(each for each in studio.requests if "cancel" in each.path)
    provider = registry.find("replicate")
    assert isinstance(provider, JobProvider)
    provider_job = provider.submit(job(settings), deadline=time.monotonic() + 5)
    provider.cancel(job(settings), provider_job, deadline=time.monotonic() + 5)
    assert without_id(studio.requests[-1]) == without_id(their_cancel)


def without_id(request: Request) -> list[str]:
    """The path of a request for a job, but for the job's id."""
    return [part for part in request.path.split("/") if len(part) != 32]


@pytest.mark.parametrize(
    ("vendor", "fault", "error"),
    [
        ("openai", Fault.REFUSAL, "BadRequestError"),
        ("openai", Fault.RATE_LIMIT, "RateLimitError"),
        ("openai", Fault.QUOTA, "RateLimitError"),
        ("openai", Fault.AUTH, "AuthenticationError"),
        ("openai", Fault.SERVER_ERROR, "InternalServerError"),
        ("openai", Fault.DROP_AFTER, "APIConnectionError"),
        ("gemini", Fault.REFUSAL, "PermissionError"),  # sdk.py raises it for a blocked prompt
        ("gemini", Fault.RATE_LIMIT, "ClientError"),
        ("gemini", Fault.AUTH, "ClientError"),
        ("gemini", Fault.SERVER_ERROR, "ServerError"),
        ("replicate", Fault.AUTH, "ReplicateError"),
        ("replicate", Fault.QUOTA, "ReplicateError"),
        ("replicate", Fault.REFUSAL, "RuntimeError"),  # sdk.py raises it for a failed prediction
    ],
)
def test_the_sdks_understand_the_studios_faults(
    studio: Studio, vendor: str, fault: Fault, error: str
) -> None:
    prompt = f"{PROMPT} [fault:{fault}]"
    settings = settings_at(studio, vendor)
    model = settings["providerModel"]
    fields = {"prompt": prompt} | ({"model": model} if vendor == "openai" else {})
    answer = of_sdk(
        vendor,
        base_url=settings["baseUrl"],
        api_version="v1beta",
        model=model,
        prompt=prompt,
        fields=fields,
    )
    assert answer["error"] == error
