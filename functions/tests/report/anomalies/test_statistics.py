"""Tails, intervals and the false discovery rate: against known values and exact sums."""

import subprocess
import sys
from math import comb

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagegen.report.anomalies.statistics import (
    benjamini_hochberg,
    betabinom_sf,
    betainc,
    nbinom_cdf,
    nbinom_interval,
    nbinom_sf,
    poisson_interval,
    t_sf,
    wilson_interval,
)


# Reference values: scipy 1.16, stats.nbinom, stats.betabinom, stats.t, special.betainc.
@pytest.mark.parametrize(
    ("x", "a", "b", "expected"),
    [
        (0.5, 40, 20, 0.004320749841640867),
        (0.94, 1236, 25, 1.3682132900408783e-12),
        (0.7, 0.5, 0.25, 0.4159816502765998),
    ],
)
def test_the_incomplete_beta_agrees_with_known_values(
    x: float, a: float, b: float, expected: float
) -> None:
    assert betainc(a, b, x) == pytest.approx(expected, rel=1e-9)


def test_negative_binomial_tails_agree_with_known_values() -> None:
    assert nbinom_sf(59, 40, 0.05) == pytest.approx(0.04866069244348009, rel=1e-9)
    assert nbinom_cdf(12, 40, 0.05) == pytest.approx(0.0006868245184126048, rel=1e-9)
    assert nbinom_sf(-1, 40, 0.05) == 1


@settings(deadline=None)  # the first tail imports mpmath
@given(st.integers(1, 3000), st.floats(0.5, 3000), st.floats(0.005, 4))
def test_both_tails_of_a_count_share_its_own_probability(
    y: int, mean: float, dispersion: float
) -> None:
    above = nbinom_sf(y - 1, mean, dispersion)
    below = nbinom_cdf(y - 1, mean, dispersion)
    assert above + below == pytest.approx(1, abs=1e-9)


def test_the_range_is_close_to_the_negative_binomials_quantiles() -> None:
    low, high = nbinom_interval(40, 0.05)
    assert low == pytest.approx(21, abs=1)
    assert high == pytest.approx(64, abs=1)


def test_beta_binomial_tail_agrees_with_known_values() -> None:
    assert betabinom_sf(11, 50, 0.1, 80) == pytest.approx(0.018467140809329985, rel=1e-9)
    assert betabinom_sf(2, 50, 0.1, 80) == pytest.approx(0.8223324825899219, rel=1e-9)
    assert betabinom_sf(-1, 50, 0.1, 80) == 1
    assert betabinom_sf(50, 50, 0.1, 80) == 0


@given(st.integers(1, 60), st.floats(0.01, 0.9), st.integers(0, 60))
def test_a_firm_beta_binomial_is_a_binomial(n: int, p: float, k: int) -> None:
    exact = sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
    assert betabinom_sf(k - 1, n, p, 1e9) == pytest.approx(exact, rel=1e-4, abs=1e-12)


def test_student_tail_agrees_with_known_values() -> None:
    assert t_sf(3, 10) == pytest.approx(0.006671827511284785, rel=1e-9)
    assert t_sf(-3, 10) == pytest.approx(1 - 0.006671827511284785, rel=1e-9)


def test_poisson_interval_is_close_to_garwoods() -> None:
    low, high = poisson_interval(20)
    assert (low, high) == pytest.approx((12.21651959, 30.8883779), rel=0.005)
    assert poisson_interval(0)[0] == 0


def test_wilson_agrees_with_the_published_example() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_holds_the_share_within_zero_and_one(a: int, b: int) -> None:
    low, high = wilson_interval(a, a + b)
    share = a / (a + b) if a + b else 0.5
    assert 0 <= low <= share <= high <= 1


def test_wilson_of_nothing_is_everything() -> None:
    assert wilson_interval(0, 0) == (0, 1)


def test_benjamini_hochberg_rejects_up_to_the_last_p_below_its_line() -> None:
    # The example of Benjamini and Hochberg (1995): 15 tests, q = 0.05: the first four.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
         0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    assert benjamini_hochberg(p, 0.05, 15) == 0.0095
    assert benjamini_hochberg(p[::-1], 0.05, 15) == 0.0095
    assert benjamini_hochberg(p[4:], 0.05, 15) == -1
    assert benjamini_hochberg([], 0.05, 1) == -1


def test_mpmath_is_not_imported_before_a_tail_is_asked_for() -> None:
    code = "import sys, imagegen.report.anomalies.find; sys.exit('mpmath' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(1, 400))
def test_wilsons_bounds_are_where_the_score_test_turns(successes: int, failures: int) -> None:
    n = successes + failures
    for bound in wilson_interval(successes, n):
        if 0 < bound < 1:  # |share - p| = z·√(p(1-p)/n), in 50 digits
            with mpmath.workdps(50):
                error = mpmath.sqrt(mpmath.mpf(bound) * (1 - mpmath.mpf(bound)) / n)
                score = float(abs(mpmath.mpf(successes) / n - bound) / error)
            assert score == pytest.approx(1.959964, rel=1e-6)


@settings(deadline=None)
@given(st.integers(4, 3000))
def test_the_poisson_interval_is_close_to_the_exact_one_at_any_count(count: int) -> None:
    low, high = poisson_interval(count)
    # P(X ≥ count) at the lower bound and P(X ≤ count) at the upper, as incomplete gammas.
    assert float(mpmath.gammainc(count, 0, low, regularized=True)) == pytest.approx(0.025, rel=0.04)
    upper = mpmath.gammainc(count + 1, high, mpmath.inf, regularized=True)
    assert float(upper) == pytest.approx(0.025, rel=0.04)


@settings(deadline=None)
@given(st.integers(1, 80), st.floats(0.02, 0.98), st.floats(0.5, 500), st.integers(0, 81))
def test_the_beta_binomial_tail_is_the_sum_of_its_terms(
    n: int, mean: float, size: float, k: int
) -> None:
    a, b = mean * size, (1 - mean) * size
    terms = [
        mpmath.binomial(n, i) * mpmath.beta(i + a, n - i + b) / mpmath.beta(a, b)
        for i in range(k, n + 1)
    ]
    expected = float(mpmath.fsum(terms))
    assert betabinom_sf(k - 1, n, mean, size) == pytest.approx(expected, rel=1e-8, abs=1e-13)


@given(st.lists(st.floats(0, 1), max_size=12), st.integers(0, 5), st.floats(0.001, 0.3))
def test_benjamini_hochberg_is_its_definition(p: list[float], untested: int, q: float) -> None:
    family = max(1, len(p) + untested)
    ranked = sorted(p)
    allowed = [each for rank, each in enumerate(ranked, start=1) if each <= q * rank / family]
    assert benjamini_hochberg(p, q, family) == (max(allowed) if allowed else -1)
