"""Limits of one user. They are kept in the user document, which a charge writes anyway."""

import math
from datetime import datetime, time, timedelta
from typing import Any

from imagegen import clock, config, db
from imagegen.credits import usage
from imagegen.credits.user import UserDocument
from imagegen.errors import RateLimited

WINDOW_SECONDS = 60


def admit(transaction: db.Transaction, user_id: str, moment: datetime) -> None:
    """Count a generation request of the user, whose price has just been deducted.

    Raises RateLimited when it is one too many this minute, or its price too much this day.
    """
    user = UserDocument(transaction[db.user(user_id)])
    _check_day(user, moment)
    per_minute = config.RATE_LIMIT_PER_MINUTE.value
    if per_minute > 0:
        tokens, filled_at = _bucket(user, per_minute, moment)
        if tokens < 1:
            wait = math.ceil((1 - tokens) * WINDOW_SECONDS / per_minute)
            raise limited("requestsPerMinute", per_minute, window=WINDOW_SECONDS, retry_after=wait)
        rate = {"tokens": tokens - 1, "at": filled_at}
        transaction.update(user.path, UserDocument.fields(rate=rate))


def _bucket(user: UserDocument, per_minute: int, moment: datetime) -> tuple[float, datetime]:
    """The tokens in the user's bucket, and until when it is filled.

    It holds a minute's worth and fills evenly (token bucket). A moment before it was last filled,
    by less than a window, neither fills nor empties it: that of a clock that is behind, or of a
    call that began earlier.
    """
    tokens, filled_at = user.rate.get("tokens"), user.rate.get("at")
    if not isinstance(tokens, int | float) or not isinstance(filled_at, datetime):
        return float(per_minute), moment
    elapsed_seconds = (moment - filled_at).total_seconds()
    if elapsed_seconds < -WINDOW_SECONDS:  # written by a clock that was wrong
        return float(per_minute), moment
    refill = max(0.0, elapsed_seconds) * per_minute / WINDOW_SECONDS
    return min(float(per_minute), max(0.0, tokens) + refill), max(moment, filled_at)


def _check_day(user: UserDocument, moment: datetime) -> None:
    limit = config.DAILY_CREDIT_LIMIT.value
    if limit <= 0:
        return
    today = clock.local_date(moment)
    if usage.spent_on(user, today) > limit:
        tomorrow = datetime.combine(today + timedelta(days=1), time(), clock.time_zone())
        wait = math.ceil((tomorrow - moment).total_seconds())
        raise limited("creditsPerDay", limit, window=86_400, retry_after=wait)


def counts_in_flight() -> bool:
    """Whether the number of background requests that a user may have open is limited."""
    return config.MAX_IN_FLIGHT.value > 0


def occupy(
    transaction: db.Transaction, user_id: str, request_id: str, moment: datetime, until: datetime
) -> None:
    """Take a place in flight for a background request that lasts `until` at most.

    Raises RateLimited when all are taken. A place whose time is over is free: nothing leaks.
    """
    limit = config.MAX_IN_FLIGHT.value
    if limit <= 0:
        return
    user = UserDocument(transaction[db.user(user_id)])
    taken = {each: end for each, end in _in_flight(user).items() if end > moment}
    if len(taken) >= limit:
        raise limited("inFlight", limit, window=None, retry_after=5)
    taken[request_id] = until
    transaction.update(user.path, UserDocument.fields(in_flight=taken))


def release(transaction: db.Transaction, user_id: str, request_id: str) -> None:
    """Free the place of a request that ends."""
    user = UserDocument(transaction[db.user(user_id)])
    taken = _in_flight(user)
    if request_id in taken:
        del taken[request_id]
        transaction.update(user.path, UserDocument.fields(in_flight=taken))


def _in_flight(user: UserDocument) -> dict[str, datetime]:
    return {each: end for each, end in user.in_flight.items() if isinstance(end, datetime)}


def limited(name: str, quota: int, *, window: int | None, retry_after: int) -> RateLimited:
    """The refusal, with the headers of draft-ietf-httpapi-ratelimit-headers-10."""
    policy: dict[str, Any] = {"q": quota} | ({"w": window} if window else {})
    parameters = ";".join(f"{key}={value}" for key, value in policy.items())
    seconds = max(1, retry_after)
    headers = {
        "Retry-After": str(seconds),
        "RateLimit-Policy": f'"{name}";{parameters}',
        "RateLimit": f'"{name}";r=0;t={seconds}',
    }
    # The Firebase SDKs show an app the details of an error, but no headers.
    return RateLimited(headers=headers, limit=name, quota=quota, retryAfterSeconds=seconds)
