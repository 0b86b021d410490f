"""What is in the file of an export, and what two deliveries of its task at once leave."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from support import shop as support
from support.leaving import Queue
from support.shop import Shop

from imagegen.accounts import export, worker
from imagegen.providers import bucket

shop = pytest.fixture(support.shop)


def test_two_deliveries_at_once_leave_a_link_that_works(
    shop: Shop, account_queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens: dict[str, str] = {}  # of each object; a link with another one is refused

    def write_text(path: str, parts: Iterable[str], *_: Any, token: str, **__: Any) -> str:
        is_first = not tokens
        assert "".join(parts)
        tokens[path] = token
        if is_first:
            worker.process(task)
        return f"{path} {token}"

    monkeypatch.setattr(bucket, "write_text", write_text)
    export.export("ann")
    (task,) = account_queue.tasks
    worker.process(task)
    path, token = str(export.export("ann").url).split()
    assert tokens[path] == token


def test_a_file_does_not_name_who_works_for_the_app(shop: Shop) -> None:
    report = {"userId": "ann", "reason": "hate", "reporterId": "op1", "resolvedBy": "op2"}
    shop.store.put("imageReports/r1", report)
    text = "".join(export._json("ann"))
    assert json.loads(text)["imageReports"] == [{"id": "r1", "userId": "ann", "reason": "hate"}]
