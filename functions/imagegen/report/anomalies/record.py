"""An anomaly as a report stores it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self, overload

from pydantic import BeforeValidator, Field, PlainSerializer

from imagegen.report.anomalies import wording
from imagegen.report.anomalies.anomaly import Anomaly, Dimension
from imagegen.report.stored_model import Number, StoredModel


def _stored_dimension(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Dimension(str(value.get("name")), str(value.get("value")))
    return value


StoredDimension = Annotated[
    Dimension | None,
    BeforeValidator(_stored_dimension),
    PlainSerializer(lambda dimension: dimension and dimension._asdict()),
]


class Sample(StoredModel):
    """What an anomaly rests on; see `Anomaly`."""

    n: int | None = None
    k: int | None = None
    history_days: int = 0


class ContributionRecord(StoredModel):
    """A `Contribution` as it is stored."""

    name: str = ""
    value: str = ""
    share: Number | None = None
    usual_share: Number | None = None


class Detail(StoredModel):
    """A flagged day, or another metric, of an anomaly."""

    metric: str = ""
    date: str | None = None
    actual: Number | None = None
    expected: Number | None = None
    range: list[Number] | None = None
    ratio: Number | None = None
    p_value: Number | None = None

    @classmethod
    def of(cls, anomaly: Anomaly) -> Self:
        return cls(metric=anomaly.metric, date=anomaly.date, **_numbers(anomaly))


class AnomalyRecord(Detail):
    """An anomaly as a report stores it; numbers are rounded, so that a re-run is identical."""

    id: str = ""
    week: str = ""
    scope: str = "week"
    direction: str = "up"
    dimension: StoredDimension = None
    ci95: list[Number] | None = None
    sample: Sample = Sample()
    contributions: list[ContributionRecord] = Field(default_factory=list)
    days: list[Detail] = Field(default_factory=list)
    merged: list[Detail] = Field(default_factory=list)
    severity: str = "info"
    method: str = ""
    status: str = "new"
    message: str = ""

    @classmethod
    def of(cls, anomaly: Anomaly) -> Self:
        return cls(
            id=anomaly.id,
            week=anomaly.week,
            metric=anomaly.metric,
            scope=anomaly.scope,
            date=anomaly.date,
            direction=anomaly.direction,
            dimension=anomaly.dimension,
            ci95=_rounded_interval(anomaly.ci95),
            sample=Sample(n=anomaly.n, k=anomaly.k, history_days=anomaly.history_days),
            contributions=[
                ContributionRecord(
                    name=each.name,
                    value=each.value,
                    share=rounded(each.share),
                    usual_share=rounded(each.usual_share),
                )
                for each in anomaly.contributions
            ],
            days=[Detail.of(each) for each in anomaly.days],
            merged=[Detail.of(each) for each in anomaly.merged],
            severity=anomaly.severity,
            method=anomaly.method,
            status=anomaly.status,
            message=wording.message(anomaly),
            **_numbers(anomaly),
        )


def _numbers(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "actual": rounded(anomaly.actual),
        "expected": rounded(anomaly.expected),
        "range": _rounded_interval(anomaly.range),
        "ratio": rounded(anomaly.ratio),
        "p_value": rounded(anomaly.p_value),
    }


def _rounded_interval(interval: tuple[float, float] | None) -> list[Number] | None:
    return None if interval is None else [rounded(each) for each in interval]


@overload
def rounded(number: float) -> Number: ...
@overload
def rounded(number: None) -> None: ...
def rounded(number: float | None) -> Number | None:
    """Four significant digits for what is small, one decimal for counts; whole stays whole."""
    if number is None or number == int(number):
        return None if number is None else int(number)
    return round(number, 1) if abs(number) >= 100 else float(f"{number:.4g}")
