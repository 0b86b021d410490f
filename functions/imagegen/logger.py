"""Log lines: JSON, one for each event, joined by the trace of the call that they belong to.

Cloud Run marks every request with a trace. A line that names it stands in Cloud Logging beneath the
request's own line, with all others of that call, across our functions and those of Google. The
lines are those of `firebase_functions.logger`, which copies each twice to look for circles.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from flask import has_request_context, request

TRACE_FIELD = "logging.googleapis.com/trace"
# TRACE_ID/SPAN_ID;o=OPTIONS: https://cloud.google.com/trace/docs/trace-context
TRACE_ID = re.compile(r"([0-9a-f]{32})(?:/|$)")


def info(message: str, **fields: Any) -> None:
    """Something happened as it should."""
    write({"severity": "INFO", "message": message, **_trace(), **fields})


def warn(message: str, **fields: Any) -> None:
    """Something was not as it should be, and has been dealt with."""
    write({"severity": "WARNING", "message": message, **_trace(), **fields})


def error(message: str, **fields: Any) -> None:
    """Something that somebody has to look at."""
    write({"severity": "ERROR", "message": message, **_trace(), **fields})


def write(line: Mapping[str, Any]) -> None:
    """Print a line, at once, so that those of other threads do not get in between."""
    file = sys.stderr if line["severity"] == "ERROR" else sys.stdout
    file.write(json.dumps(line) + "\n")


def _trace() -> dict[str, str]:
    """The trace of the call that this thread serves; nothing outside a call, or without one."""
    if not has_request_context():
        return {}
    found = TRACE_ID.match(request.headers.get("X-Cloud-Trace-Context", ""))
    if found is None:
        return {}
    return {TRACE_FIELD: f"projects/{os.environ.get('GCLOUD_PROJECT')}/traces/{found[1]}"}
