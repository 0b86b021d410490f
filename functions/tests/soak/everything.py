"""All functions of main.py behind one server, each at its name: fewer processes to kill."""

from __future__ import annotations

from typing import Any

from flask import Request

import main


def everything(request: Request) -> Any:
    """Answer as the function does that the path names."""
    return getattr(main, request.path.strip("/"))(request)
