"""The functions that Firebase deploys: each with its trigger, its options and what it calls."""

from collections.abc import Callable
from typing import Any

from firebase_functions import https_fn, options, scheduler_fn, tasks_fn
from flask import Request, Response

from imagegen import config, parameters
from imagegen.accounts import recovery as account_recovery
from imagegen.accounts.endpoints import delete_account, export_account, merge_account
from imagegen.api.endpoint import declaration_of
from imagegen.api.serve import HttpFunction, scheduled, serve
from imagegen.catalogue.endpoints import list_models, list_products
from imagegen.credits.endpoints import get_user_credits
from imagegen.generation import recovery, worker
from imagegen.generation.endpoints import (
    cancel_generation_request,
    create_generation_request,
    delete_image,
    get_generation_status,
    list_generation_requests,
)
from imagegen.generation.image_reports import report_image
from imagegen.generation.uploads import upload_source
from imagegen.invoker import private
from imagegen.notifications import recovery as notification_recovery
from imagegen.notifications.endpoints import register_device, unregister_device
from imagegen.purchases import webhooks
from imagegen.purchases.endpoints import (
    create_checkout_session,
    create_portal_session,
    list_purchases,
)

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


def cors(*methods: str) -> options.CorsOptions:
    return options.CorsOptions(
        cors_origins="*" if CORS_ORIGINS == ["*"] else CORS_ORIGINS, cors_methods=list(methods)
    )


def http(handler: Callable[..., Any], *, timeout_sec: int = 30, **options_: Any) -> HttpFunction:
    """An HTTP function that serves an endpoint, for everybody to call.

    By default a page of any origin may: identity is a bearer token, which no browser sends by
    itself.
    """
    endpoint = declaration_of(handler)
    function: HttpFunction = https_fn.on_request(
        cors=cors(*endpoint.methods),
        invoker="public",
        timeout_sec=timeout_sec,
        **options_,
    )(serve(endpoint))
    return function


createGenerationRequest = http(
    create_generation_request,
    timeout_sec=parameters.CREATE_TIMEOUT_SECONDS,
    memory=config.GENERATION_MEMORY_MB,
    min_instances=config.MIN_INSTANCES,
    secrets=config.GENERATOR_SECRET_PARAMS,
    max_instances=config.CREATE_MAX_INSTANCES,
)
getUserCredits = http(get_user_credits, max_instances=config.MAX_INSTANCES)
getGenerationStatus = http(get_generation_status, max_instances=config.MAX_INSTANCES)
listGenerationRequests = http(list_generation_requests, max_instances=config.MAX_INSTANCES)
cancelGenerationRequest = http(cancel_generation_request)
deleteImage = http(delete_image)
reportImage = http(report_image)
uploadSource = http(
    upload_source,
    timeout_sec=60,
    memory=config.GENERATION_MEMORY_MB,
    # A photo of 8 MiB takes about 45 MB on its way, so few are sent to an instance at once.
    concurrency=8,
)
listModels = http(list_models, max_instances=config.MAX_INSTANCES)
listProducts = http(list_products)
createCheckoutSession = http(create_checkout_session, secrets=config.STRIPE_API_SECRETS)
createPortalSession = http(create_portal_session, secrets=config.STRIPE_API_SECRETS)
listPurchases = http(list_purchases)
registerDevice = http(register_device)
unregisterDevice = http(unregister_device)
deleteAccount = http(delete_account, timeout_sec=60, secrets=config.STRIPE_API_SECRETS)
exportAccount = http(export_account)
mergeAccount = http(merge_account)


@https_fn.on_request(
    cors=cors("GET", "POST", "PUT", "DELETE"),
    invoker="public",  # the claim of the token is what opens it
    timeout_sec=540,  # a report that is made again, as scheduleWeeklyReport
    secrets=[
        *config.GENERATOR_SECRET_PARAMS,
        *config.STRIPE_API_SECRETS,
        *config.REPORT_SECRETS,
    ],
)
def admin(request: Request) -> Response:
    # Not at the top: what only operators need would cost every function's cold start.
    from imagegen.admin.routes import answer  # noqa: PLC0415

    return answer(request)


# Called by the providers' servers, which prove who they are by signing what they send.
stripeWebhook = https_fn.on_request(
    invoker="public",
    timeout_sec=60,
    secrets=[*config.STRIPE_API_SECRETS, *config.STRIPE_WEBHOOK_SECRETS],
)(webhooks.stripe_webhook())
revenueCatWebhook = https_fn.on_request(
    invoker="public", timeout_sec=60, secrets=config.REVENUECAT_WEBHOOK_SECRETS
)(webhooks.revenuecat_webhook())


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
    worker.process(task.data)


@scheduled({"recoveryStatus": "success"})  # type: ignore[arg-type] # the SDK's type is wrong
@scheduler_fn.on_schedule(schedule="*/5 * * * *", timeout_sec=280, concurrency=1)
def recoverLostGenerations(event: scheduler_fn.ScheduledEvent) -> None:
    """Refund requests that were lost."""
    recovery.recover()


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
    # Not at the top: what calls other servers would cost every function's cold start.
    from imagegen import event_data  # noqa: PLC0415
    from imagegen.notifications import delivery  # noqa: PLC0415

    delivery.deliver(task.data, event_data.of)


@private
@tasks_fn.on_task_dispatched(
    # What fails here is due again after ten minutes: recoverEvents puts it on the queue.
    retry_config=options.RetryConfig(
        max_attempts=3, min_backoff_seconds=60, max_backoff_seconds=60
    ),
    timeout_sec=540,
    concurrency=4,
    secrets=config.STRIPE_API_SECRETS,
)
def processAccount(task: https_fn.CallableRequest[Any]) -> None:
    # Not at the top: no other function deletes or exports accounts.
    from imagegen.accounts import worker as account_worker  # noqa: PLC0415

    account_worker.process(task.data)


@private
@tasks_fn.on_task_dispatched(
    # One that has failed says so; whoever wants another asks for it.
    retry_config=options.RetryConfig(max_attempts=1),
    rate_limits=options.RateLimits(max_concurrent_dispatches=1),
    timeout_sec=1800,
    concurrency=1,
)
def runAudit(task: https_fn.CallableRequest[Any]) -> None:
    # Not at the top: only operators need it.
    from imagegen.audit import runs  # noqa: PLC0415

    runs.run(task.data)


@scheduled({"eventRecoveryStatus": "success"})  # type: ignore[arg-type] # the SDK's type is wrong
@scheduler_fn.on_schedule(schedule="*/5 * * * *", timeout_sec=280, concurrency=1)
def recoverEvents(event: scheduler_fn.ScheduledEvent) -> None:
    """Enqueue the events and the closing accounts that are due; delete expired exports."""
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
    # Not at the top: the report's mathematics would cost every function's cold start a tenth.
    from imagegen.report import weekly  # noqa: PLC0415

    weekly.run(event.schedule_time)
