"""The HTTP edge: from an endpoint of the domain to an HTTP function, and from errors to answers.

An HTTP function checks the method and the app, identifies the caller, reads the body, calls the
endpoint and renders its reply; every failure has the one error shape. No exception leaves it: the
answer would reach a browser without CORS headers, which shows there as status 0.
"""

import functools
import json
import time
import traceback
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

from flask import Request, Response

from imagegen import clock, logger
from imagegen.api import app_check, auth, body, headers
from imagegen.api.auth import Caller
from imagegen.api.endpoint import Endpoint
from imagegen.api.schema import Reply, WireModel
from imagegen.errors import ImagegenError, MethodNotAllowed

HEALTH_PATH = "/__/health"  # the platform probes every function there; the body must not run
EXPOSED_HEADERS = ", ".join(header.name for header in headers.EXPOSED)
NOBODY = Caller(uid="")

HttpFunction = Callable[[Request], Response]


def serve(endpoint: Endpoint) -> HttpFunction:
    """The HTTP function of an endpoint.

    A body of the form ``{"data": {…}}`` is the Firebase callable protocol: its fields are those of
    `data`, and the reply is ``{"result": {…}}``.
    """
    name, methods, model, public = (
        endpoint.name,
        endpoint.methods,
        endpoint.request,
        endpoint.public,
    )
    handler = endpoint.handler

    def call(request: Request, line: dict[str, str]) -> Response:
        require_method(request, methods)
        require_app(request, endpoint, line)
        caller = NOBODY if public else auth.identify(request.headers.get("Authorization"))
        sent, is_callable = body.read(request, model, endpoint.binary)
        return success(handler(sent, caller), is_callable=is_callable)

    return answering(name, functools.wraps(handler)(call))


def require_method(request: Request, methods: Collection[str]) -> str:
    """The method of the call, of which HEAD is a GET. Raises MethodNotAllowed."""
    method = "GET" if request.method == "HEAD" else request.method
    if method not in methods:
        allowed = ", ".join((*methods, "OPTIONS"))
        raise MethodNotAllowed(f"Use {allowed}.", headers={"Allow": allowed})
    return method


def require_app(request: Request, endpoint: Endpoint, line: dict[str, str]) -> None:
    """Raises what `app_check.require` raises; the log line gets the verdict."""
    verdict = app_check.judge(request.headers.get(app_check.HEADER), endpoint.app_check)
    if verdict is not None:
        line["appCheck"] = verdict
    app_check.require(verdict)


def answering(name: str, call: Callable[[Request, dict[str, str]], Response]) -> HttpFunction:
    """`call` as the function `name`: its failures have the error shape, and it is logged.

    `call` gets the request and a dict, to which it adds what its log line shows beside the rest.
    """

    @functools.wraps(call)
    def answer(request: Request) -> Response:
        if request.path == HEALTH_PATH:
            return Response("ok", mimetype="text/plain")
        request_id, started = uuid.uuid4().hex, time.perf_counter()
        line: dict[str, str] = {}  # fields of the log line that not every call has
        try:
            with clock.call():
                response = call(request, line)
        except ImagegenError as error:
            response = _failure(error, request_id)
        except Exception as error:  # noqa: BLE001 - a defect: logged in full, shown to no client
            response = _failure(ImagegenError(), request_id, cause=error)
        body.leave_unread(request)
        response.headers["X-Request-Id"] = request_id
        logger.info(
            "call",
            function=name,
            requestId=request_id,
            method=request.method,
            code=response.status_code,
            durationMs=round((time.perf_counter() - started) * 1000),
            **line,
        )
        return response

    answer.__name__ = name  # the name under which Firebase deploys it
    return answer


def scheduled(reply: Mapping[str, str]) -> Callable[[HttpFunction], HttpFunction]:
    """Give a scheduled function an answer: `reply`, or the error shape when it failed.

    It wraps what `on_schedule` makes, because that drops the body's return value, answers a failure
    with the exception's text, and would run the body for the platform's health probe.
    """

    def decorate(function: HttpFunction) -> HttpFunction:
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

        answer.__reply__ = reply  # type: ignore[attr-defined]
        return answer

    return decorate


def success(answer: WireModel | Reply[Any], *, is_callable: bool = False) -> Response:
    """What an endpoint has answered, as the client gets it."""
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    text = reply.body.model_dump_json(by_alias=True)
    # A callable client takes nothing but 200 for a success.
    response = _json(200, f'{{"result":{text}}}') if is_callable else _json(reply.code, text)
    response.headers.update(reply.headers)
    return response


def _failure(error: ImagegenError, request_id: str, *, cause: Exception | None = None) -> Response:
    """The error as the client sees it; a defect shows nothing but its request id."""
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
