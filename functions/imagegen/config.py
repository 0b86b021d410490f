"""Parameters of a deployment: declared here, set in ``functions/.env*``, read when used.

Reading ``NAME.value`` looks into the environment at that moment, so nothing is fixed at import and
a test may set a variable for one test.
"""

import os

from firebase_functions.params import (
    BoolParam,
    IntParam,
    SecretParam,
    SelectInput,
    SelectOption,
    StringParam,
)

AUTH_MODE = StringParam(
    "AUTH_MODE",
    default="required",
    description="required: every call carries a Firebase ID token. optional: a call without one is "
    "trusted (the emulators only).",
    input=SelectInput([SelectOption("required"), SelectOption("optional")]),
)
GENERATION_DEADLINE_SECONDS = IntParam(
    "GENERATION_DEADLINE_SECONDS",
    default=45,
    description="Seconds a generator may take in a synchronous request before it is refunded.",
)
ASYNC_DEADLINE_SECONDS = IntParam(
    "ASYNC_DEADLINE_SECONDS",
    default=600,
    description="Seconds without progress after which a background request is refunded.",
)
ASYNC_ATTEMPT_SECONDS = IntParam(
    "ASYNC_ATTEMPT_SECONDS",
    default=120,
    description="Seconds a generator may take in one attempt at a background request.",
)
ASYNC_MAX_ATTEMPTS = IntParam(
    "ASYNC_MAX_ATTEMPTS",
    default=3,
    description="Attempts at a background request before it is failed and refunded.",
)
ASYNC_MIN_BACKOFF_SECONDS = IntParam(
    "ASYNC_MIN_BACKOFF_SECONDS",
    default=5,
    description="Shortest wait of the queue before it delivers a task again; it doubles.",
)
ASYNC_MAX_BACKOFF_SECONDS = IntParam(
    "ASYNC_MAX_BACKOFF_SECONDS",
    default=60,
    description="Longest wait of the queue before it delivers a task again.",
)
ASYNC_MAX_DELIVERIES = IntParam(
    "ASYNC_MAX_DELIVERIES",
    default=20,
    description="Deliveries of a task; more than attempts, as some only find the lease taken.",
)
ASYNC_MAX_CONCURRENT = IntParam(
    "ASYNC_MAX_CONCURRENT",
    default=100,
    description="Background generations that run at once, over all users.",
)
ASYNC_MAX_PER_SECOND = IntParam(
    "ASYNC_MAX_PER_SECOND",
    default=100,
    description="Background generations that start in one second, over all users.",
)
RATE_LIMIT_PER_MINUTE = IntParam(
    "RATE_LIMIT_PER_MINUTE",
    default=60,
    description="Generation requests a user may make a minute, in bursts of as many. 0: no limit.",
)
DAILY_CREDIT_LIMIT = IntParam(
    "DAILY_CREDIT_LIMIT",
    default=0,
    description="Net credits a user may spend a day. 0: no limit.",
)
MAX_IN_FLIGHT = IntParam(
    "MAX_IN_FLIGHT",
    default=0,
    description="Background requests a user may have open at once. 0: no limit.",
)
SIGNUP_CREDITS = IntParam(
    "SIGNUP_CREDITS",
    default=0,
    description="Credits of a new account, opened by its owner's first call. 0: an account exists "
    "only when its user document does.",
)
SIGNUP_CREDITS_DAYS = IntParam(
    "SIGNUP_CREDITS_DAYS",
    default=30,
    description="Days until the credits of a new account expire. 0: never.",
)
FREE_MONTHLY_CREDITS = IntParam(
    "FREE_MONTHLY_CREDITS",
    default=0,
    description="Credits every user gets in each month, which expire at its end. 0: none.",
)
ALLOWANCE_ROLLOVER = IntParam(
    "ALLOWANCE_ROLLOVER",
    default=0,
    description="Most of the unspent monthly credits that last for another month.",
)
REQUIRE_VERIFIED_EMAIL = BoolParam(
    "REQUIRE_VERIFIED_EMAIL",
    default=False,
    description="Whether free credits need a verified e-mail address.",
)
ALLOW_ANONYMOUS = BoolParam(
    "ALLOW_ANONYMOUS",
    default=False,
    description="Whether anonymous users get free credits; anybody can make any number of them.",
)
REFUND_GRACE_DAYS = IntParam(
    "REFUND_GRACE_DAYS",
    default=7,
    description="Days that refunded credits last when they would have expired by then.",
)
MOCK_FAILURE_RATE = StringParam(
    "MOCK_FAILURE_RATE",
    default="",
    description="0 to 1: overrides the failure rate of every mock model. Empty: the model's own.",
)
IMAGE_BUCKET = StringParam(
    "IMAGE_BUCKET",
    default="",
    description="Cloud Storage bucket for models that give bytes. Empty: the project's default.",
)
CATALOGUE_TTL_SECONDS = IntParam(
    "CATALOGUE_TTL_SECONDS",
    default=60,
    description="Seconds an instance uses the catalogue before it reads it again.",
)
REPORT_TIME_ZONE = StringParam(
    "REPORT_TIME_ZONE",
    default="UTC",
    description="IANA time zone whose midnights divide days and weeks.",
)
REPORT_THRESHOLDS = StringParam(
    "REPORT_THRESHOLDS",
    default="{}",
    description="JSON object that replaces named defaults of the anomaly rules (docs/reports.md).",
)
REPORT_DIGEST = BoolParam(
    "REPORT_DIGEST",
    default=False,
    description="Whether the secret REPORT_WEBHOOK_URL exists: every report is then told there.",
)
# A deploy asks for the value of every secret that is declared and unknown, and fails where nobody
# answers. So the secret is declared only where the digest is on.
REPORT_SECRETS = (
    [
        SecretParam(
            "REPORT_WEBHOOK_URL",
            description="https URL that gets a message for every weekly report (Slack's format).",
        )
    ]
    if REPORT_DIGEST.value
    else []
)


def report_webhook_url() -> str:
    """Where the digest goes; empty: nowhere."""
    return os.environ.get("REPORT_WEBHOOK_URL", "").strip()
