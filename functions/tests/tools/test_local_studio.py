"""Local Studio, the model that `make run` offers, from an order over HTTP to the stored file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import httpx
import pytest
from emulators.paths import DATA
from emulators.problem import Problem
from google.cloud import firestore
from studio import beside
from studio.offer import MODEL
from support.books import check_books
from support.images import kind_of, size_of
from support.orders import order_body


@pytest.fixture(scope="module")
def studio(client: firestore.Client, storage_emulator: str) -> Iterator[str]:
    """The studio beside the emulators of the tests; its URL."""
    with beside.emulators(os.environ) as url:
        yield url
    client.document(f"models/{MODEL}").delete()


def test_every_order_becomes_a_picture_of_its_own_in_the_storage_emulator(
    studio: str,
    storage_emulator: str,
    deployed: httpx.Client,
    client: firestore.Client,
    new_user: Callable[..., str],
) -> None:
    user_id = new_user(10)
    orders: tuple[dict[str, str], ...] = (
        {},
        {"prompt": "a fox in deep snow"},
        {"color": "pastel"},
        {"size": "1024x1792"},
    )
    pictures = []
    for changes in orders:
        body = order_body(user_id, model=MODEL, **changes)
        made = deployed.post("/createGenerationRequest", json=body).json()
        assert made["imageUrl"].startswith(f"{storage_emulator}/v0/b/")
        pictures.append(httpx.get(made["imageUrl"]).content)
        shown = deployed.post("/getGenerationStatus", json=_named(made)).json()
        assert shown["image"]["bytes"] == len(pictures[-1])
        thumbnail = httpx.get(shown["thumbnailUrl"]).content
        assert kind_of(thumbnail) == "WEBP"
        assert max(size_of(thumbnail)) == 512
    assert len(set(pictures)) == len(orders)
    assert [size_of(each) for each in pictures] == [(512, 512)] * 3 + [(1024, 1792)]
    assert check_books(client, user_id, opening=10) == 3


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("refusal", 422, "CONTENT_REFUSED"),
        ("rate-limit", 500, "PROVIDER_BUSY"),
        ("html", 500, "NO_IMAGE"),
        ("drop-after", 500, "OUTCOME_UNKNOWN"),
    ],
)
def test_a_fault_that_the_prompt_asks_for_is_refunded(
    studio: str,
    deployed: httpx.Client,
    client: firestore.Client,
    new_user: Callable[..., str],
    fault: str,
    status: int,
    reason: str,
) -> None:
    user_id = new_user(10)
    body = order_body(user_id, model=MODEL, prompt=f"a lighthouse [fault:{fault}]")
    failed = deployed.post("/createGenerationRequest", json=body)
    assert failed.status_code == status
    details = failed.json()["error"]["details"]
    shown = deployed.post("/getGenerationStatus", json=_named(details)).json()
    assert shown["error"]["reason"] == reason
    assert check_books(client, user_id, opening=10) == 10


def test_only_running_emulators_offer_it() -> None:
    exported = [path for path in DATA.rglob("*") if path.is_file()]
    assert exported
    assert not any(MODEL.encode() in path.read_bytes() for path in exported)
    variables = {k: v for k, v in os.environ.items() if k != "FIRESTORE_EMULATOR_HOST"}
    with pytest.raises(Problem, match="did not start"), beside.emulators(variables):
        pass


def _named(answer: dict[str, str]) -> dict[str, str]:
    return {"generationRequestId": answer["generationRequestId"]}
