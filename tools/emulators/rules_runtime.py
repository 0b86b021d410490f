#!/usr/bin/env python3
"""The rules runtime of the Storage emulator, for rules that deny everything.

The Storage emulator is part of firebase-tools, and only what decides about Security Rules is a
download: a jar, which it talks to in lines of JSON. Ours deny every client everything, and for such
rules this program gives the same answers. Rules that allow anything are refused, with a sentence
that says how to get the jar.
"""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import Any

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
ALLOW = re.compile(r"\ballow\b(?P<condition>[^;]*);")
DENIED = re.compile(r"[^:]*:\s*if\s+false\s*")
NEEDS_JAR = (
    "storage.rules allows something, which only the real rules runtime can decide: run "
    "`firebase setup:emulators:storage` and start again"
)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # how firebase-tools ends it
    send({"id": -1, "status": "ok", "action": "started"})
    for line in sys.stdin:
        request = json.loads(line)
        send({"id": request["id"], "status": "ok", **answer(request)})


def answer(request: dict[str, Any]) -> dict[str, Any]:
    if request["action"] == "load_ruleset":
        files = request["context"]["source"]["files"]
        problems = [] if all(denies_all(each["content"]) for each in files) else [NEEDS_JAR]
        return {"result": {"rulesVersion": 2}, "errors": problems, "warnings": []}
    return {"result": {"permit": False}, "errors": [], "warnings": []}


def denies_all(rules: str) -> bool:
    """Whether every `allow` in these rules has the condition `if false`."""
    statements = ALLOW.finditer(COMMENT.sub("", rules))
    return all(DENIED.fullmatch(each["condition"]) for each in statements)


def send(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
