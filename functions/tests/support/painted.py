"""A model whose images the core stores."""

import pytest

from imagegen.providers import registry
from imagegen.providers.base import GeneratedImage, GenerationJob
from support.images import image


class Painter:
    """Makes an image that the core stores."""

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        return GeneratedImage(data=image(512, 512), mime_type="image/png")


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the mock models make such images."""
    monkeypatch.setitem(registry.GENERATORS, "mock", Painter())
