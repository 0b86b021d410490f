"""A trial that expires while a request runs which then fails: over HTTP, on the emulators."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books
from support.orders import now, order_body
from support.sign_in import bearer, sign_up

from imagegen import tasks
from imagegen.api.schema import rfc3339
from imagegen.generation import worker
from imagegen.providers import registry
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError

Call = Callable[..., Any]
TRIAL, GRACE = timedelta(days=30), timedelta(days=7)
SECOND = timedelta(seconds=1)


class FailsLate:
    """A model that fails when the time has come to `at`."""

    def __init__(self, set_clock: Callable[[datetime], None], at: datetime) -> None:
        self._set_clock = set_clock
        self._at = at

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        self._set_clock(self._at)
        raise GeneratorError("MODEL_OVERLOADED", "The model is overloaded.", retryable=False)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_credits_of_a_trial_that_expired_meanwhile_come_back_for_the_grace_days(
    call: Call,
    client: firestore.Client,
    stopped_clock: Callable[[datetime], None],
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
) -> None:
    for name, value in {
        "AUTH_MODE": "required",
        "SIGNUP_CREDITS": "10",
        "SIGNUP_CREDITS_DAYS": str(TRIAL.days),
        "REFUND_GRACE_DAYS": str(GRACE.days),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tasks, "enqueue", lambda *_, **__: None)
    user_id, id_token = sign_up()
    token = bearer(id_token)

    def credits() -> dict[str, Any]:
        answer = call("getUserCredits", json={"userId": user_id, "view": "full"}, headers=token)
        assert answer.status_code == 200
        shown: dict[str, Any] = answer.get_json()
        return shown

    opened = now()
    end = opened + TRIAL
    failed_at = end + SECOND
    monkeypatch.setitem(registry.GENERATORS, "mock", FailsLate(stopped_clock, failed_at))
    stopped_clock(opened)
    before = credits()
    assert (before["currentCredits"], before["nextExpiry"]) == (
        10,
        {"credits": 10, "expiresAt": rfc3339(end)},
    )

    stopped_clock(end - SECOND)
    order = order_body(user_id, size="1024x1024", mode=mode)  # three credits
    answer = call("createGenerationRequest", json=order, headers=token).get_json()
    if mode == "async":
        request_id = answer["generationRequestId"]
        worker.process({"generationRequestId": request_id})
    else:
        assert answer["error"]["details"]["refundedCredits"] == 3
        request_id = answer["error"]["details"]["generationRequestId"]
    body = {"generationRequestId": request_id}
    request = call("getGenerationStatus", json=body, headers=token).get_json()
    assert (request["status"], request["refundedCredits"]) == ("failed", 3)

    after = credits()
    assert after["currentCredits"] == 3
    (lot,) = after["lots"]
    grace_end = failed_at + GRACE
    assert (lot["kind"], lot["remaining"]) == ("trial", 3)
    assert lot["expiresAt"] == rfc3339(grace_end)
    history = [(entry["type"], entry["delta"]) for entry in reversed(after["transactions"])]
    assert history == [("grant", 10), ("deduction", -3), ("expiry", -7), ("refund", 3)]

    stopped_clock(grace_end - SECOND)
    assert credits()["currentCredits"] == 3
    stopped_clock(grace_end)
    assert credits()["currentCredits"] == 0
    assert check_books(client, user_id, opening=0) == 0
