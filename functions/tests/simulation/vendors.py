"""Two vendors that charge for each image: one answers with it, the other works on jobs.

They refuse, fail, lose answers, and the process that asks them may die at any moment. Each knows
what it has billed, and to which request.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from imagegen.providers.base import GeneratedImage, GenerationJob, GeneratorError
from imagegen.providers.failures import Reason, failure
from simulation.painters import Painters
from simulation.plan import Plan
from simulation.world import ProcessDied, World

REFUSALS = (
    Reason.PROVIDER_BUSY,
    Reason.PROVIDER_UNREACHABLE,
    Reason.PROVIDER_FAILED,
    Reason.PROVIDER_AUTH,
    Reason.PROVIDER_QUOTA,
    Reason.CONTENT_REFUSED,
)
ON_POLL = (Reason.PROVIDER_UNREACHABLE, Reason.PROVIDER_BUSY, Reason.PROVIDER_AUTH)


class Vendors:
    """What both have billed; accuses whoever pays twice for a request, or tries it too often."""

    def __init__(self, world: World, plan: Plan, painters: Painters) -> None:
        self._world = world
        self._plan = plan
        self._painters = painters
        self.ordered: dict[str, str] = {}  # by request: its model
        self.billed: Counter[str] = Counter()
        self.out_of_order: Counter[str] = Counter()  # by model: wrong keys and used-up quotas
        self._fallbacks: Counter[str] = Counter()
        self.at_once, self.by_job = VendorAtOnce(self), VendorByJob(self)
        self.over = False

    def take(self, job: GenerationJob) -> None:
        """Take an order: refuse it, or bill it; the answer may be lost, the caller may die."""
        request_id = job.generation_request_id
        self.travel()
        if self.ordered.get(request_id, job.model) != job.model:
            self._fallbacks[request_id] += 1
            if self._fallbacks[request_id] > 1:
                self._world.accuse(f"a fallback of {request_id} is tried a second time")
        if self.sometimes():
            self._maybe_die()
            raise self.refusal(job, REFUSALS)
        self.billed[request_id] += 1
        self._world.note(self._world.running(), f"billed for {request_id[:6]}")
        if self.billed[request_id] > 1:
            self._world.accuse(f"{request_id} is paid for, time number {self.billed[request_id]}")
        if self.sometimes():
            self._maybe_die()
            self.travel()
            raise failure(self._world.random.choice((Reason.OUTCOME_UNKNOWN, Reason.NO_IMAGE)))

    def travel(self) -> None:
        self._world.pause(self._world.random.choice((0.01, 0.5, 5)) * self._world.random.random())

    def sometimes(self) -> bool:
        return not self.over and self._world.random.random() < self._plan.vendor_fault_rate

    def refusal(self, job: GenerationJob, reasons: tuple[Reason, ...]) -> GeneratorError:
        reason = self._world.random.choice(reasons)
        if reason in (Reason.PROVIDER_AUTH, Reason.PROVIDER_QUOTA):
            self.out_of_order[job.model] += 1
        return failure(reason)

    def picture(self, job: GenerationJob) -> GeneratedImage:
        return self._painters.picture(self._world.running().call, job.generation_request_id)

    def seconds(self) -> float:
        """How long a job takes: sometimes longer than an attempt."""
        return self._world.random.choice((1.0, self._plan.painting_seconds)) * 1.5

    def now(self) -> float:
        return self._world.seconds

    def _maybe_die(self) -> None:
        if self._world.random.random() < 0.4:
            self._world.kill(self._world.running().process)
            raise ProcessDied


class VendorAtOnce:
    """One call that answers with the image."""

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors

    def generate(self, job: GenerationJob, *, deadline: float) -> GeneratedImage:
        self._vendors.take(job)
        self._vendors.travel()
        return self._vendors.picture(job)


@dataclass
class Job:
    """A job at the second vendor."""

    request_id: str
    done_at: float
    canceled: bool = False


class VendorByJob:
    """Jobs, asked for again and again until they are done."""

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors
        self._jobs: dict[str, Job] = {}

    def submit(self, job: GenerationJob, *, deadline: float) -> str:
        self._vendors.take(job)
        name = f"job-{len(self._jobs)}"
        done_at = self._vendors.now() + self._vendors.seconds()
        self._jobs[name] = Job(job.generation_request_id, done_at)
        self._vendors.travel()
        return name

    def poll(
        self, job: GenerationJob, provider_job: str, *, deadline: float
    ) -> GeneratedImage | None:
        self._vendors.travel()
        found = self._jobs[provider_job]
        if found.request_id != job.generation_request_id:
            raise AssertionError("another request's job is asked for")
        if found.canceled:
            error = failure(Reason.PROVIDER_FAILED, "canceled")
            error.retryable = False
            raise error
        if self._vendors.sometimes():
            raise self._vendors.refusal(job, ON_POLL)
        return self._vendors.picture(job) if self._vendors.now() >= found.done_at else None

    def cancel(self, job: GenerationJob, provider_job: str, *, deadline: float) -> None:
        self._vendors.travel()
        self._jobs[provider_job].canceled = True
