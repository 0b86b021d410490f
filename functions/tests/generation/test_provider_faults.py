"""Whatever a provider does wrong ends in one settle: the reason is stored, the price refunded."""

from collections.abc import Callable

import pytest
from google.cloud import firestore
from studio.faults import Fault
from studio.server import Studio
from support.books import check_books, ledger_of, requests_of
from support.bucket import FakeBucket
from support.models import PAID
from support.orders import ANYBODY, order

from imagegen.errors import ContentRefused, GenerationFailed, GenerationTimeout
from imagegen.generation import create as generation

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


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("generator", PAID)
def test_every_fault_ends_in_one_settle_with_its_reason(
    client: firestore.Client,
    new_user: Callable[..., str],
    studio_model: Callable[..., str],
    studio: Studio,
    bucket: FakeBucket,
    monkeypatch: pytest.MonkeyPatch,
    generator: str,
    fault: Fault,
) -> None:
    monkeypatch.setenv("GENERATION_DEADLINE_SECONDS", "3")
    monkeypatch.setenv("MODEL_SUSPEND_AFTER", "0")
    user_id = new_user(5)
    ordered = order(user_id, model=studio_model(generator), prompt=f"a lighthouse [fault:{fault}]")
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
