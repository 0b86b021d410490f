"""Whatever a provider does wrong ends in one settle: the reason is stored, the price refunded."""

from collections.abc import Callable, Iterator

import pytest
from google.cloud import firestore
from studio.faults import Fault
from studio.server import Studio
from support.books import check_books, ledger_of, requests_of
from support.bucket import FakeBucket
from support.models import PAID, settings_at
from support.orders import ANYBODY, order

from imagegen.catalogue import catalogue
from imagegen.errors import ContentRefused, GenerationFailed, GenerationTimeout
from imagegen.generation import create as generation

MODEL = "Faulty Model"
REASONS: dict[Fault, str] = {
    Fault.RATE_LIMIT: "PROVIDER_BUSY",
    Fault.QUOTA: "PROVIDER_QUOTA",
    Fault.AUTH: "PROVIDER_AUTH",
    Fault.SERVER_ERROR: "PROVIDER_FAILED",
    Fault.DROP_BEFORE: "OUTCOME_UNKNOWN",
    Fault.DROP_AFTER: "OUTCOME_UNKNOWN",
    Fault.REFUSAL: "CONTENT_REFUSED",
    Fault.NO_IMAGE: "NO_IMAGE",
    Fault.HTML: "NO_IMAGE",
    Fault.BOMB: "NO_IMAGE",
    Fault.EXPIRED_URL: "IMAGE_NOT_FETCHED",
    Fault.DRIP: "GENERATION_TIMEOUT",
    Fault.SLOW: "GENERATION_TIMEOUT",
}
# Gemini has no URLs; of a vendor with jobs it is the download that drips.
ALSO: dict[tuple[str, Fault], str] = {
    ("gemini", Fault.EXPIRED_URL): "NO_IMAGE",
    ("fal", Fault.DRIP): "IMAGE_NOT_FETCHED",
    ("replicate", Fault.DRIP): "IMAGE_NOT_FETCHED",
}


@pytest.fixture
def offer(
    client: firestore.Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], None]]:
    """Puts a model of the studio on offer, by the protocol of a provider."""
    monkeypatch.setenv("GENERATOR_SECRETS", f"STUDIO_KEY:{studio.host}")
    monkeypatch.setenv("STUDIO_KEY", "sk-studio")
    monkeypatch.setenv("GENERATION_DEADLINE_SECONDS", "3")
    monkeypatch.setenv("MODEL_SUSPEND_AFTER", "0")
    document = client.document(f"models/{MODEL}")

    def write(generator: str) -> None:
        settings = {"description": "Fails as asked.", "enabled": True, "sortOrder": 95}
        document.set({"generator": generator, **settings, **settings_at(studio, generator)})
        catalogue.forget()

    yield write
    document.delete()
    catalogue.forget()


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("generator", PAID)
def test_every_fault_ends_in_one_settle_with_its_reason(
    client: firestore.Client,
    new_user: Callable[..., str],
    offer: Callable[[str], None],
    studio: Studio,
    bucket: FakeBucket,
    generator: str,
    fault: Fault,
) -> None:
    offer(generator)
    user_id = new_user(5)
    ordered = order(user_id, model=MODEL, prompt=f"a lighthouse [fault:{fault}]")
    with pytest.raises((GenerationFailed, GenerationTimeout, ContentRefused)) as told:
        generation.create(ordered, ANYBODY)
    (request,) = requests_of(client, user_id)
    reasons = {REASONS[fault], ALSO.get((generator, fault), REASONS[fault])}
    assert request["status"] == "failed"
    assert request["error"]["reason"] in reasons
    assert told.value.details["generationRequestId"] == request["id"]
    assert [entry["type"] for entry in ledger_of(client, user_id)] == ["deduction", "refund"]
    assert check_books(client, user_id, opening=5) == 5
    assert studio.billed <= 1
