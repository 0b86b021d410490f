"""The functions that Firebase deploys: trigger, options and one call each."""

from firebase_functions import https_fn, options, scheduler_fn

from imagegen import config, credits, generation, web
from imagegen.auth import Caller
from imagegen.report import weekly

options.set_global_options(region="us-central1", memory=options.MemoryOption.MB_512, cpu=1)

# Any origin may call: identity is a bearer token that no browser sends by itself.
GET_OR_POST = options.CorsOptions(cors_origins="*", cors_methods=["GET", "POST"])
POST = options.CorsOptions(cors_origins="*", cors_methods=["POST"])


@https_fn.on_request(
    cors=POST,
    concurrency=80,
    max_instances=100,
    timeout_sec=generation.FUNCTION_TIMEOUT_SECONDS,
)
@web.endpoint("POST", accepts=generation.CreateGenerationRequest)
def createGenerationRequest(
    order: generation.CreateGenerationRequest, caller: Caller
) -> generation.Generation:
    return generation.create(order, caller)


@https_fn.on_request(cors=GET_OR_POST, concurrency=80, max_instances=100, timeout_sec=30)
@web.endpoint("GET", "POST", accepts=credits.GetUserCredits)
def getUserCredits(asked: credits.GetUserCredits, caller: Caller) -> credits.UserCredits:
    return credits.statement(asked, caller)


@web.scheduled({"reportStatus": "success"})  # type: ignore[arg-type] # the SDK's type is wrong
@scheduler_fn.on_schedule(
    schedule="0 1 * * 1",
    timezone=config.REPORT_TIME_ZONE,
    timeout_sec=540,
    retry_count=3,
    min_backoff_seconds=60,
    max_instances=1,
    concurrency=1,
)
def scheduleWeeklyReport(event: scheduler_fn.ScheduledEvent) -> None:
    weekly.run(event.schedule_time)
