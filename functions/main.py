"""The functions that Firebase deploys: trigger, options and one call each."""

from typing import Any

from firebase_functions import https_fn, options, scheduler_fn, tasks_fn

from imagegen import (
    config,
    generation,
    offers,
    orders,
    recovery,
    statements,
    views,
    web,
    worker,
)
from imagegen.auth import Caller
from imagegen.wire import Reply

options.set_global_options(region="us-central1", memory=options.MemoryOption.MB_512, cpu=1)

# Any origin may call: identity is a bearer token that no browser sends by itself.
GET_OR_POST = options.CorsOptions(cors_origins="*", cors_methods=["GET", "POST"])
POST = options.CorsOptions(cors_origins="*", cors_methods=["POST"])


@https_fn.on_request(
    cors=POST,
    concurrency=80,
    max_instances=100,
    timeout_sec=orders.FUNCTION_TIMEOUT_SECONDS,
)
@web.endpoint("POST", accepts=orders.CreateGenerationRequest)
def createGenerationRequest(order: orders.CreateGenerationRequest, caller: Caller) -> Reply:
    return generation.create(order, caller)


@https_fn.on_request(cors=GET_OR_POST, concurrency=80, max_instances=100, timeout_sec=30)
@web.endpoint("GET", "POST", accepts=statements.GetUserCredits)
def getUserCredits(asked: statements.GetUserCredits, caller: Caller) -> statements.UserCredits:
    return statements.statement(asked, caller)


@https_fn.on_request(cors=GET_OR_POST, concurrency=80, max_instances=100, timeout_sec=30)
@web.endpoint("GET", "POST", accepts=views.NamedRequest)
def getGenerationStatus(asked: views.NamedRequest, caller: Caller) -> Reply:
    return views.status(asked, caller)


@https_fn.on_request(cors=GET_OR_POST, concurrency=80, max_instances=100, timeout_sec=30)
@web.endpoint("GET", "POST", accepts=views.ListGenerationRequests)
def listGenerationRequests(
    asked: views.ListGenerationRequests, caller: Caller
) -> views.GenerationRequests:
    return views.listing(asked, caller)


@https_fn.on_request(cors=POST, concurrency=80, max_instances=100, timeout_sec=30)
@web.endpoint("POST", accepts=views.NamedRequest)
def cancelGenerationRequest(asked: views.NamedRequest, caller: Caller) -> views.GenerationRequest:
    return generation.cancel(asked, caller)


@https_fn.on_request(cors=GET_OR_POST, concurrency=80, max_instances=100, timeout_sec=30)
@web.endpoint("GET", "POST", accepts=offers.ListModels, public=True)
def listModels(asked: offers.ListModels, caller: Caller) -> offers.Offers:
    return offers.listing(asked, caller)


# Without an invoker of its own, only the service account of Cloud Tasks may call it.
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
    concurrency=80,
    max_instances=100,
    timeout_sec=540,
)
def processGeneration(task: https_fn.CallableRequest[Any]) -> None:
    worker.process(task.data)


@web.scheduled({"recoveryStatus": "success"})  # type: ignore[arg-type] # the SDK's type is wrong
@scheduler_fn.on_schedule(schedule="*/5 * * * *", timeout_sec=280, max_instances=1, concurrency=1)
def recoverLostGenerations(event: scheduler_fn.ScheduledEvent) -> None:
    recovery.recover()


@web.scheduled({"reportStatus": "success"})  # type: ignore[arg-type] # the SDK's type is wrong
@scheduler_fn.on_schedule(
    schedule="0 1 * * 1",
    timezone=config.REPORT_TIME_ZONE,
    timeout_sec=540,
    retry_count=3,
    min_backoff_seconds=60,
    max_instances=1,
    concurrency=1,
    secrets=config.REPORT_SECRETS,
)
def scheduleWeeklyReport(event: scheduler_fn.ScheduledEvent) -> None:
    # Not at the top: the report's mathematics would cost every function's cold start a tenth.
    from imagegen.report import weekly  # noqa: PLC0415

    weekly.run(event.schedule_time)
