"""Where imagegen touches the world, and how the simulated world takes the real one's place."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from firebase_admin import functions
from stripe_stub import objects as stripe_objects
from stripe_stub import world as stripe_stub

from imagegen import actions, clock, config, db, deadline, firebase, logger, tasks
from imagegen.accounts import export as account_export
from imagegen.accounts import images as account_images
from imagegen.accounts import moving
from imagegen.accounts import worker as account_worker
from imagegen.catalogue import cache, catalogue, products, suspension
from imagegen.catalogue.cache import Cache
from imagegen.credits import closures, lots
from imagegen.generation import create as generation
from imagegen.generation import generate, orders, recovery, worker
from imagegen.notifications import delivery, event, outbox, push, sender
from imagegen.notifications import recovery as event_recovery
from imagegen.providers import attempt, bucket, images, jobs, photos, registry, storage
from imagegen.providers import run as providers
from imagegen.purchases import booking, checkout, stripe_api, webhooks
from simulation.bucket import Bucket, picture
from simulation.consumers import Consumers
from simulation.painters import Painters
from simulation.post import SECRETS
from simulation.remote import RemoteStore
from simulation.remote_queue import RemoteQueue
from simulation.shopping import APP
from simulation.store_world import TESTER
from simulation.stripe_world import StripeWorld
from simulation.threads import Threads
from simulation.users import Users
from simulation.vendors import Vendors
from simulation.world import Process, World

CACHED = (catalogue, outbox, products)
SHOP = {
    "PAYMENTS": "both",
    "STRIPE_API_BASE": "https://api.stripe.com",
    "STRIPE_SECRET_KEY": "sk_test_x",
    "STRIPE_WEBHOOK_SECRET": ",".join(SECRETS),
    "REVENUECAT_WEBHOOK_SECRET": ",".join(SECRETS),
    "CHECKOUT_ORIGINS": APP,
    "ALLOW_SANDBOX": TESTER,
}


class ProcessCondition:
    """Takes the place of the condition in a process's cache."""

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
    """Takes the place of the cache of a module: each process has its own."""

    def __init__(self, world: World, module: ModuleType) -> None:
        self._world = world
        self._module = module

    def get(self, max_age_seconds: float) -> Any:
        process = self._world.running().process
        condition: Any = ProcessCondition(self._world, process)
        made = Cache(self._module._load, condition)
        return process.caches.setdefault(self._module.__name__, made).get(max_age_seconds)

    def clear(self) -> None:
        cached = self._world.running().process.caches.get(self._module.__name__)
        if cached is not None:
            cached.clear()


class ProcessThreads:
    """Takes the place of a limit on threads: each process has its own."""

    def __init__(self, world: World, purpose: str) -> None:
        self._world = world
        self._purpose = purpose

    @property
    def is_full(self) -> bool:
        return self._of_process().is_full

    def call(self, function: Callable[[], Any], *, seconds: float, name: str) -> Any:
        return self._of_process().call(function, seconds=seconds, name=name)

    def _of_process(self) -> deadline.Threads:
        made = deadline.Threads(lambda: 2 * config.THREADS.value)
        of_process: dict[str, deadline.Threads] = self._world.running().process.threads
        return of_process.setdefault(self._purpose, made)


@contextlib.contextmanager
def replaced(
    world: World,
    store: RemoteStore,
    queue: RemoteQueue,
    objects: Bucket,
    painters: Painters,
    vendors: Vendors,
    threads: Threads,
    consumers: Consumers,
    users: Users,
    stripe: StripeWorld,
    settings: Mapping[str, str],
) -> Iterator[None]:
    """imagegen, in `world`: its storage, clocks, randomness, threads, queue, providers and log."""
    time = SimpleNamespace(monotonic=lambda: world.seconds, sleep=world.pause)
    identity = SimpleNamespace(
        uuid4=lambda: uuid.UUID(int=world.random.getrandbits(128), version=4)
    )
    replacements: list[tuple[Any, str, Any]] = [
        (db, "connection", lambda: store),
        (db, "time", time),
        (db, "random", world.random),
        (cache, "time", time),
        *(
            (module, "_cache", ProcessCaches(world, module))
            for module in (catalogue, outbox, products)
        ),
        (clock, "now", world.process_time),
        (generation, "uuid", identity),
        (orders, "uuid", identity),
        (worker, "uuid", identity),
        (deadline, "Pool", lambda: threads),
        (deadline, "SimpleQueue", threads.mailbox),
        (providers, "threads", ProcessThreads(world, "provider")),
        (tasks, "threads", ProcessThreads(world, "queue")),
        *((module, "time", time) for module in (providers, attempt, bucket, storage, photos)),
        *((module, "time", time) for module in (jobs, generate)),
        (suspension, "_in_a_row", Counter()),
        (storage, "threading", SimpleNamespace(Thread=threads.thread)),
        (images, "prepare", picture),
        *((module, "uuid", identity) for module in (attempt, outbox, delivery, actions)),
        (delivery, "time", time),
        (delivery, "_map", map),
        (sender, "outbound", SimpleNamespace(request=consumers.request)),
        (push, "_send", consumers.push),
        (event, "random", world.random),
        (event_recovery, "PAGE_SIZE", int(settings["page_size"])),
        (closures, "uuid", identity),
        *((module, "time", time) for module in (account_images, account_worker, account_export)),
        (account_worker, "auth", users),
        (account_worker, "RUN_SECONDS", 0.05),
        (moving, "PAGE_SIZE", int(settings["page_size"])),
        (account_images, "PAGE_SIZE", int(settings["page_size"])),
        (account_images, "_map", map),
        (bucket, "_client", lambda *_: objects),
        (firebase, "app", lambda: None),
        (functions, "task_queue", lambda name, app: queue),
        (logger, "write", world.log.append),
        (recovery, "PAGE_SIZE", int(settings["page_size"])),
        (recovery, "_map", map),
        (recovery, "time", time),
        (lots, "MAX_FREE_LOTS", int(settings["max_free_lots"])),
        (webhooks, "time", SimpleNamespace(time=lambda: world.process_time().timestamp())),
        (firebase, "auth", users),
        (checkout, "uuid", identity),
        (stripe_api, "_client", lambda: stripe),
        (stripe_api, "time", time),
        (booking, "PERIOD_MARGIN", stripe.period_margin),
        (stripe_objects, "now", lambda: int(world.moment().timestamp())),
        (stripe_objects, "new_id", lambda prefix: f"{prefix}_{world.random.getrandbits(64):016x}"),
    ]
    environment = SHOP | {name: value for name, value in settings.items() if name.isupper()}
    environment["FUNCTIONS_EMULATOR"] = "false"  # there, messages to phones are logged only
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment))
        generators = {"mock": painters, "at-once": vendors.at_once, "by-job": vendors.by_job}
        stack.enter_context(mock.patch.dict(registry.GENERATORS, generators))
        stack.enter_context(mock.patch.dict(stripe_stub.PERIOD_SECONDS, stripe.period_seconds))
        for module, name, value in replacements:
            stack.enter_context(mock.patch.object(module, name, value))
        yield
