"""What the document of a generation request tells."""

from typing import Any

import pytest

from imagegen.firestore.store import Document
from imagegen.generation.request import RequestDocument

STORED = {"path": "generations/r/a.png"}


@pytest.mark.parametrize(
    ("fields", "may"),
    [
        ({"status": "completed", "attempts": 1, "image": STORED}, True),
        ({"status": "completed", "attempts": 1, "imageUrl": "https://example.com/a.png"}, False),
        ({"status": "completed", "attempts": 2, "imageUrl": "https://example.com/a.png"}, True),
        ({"status": "completed", "image": "malformed"}, True),
        ({"status": "failed", "attempts": 1}, True),
        ({"status": "malformed"}, True),
        ({"status": "completed"}, False),
    ],
)
def test_every_attempt_but_one_that_brought_an_image_from_elsewhere_may_have_stored_one(
    fields: dict[str, Any], may: bool
) -> None:
    assert RequestDocument(Document("generationRequests/r", fields)).may_have_images is may
