"""The last release, which knows no lots: its own code charges and refunds, in a process of its own.

The archive is its package. At the next release it is made again, in the root of the repository:

    git archive --format=zip -o functions/tests/support/release_0_1.zip TAG:functions imagegen \
        ':(exclude)imagegen/report' ':(exclude)imagegen/audit'
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from support.paths import FUNCTIONS

RELEASE = Path(__file__).with_name("release_0_1.zip")
CHARGE = """
import dataclasses, sys
from support.orders import ANYBODY, order
from imagegen import tasks
from imagegen.catalogue import catalogue
from imagegen.generation import create

user_id, price = sys.argv[1], int(sys.argv[2])
offer = catalogue.current()
size = offer.sizes["512x512"].model_copy(update={"credits": price})
offer = dataclasses.replace(offer, sizes={size.name: size})
catalogue.current = lambda: offer
tasks.enqueue = lambda *_, **__: None
reply = create.create(order(user_id, size=size.name, mode="async"), ANYBODY)
print(reply.body.generation_request_id)
"""
FAIL = """
import sys
from imagegen import db
from imagegen.generation.request import RequestDocument
from imagegen.generation.settle import Outcome, settle
from imagegen.providers.base import GeneratorError

(document,) = db.read(db.generation_request(sys.argv[1]))
error = GeneratorError("BUSY", "busy", retryable=True)
print(settle(RequestDocument(document), Outcome.failed(error)).status)
"""


def run(*arguments: str, **environment: str) -> str:
    """What Python prints, when it runs with the package of the last release."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": f"{RELEASE}{os.pathsep}{FUNCTIONS}/tests"} | environment,
        cwd=FUNCTIONS.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def charge(user_id: str, credits: int) -> str:
    """Take the price of a request that stays open; its id."""
    return _last_line(run("-c", CHARGE, user_id, str(credits)))


def fail(request_id: str) -> None:
    """End an open request, and give its price back."""
    assert _last_line(run("-c", FAIL, request_id)) == "failed"


def _last_line(printed: str) -> str:
    return printed.splitlines()[-1]  # above it are the lines of the log
