"""Parameters of a deployment, set in ``functions/.env*``; docs/configuration.md lists them.

``NAME.value`` reads the environment each time, so nothing is fixed at import and a test can set a
variable for itself alone.
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
    description="required: every call needs a Firebase ID token. optional: a call without one is "
    "trusted; for the emulators only.",
    input=SelectInput([SelectOption("required"), SelectOption("optional")]),
)
REGION = StringParam(
    "REGION",
    default="us-central1",
    description="Region of the functions and their queue; the best one is that of Firestore.",
)
SERVICE_ACCOUNT = StringParam(
    "SERVICE_ACCOUNT",
    default="",
    description="Account the functions run as, e.g. imagegen@. Empty: the default compute account.",
)
FIRESTORE_DATABASE = StringParam(
    "FIRESTORE_DATABASE",
    default="(default)",
    description="Name of the Firestore database.",
)
CORS_ORIGINS = StringParam(
    "CORS_ORIGINS",
    default="*",
    description="Origins whose pages may call the functions, separated by commas. *: all.",
)
MEMORY_MB = IntParam(
    "MEMORY_MB",
    default=512,
    description="Memory of an instance, in MB, of the functions that generate no images.",
)
GENERATION_MEMORY_MB = IntParam(
    "GENERATION_MEMORY_MB",
    default=1024,
    description="Memory of an instance, in MB, of the functions that generate images.",
)
CPU = IntParam(
    "CPU",
    default=1,
    description="Processors of an instance.",
)
MIN_INSTANCES = IntParam(
    "MIN_INSTANCES",
    default=0,
    description="Instances of createGenerationRequest that are kept warm.",
)
CREATE_MAX_INSTANCES = IntParam(
    "CREATE_MAX_INSTANCES",
    default=3,
    description="Most instances of createGenerationRequest.",
)
WORKER_MAX_INSTANCES = IntParam(
    "WORKER_MAX_INSTANCES",
    default=2,
    description="Most instances of the worker of background requests.",
)
MAX_INSTANCES = IntParam(
    "MAX_INSTANCES",
    default=1,
    description="Most instances of getUserCredits, getGenerationStatus, listGenerationRequests and "
    "listModels, each; functions without a parameter of their own have one.",
)
APP_CHECK = StringParam(
    "APP_CHECK",
    default="off",
    description="required: every call needs a token of Firebase App Check. warn: calls without a "
    "valid one are logged and served. off: tokens are not looked at.",
    input=SelectInput([SelectOption("off"), SelectOption("warn"), SelectOption("required")]),
)
APP_CHECK_REPLAY_PROTECTION = BoolParam(
    "APP_CHECK_REPLAY_PROTECTION",
    default=False,
    description="Whether an App Check token is good for one createGenerationRequest only; asks "
    "Google at each.",
)
# `concurrency` to Cloud Run; functions-framework takes its threads from the variable THREADS.
THREADS = IntParam(
    "THREADS",
    default=80,
    description="Calls that an instance serves at the same time: its concurrency and its threads.",
)
GENERATION_DEADLINE_SECONDS = IntParam(
    "GENERATION_DEADLINE_SECONDS",
    default=45,
    description="Seconds a model may take in a synchronous request before the request is refunded.",
)
ASYNC_DEADLINE_SECONDS = IntParam(
    "ASYNC_DEADLINE_SECONDS",
    default=600,
    description="Seconds without progress after which a background request is refunded.",
)
ASYNC_ATTEMPT_SECONDS = IntParam(
    "ASYNC_ATTEMPT_SECONDS",
    default=120,
    description="Seconds a model may take in one attempt at a background request.",
)
ASYNC_MAX_ATTEMPTS = IntParam(
    "ASYNC_MAX_ATTEMPTS",
    default=3,
    description="Attempts at a background request before it fails and is refunded.",
)
ASYNC_MIN_BACKOFF_SECONDS = IntParam(
    "ASYNC_MIN_BACKOFF_SECONDS",
    default=5,
    description="Seconds the queue waits before it delivers a task again; doubled after each try.",
)
ASYNC_MAX_BACKOFF_SECONDS = IntParam(
    "ASYNC_MAX_BACKOFF_SECONDS",
    default=60,
    description="The longest time, in seconds, that the queue waits between deliveries.",
)
ASYNC_MAX_DELIVERIES = IntParam(
    "ASYNC_MAX_DELIVERIES",
    default=20,
    description="Deliveries of a task. Must exceed the attempts: some find the lease taken.",
)
ASYNC_MAX_CONCURRENT = IntParam(
    "ASYNC_MAX_CONCURRENT",
    default=100,
    description="Background generations that run at the same time, for all users together.",
)
ASYNC_MAX_PER_SECOND = IntParam(
    "ASYNC_MAX_PER_SECOND",
    default=100,
    description="Background generations that start per second, for all users together.",
)
RATE_LIMIT_PER_MINUTE = IntParam(
    "RATE_LIMIT_PER_MINUTE",
    default=60,
    description="Generation requests per user and minute, in bursts of up to as many. 0: no limit.",
)
DAILY_CREDIT_LIMIT = IntParam(
    "DAILY_CREDIT_LIMIT",
    default=0,
    description="Credits a user may spend per day, net of refunds. 0: no limit.",
)
MAX_IN_FLIGHT = IntParam(
    "MAX_IN_FLIGHT",
    default=0,
    description="Background requests a user may have open at the same time. 0: no limit.",
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
TRIAL_ONCE_PER_EMAIL = BoolParam(
    "TRIAL_ONCE_PER_EMAIL",
    default=False,
    description="Whether an e-mail address gets the credits of a new account once, also when the "
    "account is deleted and made again; keeps a keyed hash of the address.",
)
REFUND_GRACE_DAYS = IntParam(
    "REFUND_GRACE_DAYS",
    default=7,
    description="Days that refunded credits last when they would have expired by then.",
)
LOW_BALANCE = IntParam(
    "LOW_BALANCE",
    default=5,
    description="A balance that falls below so many credits is told as credits.low. 0: never.",
)
PUSH_TEXTS = StringParam(
    "PUSH_TEXTS",
    default="{}",
    description="JSON object with titles and texts of push messages to override (docs/events.md).",
)
MOCK_FAILURE_RATE = StringParam(
    "MOCK_FAILURE_RATE",
    default="",
    description="Failure rate of every mock model, from 0 to 1. Empty: the model's own.",
)
IMAGE_BUCKET = StringParam(
    "IMAGE_BUCKET",
    default="",
    description="Cloud Storage bucket for generated images. Empty: the project's default bucket.",
)
GENERATOR_SECRETS = StringParam(
    "GENERATOR_SECRETS",
    default="",
    description="Secrets of image providers and the host each is sent to: NAME:host, NAME:host.",
)
PROMPT_RETENTION_DAYS = IntParam(
    "PROMPT_RETENTION_DAYS",
    default=0,
    description="Days after which the prompt and the source of a request are deleted. 0: never.",
)
IMAGE_RETENTION_DAYS = IntParam(
    "IMAGE_RETENTION_DAYS",
    default=0,
    description="Days after which the image of a request is deleted. 0: never.",
)
MODERATION = StringParam(
    "MODERATION",
    default="none",
    description="Check of prompts before the charge. words: a list in Firestore. openai: OpenAI's "
    "moderation, with the secret OPENAI_API_KEY of GENERATOR_SECRETS.",
    input=SelectInput([SelectOption("none"), SelectOption("words"), SelectOption("openai")]),
)
MODEL_SUSPEND_AFTER = IntParam(
    "MODEL_SUSPEND_AFTER",
    default=3,
    description="Failures in a row, for a wrong key or a used-up quota, after which a model is not "
    "offered for a while. 0: it always is.",
)
MODEL_SUSPEND_SECONDS = IntParam(
    "MODEL_SUSPEND_SECONDS",
    default=300,
    description="Seconds until one order tries a suspended model again; doubled each time, up to "
    "an hour.",
)
CATALOGUE_TTL_SECONDS = IntParam(
    "CATALOGUE_TTL_SECONDS",
    default=60,
    description="Seconds an instance caches the catalogue.",
)
PAYMENTS = StringParam(
    "PAYMENTS",
    default="",
    description="Who sells credits: stripe, revenuecat or both. Empty: nobody.",
    input=SelectInput(
        [
            SelectOption("", "nobody"),
            SelectOption("stripe"),
            SelectOption("revenuecat"),
            SelectOption("both"),
        ]
    ),
)
CHECKOUT_ORIGINS = StringParam(
    "CHECKOUT_ORIGINS",
    default="",
    description="Origins that a checkout or portal may lead back to, such as "
    "https://app.example.com, separated by commas.",
)
ALLOW_SANDBOX = StringParam(
    "ALLOW_SANDBOX",
    default="",
    description="Users whose store purchases in the sandbox give credits, separated by commas: "
    "testers and the stores' reviewers.",
)
STRIPE_API_BASE = StringParam(
    "STRIPE_API_BASE",
    default="https://api.stripe.com",
    description="Where Stripe's API is.",
)
REPORT_TIME_ZONE = StringParam(
    "REPORT_TIME_ZONE",
    default="UTC",
    description="IANA time zone in which days and weeks begin.",
)
REPORT_THRESHOLDS = StringParam(
    "REPORT_THRESHOLDS",
    default="{}",
    description="JSON object with thresholds of the anomaly rules to override (docs/reports.md).",
)
REPORT_DIGEST = BoolParam(
    "REPORT_DIGEST",
    default=False,
    description="Whether to send each report to the webhook in the secret REPORT_WEBHOOK_URL.",
)
# A deploy asks for the value of every declared secret that has none, and fails if it cannot ask.
# So the secret is declared only when it is used.
REPORT_SECRETS = (
    [
        SecretParam(
            "REPORT_WEBHOOK_URL",
            description="https URL that receives a Slack message for each weekly report.",
        )
    ]
    if REPORT_DIGEST.value
    else []
)


def sells_through(provider: str) -> bool:
    """Whether PAYMENTS switches `provider` on: stripe or revenuecat."""
    return PAYMENTS.value in (provider, "both")


# As for the report: declared where they are used. The emulators have none in Secret Manager, and
# would complain at each start; there, the values stand in .env.demo-imagegen.
_DECLARES_SECRETS = os.environ.get("FUNCTIONS_EMULATOR") != "true"
STRIPE_API_SECRETS = (
    [SecretParam("STRIPE_SECRET_KEY", description="Stripe's secret (or restricted) API key.")]
    if sells_through("stripe") and _DECLARES_SECRETS
    else []
)
STRIPE_WEBHOOK_SECRETS = (
    [
        SecretParam(
            "STRIPE_WEBHOOK_SECRET",
            description="Signing secrets of Stripe's webhook, separated by commas.",
        )
    ]
    if STRIPE_API_SECRETS
    else []
)
REVENUECAT_WEBHOOK_SECRETS = (
    [
        SecretParam(
            "REVENUECAT_WEBHOOK_SECRET",
            description="What RevenueCat sends as Authorization, and its signing secret where it "
            "has one, separated by commas.",
        )
    ]
    if sells_through("revenuecat") and _DECLARES_SECRETS
    else []
)


TRIAL_SECRETS = (
    [
        SecretParam(
            "TRIAL_EMAIL_SECRET",
            description="Key of the hashes of e-mail addresses that have had their trial: at least "
            "32 random characters.",
        )
    ]
    if TRIAL_ONCE_PER_EMAIL.value and _DECLARES_SECRETS
    else []
)


def listed(text: str) -> list[str]:
    """The parts of a list that is separated by commas, without the empty ones."""
    return [part.strip() for part in text.split(",") if part.strip()]


def stripe_secret_key() -> str:
    return os.environ.get("STRIPE_SECRET_KEY", "").strip()


def stripe_is_live() -> bool:
    """Whether Stripe's key moves real money; the events of the other mode are not for us."""
    return stripe_secret_key().startswith(("sk_live_", "rk_live_"))


