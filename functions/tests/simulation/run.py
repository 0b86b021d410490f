"""One seed, from its plan to rest."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence, Set
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
from simulation.merge_answers import MergeAnswers
from simulation.merge_books import MergeBooks
from simulation.merges import Merges
from simulation.moves import Moves
from simulation.network import Network
from simulation.orders import Offered
from simulation.painters import Painters
from simulation.plan import Plan, clock_error, draw_plan
from simulation.post import Post
from simulation.remote import RemoteStore
from simulation.remote_queue import RemoteQueue
from simulation.sales import Sales
from simulation.shopping import Shopping
from simulation.store_world import StoreWorld
from simulation.stripe_world import StripeWorld
from simulation.threads import Threads
from simulation.told import Told
from simulation.tombstones import Tombstones
from simulation.users import Users
from simulation.vendors import Vendors
from simulation.workload import RECOVERY_SECONDS, Workload, faults_end
from simulation.world import EPOCH, Task, Violation, World
from simulation.world import Told as Line

LIMITS = ("RATE_LIMIT_PER_MINUTE", "DAILY_CREDIT_LIMIT", "MAX_IN_FLIGHT")


@dataclass(frozen=True)
class Less:
    """What a run leaves out: steps and faults by name; `plan` makes the others simpler."""

    happenings: Set[str] = frozenset()
    plan: Callable[[Plan], Plan] = lambda plan: plan


@dataclass
class Outcome:
    """What a seed has shown: `violation` is None when all was well."""

    seed: int
    violation: Violation | None
    plan: Plan
    trace: list[str] = field(default_factory=list)
    story: list[Line] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)  # what may be left out
    calls: int = 0
    commits: int = 0


def simulate(
    seed: int,
    *,
    tracing: bool = False,
    store: type[MemoryStore] = MemoryStore,
    less: Less = Less(),
) -> Outcome:
    """Run one seed to its end or its first violation."""
    world = World(seed, tracing=tracing, left_out=less.happenings)
    sources = (random.Random(f"{seed} {name}") for name in ("deletions", "merges"))
    plan = less.plan(draw_plan(world.random, *sources))
    world.note("plan", f"{plan}")
    violation = None
    try:
        Simulation(world, plan, store(world.moment)).run()
    except Violation as found:
        violation = found
    calls = [task for task in world.tasks if task.parent is None]
    commits = sum(task.applied for task in calls)
    return Outcome(
        seed,
        violation,
        plan,
        world.trace or [],
        world.story,
        world.happened,
        len(calls),
        commits,
    )


class Simulation:
    """Everything that a seed consists of."""

    def __init__(self, world: World, plan: Plan, memory: MemoryStore) -> None:
        self._world = world
        self._plan = plan
        self._memory = memory
        world.clocks_jump = len(plan.clocks_wrong_by) > 1
        world.clocks_wrong_by = lambda: clock_error(plan, world.random)
        self._network = network = Network(world, plan.faults)
        self._bucket = Bucket(world, network, hang_rate=plan.upload_hang_rate)
        self._painters = Painters(world, plan, self._bucket)
        self._threads = Threads(world, stall_rate=plan.stall_rate)
        self._vendors = Vendors(world, plan, self._painters)
        offered = Offered(
            # While Firestore fails, an instance goes on with the catalogue that it has.
            cached_seconds=float(plan.settings["CATALOGUE_TTL_SECONDS"])
            + (0 if plan.calm else STALE_SECONDS + RETRY_SECONDS),
            limited=any(plan.settings[name] != "0" for name in LIMITS),
        )
        tombstones = Tombstones()
        margin = timedelta(seconds=plan.period_margin_seconds)
        self._sales = Sales(memory, offered, margin, tombstones)
        self._books = Books(
            world, memory, self._painters, self._vendors, plan.settings, self._sales, tombstones
        )
        self._answers = Answers(
            self._books,
            offered,
            calm=plan.calm,
            stalls=plan.stall_rate > 0,
            clocks_are_right=not world.clocks_jump,
        )
        post = Post(world, plan)
        self._stripe = StripeWorld(world, plan, network, self._sales, post)
        self._shopping = Shopping(
            world,
            plan,
            memory,
            offered,
            self._sales,
            self._stripe,
            StoreWorld(world, self._sales, post),
            self._answers.given,
        )
        self._workload = Workload(
            world, plan, memory, self._books, offered, self._answers.given, self._shopping.shop
        )
        self._consumers = Consumers(world, plan, memory)
        merge_books = MergeBooks(world, memory, tombstones)
        self._users = Users(network, plan.users)
        self._moves = Moves(world, memory, self._books, self._consumers, self._stripe, merge_books)
        self._departures = Departures(world, plan, memory, self._books, self._users, self._bucket)
        self._merge_answers = MergeAnswers(world, plan, memory, self._books, merge_books)
        self._merges = Merges(
            world, plan, memory, self._merge_answers, self._shopping, self._workload
        )
        network.when_delayed = (
            self._workload.change_meanwhile,
            self._departures.delete_meanwhile,
        )
        self._told = Told(self._consumers, int(plan.settings["LOW_BALANCE"]))

    def run(self) -> None:
        """To the end; raises Violation."""
        world = self._world
        with replaced(
            world,
            RemoteStore(world, self._memory, self._network, self._committed),
            self._queue(),
            self._bucket,
            self._painters,
            self._vendors,
            self._threads,
            self._consumers,
            self._users,
            self._stripe,
            self._plan.settings,
        ):
            self._shopping.furnish()
            self._workload.schedule()
            self._consumers.furnish()
            self._departures.schedule()
            self._merges.schedule()
            world.run(until=faults_end(self._plan))
            self._make_peace()
            world.run()
            self._recover_the_rest()
            self._shopping.finish()
            world.run()
            self._departures.recover(account_recovery.recover)
            self._consumers.recover(event_recovery.recover)
        check_at_rest(world, self._memory.documents, self._books, self._painters)
        check_bills(self._memory.documents, self._vendors)
        self._sales.check_at_rest(self._memory.documents)
        self._stripe.check_at_rest(self._memory.documents)
        self._answers.at_rest()
        self._consumers.check_at_rest(self._books.is_edited)
        self._departures.check_at_rest()
        self._merge_answers.check_at_rest()

    def _committed(
        self,
        task: Task,
        before: Mapping[str, Document | None],
        writes: Sequence[Write],
    ) -> None:
        kept, after = self._moves.committed(task, before, writes)
        self._books.committed(task, before, kept, after)
        self._told.committed(before, kept, after)
        self._moves.end()
        self._merges.merge_meanwhile(before)

    def _queue(self) -> RemoteQueue:
        return RemoteQueue(
            self._world,
            self._plan.faults,
            self._network,
            {
                "generationRequestId": lambda each: worker.process({"generationRequestId": each}),
                "closureId": lambda each: account_worker.process({"closureId": each}),
                "eventId": lambda each: delivery.deliver({"eventId": each}, event_data.of),
            },
            max_deliveries=int(self._plan.settings["ASYNC_MAX_DELIVERIES"]),
            twice_rate=self._plan.twice_rate,
            slow_rate=self._plan.queue_slow_rate,
            delivering=self._workload.meddle,
            delivered={
                "generationRequestId": self._answers.given,
                "closureId": self._departures.ended,
            },
        )

    def _make_peace(self) -> None:
        """From now on nothing fails; what is on its way still arrives."""
        self._plan.faults.over = self._painters.over = self._vendors.over = True
        self._bucket.over = self._threads.over = self._consumers.over = True
        world = self._world
        world.tell("nothing fails from now on")
        world.clocks_jump = False
        world.clocks_wrong_by = lambda: timedelta(0)
        for process in world.processes:
            process.clock_offset = timedelta(0)

    def _recover_the_rest(self) -> None:
        """One recovery, a period after the last request has expired, must leave nothing open."""
        world = self._world
        expiries = [
            versions[-1][1]["expiresAt"]
            for versions in self._books.requests.values()
            if versions[-1][1]["status"] in OPEN
        ]
        if expiries:
            last = (max(expiries) - EPOCH).total_seconds()
            world.run(until=max(world.seconds, last) + RECOVERY_SECONDS)
            self._workload.recover()
            world.run()
