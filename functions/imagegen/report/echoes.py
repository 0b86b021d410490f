"""Which value is behind failing requests, and which values only share in what fails elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from imagegen.report.distributions import beta_binomial_above
from imagegen.report.event import Contribution, Event
from imagegen.report.expected_rates import Dimension, Rate, days_of
from imagegen.report.explaining import most_telling
from imagegen.report.numbers import WeekNumbers
from imagegen.report.past import summed
from imagegen.report.thresholds import Thresholds

ECHO_P = 0.001  # how unlikely a value's failures must be, given everybody's, to be its own story
ECHO_RISE = 1.2  # and how much larger its rise
USUAL_P = 0.1  # the rest fails as usual when its failures are at least this likely
MOST_OF_IT = 0.7  # of the failures beyond expectation
EXACT = 1e6  # a beta so firm that the beta-binomial is the binomial


def is_echo(event: Event, cause: Event, overall: Rate) -> bool:
    """Whether a value fails in a period only because everything (`cause`) does.

    It is no echo when it fails far more than everything does, or when the rest does not fail more
    than usual and it makes up most of the failures beyond expectation.
    """
    n, k, n_all, k_all = event.n or 0, event.k or 0, cause.n or 0, cause.k or 0
    expected = event.expected or 0.0
    risen, own_rise = cause.actual - overall.mean, event.actual - expected
    shared = min(0.99, expected + risen)
    if own_rise >= ECHO_RISE * risen and beta_binomial_above(k, n, shared, EXACT) <= ECHO_P:
        return False
    rest = beta_binomial_above(k_all - k, n_all - n, overall.mean, overall.day_size)
    return rest < USUAL_P or n * own_rise < MOST_OF_IT * n_all * risen


def contributions(
    event: Event, week: WeekNumbers, rates: Mapping[Dimension, Rate], t: Thresholds
) -> tuple[Contribution, ...]:
    """The values whose failures beyond expectation make up much of all of them."""
    excess = (event.k or 0) - (event.n or 0) * (event.expected or 0.0)
    found = []
    for dimension, rate in rates.items():
        if dimension is None or excess <= 0:
            continue
        days = days_of(week, dimension)
        now = summed(n for day, n in days.items() if event.date in {None, day})
        n = now.completed + now.failed
        share = (now.failed - n * rate.mean) / excess
        if share >= t.contribution:
            found.append(Contribution(*dimension, share, n / (event.n or 1)))
    return most_telling(found)
