"""Every constant of the anomaly rules, by name, with its meaning and its default."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

Share = Annotated[float, Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(ge=1)]
Drop = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Amount = Annotated[float, Field(ge=0)]


class Thresholds(BaseModel):
    """The defaults were tuned on simulated apps (bench/anomalies.py).

    The parameter REPORT_THRESHOLDS replaces some of them by their camelCase names, the ones a
    report stores and docs/reports.md explains.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True
    )

    # History.
    history_days: Count = 56  # days before the week that expectations are made of
    level_days: Count = 28  # the newest of them, which the level is made of
    min_history_days: Annotated[int, Field(ge=14)] = 14  # fewer: no count is tested

    # Counts: requests, credits, new users.
    count_fdr: Share = 0.035  # Benjamini–Hochberg q over all count tests of a week
    day_up_ratio: Ratio = 1.4
    week_up_ratio: Ratio = 1.25
    up_excess: Amount = 10  # requests (credits: worth of requests; new users) above expectation
    day_down_ratio: Drop = 0.65
    week_down_ratio: Drop = 0.75
    down_expected: Amount = 10  # a drop needs an expectation of at least this many
    min_dispersion: Positive = 0.005  # α of the negative binomial, at least
    max_dispersion: Positive = 4.0
    merge_tolerance: Amount = 0.25  # a credit spike this close to the request spike's is the same

    # Failure rates: overall and of each model, style, color and size.
    rate_fdr: Share = 0.02  # q, once over the overall tests and once over all values'
    rate_min_ended: Count = 5  # completed + failed requests that a rate needs
    rate_min_failures: Count = 4
    rate_rise: Share = 0.05  # percentage points / 100 above expectation
    rate_ratio: Ratio = 1.5
    rate_prior: Positive = (
        20  # requests at the app's overall rate that a value's history starts with
    )
    min_rate_dispersion: Share = 0.001  # ρ, day to day, at least
    rate_level_weeks: Count = 4  # a rate flagged so many weeks running is the new normal

    # Single users.
    user_reports: Count = 12  # reports whose largest scores a user is compared with
    user_min_reports: Count = 4
    user_margin: Amount = 1.0  # ln: how far above the median of them an alarm starts
    new_user_margin: Amount = 1.2  # the same for users with fewer than 2 earlier active weeks
    user_record_margin: Amount = 0.1  # ln: and how far above the largest of them
    user_candidates: Count = 20  # top spenders of the week, and of one day, that are looked at
    user_min_credits: Count = 20
    user_min_ratio: Ratio = 2.0  # times the own record, dampened
    user_damping: Positive = 10  # credits; or the 90th percentile of active users, if larger

    # Guards: plain ratios that stand in while there is little history.
    guard_reports: Count = 4  # they are off once so many earlier reports exist
    keep_guards: bool = False
    guard_up_ratio: Ratio = 2.5  # requests against last week's
    guard_down_ratio: Drop = 0.4
    guard_min_requests: Count = 50
    guard_credits_ratio: Ratio = 3.0
    guard_failure_rate: Share = 0.15
    guard_value_failure_rate: Share = 0.2
    guard_value_ratio: Ratio = 2.0  # times the value's rate of last week
    guard_min_ended: Count = 20
    guard_success_ratio: Share = 0.5  # success rate against last week's
    guard_user_day_credits: Count = 50
    guard_new_users: Count = 5  # a day
    guard_new_users_ratio: Ratio = 4.0  # times the median day

    # What an anomaly says.
    contribution: Share = 0.3  # share of a change that makes a value worth naming

    @classmethod
    def parse(cls, json_text: str) -> Thresholds:
        """The defaults, but for the names that `json_text`, a JSON object, sets.

        Raises ValueError, naming every unknown name and bad value, in one sentence.
        """
        try:
            return cls.model_validate_json(json_text.strip() or "{}", by_alias=True, by_name=False)
        except ValidationError as error:
            faults = "; ".join(_fault(each) for each in error.errors())
            raise ValueError(f"REPORT_THRESHOLDS: {faults}") from error

    def as_json(self) -> dict[str, Any]:
        """Name and value of every threshold, as a report stores them."""
        return self.model_dump(by_alias=True)


def _fault(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "the text"
    if error["type"] == "extra_forbidden":
        return f"{name} is not a threshold"
    return f"{name}: {error['msg']}"
