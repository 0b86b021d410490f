"""The bill of a month: what a thousand users do, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from counter import Usage
from prices import GIB, PRICES

# Assumptions. docs/costs.md states them, too.
MODEL_SECONDS = 10.0  # a call waits for its model
SHORTEST_SECONDS = 0.1  # Cloud Run rounds up to it; a call without a model takes less
MEMORY_GIB = 1.0  # GENERATION_MEMORY_MB; half of it for calls that do not generate
USERS = 1000
OF_A_USER = {
    "generation, with an idempotency key": 10 * 0.95,
    "generation in the background": 10 * 0.95,
    "generation that fails, with its refund": 20 * 0.05,
    "credits and a page of 20 entries": 30.0,
    "page of 20 generation requests": 10.0,
    "status of a generation request": 10 * 3.0,
    "purchase told by a webhook": 0.05,
    # As if no instance lived long enough to use what another call has read.
    "catalogue and webhooks, read anew": 20.0,
}
GENERATIONS = 20  # of a user, in all
IMAGES = 19
IMAGE_BYTES, THUMBNAIL_BYTES = 1_500_000, 30_000
IMAGE_VIEWS, THUMBNAIL_VIEWS = 1, 3  # that no cache answers
OF_THE_SYSTEM = {
    "recovery of requests, nothing to do": 30 * 24 * 12.0,
    "recovery of events, nothing to do": 30 * 24 * 12.0,
    "weekly report of an empty week": 30 / 7,
}
AGGREGATIONS_OF_A_REQUEST = (
    3  # requests, completed ones, deductions: index entries that are counted
)
ENTRIES_A_READ = 1000
EVENTS = "generation whose event a webhook is told"

Amounts = dict[str, float]  # by the names of the price list


def table(used: Mapping[str, Usage]) -> Iterator[str]:
    """A thousand monthly users, with a webhook that is told of each generation, and without."""
    plain = amounts(usage(used)) | images()
    event = used[EVENTS] + used["generation"] * -1
    told = amounts(usage(used) + event * (USERS * GENERATIONS)) | images()
    costs, with_events = dollars(plain), dollars(told)
    yield "| a month of 1,000 users | amount | dollars | with a webhook | dollars |"
    yield "| --- | --: | --: | --: | --: |"
    for name, amount in plain.items():
        cells = _shown(name, amount), f"{costs[name]:.2f}"
        more = _shown(name, told[name]), f"{with_events[name]:.2f}"
        yield f"| {name.replace('_', ' ')} | " + " | ".join((*cells, *more)) + " |"
    for name, part in {"Firestore": firestore, "functions": functions, "all": all_of}.items():
        yield f"| **{name}** | | **{part(costs):.2f}** | | **{part(with_events):.2f}** |"


def usage(used: Mapping[str, Usage]) -> Usage:
    """What a thousand users and the schedules use in a month."""
    total = Usage()
    for name, times in OF_A_USER.items():
        total += used[name] * (times * USERS)
    for name, times in OF_THE_SYSTEM.items():
        total += used[name] * times
    requests = USERS * GENERATIONS
    return total + Usage(reads=requests * (1 + AGGREGATIONS_OF_A_REQUEST / ENTRIES_A_READ))


def amounts(used: Usage) -> Amounts:
    """In the units of the price list; every call is alone on its instance."""
    seconds = seconds_alone(used)
    return {
        "reads": used.reads,
        "writes": used.writes,
        "deletes": used.deletes,
        "stored_bytes": used.stored_bytes,
        "cpu_seconds": seconds,
        "memory_gib_seconds": seconds * MEMORY_GIB,
        "invocations": used.invocations,
        "sent_bytes": used.sent_bytes,
        "task_operations": used.task_operations,
    }


def images() -> Amounts:
    """Images that are stored in the project's bucket, and looked at."""
    count = USERS * IMAGES
    return {
        "image_bytes": count * (IMAGE_BYTES + THUMBNAIL_BYTES),
        "image_sent_bytes": count * (IMAGE_VIEWS * IMAGE_BYTES + THUMBNAIL_VIEWS * THUMBNAIL_BYTES),
        "class_a": 2 * count,
        "class_b": count * (IMAGE_VIEWS + THUMBNAIL_VIEWS),
    }


def seconds_alone(used: Usage) -> float:
    """What calls take that do not overlap on an instance."""
    return used.model_waits * MODEL_SECONDS + used.invocations * SHORTEST_SECONDS


def dollars(used: Amounts) -> Amounts:
    return {name: amount * PRICES[name].dollars for name, amount in used.items()}


def firestore(costs: Amounts) -> float:
    return sum(costs[name] for name in ("reads", "writes", "deletes", "stored_bytes"))


def functions(costs: Amounts) -> float:
    return sum(costs[name] for name in ("cpu_seconds", "memory_gib_seconds", "invocations"))


def all_of(costs: Amounts) -> float:
    return sum(costs.values())


def _shown(name: str, amount: float) -> str:
    return f"{amount / GIB:,.2f} GiB" if name.endswith("bytes") else f"{amount:,.0f}"
