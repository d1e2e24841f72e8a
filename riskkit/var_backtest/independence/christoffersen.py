"""Christoffersen's tests of independence and conditional coverage, on the transitions from day to day."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, whole_number
from riskkit._show import percent
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit.var_backtest.core.distributions import x_log_x
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import HitTransitions, hit_array, hit_transitions
from riskkit.var_backtest.core.outcome import TestResult, chi_square_outcome
from riskkit.var_backtest.exact.coverage import pof_lr
from riskkit.var_backtest.exact.markov import christoffersen_p_value


@documented
def christoffersen_independence(hits: Any, confidence: float | None = None) -> TestResult:
    """Christoffersen's test of independence against first-order Markov dependence.

    Parameters
    ----------
    hits : (n_obs,) array of booleans, or Transitions
        True on days with a loss beyond VaR, or the transition counts (n00, n01, n10, n11).
    confidence : float, optional
        Confidence of VaR as a fraction; needed only for the exact p-value.

    Returns
    -------
    Outcome
        statistic LR, 1 df, 0 ln 0 = 0; without hits it is 0. `details` contains the transition counts.

    References
    ----------
    .. [1] Christoffersen (1998), Evaluating Interval Forecasts, section 4 (LR test of independence).

    Examples
    --------
    >>> round(christoffersen_independence((239, 5, 5, 0)).statistic, 6)
    0.204932
    >>> christoffersen_independence([0, 0, 0]).p_value
    1.0
    """
    counts = _transitions(hits)
    statistic = independence_lr(counts)
    exact = None
    if confidence is not None:
        exact = christoffersen_p_value(statistic, sum(counts) + 1, confidence, test="independence")
    null = "a hit is as likely after a hit as after none"
    return chi_square_outcome(
        "Christoffersen independence", null, _finding(counts), statistic, 1, exact, "enumeration", **counts._asdict()
    )


@documented
def christoffersen_conditional(hits: Any, confidence: float = DEFAULT_CONFIDENCE) -> TestResult:
    """Christoffersen's test of conditional coverage: correct number of hits, and independence.

    Returns
    -------
    Outcome
        statistic LR = POF over all n days + independence over the n-1 pairs, 2 df; exact p-value by a sum over hit
        and transition counts; `details` contains both parts.

    References
    ----------
    .. [1] Christoffersen (1998), Evaluating Interval Forecasts, section 4 (joint test of coverage and
       independence).

    Examples
    --------
    >>> hits = [day in (100, 101, 102) for day in range(250)]
    >>> outcome = christoffersen_conditional(hits, 0.99)
    >>> round(outcome.statistic, 4), round(outcome.p_value, 6), round(outcome.exact_p_value, 6)
    (15.746, 0.000381, 9.3e-05)
    """
    array = hit_array(hits)
    p, n_obs = tail_probability(confidence), array.size
    counts = hit_transitions(array)
    coverage = float(pof_lr(int(array.sum()), n_obs, p))
    independence = independence_lr(counts)
    statistic = coverage + independence
    return chi_square_outcome(
        "Christoffersen conditional coverage",
        f"hits have probability {percent(p)} whatever happened the day before",
        f"{int(array.sum()):,} hits in {n_obs:,} days, {n_obs * p:,.6g} expected; {_finding(counts)}",
        statistic,
        2,
        christoffersen_p_value(statistic, n_obs, confidence),
        "enumeration",
        lr_uc=coverage,
        lr_ind=independence,
    )


def independence_lr(counts: HitTransitions) -> float:
    """Return the likelihood ratio of a first-order Markov chain over independent hits."""
    n00, n01, n10, n11 = counts
    free = x_log_x([n00, n01, n10, n11]).sum() - x_log_x([n00 + n01, n10 + n11]).sum()
    tied = x_log_x([n01 + n11, n00 + n10]).sum() - x_log_x(float(sum(counts)))
    return max(float(2.0 * (free - tied)), 0.0)


def simulated_christoffersen(days: np.ndarray, n_obs: int, p: float, test: str) -> np.ndarray:
    """Return the statistic ("cc" or "independence") of every simulated row of hit days."""
    is_hit = days <= n_obs
    hits = is_hit.sum(axis=1)
    n11 = ((np.diff(days, axis=1) == 1) & is_hit[:, 1:]).sum(axis=1)
    n01 = hits - (days[:, 0] == 1) - n11
    n10 = hits - (days == n_obs).any(axis=1) - n11
    n00 = n_obs - 1 - n01 - n10 - n11
    free = sum(x_log_x(part) for part in (n00, n01, n10, n11)) - x_log_x(n00 + n01) - x_log_x(n10 + n11)
    tied = x_log_x(n01 + n11) + x_log_x(n00 + n10) - x_log_x(float(n_obs - 1))
    independence = np.maximum(2.0 * (free - tied), 0.0)
    return np.asarray(independence if test == "independence" else independence + pof_lr(hits, n_obs, p))


def _transitions(hits: Any) -> HitTransitions:
    if not isinstance(hits, (HitTransitions, tuple)):
        return hit_transitions(hits)
    if len(hits) != 4:
        raise InputError(f"hits is a tuple of {len(hits)} numbers; transition counts are (n00, n01, n10, n11)")
    return HitTransitions(
        *(whole_number(value, name, at_least=0) for value, name in zip(hits, HitTransitions._fields, strict=True))
    )


def _finding(counts: HitTransitions) -> str:
    return f"{counts.n11:,} of {counts.n11 + counts.n10:,} hits were followed by a hit"
