"""Log lines: JSON, one for each event, joined by the trace of the call that they belong to.

Cloud Run marks every request with a trace. A line that names it stands in Cloud Logging beneath the
request's own line, with all others of that call, across our functions and those of Google.
"""

import os
import re
from typing import Any

from firebase_functions import logger
from flask import has_request_context, request

TRACE_FIELD = "logging.googleapis.com/trace"
# TRACE_ID/SPAN_ID;o=OPTIONS: https://cloud.google.com/trace/docs/trace-context
TRACE_ID = re.compile(r"([0-9a-f]{32})(?:/|$)")


def info(message: str, **fields: Any) -> None:
    """Something happened as it should."""
    logger.info(message, **_trace(), **fields)


def warn(message: str, **fields: Any) -> None:
    """Something was not as it should be, and has been dealt with."""
    logger.warn(message, **_trace(), **fields)


def error(message: str, **fields: Any) -> None:
    """Something that somebody has to look at."""
    logger.error(message, **_trace(), **fields)


def _trace() -> dict[str, str]:
    """The trace of the call that this thread serves; nothing outside a call, or without one."""
    if not has_request_context():
        return {}
    found = TRACE_ID.match(request.headers.get("X-Cloud-Trace-Context", ""))
    if found is None:
        return {}
    return {TRACE_FIELD: f"projects/{os.environ.get('GCLOUD_PROJECT')}/traces/{found[1]}"}
