"""Every constant that decides what is an anomaly: fixed ones, and those a deployment may set.

`severity` decides how grave an anomaly is. Constants of mathematics are in `statistics`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

# Baselines of counts.
TRIMMED_FROM_EACH_END = 10  # one day in so many is left out of the level, at either end
WEEKDAY_PRIOR = 2  # weeks of "no weekday differs" that a weekday's factor starts with
WEEKDAY_MIN_DAYS = 4  # unmasked, for a week to be used for the weekdays' factors
MIN_LEVEL_DAYS = 7  # with fewer, there is no level
MIN_MEAN = 0.5  # of a day or week, at least
BASELINE_PARAMETERS = 8  # fitted: seven weekdays and the level
WEEK_DISPERSION_MIN_WEEKS = 4  # with fewer, weeks scatter as seven independent days

# Counts.
CERTAIN_UP_RATIO, CERTAIN_DOWN_RATIO = 3.0, 0.3  # so extreme that no precedent excuses them
# What p-values are divided by, by metric, scope and direction; all others by 1. A day on which an
# app stood still for hours matters most; that fewer users were new mostly follows from it. A week
# of many new users is told, rather than each of its days.
COUNT_WEIGHTS = {
    ("requests", "day", "down"): 8.0,
    ("newUsers", "day", "up"): 0.25,
    ("newUsers", "week", "up"): 5.0,
    ("newUsers", "day", "down"): 0.1,
    ("newUsers", "week", "down"): 0.1,
}
MERGE_MIN_RATIO = 0.2  # `merge_tolerance` is relative to the ratio of requests, or to this

# Credits per request.
PRICE_DF = 10  # of Student's t: the tails of a mix of sizes are somewhat heavy
PRICE_DAYS_IN_WEEK = 3  # independent ones: a mix of sizes drifts
MIN_PRICE_SCATTER = 0.05  # relative, of one request

# Failure rates.
MIN_RATE, MAX_RATE = 0.001, 0.99  # of an expectation
RATE_SIGMA_FACTOR = 1.1  # σ is estimated too low without the largest ranges
RATE_RANGES_DROPPED = 20  # one moving range in so many is left out, the largest ones
RATE_MIN_DAYS = 8  # with fewer, there are too few moving ranges
UNKNOWN_RATE_DISPERSION = 0.01  # ρ in that case: cautious
MAX_RATE_DISPERSION = 0.5  # ρ, at most
WEEK_SHARE_OF_DISPERSION = 0.25  # days are partly independent of each other

# Failures of a value that are a part of everybody's failures.
VALUE_P = 0.001  # less likely than this, given everybody's rise: the value has a rise of its own
VALUE_RISE = 1.2  # and at least so many times everybody's
REST_P = 0.1  # the rest fails as usual when its failures are at least this likely
VALUE_EXCESS_SHARE = 0.7  # of all failures beyond expectation: the value is their cause
CERTAIN_SIZE = 1e6  # a beta so narrow that the beta-binomial is the binomial

# Single users.
USER_WEEKS = 8  # a user's record is the most spent in one of these
KNOWN_USER_MIN_WEEKS = 2  # active before this one; with fewer, a user is new
USER_DAMPING_QUANTILE = 0.9  # of active users' spending; see `user_damping`

# Guards.
GUARD_MAX_USERS = 10  # named in one report

# Wording.
DRIVER_LIFT = 0.2  # a value drives a change if its share is this far above its usual share

Share = Annotated[float, Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(ge=1)]
Drop = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Amount = Annotated[float, Field(ge=0)]


class Thresholds(BaseModel):
    """What a deployment may set. The defaults were tuned on simulated apps (bench/anomalies.py).

    The parameter REPORT_THRESHOLDS sets some of them by their camelCase names, which are the ones
    that a report stores and docs/reports.md explains.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True
    )

    # History.
    history_days: Count = 56  # days before the week that expectations rest on
    level_days: Count = 28  # the newest of them, which the level rests on
    min_history_days: Annotated[int, Field(ge=14)] = 14  # with fewer, no count is tested

    # Counts: requests, credits, new users.
    count_fdr: Share = 0.035  # Benjamini–Hochberg q over all count tests of a week
    day_up_ratio: Ratio = 1.4
    week_up_ratio: Ratio = 1.25
    up_excess: Amount = 10  # requests (credits: worth of requests) above expectation
    new_users_excess: Amount = 5  # the same for new users
    day_down_ratio: Drop = 0.65
    week_down_ratio: Drop = 0.75
    down_expected: Amount = 10  # a drop needs an expectation of at least this many
    min_dispersion: Positive = 0.005  # α of the negative binomial, at least
    max_dispersion: Positive = 4.0
    merge_tolerance: Amount = (
        0.25  # a change of credits this close to that of requests is the same one
    )

    # Failure rates: overall and of each model, style, color and size.
    rate_fdr: Share = 0.02  # q, once over the overall tests and once over all values'
    rate_min_ended: Count = 4  # completed + failed requests that a rate needs
    rate_min_failures: Count = 3
    rate_rise: Share = 0.05  # percentage points / 100 above expectation
    rate_ratio: Ratio = 1.5
    rate_prior: Positive = 20  # requests at the overall rate that a value's history starts with
    min_rate_dispersion: Share = 0.001  # ρ, day to day, at least
    rate_level_weeks: Count = 4  # a rate flagged so many weeks in a row is the new normal

    # Single users.
    user_reports: Count = 8  # reports whose largest scores users are compared with
    user_min_reports: Count = 4
    user_margin: Amount = 1.2  # ln: an alarm is this far above the median of those scores
    new_user_margin: Amount = 1.1  # the same for users with fewer than 2 earlier active weeks
    user_record_margin: Amount = 0.1  # ln: and this far above the largest of them
    user_candidates: Count = 20  # top spenders, of the week and of one day, who are looked at
    user_min_credits: Count = 20
    user_min_ratio: Ratio = 2.0  # times the user's own record, both damped
    user_damping: Positive = 10  # credits; or the 90th percentile of active users, if larger

    # Guards: the fallback rules, plain ratios while there is little history.
    guard_reports: Count = 4  # they are off once there are so many earlier reports
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
        """The defaults, with what `json_text`, a JSON object, sets.

        Raises ValueError, in one sentence with every unknown name and bad value.
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
