"""The functions that Firebase deploys: each with its trigger, its options and what it calls."""

from typing import Any

from firebase_functions import https_fn, options, scheduler_fn, tasks_fn
from flask import Request, Response

from imagegen import config, parameters
from imagegen.api.deferred import serve_from
from imagegen.api.serve import HttpFunction, scheduled
from imagegen.invoker import private

parameters.validate()  # a deploy or an instance with a wrong parameter ends here, and names it

options.set_global_options(
    # The SDK takes these as plain values; firebase-tools gives functions/.env to this import.
    region=config.REGION.value,
    service_account=config.SERVICE_ACCOUNT.value or None,
    cpu=config.CPU.value,
    memory=config.MEMORY_MB,
    concurrency=config.THREADS,
    max_instances=1,
)
CORS_ORIGINS = config.CORS_ORIGINS.value.split(",")
ACCOUNTS_AT_ONCE = 4  # in its one instance; what the queue sent beyond that would be refused


def cors(*methods: str) -> options.CorsOptions:
    return options.CorsOptions(
        cors_origins="*" if CORS_ORIGINS == ["*"] else CORS_ORIGINS, cors_methods=list(methods)
    )


def http(endpoint: str, *, timeout_sec: int = 30, **options_: Any) -> HttpFunction:
    """An HTTP function that serves `endpoint`, for everybody to call.

    By default a page of any origin may: identity is a bearer token, which no browser sends by
    itself.
    """
    function: HttpFunction = https_fn.on_request(
        cors=cors("GET", "POST"),
        invoker="public",
        timeout_sec=timeout_sec,
        **options_,
    )(serve_from(f"imagegen.{endpoint}"))
    return function


createGenerationRequest = http(
    "generation.endpoints:create_generation_request",
    timeout_sec=parameters.CREATE_TIMEOUT_SECONDS,
    memory=config.GENERATION_MEMORY_MB,
    min_instances=config.MIN_INSTANCES,
    secrets=[*config.GENERATOR_SECRET_PARAMS, *config.TRIAL_SECRETS],
    max_instances=config.CREATE_MAX_INSTANCES,
)
getUserCredits = http(
    "credits.endpoints:get_user_credits",
    secrets=config.TRIAL_SECRETS,
    max_instances=config.MAX_INSTANCES,
)
getGenerationStatus = http(
    "generation.endpoints:get_generation_status", max_instances=config.MAX_INSTANCES
)
listGenerationRequests = http(
    "generation.endpoints:list_generation_requests", max_instances=config.MAX_INSTANCES
)
cancelGenerationRequest = http("generation.endpoints:cancel_generation_request")
deleteImage = http("generation.endpoints:delete_image")
reportImage = http("generation.image_reports:report_image")
uploadSource = http(
    "generation.uploads:upload_source",
    timeout_sec=60,
    memory=config.GENERATION_MEMORY_MB,
    # A photo of 8 MiB takes about 45 MB on its way, so few are sent to an instance at once.
    concurrency=8,
)
listModels = http("catalogue.endpoints:list_models", max_instances=config.MAX_INSTANCES)
listProducts = http("catalogue.endpoints:list_products")
createCheckoutSession = http(
    "purchases.endpoints:create_checkout_session", secrets=config.STRIPE_API_SECRETS
)
createPortalSession = http(
    "purchases.endpoints:create_portal_session", secrets=config.STRIPE_API_SECRETS
)
listPurchases = http("purchases.endpoints:list_purchases")
registerDevice = http("notifications.endpoints:register_device")
unregisterDevice = http("notifications.endpoints:unregister_device")
deleteAccount = http(
    "accounts.endpoints:delete_account", timeout_sec=60, secrets=config.STRIPE_API_SECRETS
)
exportAccount = http("accounts.endpoints:export_account")
mergeAccount = http("accounts.endpoints:merge_account")


@https_fn.on_request(
    cors=cors("GET", "POST", "PUT", "DELETE"),
    invoker="public",  # the claim of the token is what opens it
    timeout_sec=540,  # a report that is made again, as scheduleWeeklyReport
    secrets=[
        *config.GENERATOR_SECRET_PARAMS,
        *config.STRIPE_API_SECRETS,
        *config.REPORT_SECRETS,
        *config.TRIAL_SECRETS,
    ],
)
def admin(request: Request) -> Response:
    from imagegen.admin.routes import answer

    return answer(request)


# Called by the providers' servers, which prove who they are by signing what they send.
@https_fn.on_request(
    invoker="public",
    timeout_sec=60,
    secrets=[*config.STRIPE_API_SECRETS, *config.STRIPE_WEBHOOK_SECRETS],
)
def stripeWebhook(request: Request) -> Response:
    from imagegen.purchases import webhooks

    return webhooks.stripe_webhook(request)


@https_fn.on_request(invoker="public", timeout_sec=60, secrets=config.REVENUECAT_WEBHOOK_SECRETS)
def revenueCatWebhook(request: Request) -> Response:
    from imagegen.purchases import webhooks

    return webhooks.revenuecat_webhook(request)


