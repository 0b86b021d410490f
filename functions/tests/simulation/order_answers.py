"""What a client may conclude from the answer to an order."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from simulation.books import OPEN, Books
from simulation.orders import Offered, Wanted
from simulation.world import Task, Violation

# The state that an answer about a request claims for it.
CLAIMS: Mapping[str, tuple[str, ...]] = {
    "200": ("completed",),
    "202": OPEN,
    "REQUEST_IN_PROGRESS": OPEN,
    "REQUEST_CANCELED": ("canceled",),
    "GENERATION_FAILED": ("failed",),
    "GENERATION_TIMEOUT": ("failed",),
    "CONTENT_REFUSED": ("failed",),
}


class OrderAnswers:
    """Checks the answers to orders; raises Violation."""

    def __init__(self, books: Books, offered: Offered) -> None:
        self._books = books
        self._offered = offered
        self._final: dict[str, Any] = {}  # the last word on a request, the same for everybody
        self._bought: dict[tuple[str, str | None], str] = {}  # user and key: the request
        self._refusals: dict[str, Callable[[Task, Wanted, Mapping[str, Any]], bool]] = {
            "INSUFFICIENT_CREDITS": self._was_poor,
            "UNKNOWN_OPTION": self._was_unknown,
            "OUTSTANDING_DEBT": self._was_in_debt,
            "USER_NOT_FOUND": lambda task, wanted, said: books.may_be_unknown(
                wanted.user_id, wanted.caller, task.started
            ),
            "RATE_LIMITED": lambda task, wanted, said: offered.limited,
            "IDEMPOTENCY_KEY_REUSED": self._was_reused,
            "MODEL_UNAVAILABLE": self._was_out_of_order,
            "NOT_OWNER": lambda task, wanted, said: not wanted.entitled,
        }

    def check(self, task: Task, reason: str) -> None:
        """What can be said at once; what else a 503 or a refusal means, the end will show."""
        if reason == "OK":
            said = task.reply.body.model_dump(by_alias=True)
            claim = str(task.reply.code)
        else:
            details = getattr(task.error, "details", {})
            said, claim = {"reason": reason, "message": str(task.error), **details}, reason
        if reason in self._refusals:
            if not self._refusals[reason](task, task.asked, said):
                raise Violation(f"{task} was refused with {said}, which is not so")
        elif reason != "BACKEND_UNAVAILABLE":
            self._check_order(task, task.asked, said["generationRequestId"])
            self._check_claim(task, claim, said)

    def _was_poor(self, task: Task, wanted: Wanted, said: Mapping[str, Any]) -> bool:
        """At some moment of the call the balance, with what was due, was below a price."""
        prices = self._offered.during("sizes", wanted.size, task.started)
        available: int = said["available"]
        return (
            available < said["required"]
            and said["required"] in prices
            and self._books.may_show(wanted.user_id, available, task.started)
        )

    def _was_out_of_order(self, task: Task, wanted: Wanted, said: Mapping[str, Any]) -> bool:
        """The model had failed as often as it takes for its key or its quota."""
        most = int(os.environ["MODEL_SUSPEND_AFTER"])
        return most > 0 and self._books.vendors.out_of_order[wanted.model] >= most

    def _was_in_debt(self, task: Task, wanted: Wanted, said: Mapping[str, Any]) -> bool:
        versions = self._books.versions(wanted.user_id, task.started)
        return said["debt"] > 0 and any(said["debt"] == user.get("debt") for user in versions)

    def _was_unknown(self, task: Task, wanted: Wanted, said: Mapping[str, Any]) -> bool:
        name = said["field"]
        return None in self._offered.during(f"{name}s", getattr(wanted, name), task.started)

    def _was_reused(self, task: Task, wanted: Wanted, said: Mapping[str, Any]) -> bool:
        first: Wanted = self._books.charged_by[said["generationRequestId"]].asked
        return first.key == wanted.key and not first.same_body(wanted)

    def _check_order(self, task: Task, wanted: Wanted, request_id: str) -> None:
        """The request that the answer names is the one that was ordered, and the only one."""
        request = self._books.state(request_id)
        if not request:
            raise Violation(f"{request_id} does not exist")
        first: Wanted = self._books.charged_by[request_id].asked
        if not wanted.entitled or first.key != wanted.key or not first.same_body(wanted):
            raise Violation(f"{task} was answered with the request of another order")
        if wanted.key is None and task.charges != [request_id]:
            raise Violation(f"{task} was answered with the request of another call")
        if not wanted.describes(request):
            raise Violation(f"{request_id} is not what was ordered")
        bought = (wanted.user_id, wanted.key)
        if wanted.key and self._bought.setdefault(bought, request_id) != request_id:
            raise Violation("one key has bought two requests")
        prices = self._offered.during(
            "sizes", wanted.size, self._books.charged_by[request_id].started
        )
        if request["credits"] not in prices:
            raise Violation(f"{request['credits']} was not the price")

    def _check_claim(self, task: Task, claim: str, said: Mapping[str, Any]) -> None:
        """The request was in the state that the answer claims, at the price, with that image."""
        request_id = said["generationRequestId"]
        request = self._books.state(request_id)
        if claim not in CLAIMS or not self._books.was(request_id, CLAIMS[claim], task.started):
            raise Violation(f"{task} was told {claim} of a request that is {request['status']}")
        amount = said.get("refundedCredits", said.get("deductedCredits", request["credits"]))
        if amount != request["credits"]:
            raise Violation(f"{amount} credits were named, {request['credits']} were meant")
        image = request["imageUrl"] if claim == "200" else None
        if said.get("imageUrl") != image:
            raise Violation("another image was answered than is stored")
        if CLAIMS[claim] != OPEN and self._final.setdefault(request_id, said) != said:
            raise Violation(f"two answers: {self._final[request_id]} and {said}")
