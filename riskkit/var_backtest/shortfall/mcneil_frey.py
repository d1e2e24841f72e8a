"""McNeil and Frey's residual test of ES: losses beyond VaR against ES, by formula and by bootstrap."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import whole_number
from riskkit._show import brief
from riskkit._tail import tail_probability
from riskkit._types import ReturnsLike
from riskkit.var_backtest.core.distributions import normal_tail
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import Sample, es_sample, sd_array
from riskkit.var_backtest.core.outcome import TestResult, undefined
from riskkit.var_backtest.core.simulated_hits import generator, monte_carlo_p_value, simulate_hit_days
from riskkit.var_backtest.core.tail_simulation import draw_excesses

CHUNK = 2_000_000


@documented
def mcneil_frey_z(
    returns: ReturnsLike,
    var: Any,
    es: Any,
    confidence: float | None = None,
    *,
    null: str = "normal",
    n_draws: int = 999,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """McNeil and Frey's residual test that losses beyond VaR are on average no larger than ES.

    Parameters
    ----------
    confidence : float, optional
        Confidence of VaR and ES as a fraction; needed only for the simulated p-value.

    Returns
    -------
    Outcome
        statistic z = mean(x)/(sd(x)/sqrt(k)), x = loss - ES over the k hits, sd with divisor k-1; upper normal tail.
        Undefined with fewer than two hits, or if all x are equal; such simulated samples are left out.

    References
    ----------
    .. [1] McNeil and Frey (2000), Estimation of Tail-Related Risk Measures for Heteroscedastic Financial
       Time Series, section 4 (backtesting expected shortfall).

    Examples
    --------
    >>> round(mcneil_frey_z([0.01, -0.03, 0.0, -0.05], 0.02, 0.025).statistic, 6)
    1.5
    """
    checked = es_sample(returns, var, es, positive_es=False)
    excess = _residuals(checked, None)
    name, null_text = "McNeil-Frey z", "losses beyond VaR are on average no larger than ES"
    reason = _why_undefined(excess)
    if reason:
        return undefined(name, null_text, reason)
    z = _t_statistic(excess)
    finding = f"losses beyond VaR exceed ES by {brief(excess.mean())} on average over {excess.size:,} hits"
    exact = None
    if n_draws and confidence is not None:
        draws = _simulated_t(checked, tail_probability(confidence), null, n_draws, generator(rng))
        exact = monte_carlo_p_value(z, draws)
    method = "" if exact is None else f"{null} null, {n_draws:,} simulated samples"
    return TestResult(name, null_text, finding, z, "standard normal, upper tail", normal_tail(z), exact, method)


@documented
def mcneil_frey_bootstrap(
    returns: ReturnsLike,
    var: Any,
    es: Any,
    *,
    sd: Any = None,
    n_bootstrap: int = 20_000,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """McNeil and Frey's residual test by bootstrap.

    Returns
    -------
    Outcome
        statistic t = mean(x)/(sd(x)/sqrt(k)), x = return + ES over the k hits, divided by `sd` if given (negative if
        ES is too small). p-value P(t* <= t), t* the centered statistics of resamples of x; `details` contains
        `one_sided` (the same) and `two_sided` P(abs(t*) >= abs(t)). Resamples of equal values are left out.

    References
    ----------
    .. [1] McNeil and Frey (2000), Estimation of Tail-Related Risk Measures for Heteroscedastic Financial
       Time Series, section 4 (backtesting expected shortfall).
    .. [2] Efron and Tibshirani (1993), An Introduction to the Bootstrap, p. 224.

    Examples
    --------
    >>> outcome = mcneil_frey_bootstrap([0.01, -0.03, 0.0, -0.05, -0.04], 0.02, 0.025)
    >>> round(outcome.statistic, 6)
    -2.598076
    """
    checked = es_sample(returns, var, es, positive_es=False)
    residuals = -_residuals(checked, sd)
    n_bootstrap = whole_number(n_bootstrap, "n_bootstrap")
    name, null = "McNeil-Frey bootstrap", "losses beyond VaR are on average no larger than ES"
    reason = _why_undefined(residuals)
    if reason:
        return undefined(name, null, reason)
    t = _t_statistic(residuals)
    draws = _bootstrap_t(residuals, n_bootstrap, generator(rng))
    centered = draws - draws.mean()
    one_sided = float(np.mean(centered <= t))
    two_sided = float(np.mean(np.abs(centered) >= abs(t)))
    return TestResult(
        name,
        null,
        f"losses beyond VaR exceed ES by {brief(-residuals.mean())}{' sd' if sd is not None else ''} on average "
        f"over {residuals.size:,} hits",
        t,
        f"bootstrap of {draws.size:,} resamples, lower tail",
        one_sided,
        details={"one_sided": one_sided, "two_sided": two_sided},
    )


def _residuals(checked: Sample, sd: Any) -> np.ndarray:
    """Loss - ES over the hits, divided by the standard deviation if given."""
    scale = 1.0 if sd is None else sd_array(sd, checked)
    return np.asarray(((-checked.returns - checked.es) / scale)[checked.hits])


def _why_undefined(values: np.ndarray) -> str:
    """Reason for which the t statistic is undefined; empty if it is not."""
    if values.size < 2:
        return f"{values.size} hit(s), and a standard deviation needs two"
    if values.std() <= 1e-14 * np.abs(values).max():
        return "all losses beyond VaR exceed ES by the same amount"
    return ""


def _t_statistic(values: np.ndarray) -> float:
    return float(values.mean() / (values.std(ddof=1) / math.sqrt(values.size)))


def _simulated_t(checked: Sample, p: float, null: str, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return t of the excesses of a correct model with these VaR and ES; NaN with fewer than two hits."""
    days = simulate_hit_days(checked.returns.size, p, n_draws, rng)
    margin = np.append(checked.es - checked.var, 0.0)[days - 1]
    excess = margin * (draw_excesses(p, null, days.shape, rng) - 1.0)
    hits = (days <= checked.returns.size).sum(axis=1)
    mean = excess.sum(axis=1) / np.maximum(hits, 1)
    variance = ((excess**2).sum(axis=1) - hits * mean**2) / np.maximum(hits - 1, 1)
    found = np.full(n_draws, np.nan)
    defined = (hits > 1) & (variance > 0.0)
    found[defined] = mean[defined] / np.sqrt(variance[defined] / hits[defined])
    return found


def _bootstrap_t(values: np.ndarray, n_bootstrap: int, rng: np.random.Generator) -> np.ndarray:
    """Return t statistics of resamples, in chunks of bounded memory, without those of equal values."""
    size = values.size
    found = []
    for start in range(0, n_bootstrap, max(1, CHUNK // size)):
        rows = min(max(1, CHUNK // size), n_bootstrap - start)
        drawn = values[rng.integers(0, size, size=(rows, size))]
        mean = drawn.mean(axis=1)
        spread = np.sqrt(((drawn - mean[:, None]) ** 2).sum(axis=1) / (size - 1))
        defined = spread > 1e-14 * np.abs(values).max()
        found.append(mean[defined] / (spread[defined] / math.sqrt(size)))
    return np.concatenate(found)
