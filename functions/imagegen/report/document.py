"""The stored report, `reports/{isoWeek}`: every field, its name and its type.

Values of dimensions are keys of maps and may hold spaces and dots, so a report is always written
with its top-level fields whole, never through a field path.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from imagegen.report.anomalies.counts import Band
from imagegen.report.anomalies.find import Tests
from imagegen.report.anomalies.memory import Memory
from imagegen.report.anomalies.record import AnomalyRecord
from imagegen.report.numbers import Numbers, UserWeek
from imagegen.report.stored_model import Number, StoredModel

SCHEMA_VERSION = 1  # a report of another one is no history

# Numbers of one value and day, and a user's week, are stored as lists, in this order.
PACKED = (
    "requests", "completed", "failed", "canceled", "in_flight", "credits_charged",
    "credits_refunded",
)  # fmt: skip
PACKED_USER_WEEK = ("credits", "busiest_day_credits")


def _unpacked_numbers(value: Any) -> Any:
    is_packed = isinstance(value, list | tuple)
    return Numbers(**dict(zip(PACKED, value, strict=False))) if is_packed else value


def _unpacked_user_week(value: Any) -> Any:
    if isinstance(value, UserWeek) or not isinstance(value, list | tuple):
        return value
    return {"credits": 0, "busiest_day_credits": 0} | dict(
        zip(PACKED_USER_WEEK, value, strict=False)
    )


PackedNumbers = Annotated[
    Numbers,
    BeforeValidator(_unpacked_numbers),
    PlainSerializer(lambda numbers: [getattr(numbers, name) for name in PACKED]),
]
PackedUserWeek = Annotated[
    UserWeek,
    BeforeValidator(_unpacked_user_week),
    PlainSerializer(lambda week: [getattr(week, name) for name in PACKED_USER_WEEK]),
]


class Row(StoredModel):
    """What happened to the requests of one value; see `Numbers`."""

    requests: int = 0
    completed: int = 0
    failed: int = 0
    canceled: int = 0
    in_flight: int = 0
    success_rate: float | None = None
    credits_charged: int = 0
    credits_refunded: int = 0
    credits_net: int = 0

    @classmethod
    def of(cls, numbers: Numbers, **more: Any) -> Self:
        names = [*PACKED, "success_rate", "credits_net"]
        return cls(**{name: getattr(numbers, name) for name in names}, **more)

    def numbers(self) -> Numbers:
        return Numbers(**{name: getattr(self, name) for name in PACKED})


class Totals(Row):
    """The numbers of the week, or of a day."""

    success_rate_interval: list[float] | None = None  # low, high: Wilson, 95 %
    active_users: int = 0
    new_users: int | None = None  # None: they could not be counted


class TopUser(StoredModel):
    """One of those who spent most, in net credits."""

    user_id: str = ""
    requests: int = 0
    credits: int = 0


class Delta(StoredModel):
    """A headline number of earlier weeks, and how this week's differs.

    A change is relative (0.25: a quarter more); that of a rate is the difference.
    """

    last_week: Number | None = None
    last_week_change: Number | None = None
    four_week_median: Number | None = None
    four_week_median_change: Number | None = None


class Finding(StoredModel):
    """What was checked and is wrong; severity `info` needs nobody's attention."""

    type: str = "data_quality"
    check: str = ""
    problem: str = ""
    severity: str = "info"
    message: str = ""
    date: str | None = Field(default=None, exclude_if=lambda value: value is None)
    expected: dict[str, int] | None = Field(default=None, exclude_if=lambda value: value is None)
    actual: dict[str, int] | None = Field(default=None, exclude_if=lambda value: value is None)
    # The first documents that it is about.
    paths: list[str] | None = Field(default=None, exclude_if=lambda value: value is None)


class Revenue(StoredModel):
    """What was paid for one product in one currency, in its smallest unit.

    `refunded` and `disputed` of these purchases are as they were known when the report was made.
    """

    product_id: str = ""
    currency: str = ""
    is_test: bool = False  # test mode of Stripe, or the sandbox of a store: no money
    purchases: int = 0
    credits: int = 0
    gross: int = 0
    refunded: int = 0
    disputed: int = 0
    net: int = 0


class CreditsOfKind(StoredModel):
    """The credits of one kind: those of the week's requests, and what else came in and went."""

    sold: int = 0
    granted: int = 0
    charged: int = 0
    refunded: int = 0
    expired: int = 0
    clawed_back: int = 0
    reinstated: int = 0


class Liability(StoredModel):
    """The credits that could still be spent when the week ended. `paid`: bought with money."""

    paid: int = 0
    free: int = 0
    by_kind: dict[str, int] = Field(default_factory=dict)


class UserHistoryEntry(StoredModel):
    """What a top spender spent in this week and in those before it."""

    user_id: str = ""
    weeks: dict[str, PackedUserWeek] = Field(default_factory=dict)


class DigestRecord(StoredModel):
    """How sending the digest went. `claim` marks the run that is sending it."""

    channel: str = ""
    revision: int = 0
    status: Literal["sending", "sent", "failed", "refused", "unknown"] = "unknown"
    attempts: int = 0
    at: datetime | None = None
    error: str | None = None
    claim: str | None = None

    @model_serializer(mode="wrap")
    def _what_was_set(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = handler(self)
        return {name: value for name, value in fields.items() if name in self.model_fields_set}


class WeeklyReport(StoredModel):
    """docs/reports.md explains the fields."""

    iso_week: str = ""
    time_zone: str = ""
    period_start: datetime | None = None
    period_end: datetime | None = None
    report_status: str = ""
    schema_version: int = 0
    revision: int = 0
    generated_at: datetime | None = None
    data_as_of: datetime | None = None
    totals: Totals = Totals()
    by_day: dict[str, Totals] = Field(default_factory=dict)  # by ISO date
    by_model: dict[str, Row] = Field(default_factory=dict)
    by_style: dict[str, Row] = Field(default_factory=dict)
    by_color: dict[str, Row] = Field(default_factory=dict)
    by_size: dict[str, Row] = Field(default_factory=dict)
    # dimension -> value -> ISO date
    daily_values: dict[str, dict[str, dict[str, PackedNumbers]]] = Field(default_factory=dict)
    top_users: list[TopUser] = Field(default_factory=list)
    # None: could not be read, or the report is older.
    revenue: list[Revenue] | None = None
    credits_by_kind: dict[str, CreditsOfKind] | None = None
    liability: Liability | None = None
    deltas: dict[str, Delta] = Field(default_factory=dict)  # by the name in `totals`
    anomalies: list[AnomalyRecord] = Field(default_factory=list)  # gravest first
    bands: dict[str, dict[str, Band]] = Field(default_factory=dict)  # by metric and ISO date
    tests: Tests = Tests()
    thresholds: dict[str, Any] = Field(default_factory=dict)  # by name, as they were then
    data_quality: list[Finding] = Field(default_factory=list)
    memory: Memory = Memory()
    user_history: list[UserHistoryEntry] = Field(default_factory=list)
    digest: DigestRecord | None = Field(default=None, exclude_if=lambda value: value is None)
