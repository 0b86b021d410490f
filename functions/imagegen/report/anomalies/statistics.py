"""The statistics of the anomaly rules, named as in scipy.stats: sf is P(X > x), cdf is P(X ≤ x).

Without scipy: the one special function, the regularised incomplete beta, is mpmath's, and mpmath is
imported when the first tail is computed, not when a worker starts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

Z95 = 1.959963984540054  # the standard normal's 97.5 % quantile
MAD_TO_SIGMA = 1.4826  # for a normal distribution
TAILS = ((0.9, 1.645), (0.97, 2.17))  # the share of |normal| that lies within so many σ
MOVING_RANGE_TO_SIGMA = 1.128  # the mean range of two normal values, in σ


def quantile(ascending: Sequence[float], share: float) -> float:
    """Linear between neighbours (type 7 of Hyndman and Fan, 1996)."""
    at = share * (len(ascending) - 1)
    low = int(at)
    high = min(low + 1, len(ascending) - 1)
    return ascending[low] + (at - low) * (ascending[high] - ascending[low])


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson, 1927); (0, 1) when nothing was tried."""
    if n == 0:
        return (0.0, 1.0)
    low, high = score_interval(successes / n, n)
    return (0.0 if successes == 0 else low, 1.0 if successes == n else high)


def score_interval(share: float, n: float) -> tuple[float, float]:
    """Wilson's interval of `share` seen in `n` trials, or in what clustered trials are worth."""
    z2 = Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return (max(0.0, middle - half), min(1.0, middle + half))


def poisson_interval(count: float) -> tuple[float, float]:
    """The 95 % interval of the mean behind a count: Garwood (1936), χ² after Wilson–Hilferty."""
    return (_gamma_quantile(count, -Z95), _gamma_quantile(count + 1, Z95))


@lru_cache(maxsize=4096)
def betainc(a: float, b: float, x: float) -> float:
    """I_x(a, b), the regularised incomplete beta function."""
    import mpmath  # noqa: PLC0415 -- 34 ms, which only the report should pay

    return float(mpmath.betainc(a, b, 0, x, regularized=True))


def nbinom_sf(y: float, mean: float, dispersion: float) -> float:
    """P(Y > y), a negative binomial of variance mean + dispersion·mean²: I_{μ/(μ+r)}(y + 1, r)."""
    if y < 0:
        return 1.0
    r = 1 / dispersion
    return betainc(y + 1, r, mean / (mean + r))


def nbinom_cdf(y: float, mean: float, dispersion: float) -> float:
    """P(Y ≤ y) of the same: I_{r/(μ+r)}(r, y + 1)."""
    r = 1 / dispersion
    return betainc(r, y + 1, r / (mean + r))


def nbinom_interval(mean: float, dispersion: float) -> tuple[float, float]:
    """About the 2.5 % and 97.5 % quantiles: those of the gamma with the same mean and variance."""
    variance = mean + dispersion * mean * mean
    shape, scale = mean * mean / variance, variance / mean
    return (scale * _gamma_quantile(shape, -Z95), scale * _gamma_quantile(shape, Z95))


def t_sf(t: float, df: float) -> float:
    """P(T > t) of Student's t: half of I_{ν/(ν+t²)}(ν/2, 1/2) where t is positive."""
    half = betainc(df / 2, 0.5, df / (df + t * t)) / 2
    return half if t > 0 else 1 - half


def betabinom_sf(k: int, n: int, mean: float, size: float) -> float:
    """P(K > k) of n trials whose probability is Beta(mean·size, (1 - mean)·size).

    Sums the shorter tail term by term, each from the one before it; exact but for rounding.
    """
    if k < 0:
        return 1.0
    a, b = mean * size, (1 - mean) * size
    if k + 1 > n * mean:
        return min(1.0, _upper_tail(k + 1, n, a, b))
    return max(0.0, 1.0 - _upper_tail(n - k, n, b, a))


def benjamini_hochberg(p_values: Sequence[float], q: float, family: int) -> float:
    """The largest p-value to reject at false discovery rate q; -1 when none is.

    `family` is the number of tests that could have been run: those left out count as p = 1.
    (Benjamini and Hochberg, 1995.)
    """
    cut = -1.0
    for rank, p in enumerate(sorted(p_values), start=1):
        if p <= q * rank / family:
            cut = p
    return cut


def _gamma_quantile(shape: float, z: float) -> float:
    """The quantile of Gamma(shape, 1) at the normal score z (Wilson and Hilferty, 1931)."""
    if shape <= 0:
        return 0.0
    root = 1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))
    return shape * root**3 if root > 0 else 0.0


def _upper_tail(k: int, n: int, a: float, b: float) -> float:
    """P(K ≥ k), from the term at k upwards until the rest is negligible."""
    if k > n:
        return 0.0
    log_term = (
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        + math.lgamma(k + a) + math.lgamma(n - k + b) - math.lgamma(n + a + b)
        + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    )  # fmt: skip
    term = math.exp(log_term) if log_term > -745 else 0.0
    total = term
    for i in range(k, n):
        term *= (n - i) * (i + a) / ((i + 1) * (n - i - 1 + b))
        total += term
        if term < total * 1e-15:
            break
    return total
