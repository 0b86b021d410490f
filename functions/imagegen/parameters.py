"""Whether the parameters of a deployment fit together, checked before anything is served.

A parameter that is wrong would otherwise be noticed by the first call that reads it, which may be
after a charge.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from imagegen import config

CREATE_TIMEOUT_SECONDS = 90
WORKER_TIMEOUT_SECONDS = 540
AUDIT_TIMEOUT_SECONDS = 1800  # the most that Cloud Tasks can wait; unless told, it waits for 600
# What a call needs besides the generation: a charge and a settle at their deadlines, and some
# seconds for what comes before them, such as the check of the prompt.
CREATE_RESERVE_SECONDS = 40
WORKER_RESERVE_SECONDS = 60

# Whole numbers, each with the least and the greatest value.
RANGES: Mapping[str, tuple[int, int]] = {
    "THREADS": (1, 1000),
    "MEMORY_MB": (256, 32_768),
    "GENERATION_MEMORY_MB": (256, 32_768),
    "CPU": (1, 8),
    "MIN_INSTANCES": (0, 1000),
    "CREATE_MAX_INSTANCES": (1, 1000),
    "WORKER_MAX_INSTANCES": (1, 1000),
    "MAX_INSTANCES": (1, 1000),
    "GENERATION_DEADLINE_SECONDS": (1, CREATE_TIMEOUT_SECONDS - CREATE_RESERVE_SECONDS),
    "ASYNC_ATTEMPT_SECONDS": (1, WORKER_TIMEOUT_SECONDS - WORKER_RESERVE_SECONDS),
    "ASYNC_DEADLINE_SECONDS": (1, 7 * 86_400),
    "ASYNC_MAX_ATTEMPTS": (1, 100),
    "ASYNC_MIN_BACKOFF_SECONDS": (0, 3600),
    "ASYNC_MAX_BACKOFF_SECONDS": (1, 3600),
    "ASYNC_MAX_DELIVERIES": (1, 100),
    "ASYNC_MAX_CONCURRENT": (1, 5000),
    "ASYNC_MAX_PER_SECOND": (1, 500),
    "RATE_LIMIT_PER_MINUTE": (0, 1_000_000),
    "DAILY_CREDIT_LIMIT": (0, 2**53),
    "MAX_IN_FLIGHT": (0, 10_000),
    "LOW_BALANCE": (0, 2**53),
    "MODEL_SUSPEND_AFTER": (0, 1000),
    "MODEL_SUSPEND_SECONDS": (1, 3600),
    "SIGNUP_CREDITS": (0, 1_000_000),
    "SIGNUP_CREDITS_DAYS": (0, 36_500),
    "FREE_MONTHLY_CREDITS": (0, 1_000_000),
    "ALLOWANCE_ROLLOVER": (0, 1_000_000),
    "REFUND_GRACE_DAYS": (1, 3650),
    "CATALOGUE_TTL_SECONDS": (0, 86_400),
    "PROMPT_RETENTION_DAYS": (0, 36_500),
    "IMAGE_RETENTION_DAYS": (0, 36_500),
}
TRUE_OR_FALSE = (
    "REPORT_DIGEST",
    "APP_CHECK_REPLAY_PROTECTION",
    "REQUIRE_VERIFIED_EMAIL",
    "ALLOW_ANONYMOUS",
    "TRIAL_ONCE_PER_EMAIL",
)
CHOICES: Mapping[str, tuple[str, ...]] = {
    "AUTH_MODE": ("required", "optional"),
    "MODERATION": ("none", "words", "openai"),
    "APP_CHECK": ("off", "warn", "required"),
    "PAYMENTS": ("", "stripe", "revenuecat", "both"),
}
# What flask-cors compares as it is; anything with a * or ? it takes for a regular expression.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9.-]+(:[0-9]+)?", re.IGNORECASE)
# What push messages tell.
PUSHED = ("generation.completed", "generation.failed")
# Messaging refuses a message of more than 4,096 bytes; a character takes up to four.
LONGEST_PUSH_TEXT = 400
# The first of each pair must not be greater than the second.
ORDERED = (
    ("ASYNC_MIN_BACKOFF_SECONDS", "ASYNC_MAX_BACKOFF_SECONDS"),
    ("ASYNC_ATTEMPT_SECONDS", "ASYNC_DEADLINE_SECONDS"),
    ("ASYNC_MAX_ATTEMPTS", "ASYNC_MAX_DELIVERIES"),
    ("MIN_INSTANCES", "CREATE_MAX_INSTANCES"),
)


class InvalidParameters(Exception):
    """Some parameters are wrong; the message names each and says what it has to be."""


def validate() -> None:
    """Check all parameters together. Raises InvalidParameters."""
    problems = list(_problems())
    if problems:
        raise InvalidParameters("functions/.env: " + "; ".join(problems))


def _problems() -> Iterator[str]:
    numbers: dict[str, int] = {}
    for name, (least, greatest) in RANGES.items():
        try:
            numbers[name] = int(getattr(config, name).value)
        except ValueError:
            yield f"{name} must be a whole number"
            continue
        if not least <= numbers[name] <= greatest:
            yield f"{name} must be {least} to {greatest}"
    for lesser, greater in ORDERED:
        if numbers.get(lesser, 0) > numbers.get(greater, 2**53):
            yield f"{lesser} must not be greater than {greater}"
    yield from _texts()


def _texts() -> Iterator[str]:
    for name, choices in CHOICES.items():
        if getattr(config, name).value not in choices:
            *others, last = (each or "empty" for each in choices)
            yield f"{name} must be {', '.join(others)} or {last}"
    if config.AUTH_MODE.value == "optional" and not _is_on_emulators():
        yield "AUTH_MODE may be optional on the emulators only"
    for name in TRUE_OR_FALSE:
        if os.environ.get(name, "false").lower() not in ("true", "false"):
            yield f"{name} must be true or false"
    if config.TRIAL_ONCE_PER_EMAIL.value and not config.REQUIRE_VERIFIED_EMAIL.value:
        yield "TRIAL_ONCE_PER_EMAIL needs REQUIRE_VERIFIED_EMAIL=true"
    yield from _formats()


def _formats() -> Iterator[str]:
    if not _is_rate(config.MOCK_FAILURE_RATE.value):
        yield "MOCK_FAILURE_RATE must be empty or a number from 0 to 1"
    if not _is_time_zone(config.REPORT_TIME_ZONE.value):
        yield "REPORT_TIME_ZONE must be an IANA time zone such as Europe/Berlin"
    if config.CORS_ORIGINS.value != "*" and not all(
        map(ORIGIN.fullmatch, config.CORS_ORIGINS.value.split(","))
    ):
        yield "CORS_ORIGINS must be * or origins such as https://app.example.com, with commas only"
    if not isinstance(_parsed(config.REPORT_THRESHOLDS.value), dict):
        yield "REPORT_THRESHOLDS must be a JSON object"
    if not _are_push_texts(_parsed(config.PUSH_TEXTS.value)):
        yield (
            "PUSH_TEXTS must be a JSON object such as "
            '{"generation.completed": ["Your image is ready", "Tap to see it."]}, '
            f"with texts of at most {LONGEST_PUSH_TEXT} characters"
        )


def _is_on_emulators() -> bool:
    """Firebase's emulators run for any project, and alone for one that begins with demo-."""
    is_demo = os.environ.get("GCLOUD_PROJECT", "demo-").startswith("demo-")
    return is_demo or os.environ.get("FUNCTIONS_EMULATOR") == "true"


def _are_push_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(
        name in PUSHED
        and isinstance(pair, list)
        and [*map(type, pair)] == [str, str]
        and max(map(len, pair)) <= LONGEST_PUSH_TEXT
        for name, pair in value.items()
    )


def _is_rate(text: str) -> bool:
    try:
        return not text or 0 <= float(text) <= 1
    except ValueError:
        return False


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
