"""What a report stores for the rules of later weeks."""

from __future__ import annotations

from pydantic import Field

from imagegen.report.anomalies.anomaly import Direction
from imagegen.report.anomalies.record import StoredDimension
from imagegen.report.stored_model import Number, StoredModel


class Flag(StoredModel):
    """One anomaly of an earlier week."""

    metric: str = ""
    dimension: StoredDimension = None
    direction: Direction = "up"
    days: list[str] = Field(default_factory=list)  # left out of the expectations of later weeks
    lasting: bool = False  # it filled the week, or several of its days
    weeks: int = 1  # in a row, this one included


class Level(StoredModel):
    """A change that has lasted: from its first day on, expectations start again."""

    metric: str = ""
    dimension: StoredDimension = None
    start: str = Field(default="", alias="from")  # ISO date


class Memory(StoredModel):
    """Flags and new levels, and the largest scores of users who were not flagged."""

    flags: list[Flag] = Field(default_factory=list)
    levels: list[Level] = Field(default_factory=list)
    # By group and scope.
    user_scores: dict[str, dict[str, Number]] = Field(default_factory=dict)
