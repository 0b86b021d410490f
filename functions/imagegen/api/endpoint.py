"""The HTTP edge: one decorator turns a function of the domain into a function of the API.

Method, identity, body, call, answer; every failure in the one error shape; the headers that all
answers share. Nothing passes it as an exception: that would reach a browser without CORS headers,
which shows there as status 0.
"""

import functools
import json
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Request, Response

from imagegen import logger
from imagegen.api import auth, body
from imagegen.api.auth import Caller
from imagegen.api.body import Body
from imagegen.api.schema import Reply, WireModel
from imagegen.errors import ImagegenError, MethodNotAllowed

HEALTH_PATH = "/__/health"  # the platform probes every function there; the body must not run
EXPOSED_HEADERS = (
    "Idempotency-Replayed, Location, Preference-Applied, RateLimit, RateLimit-Policy, "
    "Retry-After, WWW-Authenticate, X-Request-Id"
)
NOBODY = Caller(uid="")


def endpoint(
    *methods: str, accepts: type[Body], public: bool = False
) -> Callable[[Callable[[Body, Caller], WireModel | Reply]], Callable[[Request], Response]]:
    """Make an HTTP function of a handler that takes a body and a caller and returns its reply.

    The fields of `accepts` come from the JSON body of a POST, from the query string of a GET, and
    from headers. A `public` function asks nobody who they are. A body of the form
    ``{"data": {…}}`` is the Firebase callable protocol: its fields are those of `data`, and the
    reply is ``{"result": {…}}``.
    """

    def decorate(
        handler: Callable[[Body, Caller], WireModel | Reply],
    ) -> Callable[[Request], Response]:
        def call(request: Request) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            if method not in methods:
                allowed = ", ".join((*methods, "OPTIONS"))
                raise MethodNotAllowed(f"Use {allowed}.", headers={"Allow": allowed})
            caller = NOBODY if public else auth.identify(request.headers.get("Authorization"))
            sent, is_callable = body.read(request, accepts)
            reply = handler(sent, caller)
            return _success(reply if isinstance(reply, Reply) else Reply(reply), is_callable)

        @functools.wraps(handler)
        def answer(request: Request) -> Response:
            if request.path == HEALTH_PATH:
                return Response("ok", mimetype="text/plain")
            request_id, started = uuid.uuid4().hex, time.perf_counter()
            try:
                response = call(request)
            except ImagegenError as error:
                response = _failure(error, request_id)
            except Exception as error:  # noqa: BLE001 - a defect: logged in full, told to nobody
                response = _failure(ImagegenError(), request_id, cause=error)
            response.headers["X-Request-Id"] = request_id
            logger.info(
                "call",
                function=handler.__name__,
                requestId=request_id,
                method=request.method,
                code=response.status_code,
                durationMs=round((time.perf_counter() - started) * 1000),
            )
            return response

        return answer

    return decorate


def scheduled(
    reply: Mapping[str, Any],
) -> Callable[[Callable[[Request], Response]], Callable[[Request], Response]]:
    """Give a scheduled function an answer: `reply`, or the error shape when it failed.

    It wraps what `on_schedule` makes, because that drops the body's return value, answers a failure
    with the exception's text, and would run the body for the platform's health probe.
    """

    def decorate(function: Callable[[Request], Response]) -> Callable[[Request], Response]:
        @functools.wraps(function)
        def answer(request: Request) -> Response:
            if request.path == HEALTH_PATH:
                return Response("ok", mimetype="text/plain")
            request_id = uuid.uuid4().hex
            if function(request).status_code == 200:
                response = _json(200, _compact(reply))
            else:
                response = _failure(ImagegenError("The run failed; its log says why."), request_id)
            response.headers["X-Request-Id"] = request_id
            return response

        return answer

    return decorate


def _success(reply: Reply, is_callable: bool) -> Response:
    text = reply.body.model_dump_json(by_alias=True)
    # A callable client takes nothing but 200 for a success.
    response = _json(200, f'{{"result":{text}}}') if is_callable else _json(reply.code, text)
    response.headers.update(reply.headers)
    return response


def _failure(error: ImagegenError, request_id: str, *, cause: Exception | None = None) -> Response:
    """The error as the client sees it; a defect shows its request id and nothing else."""
    details = {"reason": error.reason, **error.details}
    if error.status == "INTERNAL":
        logger.error(
            "defect",
            requestId=request_id,
            error="".join(traceback.format_exception(cause or error)),
        )
        details = {"reason": error.reason, "requestId": request_id}
        message = ImagegenError.message
    else:
        message = error.message
    shown = {"code": error.code, "status": error.status, "message": message, "details": details}
    response = _json(error.code, _compact({"error": shown}))
    response.headers.update(error.headers)
    return response


def _compact(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"))


def _json(code: int, text: str) -> Response:
    response = Response(text, status=code, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    return response
