"""What goes wrong on the way to Firestore, to the queue and to the bucket, and how often."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum, auto

from google.api_core import exceptions
from google.api_core.exceptions import GoogleAPICallError

ERRORS: tuple[type[GoogleAPICallError], ...] = (
    exceptions.Aborted,
    exceptions.Cancelled,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.ResourceExhausted,
    exceptions.ServiceUnavailable,
    exceptions.Unknown,
)
# Nothing that `imagegen.db` would try again; a commit may have been applied all the same.
ODD_ERRORS: tuple[type[GoogleAPICallError], ...] = (
    exceptions.PermissionDenied,
    exceptions.Unauthenticated,
    exceptions.DataLoss,
)


class Fault(Enum):
    """One thing that goes wrong with one call."""

    REFUSED = auto()  # fails, and nothing was done
    REPLY_LOST = auto()  # was done, and fails
    RESENT = auto()  # was done, sent again by the client library, and the second answer counts
    REPEATED = auto()  # was done and answered, and arrives once more, later
    DELAYED = auto()  # fails now, and is done later, if its preconditions still hold
    CRASH_BEFORE = auto()  # the caller dies before it is sent
    CRASH_AFTER = auto()  # the caller dies when it has been sent


ON_COMMIT = tuple(Fault)
ON_READ = (Fault.REFUSED, Fault.REFUSED, Fault.REPLY_LOST, Fault.CRASH_BEFORE)
ON_ENQUEUE = (Fault.REFUSED, Fault.REPLY_LOST, Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
ON_UPLOAD = (*ON_ENQUEUE, Fault.DELAYED, Fault.REPEATED)


@dataclass
class Faults:
    """How often they come: at `rate`; in storms, spans of time, nearly always."""

    random: random.Random = field(repr=False)
    rate: float = 0.0
    latency_seconds: float = 0.01
    slow_rate: float = 0.0
    storms: tuple[tuple[float, float], ...] = ()
    over: bool = False

    def draw(self, kinds: tuple[Fault, ...], seconds: float) -> Fault | None:
        if self.over:
            return None
        storm = any(start <= seconds < end for start, end in self.storms)
        if self.random.random() >= (0.95 if storm else self.rate):
            return None
        fault = self.random.choice(kinds)
        # In a storm the network is away, not the processes.
        is_crash = fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
        return Fault.REFUSED if storm and is_crash else fault

    def error(self, kinds: tuple[Fault, ...]) -> GoogleAPICallError:
        """What the caller of something in `kinds` is told."""
        errors = (*ERRORS, *ODD_ERRORS) if kinds in (ON_COMMIT, ON_UPLOAD) else ERRORS
        return self.random.choice(errors)("by schedule")

    def travel_seconds(self) -> float:
        """How long a message is on its way: mostly short, sometimes longer than any timeout."""
        if not self.over and self.random.random() < self.slow_rate:
            return self.random.uniform(1, 20)
        seconds = self.random.expovariate(1 / self.latency_seconds)
        # A time-out is a fault, too: when they are over, no message takes as long.
        return min(seconds, 0.5) if self.over else seconds

    def delay_seconds(self) -> float:
        """How late a delayed commit arrives."""
        return self.random.choice((0.05, 1.0, 12.0, 200.0)) * self.random.uniform(0.5, 1.5)
