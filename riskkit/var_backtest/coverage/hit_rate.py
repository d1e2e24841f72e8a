"""Tests of the number of hits (unconditional coverage): binomial, score, Kupiec POF and Kupiec TUFF."""

from __future__ import annotations

import math
from typing import Any

from riskkit._check import probability, whole_number
from riskkit._show import percent
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit.var_backtest.core.distributions import binomial_cdf, binomial_upper_tail, chi_square_quantile, normal_tail
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import hit_count
from riskkit.var_backtest.core.outcome import TestResult, chi_square_outcome, undefined
from riskkit.var_backtest.exact.coverage import Order, pof_lr, pof_p_value, tuff_lr, tuff_p_value

EXTREME = {"probability": "probability", "lr": "likelihood ratio", "distance": "distance from n p"}
"""Orders of the exact p-values, in words."""


@documented
def binomial_z(n_hits: int, n_obs: int, confidence: float = DEFAULT_CONFIDENCE) -> TestResult:
    """Two-sided test of the number of hits by the normal approximation.

    Returns
    -------
    Outcome
        statistic z = (x - n p)/sqrt(n p (1 - p)); exact p-value P(abs(X - n p) >= abs(x - n p)), as in
        `score_test`.

    References
    ----------
    .. [1] Jorion (2007), Value at Risk, 3rd ed., chapter 6.

    Examples
    --------
    >>> outcome = binomial_z(57, 1043, 0.95)
    >>> round(outcome.statistic, 5), round(outcome.p_value, 5)
    (0.68905, 0.49079)
    """
    n_hits, n_obs, p = _counts(n_hits, n_obs, confidence)
    z = (n_hits - n_obs * p) / math.sqrt(n_obs * p * (1.0 - p))
    return TestResult(
        "Binomial z",
        _null(p),
        _finding(n_hits, n_obs, p),
        z,
        "standard normal, two-sided",
        2.0 * normal_tail(abs(z)),
        pof_p_value(n_hits, n_obs, confidence, order="distance"),
        "enumeration",
    )


@documented
def binomial_tail(n_hits: int, n_obs: int, confidence: float = DEFAULT_CONFIDENCE) -> TestResult:
    """Exact one-sided binomial test against too many hits.

    Returns
    -------
    Outcome
        statistic = number of hits; p-value P(X >= x), exact.

    References
    ----------
    .. [1] Basel Committee (1996), Supervisory Framework for the Use of "Backtesting", table 1 (type 1 error).

    Examples
    --------
    >>> round(binomial_tail(10, 250, 0.99).p_value, 6)
    0.00025
    """
    n_hits, n_obs, p = _counts(n_hits, n_obs, confidence)
    tail = binomial_upper_tail(n_hits, n_obs, p)
    null = f"a hit has probability {percent(p)} or less"
    return TestResult(
        "Binomial tail", null, _finding(n_hits, n_obs, p), float(n_hits), "binomial, upper tail", tail, tail, "binomial"
    )


@documented
def score_test(n_hits: int, n_obs: int, confidence: float = DEFAULT_CONFIDENCE) -> TestResult:
    """Chi-square score test of the hit rate with Yates' continuity correction (not Kupiec's test).

    Returns
    -------
    Outcome
        statistic (abs(x - n p) - min(0.5, abs(x - n p)))²/(n p (1 - p)), 1 df; `details["expected"]` = n p.

    References
    ----------
    .. [1] Yates (1934), Contingency Tables Involving Small Numbers and the chi² Test.

    Examples
    --------
    >>> round(score_test(6, 250, 0.99).p_value, 5)
    0.05653
    """
    n_hits, n_obs, p = _counts(n_hits, n_obs, confidence)
    gap = abs(n_hits - n_obs * p)
    statistic = (gap - min(0.5, gap)) ** 2 / (n_obs * p * (1.0 - p))
    exact, expected = pof_p_value(n_hits, n_obs, confidence, order="distance"), n_obs * p
    finding = _finding(n_hits, n_obs, p)
    return chi_square_outcome(
        "Proportion (Yates)", _null(p), finding, statistic, 1, exact, "enumeration", expected=expected
    )


