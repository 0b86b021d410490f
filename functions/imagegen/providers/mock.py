"""A provider that draws nothing: it waits, may fail, and answers with the model's placeholder."""

import random
import time
from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from imagegen import config
from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError


class MockSettings(BaseModel):
    """What a mock model's catalogue document says."""

    model_config = ConfigDict(alias_generator=to_camel)

    image_url: str
    failure_rate: Annotated[float, Field(ge=0, le=1)] = 0.05
    latency_seconds: Annotated[float, Field(ge=0)] = 0.0


class MockProvider:
    """Fails with the probability `failureRate`, which MOCK_FAILURE_RATE overrides.

    `draw` gives numbers in [0, 1): a generation fails when its number is below the rate.
    """

    Settings = MockSettings

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        settings = MockSettings.model_validate(job.settings)
        override = config.MOCK_FAILURE_RATE.value
        failure_rate = float(override) if override else settings.failure_rate
        time.sleep(max(0.0, min(settings.latency_seconds, deadline - time.monotonic())))
        if self._draw() < failure_rate:
            raise GeneratorError("MOCK_FAILURE", f"{job.model} failed on purpose.", retryable=True)
        return GeneratedImage(url=settings.image_url)
