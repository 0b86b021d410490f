"""Orders that are valid unless a test changes them, and a caller who may do anything."""

from datetime import UTC, datetime
from typing import Any

from imagegen.api.auth import Caller

try:
    from imagegen.generation.orders import CreateGenerationRequest
except ModuleNotFoundError:  # in the last release, whose code `earlier_release` runs
    from imagegen.generation.request import (  # type: ignore[attr-defined, no-redef]
        CreateGenerationRequest,
    )

ANYBODY = Caller(uid=None)


def order(user_id: str, **changes: Any) -> CreateGenerationRequest:
    """A valid order: one credit, a model that never fails."""
    return CreateGenerationRequest.model_validate(order_body(user_id, **changes))


def order_body(user_id: str, **changes: Any) -> dict[str, Any]:
    """The same as it is sent."""
    return {
        "userId": user_id,
        "model": "Sure Model",
        "style": "anime",
        "color": "neon",
        "size": "512x512",
        "prompt": "a lighthouse at dusk",
    } | changes


def now() -> datetime:
    return datetime.now(UTC)