@documented
def kupiec_pof(
    n_hits: int, n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, order: Order = "probability"
) -> TestResult:
    """Kupiec's test of the proportion of failures (unconditional coverage).

    Returns
    -------
    Outcome
        statistic LR = -2 ln[(1-p)^(n-x) p^x / ((1-x/n)^(n-x) (x/n)^x)] with 0 ln 0 = 0; `p_value` chi-square, 1 df;
        `exact_p_value` by enumeration, None with ``order="asymptotic"``. `pof_nonrejection_region` of the same order has
        the same decisions.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, proportion of failures.

    Examples
    --------
    >>> outcome = kupiec_pof(15, 1000, 0.99)
    >>> round(outcome.statistic, 2), outcome.reject
    (2.19, False)
    """
    n_hits, n_obs, p = _counts(n_hits, n_obs, confidence)
    statistic = float(pof_lr(n_hits, n_obs, p))
    exact = None if order == "asymptotic" else pof_p_value(n_hits, n_obs, confidence, order=order)
    finding, method = _finding(n_hits, n_obs, p), f"enumeration by {EXTREME.get(order)}"
    return chi_square_outcome("Kupiec POF", _null(p), finding, statistic, 1, exact, method)


@documented
def kupiec_tuff(
    first_hit: int | None,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    n_obs: int | None = None,
    significance: float = 0.05,
) -> TestResult:
    """Kupiec's test of the time until the first failure.

    Parameters
    ----------
    first_hit : int or None
        Day of the first hit, counted from 1; None without a hit in `n_obs` days.
    n_obs : int, optional
        Number of days; needed only without a hit.
    significance : float
        Size of the test as a fraction: 0.05 for 5 %. Without a hit it decides whether the wait is already too long.

    Returns
    -------
    Outcome
        statistic LR = -2 ln[p (1-p)^(v-1) / ((1/v) (1-1/v)^(v-1))], 1 df, and its exact p-value. Without a hit the
        test is undefined, unless n_obs > 1/p and a first hit on day n_obs + 1 would be rejected as too late: then
        LR is that of day n_obs + 1.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, time until first failure.

    Examples
    --------
    >>> round(kupiec_tuff(1, 0.99).statistic, 4)
    9.2103
    >>> kupiec_tuff(None, 0.99, n_obs=100).p_value is None
    True
    """
    p = tail_probability(confidence)
    name, null = "Kupiec TUFF", f"hits have probability {percent(p)} until the first one"
    if first_hit is None:
        critical = chi_square_quantile(1.0 - probability(significance, "significance"), 1)
        n_obs = whole_number(n_obs, "n_obs (needed without a first_hit)")
        late = n_obs + 1
        if n_obs <= 1.0 / p or float(tuff_lr(late, p)) <= critical:
            return undefined(name, null, f"no hit in {n_obs:,} days, which is not yet too long")
        finding = f"no hit in {n_obs:,} days where the first is expected after {1 / p:,.6g}"
    else:
        late = whole_number(first_hit, "first_hit")
        finding = f"the first hit on day {late:,} where day {1 / p:,.6g} is expected"
    exact = tuff_p_value(late, confidence)
    return chi_square_outcome(name, null, finding, float(tuff_lr(late, p)), 1, exact, "enumeration by likelihood ratio")


def _counts(n_hits: Any, n_obs: Any, confidence: Any) -> tuple[int, int, float]:
    n_obs = whole_number(n_obs, "n_obs")
    return hit_count(n_hits, n_obs), n_obs, tail_probability(confidence)


def _null(p: float) -> str:
    return f"a hit has probability {percent(p)}"


def _finding(n_hits: int, n_obs: int, p: float) -> str:
    """Number of hits beside the expected one, and the probability of a number at least as far on its side."""
    expected = n_obs * p
    if n_hits > expected:
        share = f"a correct model has as many in {100.0 * binomial_upper_tail(n_hits, n_obs, p):.3g}% of samples"
    elif n_hits < expected:
        share = f"a correct model has as few in {100.0 * binomial_cdf(n_hits, n_obs, p):.3g}% of samples"
    else:
        share = "exactly as expected"
    return f"{n_hits:,} hits in {n_obs:,} days, {expected:,.6g} expected; {share}"
