"""The providers: they succeed, fail, hang, and answer after everybody has given up."""

from __future__ import annotations

from typing import Any

from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError
from simulation.bucket import Bucket
from simulation.plan import Plan
from simulation.world import Task, World

# What a provider may say that is no text that Firestore takes, or far too much of it.
STRANGE: tuple[Any, ...] = ("\ud800 busy", "x" * 5000, 7, None, b"\xff")


class Painters:
    """Takes the place of the registered provider; runs in the thread that the core starts for it.

    Half of the images are URLs and half of them bytes, which the core uploads.
    """

    def __init__(self, world: World, plan: Plan, bucket: Bucket) -> None:
        self._world = world
        self._plan = plan
        self._bucket = bucket
        self._max_runs = int(plan.settings["ASYNC_MAX_ATTEMPTS"])
        self._runs: dict[str, int] = {}
        self._painted: dict[str | bytes, tuple[Task, str]] = {}  # image: the call, its request
        self.over = False

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        world, request_id = self._world, job.generation_request_id
        call, random = world.running().call, world.random
        self._runs[request_id] = self._runs.get(request_id, 0) + 1
        if self._runs[request_id] > (self._max_runs if call.kind == "worker" else 1):
            world.accuse(f"{request_id} is generated, time number {self._runs[request_id]}")
        seconds = random.choice((0.01, 1.0, self._plan.painting_seconds)) * random.random()
        if self._sometimes(self._plan.hang_rate):
            past = random.choice((-0.2, -0.01, 0.01, 1, 30, 200)) * random.random()
            seconds = deadline - world.seconds + past
        world.note(world.running(), f"generate, for {seconds:.2f} s")
        world.pause(max(0.0, seconds))
        if self._sometimes(self._plan.failure_rate):
            raise self._failure()
        return self._image(call, request_id)

    def painting(self, url: str) -> tuple[Task, str] | None:
        """The call that had the image behind `url` made, and its request; None if there is none."""
        data = self._bucket.served_at(url)
        return self._painted.get(url if data is None else data)

    def _sometimes(self, rate: float) -> bool:
        return not self.over and self._world.random.random() < rate

    def _failure(self) -> GeneratorError:
        random = self._world.random
        message = "busy" if random.random() < 0.8 else random.choice(STRANGE)
        retry_after = random.choice((None, None, 3.0, 90.0))
        is_retryable = random.random() < 0.7
        return GeneratorError("BUSY", message, retryable=is_retryable, retry_after=retry_after)

    def _image(self, call: Task, request_id: str) -> GeneratedImage:
        random = self._world.random
        if self._sometimes(0.02):
            return GeneratedImage(url=random.choice(STRANGE[:3]))
        return self.picture(call, request_id)

    def picture(self, call: Task, request_id: str) -> GeneratedImage:
        """An image of the request, made for the call."""
        if self._world.random.random() < 0.5:
            data = f"the image of {request_id} by {call.number}".encode()
            self._painted[data] = (call, request_id)
            return GeneratedImage(data=data, mime_type="image/png")
        url = f"https://images.test/{request_id}/{call.number}"
        self._painted[url] = (call, request_id)
        return GeneratedImage(url=url)
