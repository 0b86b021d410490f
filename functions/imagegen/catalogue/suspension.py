"""Models that are not offered for a while, because a wrong key or a used-up quota fails all orders.

Each instance counts such failures in a row. The one that has counted MODEL_SUSPEND_AFTER writes
`modelSuspensions/{model}`, which all instances read with the catalogue:

    offered ─── failures in a row ───▶ suspended ─── time is over ───▶ on probation
       ▲                                   ▲                             │
       └──────────── an image ─────────────┼─────────────────────────────┤
                                           └── fails: twice as long ─────┘

On probation one order at a time is let through: its charge claims the probe in the same
transaction. An order of a model that works reads and writes nothing for all this.
"""

import math
import threading
from collections import Counter
from datetime import datetime, timedelta

from imagegen import clock, config, db, logger
from imagegen.errors import BackendUnavailable, ModelUnavailable
from imagegen.firestore.store import Query
from imagegen.firestore.stored import Field, Stored, instant, text, whole_number
from imagegen.providers.failures import Reason

COLLECTION = "modelSuspensions"
REASONS = frozenset({Reason.PROVIDER_AUTH, Reason.PROVIDER_QUOTA})
# After these, key and quota were good.
WORKING = frozenset({None, Reason.CONTENT_REFUSED})
PROBE_SECONDS = 120  # after which another order is let through, whatever became of the last
LONGEST_SECONDS = 3600

_lock = threading.Lock()
_in_a_row: Counter[str] = Counter()


class SuspensionDocument(Stored):
    """`modelSuspensions/{model}`; without `suspendedUntil` the model is offered."""

    reason = Field("reason", text, "")
    seconds = Field("seconds", whole_number, 0)
    suspended_at: Field[datetime | None] = Field("suspendedAt", instant, None)
    suspended_until: Field[datetime | None] = Field("suspendedUntil", instant, None)
    probed_until: Field[datetime | None] = Field("probedUntil", instant, None)


def load() -> dict[str, datetime]:
    """Until when models are suspended, by name; where that is past, the model is on probation."""
    documents = [SuspensionDocument(each) for each in db.query(Query(COLLECTION))]
    return {each.id: until for each in documents if (until := each.suspended_until) is not None}


def admit(
    transaction: db.Transaction, model: str, until: datetime | None, moment: datetime
) -> bool:
    """Let an order of a model pass; on probation, as the only one.

    `until` is when its suspension ends, as the catalogue has it. The result is whether the model is
    offered without a probe: then nothing is written, so a later attempt at the same charge must not
    ask again.

    Raises ModelUnavailable.
    """
    if until is None:
        return True
    if moment < until:
        raise _unavailable(model, until, moment)
    path = _path(model)
    current = SuspensionDocument(transaction[path])
    if not current.exists or current.suspended_until is None:
        return True  # the probe has succeeded since the catalogue was read
    for busy_until in (current.suspended_until, current.probed_until):
        if busy_until is not None and moment < busy_until:
            raise _unavailable(model, busy_until, moment)
    probed_until = moment + timedelta(seconds=PROBE_SECONDS)
    transaction.update(path, SuspensionDocument.fields(probed_until=probed_until))
    return False


def note(model: str, reason: str | None, *, is_suspended: bool) -> bool:
    """Count how a generation ended: with an image (None), or why not.

    Whether a suspension has begun or ended with it, so that the catalogue is out of date. Never
    raises: an instance that cannot write counts on.
    """
    if reason in WORKING:
        with _lock:
            _in_a_row.pop(model, None)
        return is_suspended and _written(model, None)
    most = config.MODEL_SUSPEND_AFTER.value
    if reason not in REASONS or most == 0:
        return False
    with _lock:
        _in_a_row[model] += 1
        is_enough = is_suspended or _in_a_row[model] >= most
    return is_enough and _written(model, reason)


def _written(model: str, reason: str | None) -> bool:
    """Begin a suspension for `reason`, or end it; whether anything has changed."""
    path, has_changed = _path(model), False

    def decide(transaction: db.Transaction) -> None:
        nonlocal has_changed
        current, moment = SuspensionDocument(transaction[path]), clock.now()
        until = current.suspended_until if current.exists else None
        if reason is None:
            has_changed = until is not None
            fields = SuspensionDocument.fields(suspended_until=None, probed_until=None)
        else:
            has_changed = until is None or until <= moment  # or another instance was first
            seconds = config.MODEL_SUSPEND_SECONDS.value
            if until is not None:
                seconds = max(seconds, min(2 * current.seconds, LONGEST_SECONDS))
            fields = SuspensionDocument.fields(
                reason=str(reason),
                seconds=seconds,
                suspended_at=moment,
                suspended_until=moment + timedelta(seconds=seconds),
                probed_until=None,
            )
        if has_changed:
            write = transaction.update if current.exists else transaction.create
            write(path, fields)

    try:
        document = SuspensionDocument(db.transact(decide, path)[path])
    except BackendUnavailable as error:
        logger.warn("suspension not written", model=model, error=repr(error))
        return False
    with _lock:
        _in_a_row.pop(model, None)
    if has_changed and reason is None:
        logger.info("model offered again", model=model)
    elif has_changed:
        logger.error("model suspended", model=model, reason=reason, seconds=document.seconds)
    return has_changed


def _unavailable(model: str, until: datetime, moment: datetime) -> ModelUnavailable:
    seconds = math.ceil((until - moment).total_seconds())
    return ModelUnavailable(model=model, retry_after_seconds=max(1, seconds))


def _path(model: str) -> str:
    return f"{COLLECTION}/{model}"
