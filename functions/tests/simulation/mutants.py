"""Planted bugs that the simulation has to find: a checker that finds nothing proves nothing.

Most replace one line of the code under test, in place; a line that is no longer there is an error.
The others are stores that forget a precondition, as a blind write would.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from imagegen import db, tasks
from imagegen.catalogue import cache
from imagegen.credits import clawback, free, ledger, limits, lots, usage
from imagegen.credits.account import Account
from imagegen.credits.endpoints import get_user_credits
from imagegen.firestore import stored
from imagegen.firestore.store import Create, Document, Update, Write
from imagegen.generation import create as generation
from imagegen.generation import generate, job, recovery, request, worker
from imagegen.generation import settle as lifecycle
from imagegen.notifications import event, outbox, sender
from imagegen.notifications import recovery as event_recovery
from imagegen.providers import attempt, storage
from simulation.departure_mutants import DEPARTURE_MUTANTS
from simulation.memory_store import MemoryStore
from simulation.merge_mutants import MERGE_MUTANTS
from simulation.mutant import Mutant
from simulation.purchase_mutants import PURCHASE_MUTANTS


class BlindIncrement(MemoryStore):
    """Balances change by how much they were meant to change, whatever has happened meanwhile."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._known: dict[tuple[str, datetime | None], int] = {}

    def require(self, write: Write) -> None:
        if not _is_user(write):
            super().require(write)

    def read(self, paths: Sequence[str], timeout_seconds: float) -> list[Document]:
        self._note_balances()
        return super().read(paths, timeout_seconds)

    def commit(self, writes: Sequence[Write], timeout_seconds: float) -> list[datetime]:
        self._note_balances()
        return super().commit([self._blind(write) for write in writes], timeout_seconds)

    def _note_balances(self) -> None:
        for document in self.documents.values():
            if document.path.startswith("users/") and "credits" in (document.fields or {}):
                self._known[document.path, document.update_time] = document["credits"]

    def _blind(self, write: Write) -> Write:
        if not isinstance(write, Update) or not _is_user(write) or "credits" not in write.fields:
            return write
        if write.path not in self.documents:  # deleted by hand
            return write
        change = write.fields["credits"] - self._known[write.path, write.update_time]
        current = self.documents[write.path]
        sequence = current.get("ledgerSequence", 0) + 1
        fields = {"credits": current["credits"] + change, "ledgerSequence": sequence}
        return Update(write.path, {**write.fields, **fields}, write.update_time)


class UnguardedUser(MemoryStore):
    """The balance that was computed is written, also over a newer one: a lost update."""

    def require(self, write: Write) -> None:
        if not _is_user(write):
            super().require(write)


class UnguardedRequest(MemoryStore):
    """A request is written also when it has changed since it was read."""

    def require(self, write: Write) -> None:
        if isinstance(write, Create) or not write.path.startswith("generationRequests/"):
            super().require(write)


def _is_user(write: Write) -> bool:
    return write.path.count("/") == 1 and write.path.startswith("users/")


