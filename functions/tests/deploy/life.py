"""A life with a request in every state, and how it goes on: for the code of any release.

It runs in this release, and as a program with an earlier one's package on the path:

    PYTHONPATH=tests/support/release_0_1.zip:tests python tests/deploy/life.py begin USER
    PYTHONPATH=tests/support/release_0_1.zip:tests python tests/deploy/life.py finish USER
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

from support.orders import ANYBODY, now, order

from imagegen import clock, db, tasks
from imagegen.credits.endpoints import GetUserCredits, get_user_credits
from imagegen.generation import create as generation
from imagegen.generation import recovery, worker
from imagegen.generation.endpoints import (
    CancelGenerationRequest,
    ListGenerationRequests,
    cancel_generation_request,
    list_generation_requests,
)

DOOMED = "Doomed Model"


def begin(user_id: str) -> None:
    """Leave requests that are completed, failed, canceled, pending and being worked on."""
    generation.create(order(user_id), ANYBODY)
    _order(user_id)
    doomed, canceled, abandoned = (_order(user_id, model=DOOMED) for _ in range(3))
    for _ in range(3):
        worker.process({"generationRequestId": doomed})
    cancel_generation_request(CancelGenerationRequest(generation_request_id=canceled), ANYBODY)
    worker.process({"generationRequestId": abandoned})  # the first of its attempts


def _order(user_id: str, model: str = "Sure Model") -> str:
    reply = generation.create(order(user_id, model=model, mode="async"), ANYBODY)
    return reply.body.generation_request_id


def finish(user_id: str) -> dict[str, Any]:
    """Read everything, end what is open, and say what was seen and what is left."""
    listed = list_generation_requests(ListGenerationRequests(user_id=user_id), ANYBODY)
    found = {each.generation_request_id: each.status for each in listed.generation_requests}
    seen = {"statuses": sorted(found.values()), "credits": _balance(user_id)}
    (waiting,) = (each for each, status in found.items() if status == "pending")
    worker.process({"generationRequestId": waiting})
    seen["waiting"] = db.read(db.generation_request(waiting))[0]["status"]
    moment = now() + timedelta(days=365)
    clock.now = lambda: moment
    seen["recovered"] = recovery.recover()
    return seen | {"left": _balance(user_id)}


def _balance(user_id: str) -> int:
    return get_user_credits(GetUserCredits(user_id=user_id), ANYBODY).current_credits


if __name__ == "__main__":
    tasks.enqueue = lambda *_, **__: None
    does, whose = sys.argv[1:]
    if does == "begin":
        begin(whose)
    else:
        sys.stdout.write(json.dumps(finish(whose)))
