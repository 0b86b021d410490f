"""The circumstances of one seed: how much goes wrong, how fast things are, how things are set."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from simulation.faults import Faults
from simulation.lot_books import UNVERIFIED
from simulation.stripe_versions import BEFORE_BASIL, NEWEST, OLDEST
from simulation.world import EPOCH

GUARDS = ("REQUIRE_VERIFIED_EMAIL", "ALLOW_ANONYMOUS")  # of free credits
BOTH = (BEFORE_BASIL, NEWEST)
NEW_USERS = ("new1", UNVERIFIED)

# What is in no way what the backend writes, and must stand in nobody's way.
JUNK: dict[str, tuple[Any, ...]] = {
    "usage": ("x", [], {"days": {"total": 3}, "weeks": 7}, {"days": {"2026-11-22": "2"}}),
    "rate": (None, {"tokens": "x", "at": 5}, {"tokens": 1.0}),
    "inFlight": ([], 3, {"a": "x", "b": None}),
}


@dataclass(frozen=True)
class Plan:
    """All that a seed decides before anything happens."""

    calm: bool
    faults: Faults
    settings: dict[str, str]
    users: dict[str, dict[str, Any]]  # their documents; empty for those who have none yet
    calls: int
    span_seconds: float  # within which the calls are made
    failure_rate: float
    hang_rate: float
    stall_rate: float  # of processes, between a result and what is done with it
    queue_slow_rate: float
    upload_hang_rate: float
    painting_seconds: float
    vendor_fault_rate: float  # of the vendors that charge for images
    twice_rate: float
    clocks_wrong_by: tuple[float, ...]
    changes: int  # of prices and options
    edits: int  # deletions and malformed documents, by hand
    deletions: int  # of accounts, where nothing is edited
    merges: int  # of accounts, where nothing is edited
    transfers: int  # by operators, likewise
    sells: bool  # most calls are about purchases
    stripe_versions: tuple[str, ...]  # of the API, one for each endpoint at Stripe
    may_search: bool  # whether our key at Stripe may look for payments
    late_rate: float  # of the events of payment providers
    period_seconds: int  # of a subscription
    period_margin_seconds: int
    endpoints: int  # that are told of events
    consumer_failure_rate: float
    consumer_goes_away: bool


def draw_plan(source: random.Random, of_deletions: random.Random, of_merges: random.Random) -> Plan:
    """A plan; one in eight is calm, as then nothing at all may be answered with 503.

    Deletions and merges have sources of their own, so that plans without them are what they always
    were.
    """
    calm = source.random() < 0.125
    sells = source.random() < 0.25
    span = source.choice((0.2, 5.0, 60.0, 600.0))
    start = source.uniform(0, span)
    storm = not calm and source.random() < 0.25
    faults = Faults(
        source,
        rate=0.0 if calm else source.choice((0.01, 0.05, 0.15, 0.3)),
        latency_seconds=source.choice((0.002, 0.01) if calm else (0.002, 0.02, 0.2)),
        slow_rate=0.0 if calm else source.choice((0, 0, 0.02, 0.1)),
        storms=((start, start + source.uniform(5, 30)),) if storm else (),
    )
    clocks = (
        (0.0,) if calm else source.choice(((0.0,), (0.0,), (0.0, -40.0, 40.0), (0.0, 400, -400)))
    )
    return Plan(
        calm=calm,
        faults=faults,
        # Two threads for each process are soon taken; then orders are refused with 503.
        settings={
            **_settings(source),
            "THREADS": "80" if calm else source.choice(("80", "1")),
        },
        users=_users(source, span),
        calls=source.randint(3, 14),
        span_seconds=span,
        failure_rate=source.choice((0, 0.1, 0.5)),
        hang_rate=source.choice((0, 0, 0.2)),
        stall_rate=0 if calm else source.choice((0, 0, 0.2)),
        upload_hang_rate=0 if calm else source.choice((0, 0, 0.3)),
        queue_slow_rate=0 if calm else source.choice((0, 0, 0.1, 0.5)),
        vendor_fault_rate=source.choice((0, 0.1, 0.1, 0.4)),
        painting_seconds=source.choice((1, 40, 130)),
        twice_rate=source.choice((0, 0.2, 0.6)),
        clocks_wrong_by=tuple(clocks),
        changes=source.choice((0, 0, 1, 3, 6)),
        edits=0 if calm or sells else source.choice((0, 0, 1, 3)),
        deletions=of_deletions.choice((0, 0, 1, 2)),
        merges=of_merges.choice((0, 0, 1, 2)),
        transfers=of_merges.choice((0, 0, 0, 1, 2)),
        sells=sells,
        stripe_versions=source.choice(((NEWEST,), (NEWEST,), (BEFORE_BASIL,), (OLDEST,), BOTH)),
        may_search=source.random() < 0.6,
        late_rate=source.choice((0.1, 0.5)),
        period_seconds=source.choice((5, 60, 400)),
        period_margin_seconds=source.choice((1, 30, 86_400)),
        endpoints=source.choice((0, 1, 2)),
        consumer_failure_rate=0 if calm else source.choice((0, 0.2, 0.6)),
        consumer_goes_away=source.random() < 0.2,
    )


def _settings(source: random.Random) -> dict[str, str]:
    """The parameters of the service; those in lower case are no parameters but constants."""
    choices: dict[str, tuple[int, ...]] = {
        "RATE_LIMIT_PER_MINUTE": (0, 60, 60, 2),
        "DAILY_CREDIT_LIMIT": (0, 0, 0, 6),
        "MAX_IN_FLIGHT": (0, 0, 1, 3),
        "CATALOGUE_TTL_SECONDS": (0, 1, 60),
        "MODEL_SUSPEND_AFTER": (0, 1, 3),
        "MODEL_SUSPEND_SECONDS": (5, 300),
        "GENERATION_DEADLINE_SECONDS": (45, 45, 5),
        "ASYNC_ATTEMPT_SECONDS": (120, 20),
        "ASYNC_DEADLINE_SECONDS": (600, 60),
        "ASYNC_MAX_ATTEMPTS": (1, 3, 3),
        "ASYNC_MAX_DELIVERIES": (2, 20),
        "SIGNUP_CREDITS": (0, 5),
        "FREE_MONTHLY_CREDITS": (0, 4),
        "ALLOWANCE_ROLLOVER": (0, 2),
        "LOW_BALANCE": (0, 5, 20),
        "page_size": (1, 2, 100),
        "max_free_lots": (50, 50, 5),
    }
    drawn = {name: str(source.choice(values)) for name, values in choices.items()}
    truth = {name: source.choice(("false", "true")) for name in GUARDS}
    return {**drawn, **truth, "REPORT_TIME_ZONE": "UTC", "IMAGE_BUCKET": "images"}


def _users(source: random.Random, span: float) -> dict[str, dict[str, Any]]:
    """Users with a balance alone, with lots that expire while things happen, and new ones."""
    users = {f"user{n}": _user(source, span) for n in range(source.randint(1, 3))}
    return users | {user_id: {} for user_id in NEW_USERS if source.random() < 0.3}


def _user(source: random.Random, span: float) -> dict[str, Any]:
    """A user document, as the backend and the app's other programs write it."""
    balance = source.choice((2, 9, 30))
    fields: dict[str, Any] = {"credits": source.choice((balance, balance, float(balance)))}
    if source.random() < 0.7:
        lots = {f"lot{n}": _lot(source, span) for n in range(source.randint(1, 4))}
        total = sum(lot["remaining"] for lot in lots.values())
        fields = {"credits": total + source.choice((0, 0, 3)), "lots": lots}
    if source.random() < 0.2:
        fields["ledgerSequence"] = source.choice((0, 0.0))
    if source.random() < 0.4:
        fields["devices"] = 1
    for name, values in JUNK.items():
        if source.random() < 0.1:
            fields[name] = source.choice(values)
    return fields


def _lot(source: random.Random, span: float) -> dict[str, Any]:
    kind = source.choice(("allowance", "trial", "trial", "subscription", "purchase"))
    lot: dict[str, Any] = {
        "kind": kind,
        "remaining": source.randint(1, 4),
        "priority": source.choice((10, 20, 50)),
        "grantedAt": EPOCH - timedelta(days=source.randint(1, 3)),
    }
    if kind != "purchase":
        lot["expiresAt"] = EPOCH + timedelta(seconds=source.uniform(0.01, 1.5) * span)
    return lot


def clock_error(plan: Plan, source: random.Random) -> timedelta:
    """How wrong the clock of a process is that starts, or jumps."""
    return timedelta(seconds=source.choice(plan.clocks_wrong_by) * source.random())
