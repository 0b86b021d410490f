"""One seed, from its plan to rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from imagegen import event_data
from imagegen.accounts import recovery as account_recovery
from imagegen.accounts import worker as account_worker
from imagegen.catalogue.cache import RETRY_SECONDS, STALE_SECONDS
from imagegen.firestore.store import Document, Write
from imagegen.generation import worker
from imagegen.notifications import delivery
from imagegen.notifications import recovery as event_recovery
from simulation.answers import Answers
from simulation.at_rest import check_at_rest, check_bills
from simulation.books import OPEN, Books
from simulation.bucket import Bucket
from simulation.consumers import Consumers
from simulation.departures import Departures
from simulation.edges import replaced
from simulation.memory_store import MemoryStore
from simulation.network import Network
from simulation.orders import Offered
from simulation.painters import Painters
from simulation.plan import clock_error, draw_plan
from simulation.remote import RemoteStore
from simulation.remote_queue import RemoteQueue
from simulation.threads import Threads
from simulation.told import Told
from simulation.vendors import Vendors
from simulation.workload import RECOVERY_SECONDS, Workload, faults_end
from simulation.world import EPOCH, Task, Violation, World


@dataclass
class Outcome:
    """What a seed has shown: `violation` is None when all was well."""

    seed: int
    violation: Violation | None
    trace: list[str] = field(default_factory=list)
    calls: int = 0
    commits: int = 0


def simulate(
    seed: int, *, tracing: bool = False, store: type[MemoryStore] = MemoryStore
) -> Outcome:
    """Run one seed to its end or its first violation."""
    world = World(seed, tracing=tracing)
    plan = draw_plan(world.random)
    world.clocks_jump = len(plan.clocks_wrong_by) > 1
    world.clocks_wrong_by = lambda: clock_error(plan, world.random)
    world.note("plan", f"{plan}")
    memory = store(world.moment)
    network = Network(world, plan.faults)
    bucket = Bucket(world, network, hang_rate=plan.upload_hang_rate)
    painters = Painters(world, plan, bucket)
    threads = Threads(world, stall_rate=plan.stall_rate)
    vendors = Vendors(world, plan, painters)
    books = Books(world, memory, painters, vendors, plan.settings)
    limits = ("RATE_LIMIT_PER_MINUTE", "DAILY_CREDIT_LIMIT", "MAX_IN_FLIGHT")
    offered = Offered(
        # While Firestore fails, an instance goes on with the catalogue that it has.
        cached_seconds=float(plan.settings["CATALOGUE_TTL_SECONDS"])
        + (0 if plan.calm else STALE_SECONDS + RETRY_SECONDS),
        limited=any(plan.settings[name] != "0" for name in limits),
    )
    answers = Answers(
        books,
        offered,
        calm=plan.calm,
        stalls=plan.stall_rate > 0,
        clocks_are_right=not world.clocks_jump,
    )
    workload = Workload(world, plan, memory, books, offered, answers.given)
    network.when_delayed = workload.change_meanwhile
    consumers = Consumers(world, plan, memory)
    departures = Departures(world, memory, books, consumers, seed)
    told = Told(consumers, int(plan.settings["LOW_BALANCE"]))

    def committed(
        task: Task, before: Mapping[str, Document | None], writes: Sequence[Write]
    ) -> None:
        kept = departures.committed(task, before, writes)
        books.committed(task, before, kept)
        told.committed(before, kept, memory.documents)

    remote = RemoteStore(world, memory, network, committed)
    tasks = RemoteQueue(
        world,
        plan.faults,
        network,
        {
            "generationRequestId": lambda each: worker.process({"generationRequestId": each}),
            "closureId": lambda each: account_worker.process({"closureId": each}),
            "eventId": lambda each: delivery.deliver({"eventId": each}, event_data.of),
        },
        max_deliveries=int(plan.settings["ASYNC_MAX_DELIVERIES"]),
        twice_rate=plan.twice_rate,
        slow_rate=plan.queue_slow_rate,
        delivering=workload.meddle,
        delivered=answers.given,
    )
    violation = None
    try:
        with replaced(
            world, remote, tasks, bucket, painters, vendors, threads, consumers, plan.settings
        ):
            workload.schedule()
            consumers.furnish()
            departures.schedule(plan)
            world.run(until=faults_end(plan))
            plan.faults.over = painters.over = vendors.over = bucket.over = threads.over = True
            consumers.over = True
            _make_peace(world)
            world.run()
            _recover_the_rest(world, books, workload)
            departures.recover(account_recovery.recover)
            consumers.recover(event_recovery.recover)
        check_at_rest(world, memory.documents, books, painters)
        check_bills(memory.documents, vendors)
        answers.at_rest()
        consumers.check_at_rest(books.is_edited)
        departures.check_at_rest()
    except Violation as found:
        violation = found
    calls = [task for task in world.tasks if task.parent is None]
    commits = sum(task.applied for task in calls)
    return Outcome(seed, violation, world.trace or [], len(calls), commits)


def _make_peace(world: World) -> None:
    """From now on nothing fails; what is on its way still arrives."""
    world.note("plan", "nothing fails from now on")
    world.clocks_jump = False
    world.clocks_wrong_by = lambda: timedelta(0)
    for process in world.processes:
        process.clock_offset = timedelta(0)


def _recover_the_rest(world: World, books: Books, workload: Workload) -> None:
    """One recovery, a period after the last request has expired, must leave nothing open."""
    expiries = [
        versions[-1][1]["expiresAt"]
        for versions in books.requests.values()
        if versions[-1][1]["status"] in OPEN
    ]
    if expiries:
        last = (max(expiries) - EPOCH).total_seconds()
        world.run(until=max(world.seconds, last) + RECOVERY_SECONDS)
        workload.recover()
        world.run()