@private
@tasks_fn.on_task_dispatched(
    retry_config=options.RetryConfig(
        max_attempts=config.ASYNC_MAX_DELIVERIES,
        min_backoff_seconds=config.ASYNC_MIN_BACKOFF_SECONDS,
        max_backoff_seconds=config.ASYNC_MAX_BACKOFF_SECONDS,
    ),
    rate_limits=options.RateLimits(
        max_concurrent_dispatches=config.ASYNC_MAX_CONCURRENT,
        max_dispatches_per_second=config.ASYNC_MAX_PER_SECOND,
    ),
    memory=config.GENERATION_MEMORY_MB,
    max_instances=config.WORKER_MAX_INSTANCES,
    secrets=config.GENERATOR_SECRET_PARAMS,
    timeout_sec=parameters.WORKER_TIMEOUT_SECONDS,
)
def processGeneration(task: https_fn.CallableRequest[Any]) -> None:
    from imagegen.generation import worker

    worker.process(task.data)


@scheduled({"recoveryStatus": "success"})  # type: ignore[arg-type] # the SDK's type is wrong
@scheduler_fn.on_schedule(
    schedule="*/5 * * * *",
    timeout_sec=280,
    concurrency=1,
    secrets=config.GENERATOR_SECRET_PARAMS,  # it cancels the vendors' jobs of lost requests
)
def recoverLostGenerations(event: scheduler_fn.ScheduledEvent) -> None:
    """Refund requests that were lost."""
    from imagegen.generation import recovery

    recovery.recover()


@scheduled({"cleanupStatus": "success"})  # type: ignore[arg-type] # the SDK's type is wrong
@scheduler_fn.on_schedule(schedule="17 * * * *", timeout_sec=540, concurrency=1)
def deleteExpiredData(event: scheduler_fn.ScheduledEvent) -> None:
    """Delete prompts, images, uploads and exports for their age."""
    from imagegen import cleanup

    cleanup.run()


@private
@tasks_fn.on_task_dispatched(
    # What fails here is due again by its own schedule: recoverEvents puts it on the queue.
    retry_config=options.RetryConfig(
        max_attempts=3, min_backoff_seconds=60, max_backoff_seconds=60
    ),
    rate_limits=options.RateLimits(max_concurrent_dispatches=config.THREADS),
    timeout_sec=120,
)
def deliverEvent(task: https_fn.CallableRequest[Any]) -> None:
    from imagegen import event_data
    from imagegen.notifications import delivery

    delivery.deliver(task.data, event_data.of)


@private
@tasks_fn.on_task_dispatched(
    # One that has failed says so; whoever wants another asks for it.
    retry_config=options.RetryConfig(max_attempts=1),
    rate_limits=options.RateLimits(max_concurrent_dispatches=1),
    timeout_sec=parameters.AUDIT_TIMEOUT_SECONDS,
    concurrency=1,
)
def runAudit(task: https_fn.CallableRequest[Any]) -> None:
    from imagegen.audit import runs

    runs.run(task.data)


@private
@tasks_fn.on_task_dispatched(
    # What fails here is due again after ten minutes: recoverEvents puts it on the queue.
    retry_config=options.RetryConfig(
        max_attempts=3, min_backoff_seconds=60, max_backoff_seconds=60
    ),
    rate_limits=options.RateLimits(max_concurrent_dispatches=ACCOUNTS_AT_ONCE),
    timeout_sec=540,
    concurrency=ACCOUNTS_AT_ONCE,
    secrets=config.STRIPE_API_SECRETS,
)
def processAccount(task: https_fn.CallableRequest[Any]) -> None:
    from imagegen.accounts import worker

    worker.process(task.data)


@scheduled({"eventRecoveryStatus": "success"})  # type: ignore[arg-type] # the SDK's type is wrong
@scheduler_fn.on_schedule(schedule="*/5 * * * *", timeout_sec=280, concurrency=1)
def recoverEvents(event: scheduler_fn.ScheduledEvent) -> None:
    """Enqueue the events and the closing accounts that are due."""
    from imagegen.accounts import recovery as account_recovery
    from imagegen.notifications import recovery as notification_recovery

    try:
        notification_recovery.recover()
    finally:
        account_recovery.recover()


@scheduled({"reportStatus": "success"})  # type: ignore[arg-type] # the SDK's type is wrong
@scheduler_fn.on_schedule(
    schedule="0 1 * * 1",
    timezone=config.REPORT_TIME_ZONE,
    timeout_sec=540,
    retry_count=3,
    min_backoff_seconds=60,
    concurrency=1,
    secrets=config.REPORT_SECRETS,
)
def scheduleWeeklyReport(event: scheduler_fn.ScheduledEvent) -> None:
    """Make the report of last week."""
    from imagegen.report import weekly

    weekly.run(event.schedule_time)
