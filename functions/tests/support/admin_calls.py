"""Calls of the operators' function, and what they leave in the log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore

from imagegen import actions
from support.operators import bearer


@pytest.fixture
def admin(call: Callable[..., Any], client: firestore.Client) -> Callable[..., Any]:
    """Calls the function as an operator, and expects the status `code`, if any; the answer."""

    def request(method: str, path: str, code: int | None = 200, **kwargs: Any) -> Any:
        answer = call("admin", method, path, headers=bearer(), **kwargs)
        assert code in (None, answer.status_code), answer.text
        return answer.get_json()

    return request


def actions_about(client: firestore.Client, path: str) -> list[dict[str, Any]]:
    """What the log says of the document at `path`."""
    found = client.collection(actions.COLLECTION).where(
        filter=firestore.FieldFilter("subject", "==", path)
    )
    return [{"id": each.id, **(each.to_dict() or {})} for each in found.stream()]
