"""Who may call a task queue function."""

from collections.abc import Callable
from typing import Any, TypeVar

from imagegen import config

Function = TypeVar("Function", bound=Callable[..., Any])


def private(function: Function) -> Function:
    """Let only the functions' own service account call `function`, a task queue function.

    The queue calls as the account that put the task on it. Without an account of their own,
    nobody is named: then the platform's default account calls, if its roles let it.
    firebase-functions 0.6.0 takes an `invoker` for a task queue function and drops it, so it is
    written into what the SDK hands to firebase-tools.
    """
    account = config.SERVICE_ACCOUNT.value
    trigger = function.__firebase_endpoint__.taskQueueTrigger  # type: ignore[attr-defined]
    trigger["invoker"] = [account] if account else ["private"]
    return function
