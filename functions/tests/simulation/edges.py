"""Where imagegen touches the world, and how the simulated world takes the real one's place."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from unittest import mock

from firebase_functions import logger

from imagegen import clock, db, tasks
from imagegen.catalogue import cache, catalogue
from imagegen.catalogue.cache import Cache
from imagegen.catalogue.catalogue import Catalogue
from imagegen.credits import lots
from imagegen.generation import create as generation
from imagegen.generation import recovery, worker
from imagegen.generation import request as generation_request
from imagegen.providers import run as providers
from imagegen.providers.base import GenerationJob, GeneratorError
from simulation.remote import RemoteQueue, RemoteStore
from simulation.world import Process, World


class Painters:
    """The generators: they succeed, fail, hang, or answer after everybody has given up."""

    def __init__(
        self,
        world: World,
        *,
        failure_rate: float,
        hang_rate: float,
        longest_seconds: float,
        max_runs: int,
    ) -> None:
        self._world = world
        self._max_runs = max_runs
        self._failure_rate = failure_rate
        self._hang_rate = hang_rate
        self._longest_seconds = longest_seconds
        self.over = False
        self.runs: dict[str, int] = {}
        self.painted: dict[str, tuple[int, str]] = {}  # url: number of the task, request

    def generate(self, generator: str, job: GenerationJob, *, timeout_seconds: float) -> str:
        world, request_id = self._world, job.generation_request_id
        task, random = world.running(), world.random
        self.runs[request_id] = self.runs.get(request_id, 0) + 1
        if self.runs[request_id] > (self._max_runs if task.kind == "worker" else 1):
            world.accuse(f"{request_id} is generated, time number {self.runs[request_id]}")
        seconds = random.choice((0.01, 1.0, self._longest_seconds)) * random.random()
        if not self.over and random.random() < self._hang_rate:
            seconds = timeout_seconds + 1
        world.note(task, f"generate, for {seconds:.2f} s")
        world.pause(min(seconds, timeout_seconds))
        if seconds >= timeout_seconds:
            raise GeneratorError("GENERATION_TIMEOUT", "late", retryable=True)
        if not self.over and random.random() < self._hang_rate:  # the process stalls, not the model
            world.pause(random.choice((1, 30, 100, 400)))
        if not self.over and random.random() < self._failure_rate:
            raise GeneratorError("BUSY", "busy", retryable=random.random() < 0.7)
        url = f"https://images.test/{request_id}/{task.number}"
        self.painted[url] = (task.number, request_id)
        return url


class ProcessCondition:
    """Takes the place of the condition in a process's catalogue cache."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def wait(self) -> None:
        self._world.wait()

    def notify_all(self) -> None:
        self._world.wake(self._process)


class ProcessCaches:
    """Takes the place of the catalogue's cache: each process has its own."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, max_age_seconds: float) -> Catalogue:
        process = self._world.running().process
        if process.catalogue is None:
            condition: Any = ProcessCondition(self._world, process)
            process.catalogue = Cache(catalogue._load, condition)
        found: Catalogue = process.catalogue.get(max_age_seconds)
        return found


@contextlib.contextmanager
def replaced(
    world: World,
    store: RemoteStore,
    queue: RemoteQueue,
    painters: Painters,
    settings: Mapping[str, str],
) -> Iterator[None]:
    """imagegen, in `world`: its storage, clocks, randomness, queue, generators and log."""
    time = SimpleNamespace(monotonic=lambda: world.seconds, sleep=world.pause)
    identity = SimpleNamespace(
        uuid4=lambda: uuid.UUID(int=world.random.getrandbits(128), version=4)
    )
    replacements: list[tuple[Any, str, Any]] = [
        (db, "connection", lambda: store),
        (db, "time", time),
        (db, "random", world.random),
        (cache, "time", time),
        (catalogue, "_cache", ProcessCaches(world)),
        (clock, "now", world.process_time),
        (generation, "uuid", identity),
        (generation_request, "uuid", identity),
        (worker, "uuid", identity),
        (providers, "run_provider", painters.generate),
        (tasks, "enqueue", queue.enqueue),
        (logger, "write", lambda entry: None),
        (recovery, "PAGE_SIZE", int(settings["page_size"])),
        (recovery, "_map", map),
        (lots, "MAX_FREE_LOTS", int(settings["max_free_lots"])),
    ]
    environment = {name: value for name, value in settings.items() if name.isupper()}
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment))
        for module, name, value in replacements:
            stack.enter_context(mock.patch.object(module, name, value))
        yield
