"""The functions that Firebase deploys: trigger, options and one call each."""

from typing import Any

from firebase_functions import https_fn, options, scheduler_fn, tasks_fn

from imagegen import config
from imagegen.api import endpoint as web
from imagegen.api.auth import Caller
from imagegen.api.schema import Reply
from imagegen.catalogue import endpoints as catalogue_endpoints
from imagegen.credits import endpoints as credit_endpoints
from imagegen.generation import create as generation
from imagegen.generation import endpoints as generation_endpoints
from imagegen.generation import recovery, worker
from imagegen.generation import request as generation_request

options.set_global_options(
    region="us-central1",
    memory=options.MemoryOption.MB_512,
    cpu=1,
    concurrency=config.CONCURRENCY,
)

# Any origin may call: identity is a bearer token that no browser sends by itself.
GET_OR_POST = options.CorsOptions(cors_origins="*", cors_methods=["GET", "POST"])
POST = options.CorsOptions(cors_origins="*", cors_methods=["POST"])


@https_fn.on_request(
    cors=POST,
    max_instances=100,
    timeout_sec=generation_request.FUNCTION_TIMEOUT_SECONDS,
)
@web.endpoint("POST", accepts=generation_request.CreateGenerationRequest)
def createGenerationRequest(
    order: generation_request.CreateGenerationRequest, caller: Caller
) -> Reply:
    return generation.create(order, caller)


@https_fn.on_request(cors=GET_OR_POST, max_instances=100, timeout_sec=30)
@web.endpoint("GET", "POST", accepts=credit_endpoints.GetUserCredits)
def getUserCredits(
    asked: credit_endpoints.GetUserCredits, caller: Caller
) -> credit_endpoints.UserCredits:
    return credit_endpoints.statement(asked, caller)


@https_fn.on_request(cors=GET_OR_POST, max_instances=100, timeout_sec=30)
@web.endpoint("GET", "POST", accepts=generation_endpoints.NamedRequest)
def getGenerationStatus(asked: generation_endpoints.NamedRequest, caller: Caller) -> Reply:
    return generation_endpoints.status(asked, caller)


@https_fn.on_request(cors=GET_OR_POST, max_instances=100, timeout_sec=30)
@web.endpoint("GET", "POST", accepts=generation_endpoints.ListGenerationRequests)
def listGenerationRequests(
    asked: generation_endpoints.ListGenerationRequests, caller: Caller
) -> generation_endpoints.GenerationRequests:
    return generation_endpoints.listing(asked, caller)


@https_fn.on_request(cors=POST, max_instances=100, timeout_sec=30)
@web.endpoint("POST", accepts=generation_endpoints.NamedRequest)
def cancelGenerationRequest(
    asked: generation_endpoints.NamedRequest, caller: Caller
) -> generation_endpoints.GenerationRequest:
    return generation.cancel(asked, caller)


@https_fn.on_request(cors=GET_OR_POST, max_instances=100, timeout_sec=30)
@web.endpoint("GET", "POST", accepts=catalogue_endpoints.ListModels, public=True)
def listModels(asked: catalogue_endpoints.ListModels, caller: Caller) -> catalogue_endpoints.Offers:
    return catalogue_endpoints.listing(asked, caller)


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