# fmt: off
MUTANTS = [
    Mutant("blind increment of the balance", store=BlindIncrement),
    Mutant("charge without precondition on the user", store=UnguardedUser),
    Mutant("settle without precondition on the request", store=UnguardedRequest),
    Mutant("charge without looking at the balance", ledger.deduct,
           "if available < credits:", "if False:"),
    Mutant("refund without state check", lifecycle.settle,
           "not current.is_open or not may_settle(current)", "not may_settle(current)"),
    Mutant("failure without a refund", lifecycle.settle,
           "        if outcome.status != Status.COMPLETED:",
           "        if outcome.status == Status.CANCELED:"),
    Mutant("refund that leaves the usage as it was", ledger.refund,
           "moment, -credits)", "moment, 0)"),
    Mutant("settle without looking at the attempt", lifecycle.settle,
           "lambda current: current.attempt_id == request.attempt_id",
           "lambda current: True"),
    Mutant("recovery ignores who is late and who is not", recovery.recover_all,
           "clock.now()", "clock.now() + __import__('datetime').timedelta(hours=1)"),
    Mutant("recovery does not look again at the expiry", recovery._recover_one,
           "current.expires_at <= horizon", "True"),
    Mutant("recovery stops after its first page", recovery.recover_all,
           "len(page) < PAGE_SIZE", "True"),
    Mutant("recovery overlooks who is being worked on", recovery.expired_query,
           "list(OPEN)", '["pending"]'),
    Mutant("replay by other body", generation._require_same_order,
           "request.fingerprint != orders.fingerprint(order)", "False"),
    Mutant("replay generates again", generation.create,
           "is_new = request.attempt_id == attempt_id", "is_new = True"),
    Mutant("own commit not recognised after a lost reply", generation.charge,
           "if request.attempt_id != attempt_id:",
           "if order.idempotency_key is None:\n"
           "                raise IdempotencyKeyReused(generationRequestId=request_id)\n"
           "            else:"),
    Mutant("ambiguous failure told as a refusal", db.transact,
           "if commit_sent:", "if False:"),
    Mutant("unsettled charge not named in the answer", generation.create,
           'ask about\n        error.details["generationRequestId"] = request_id\n        raise',
           'ask about\n        raise BackendUnavailable from error'),
    Mutant("after a conflict, decide on what was known", db.transact,
           "known.clear()", "pass"),
    Mutant("lease taken that another holds", worker._take_lease,
           "_leased_until(request) > moment", "False"),
    Mutant("lease under the attempt id of before", worker._lease_fields,
           "attempt_id=attempt_id,", ""),
    Mutant("own lease not recognised after a lost reply", worker._take_lease,
           "if request.attempt_id == attempt_id:", "if False:"),
    Mutant("lease that no longer extends the expiry", worker._lease_fields,
           "expires_at=max(deadline, leased_until),", ""),
    Mutant("lost worker attempts without end", worker._take_lease,
           "request.attempts > config.ASYNC_MAX_ATTEMPTS.value", "False"),
    Mutant("cancel of what is being worked on", request.is_cancelable,
           "request.status is Status.PENDING and request.mode is Mode.ASYNC", "True"),
    Mutant("place in flight never freed", limits.release,
           "if request_id in taken:", "if False:"),
    Mutant("statement of entries younger than its balance", get_user_credits,
           "user.ledger_sequence if before is None", "user.ledger_sequence + 9 if before is None"),
    Mutant("another catalogue after a commit whose reply was lost", generation.charge,
           "if offer is None:", "if True:"),
    Mutant("grant given again under its key", ledger.grant,
           "if entry.exists:", "if False:"),
    Mutant("recovery stops at a malformed document", recovery._recover_one,
           "except Exception as error:", "except ArithmeticError as error:"),
    Mutant("recovery does not name what it could not settle", recovery._recover_one,
           "path=request.path, ", ""),
    Mutant("malformed usage stands in the way of a refund", usage._days,
           "if not isinstance(recorded, Mapping):", "if False:"),
    Mutant("malformed place in flight stands in the way of a refund", limits._in_flight,
           " if isinstance(end, datetime)", ""),
    Mutant("stored field refused although it has a default", stored.Field.__get__,
           "if self._strict:", "if True:"),
    Mutant("a provider's message is stored as it is", lifecycle.Outcome.fields,
           "storable(self.error.message, 1000)", "self.error.message"),
    Mutant("a provider's URL is stored as it is", generate._attempt,
           "storable(image.url, MAX_URL_LENGTH) != image.url", "False"),
    Mutant("all attempts upload to one path", storage.store,
           "/{job.attempt_id}", ""),
    Mutant("every try of an upload has another token", attempt.Attempt._keep,
           "token=token", "token=str(uuid.uuid4())"),
    Mutant("replay that the queue refuses fails a healthy request", generation.create,
           "enqueue(request) if is_new else enqueue_again(request)", "enqueue(request)"),
    Mutant("every replay puts the request on the queue", generation.enqueue_again,
           " and moment - last >= ENQUEUE_AGAIN_AFTER", ""),
    Mutant("refusal of the queue told as 503", generation._error,
           "    error = request.error or {}\n",
           '    error = request.error or {}\n    if error.get("reason") == "QUEUE_UNAVAILABLE":\n'
           "        return BackendUnavailable(generationRequestId=request.id)\n"),
    Mutant("callers that waited for the catalogue share one error", cache.Cache.get,
           "raise BackendUnavailable from self._failure", "raise self._failure"),
    Mutant("silent queue waited for without end", tasks._send,
           "seconds=timeout_seconds", "seconds=600"),
    Mutant("error outside the lists after a commit was sent", db.transact,
           "if commit_sent:", "if commit_sent and isinstance(error, UNAVAILABLE_ERRORS):"),
    Mutant("worker forgets that its request may be deleted", worker._release_lease,
           "if not current.exists:", "if False:"),
    Mutant("failure after the charge that names no request", generation.create,
           "except ImagegenError as error:  #", "except BackendUnavailable as error:  #"),
    Mutant("no mark in the lease before a paid call", worker._take_lease,
           "if is_paid(request, offer):", "if False:"),
    Mutant("mark of a paid call overlooked", worker._take_lease,
           "request.provider_call is not None and request.provider_job is None", "False"),
    Mutant("job ordered again instead of resumed", generate._image,
           "provider_job=request.provider_job,", "provider_job=None,"),
    Mutant("billed failure tried again", worker._delay_before_retry,
           "error.billed or outcome.fallback_model", "outcome.fallback_model"),
    Mutant("fallback after a billed failure", generate._fallback,
           " or error.billed", ""),
    Mutant("resumed job asked for at the model that was ordered", job.model_name,
           "request.fallback_model or request.model", "request.model"),
    Mutant("delivered image deleted", lifecycle._discard_unused,
           " and image.url != delivered", ""),
    Mutant("charge in spite of debt", ledger.deduct,
           "if account.debt:", "if False:"),
    Mutant("charge of what has expired", Account._expire,
           "if not any(lot.is_expired(self.moment) for lot in self.lots):", "if True:"),
    Mutant("charge in another order", lots._spend_order,
           "lot.priority, lot.expires_at or NEVER", "0, lot.expires_at or NEVER"),
    Mutant("split of a charge forgotten", generation.charge,
           "moment, parts, devices", "moment, (), devices"),
    Mutant("refund into the wrong lot", ledger.refund,
           "if lots.total(parts) != credits:", "if True:"),
    Mutant("refund into a lot that has expired", lots.restore,
           "part.is_expired(moment) and", "False and"),
    Mutant("refund that makes expiring credits permanent", lots.restore,
           "expires_at=moment + grace", "expires_at=None"),
    Mutant("refund that does not pay the debt of a purchase", ledger.refund,
           "    clawback.collect(account)\n", ""),
    Mutant("expiry without its entry", Account._expire,
           "for part in expired:", "for part in ():"),
    Mutant("expired credits shown to who only reads", ledger.read_account,
           "if is_due(", "if False and is_due("),
    Mutant("allowance twice a month", Account._grant_free_credits,
           'month, end = free.month(self.moment), free.month_end(self.moment)\n'
           '        self.update(allowance={"period": month})',
           'month = f"{free.month(self.moment)}-{self.next_number}"\n'
           '        end = free.month_end(self.moment)'),
    Mutant("allowance that rolls over without a cap", lots.lapse,
           "max(0, total(allowance) - rollover)", "0"),
    Mutant("free credits for who may have none", free.claim,
           "if needs_email and not caller.has_verified_email:", "if False:"),
    Mutant("account opened by a call without a token", free.claim,
           "if caller is None or caller.uid != user_id:", "if caller is None:"),
    Mutant("merge that loses credits", lots.merged,
           "credits=one.credits + other.credits", "credits=other.credits"),
    Mutant("clawback from a free lot", clawback._take,
           "lot.is_paid and lot.purchase_id", "lot.purchase_id"),
    Mutant("clawback whose missing part is not owed", clawback.claw_back,
           "credits - taken)", "0)"),
    Mutant("debt that is collected and still owed", clawback.collect,
           "-taken)", "0)"),
    Mutant("reinstatement without what was taken last", clawback.reinstate,
           "tuple(reversed(kept))", "bought.clawed_back_lots"),
    Mutant("an ended request is told to nobody", lifecycle.settle,
           "        _tell(transaction, current, outcome.status, moment)\n", ""),
    Mutant("a low balance is told at every charge", Account._tell,
           "if after < low <= before:", "if after < low:"),
    Mutant("an event is for everybody, whatever they asked for", outbox.record,
           " if event_type in types]", "]"),
    Mutant("devices are told of what their user has canceled", lifecycle._tell,
           " and status is not Status.CANCELED", ""),
    Mutant("an answer of any status counts as delivered", sender._post,
           "200 <= response.status < 300", "True"),
    Mutant("an answer that never came counts as delivered", sender._post,
           "Result(DeliveryStatus.PENDING, str(error))", 'Result(DeliveryStatus.DELIVERED, "")'),
    Mutant("what an attempt has claimed is never due again", event.Delivery.claimed,
           "next_attempt_at=lease_end", "next_attempt_at=None"),
    Mutant("a failed attempt is the last", event.Delivery.after,
           "self.attempts >= most_attempts", "True"),
    Mutant("recovery overlooks events that are due", event_recovery.due_query,
           "horizon)],", "horizon.replace(year=2000))],"),
    *PURCHASE_MUTANTS,
    *DEPARTURE_MUTANTS,
    *MERGE_MUTANTS,
]
# fmt: on
