"""What a client may conclude from its answer, held against what really happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from imagegen.errors import ImagegenError
from imagegen.generation.request import EXPIRY_MARGIN_SECONDS, FUNCTION_TIMEOUT_SECONDS
from imagegen.generation.worker import RetryLater
from simulation.books import OPEN, REFUNDED, Books
from simulation.edited import (
    details_of,
    is_due_to_an_edit,
    is_of_one_who_leaves,
    request_of,
)
from simulation.order_answers import OrderAnswers
from simulation.orders import Offered
from simulation.world import EPOCH, Task, Violation

# These say: nothing was done.
REFUSALS = {
    "UNKNOWN_OPTION",
    "INSUFFICIENT_CREDITS",
    "OUTSTANDING_DEBT",
    "USER_NOT_FOUND",
    "RATE_LIMITED",
    "MODEL_UNAVAILABLE",
    "IDEMPOTENCY_KEY_REUSED",
    "NOT_OWNER",
    "REQUEST_IN_PROGRESS",
    "NOT_CANCELABLE",
    "GENERATION_REQUEST_NOT_FOUND",
    "ACCOUNT_UNUSABLE",
    "ACCOUNT_CLOSING",
}
# An order, by the deadlines of everything that it waits for; the queue alone would take minutes.
LONGEST_SECONDS = FUNCTION_TIMEOUT_SECONDS + EXPIRY_MARGIN_SECONDS
ENDED = ("completed", "failed", "canceled")


class Answers:
    """Checks each answer when it is given, and all of them again when all is at rest."""

    def __init__(
        self,
        books: Books,
        offered: Offered,
        *,
        calm: bool,
        stalls: bool,
        clocks_are_right: bool,
    ) -> None:
        self._books = books
        self._calm = calm  # nothing fails, so nothing may be unavailable
        self._stalls = stalls  # processes stand still, so no call is prompt
        self._clocks_are_right = clocks_are_right
        self._given: list[tuple[Task, str]] = []
        self._checks: dict[str, Callable[[Task, str], None]] = {
            "create": OrderAnswers(books, offered).check,
            "cancel": self._cancel,
            "status": self._status,
            "statement": self._statement,
            "worker": self._worker,
        }

    def given(self, task: Task) -> None:
        """Check the answer to a call that has just ended."""
        if task.died:
            return
        if task.kind == "create" and not self._stalls and task.seconds > LONGEST_SECONDS:
            raise Violation(f"{task} took {task.seconds:.0f} s")
        reason = self._reason(task)
        if is_due_to_an_edit(task, reason, self._books):
            return
        self._given.append((task, reason))
        if is_of_one_who_leaves(task, self._books):
            return
        if reason == "BACKEND_UNAVAILABLE" and self._calm:
            raise Violation(f"{task} was told of a failure that was none")
        if reason == "BACKEND_UNAVAILABLE" and task.kind == "create":
            self._unavailable(task)
        if task.kind in self._checks:
            self._checks[task.kind](task, reason)

    def at_rest(self) -> None:
        """What an answer says about what happened must also hold in the end."""
        for task, reason in self._given:
            # What was due may be booked when somebody asks, and the account be gone at the reply.
            has_booked = task.kind == "statement" and is_of_one_who_leaves(task, self._books)
            if reason in REFUSALS and task.applied and not has_booked:
                raise Violation(f"{task} was refused with {reason}, and still changed something")
            if reason != "BACKEND_UNAVAILABLE" or task.kind != "create":
                continue
            named = details_of(task).get("generationRequestId")
            if task.charges not in ([], [named]):
                raise Violation(f"{task} was charged for {task.charges} and told of {named}")
            if named is None and task.applied:
                raise Violation(f"{task} was told that nothing had happened")
            first = self._books.charged_by.get(named or "", task)
            if first is not task and not task.asked.same_key(first.asked):
                raise Violation(f"{task} was told of a request of {first}")

    def _reason(self, task: Task) -> str:
        error = task.error
        if error is None:
            return "OK"
        if isinstance(error, ImagegenError) and (
            error.reason != "INTERNAL"
            or (task.kind == "recovery" and not self._calm)
            or self._books.is_broken(request_of(task))
        ):
            return error.reason
        if isinstance(error, RetryLater) and task.kind == "worker":
            return "LATER"
        raise Violation(f"{task} ended with a defect: {error!r}") from error

    def _unavailable(self, task: Task) -> None:
        """A call that met with no failure of anything knows how a request has ended."""
        named = details_of(task).get("generationRequestId")
        if named is not None and task.troubles == 0:
            earlier = [
                v for seconds, v in self._books.requests.get(named, []) if seconds < task.started
            ]
            if earlier and earlier[-1]["status"] in ENDED:
                raise Violation(
                    f"{task} was told 503 of a request that had {earlier[-1]['status']}"
                )

    def _cancel(self, task: Task, reason: str) -> None:
        if reason == "OK":
            self._require_was(task, "canceled")
            if task.reply.refunded_credits != self._refund(task, task.reply.deducted_credits):
                raise Violation("canceled without its refund")
        elif reason == "NOT_CANCELABLE":
            status = details_of(task)["status"]
            mode = self._books.state(task.asked.request_id)["mode"]
            if status == "canceled" or (status == "pending" and mode == "async"):
                raise Violation(f"not cancelable, being {status}")
            self._require_was(task, status)
        elif reason == "GENERATION_REQUEST_NOT_FOUND":
            if task.asked.entitled:
                raise Violation("a request was not found that exists")
        elif reason != "BACKEND_UNAVAILABLE":
            raise Violation(f"a cancel was answered with {reason}")

    def _refund(self, task: Task, credits: int) -> int:
        return 0 if task.asked.request_id in self._books.unrefunded else credits

    def _require_was(self, task: Task, status: str) -> None:
        request_id = task.asked.request_id
        if not self._books.was(request_id, (status,), task.started):
            raise Violation(f"{task} was told that {request_id} is {status}")

    def _status(self, task: Task, reason: str) -> None:
        if reason != "OK":
            self._cancel(task, reason)
            return
        seen = task.reply.body
        self._require_was(task, seen.status)
        refund = self._refund(task, seen.deducted_credits) if seen.status in REFUNDED else 0
        if seen.refunded_credits != refund:
            raise Violation(f"{seen.status} with a refund of {seen.refunded_credits}")

    def _statement(self, task: Task, reason: str) -> None:
        if reason == "USER_NOT_FOUND":
            if not self._books.may_be_unknown(task.asked, task.asked, task.started):
                raise Violation(f"{task.asked} was not found")
            return
        if reason == "BACKEND_UNAVAILABLE":
            return
        account, seen = self._books.accounts[task.asked], task.reply
        count = len(seen.transactions)
        ids = [entry["id"] for entry in account.entries[:count]]
        balances = [account.opening, *(entry["balanceAfter"] for entry in account.entries)]
        if [entry.id for entry in seen.transactions] != ids[::-1]:
            raise Violation("a statement has not the entries of the ledger")
        if seen.current_credits != balances[count]:
            raise Violation("a statement's balance does not follow from its entries")
        times = [seconds for seconds, _ in account.history]
        if count + 1 < len(times) and times[count + 1] < task.started:
            raise Violation("a statement is older than its question")
        self._check_lots(task)

    def _check_lots(self, task: Task) -> None:
        """What is shown is the balance, and where clocks are right, none of it has expired."""
        lots = task.reply.lots
        if sum(lot.remaining for lot in lots) != task.reply.current_credits:
            raise Violation(f"a statement's lots are not its balance: {task.reply}")
        ends = [lot.expires_at for lot in lots if lot.expires_at is not None]
        started = EPOCH + timedelta(seconds=task.started)
        if self._clocks_are_right and any(end <= started for end in ends):
            raise Violation(f"a statement shows what has expired: {task.reply}")

    def _worker(self, task: Task, reason: str) -> None:
        holder, request = self._books.rights.holder[task.asked], self._books.state(task.asked)
        is_open = request["status"] in OPEN
        if reason == "OK" and is_open and holder is task and task.asked not in task.enqueued:
            raise Violation("a delivery was called done, and nobody will go on")
        if reason == "LATER" and is_open and holder is task:
            given_back = request["leasedUntil"] <= task.latest_clock
            if not given_back:
                raise Violation("a worker waits for itself")
        if task.kind == "worker" and reason not in ("OK", "LATER", "BACKEND_UNAVAILABLE"):
            raise Violation(f"a delivery ended with {reason}")