def stripe_webhook_secrets() -> list[str]:
    return listed(os.environ.get("STRIPE_WEBHOOK_SECRET", ""))


def revenuecat_webhook_secrets() -> list[str]:
    return listed(os.environ.get("REVENUECAT_WEBHOOK_SECRET", ""))


def trial_email_secret() -> str:
    return os.environ.get("TRIAL_EMAIL_SECRET", "").strip()


def report_webhook_url() -> str:
    """The URL that reports are sent to; empty when there is none."""
    return os.environ.get("REPORT_WEBHOOK_URL", "").strip()


def generator_secret_hosts() -> dict[str, set[str]]:
    """The secrets in GENERATOR_SECRETS, and for each the hosts (with port) it may be sent to."""
    hosts: dict[str, set[str]] = {}
    for entry in filter(None, map(str.strip, GENERATOR_SECRETS.value.split(","))):
        name, colon, host = entry.partition(":")
        if not (name.isidentifier() and name.isascii() and colon and host):
            raise ValueError(f"GENERATOR_SECRETS: {entry!r} is not NAME:host")
        hosts.setdefault(name, set()).add(host)
    return hosts


def generator_secret(name: str) -> str:
    """The value of a secret that GENERATOR_SECRETS names; empty when it has none."""
    return os.environ.get(name, "").strip()


# Bound to the functions that generate, and to recovery, which has jobs stopped.
GENERATOR_SECRET_PARAMS = [
    SecretParam(name, description=f"Key of an image provider, sent to {', '.join(sorted(hosts))}.")
    for name, hosts in generator_secret_hosts().items()
]
