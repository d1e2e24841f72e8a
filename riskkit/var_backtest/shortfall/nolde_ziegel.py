"""Nolde and Ziegel's joint calibration tests of VaR and ES.

V = (p - hit, VaR - ES + hit (loss - VaR)/p) has mean zero for calibrated forecasts: its first column is positive on
average with too few hits, its second if ES is too small. The chi-square p-values are poor in short samples (250 days
at 97.5 %: the nominal 5 % test rejects 20 % of correct models); the simulated ones draw losses beyond the given VaR
with the given ES, from the tail of a stated null distribution.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np

from riskkit._check import one_of
from riskkit._show import brief
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import ReturnsLike
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import Sample, es_sample, sd_array
from riskkit.var_backtest.core.outcome import TestResult, chi_square_outcome, undefined
from riskkit.var_backtest.core.simulated_hits import generator, monte_carlo_p_value, simulate_hit_days
from riskkit.var_backtest.core.tail_simulation import draw_excesses

NULL = "VaR and ES are calibrated: number of hits and size of losses beyond VaR are as forecast"
N_DRAWS = 999


class Moments(NamedTuple):
    """Sums over days of V1, V2, their squares and their product; of one sample, or of many (arrays)."""

    first: Any
    second: Any
    first_square: Any
    second_square: Any
    product: Any


@documented
def nolde_ziegel_simple(
    returns: ReturnsLike,
    var: Any,
    es: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    null: str = "normal",
    n_draws: int = N_DRAWS,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Nolde and Ziegel's simple two-sided calibration test of VaR and ES.

    Returns
    -------
    Outcome
        statistic n m'Ω⁻¹m, m the mean of V and Ω = V'V/n; chi-square, 2 df. Undefined if Ω is singular, as without
        hits when ES - VaR is constant.

    References
    ----------
    .. [1] Nolde and Ziegel (2017), Elicitability and Backtesting: Perspectives for Banking Regulation, section 2.

    Examples
    --------
    >>> returns = [0.01, -0.03, 0.0, -0.01, 0.02, -0.05, 0.01, 0.0, 0.01, 0.02]
    >>> round(nolde_ziegel_simple(returns, 0.02, 0.03, 0.9, n_draws=0).statistic, 4)
    1.0112
    """
    checked, p = es_sample(returns, var, es, positive_es=False), tail_probability(confidence)
    n_obs, moments = checked.returns.size, _moments(identification(checked, p))
    statistic = float(_wald(n_obs, moments))
    if math.isnan(statistic):
        return undefined("Nolde-Ziegel simple", NULL, "the columns of V are linearly dependent, as without hits")
    exact = None
    if n_draws:
        draws = _wald(n_obs, _simulated_moments(checked, p, null, n_draws, generator(rng)))
        exact = monte_carlo_p_value(statistic, draws)
    finding = f"mean V = {brief(moments.first / n_obs)} for VaR, {brief(moments.second / n_obs)} for ES"
    return chi_square_outcome("Nolde-Ziegel simple", NULL, finding, statistic, 2, exact, _method(null, n_draws))


@documented
def nolde_ziegel_general(
    returns: ReturnsLike,
    var: Any,
    es: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    sd: Any,
    null: str = "normal",
    n_draws: int = N_DRAWS,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Nolde and Ziegel's general two-sided calibration test, with the forecast standard deviation.

    Returns
    -------
    Outcome
        statistic of the simple test for the single column V1 (ES - VaR)/(p sd) + V2/sd; chi-square, 1 df. Undefined
        without hits.

    References
    ----------
    .. [1] Nolde and Ziegel (2017), Elicitability and Backtesting: Perspectives for Banking Regulation, section 2.

    Examples
    --------
    >>> returns = [0.01, -0.03, 0.0, -0.01, 0.02, -0.05, 0.01, 0.0, 0.01, 0.02]
    >>> round(nolde_ziegel_general(returns, 0.02, 0.03, 0.9, sd=0.015, n_draws=0).statistic, 4)
    1.0
    """
    checked, p = es_sample(returns, var, es, positive_es=False), tail_probability(confidence)
    spread = sd_array(sd, checked)
    # The terms of days without a hit cancel, which leaves (loss - ES)/(p sd) over the hits.
    column = np.where(checked.hits, -checked.returns - checked.es, 0.0) / (p * spread)
    largest = float(np.abs(column).max())
    if largest == 0.0:
        return undefined("Nolde-Ziegel general", NULL, "the column is zero on every day, as without hits")
    shares = column / largest  # the statistic has no unit, and no square of a share leaves floating point
    statistic = float(shares.sum()) ** 2 / float(shares @ shares)
    exact = None
    if n_draws:
        days, margin = _simulated_days(checked, p, n_draws, rng := generator(rng))
        margin = margin / np.append(spread, 1.0)[days - 1]
        draws = margin * (draw_excesses(p, null, days.shape, rng) - 1.0)
        squares = (draws**2).sum(axis=1)
        defined = squares > 0.0
        exact = monte_carlo_p_value(statistic, draws.sum(axis=1)[defined] ** 2 / squares[defined])
    mean_excess = column.sum() * p / max(int(checked.hits.sum()), 1)
    finding = f"losses beyond VaR exceed ES by {mean_excess:.3g} sd on average"
    return chi_square_outcome("Nolde-Ziegel general", NULL, finding, statistic, 1, exact, _method(null, n_draws))


@documented
def nolde_ziegel_one_sided(
    returns: ReturnsLike,
    var: Any,
    es: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    correction: Literal["hommel", "bonferroni"] = "hommel",
    alternative: Literal["understated", "as_printed"] = "understated",
    null: str = "normal",
    n_draws: int = N_DRAWS,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Nolde and Ziegel's simple one-sided calibration test.

    Parameters
    ----------
    correction : {"hommel", "bonferroni"}
        Combination of the two sorted p-values: 1.5 min(2 p(1), p(2)), or 2 p(1).
    alternative : {"understated", "as_printed"}
        "understated": large z in either column are evidence of understated risk (too many hits; ES too small).
        "as_printed": both columns of V unchanged, where the first grows with too *few* hits, as in the R package
        esback.

    Returns
    -------
    Outcome
        p_i = 1 - Φ(z_i), z_i = sqrt(n) m_i/sqrt(Ω_ii); statistic = the larger z. `details` contains both z.

    References
    ----------
    .. [1] Nolde and Ziegel (2017), Elicitability and Backtesting: Perspectives for Banking Regulation, section 2.
    .. [2] Hommel (1983), Tests of the Overall Hypothesis for Arbitrary Dependence Structures.

    Examples
    --------
    >>> returns = [0.01, -0.03, 0.0, -0.01, 0.02, -0.05, 0.01, 0.0, 0.01, 0.02]
    >>> outcome = nolde_ziegel_one_sided(returns, 0.02, 0.03, 0.9, correction="bonferroni", n_draws=0)
    >>> round(outcome.p_value, 4)
    0.3252
    """
    combine = {"hommel": _hommel, "bonferroni": _bonferroni}[one_of(correction, ("hommel", "bonferroni"), "correction")]
    one_of(alternative, ("understated", "as_printed"), "alternative")
    sign = -1.0 if alternative == "understated" else 1.0
    checked, p = es_sample(returns, var, es, positive_es=False), tail_probability(confidence)
    name, null_text = "Nolde-Ziegel one-sided", "VaR and ES are calibrated or too large"
    z = _z_values(_moments(identification(checked, p)), sign)
    if np.isnan(z).any():
        return undefined(name, null_text, "one of the two columns of V is zero on every day")
    p_value = float(combine(z))
    exact = None
    if n_draws:
        draws = combine(_z_values(_simulated_moments(checked, p, null, n_draws, generator(rng)), sign))
        exact = monte_carlo_p_value(p_value, draws, lower=True)
    return TestResult(
        name,
        null_text,
        f"z = {z[0]:.3g} for VaR and {z[1]:.3g} for ES",
        float(z.max()),
        f"standard normal, upper tail, {correction.capitalize()}",
        p_value,
        exact,
        _method(null, n_draws),
        details={"z_var": float(z[0]), "z_es": float(z[1])},
    )


def identification(checked: Sample, p: float) -> np.ndarray:
    """Return V, shape (n_obs, 2): p - hit, and VaR - ES + hit (loss - VaR)/p."""
    hits = checked.hits
    beyond = np.where(hits, -checked.returns - checked.var, 0.0) / p
    return np.column_stack([p - hits, checked.var - checked.es + beyond])


def _moments(columns: np.ndarray) -> Moments:
    first, second = columns.T
    return Moments(first.sum(), second.sum(), first @ first, second @ second, first @ second)


def _wald(n_obs: int, moments: Moments) -> Any:
    """Return n m'Ω⁻¹m from the sums; NaN where Ω is singular."""
    first, second, first_square, second_square, product = moments
    determinant = first_square * second_square - product**2
    numerator = first**2 * second_square - 2.0 * first * second * product + second**2 * first_square
    singular = determinant <= 1e-12 * first_square * second_square
    return np.where(singular, np.nan, numerator / np.where(singular, 1.0, determinant))


def _z_values(moments: Moments, sign: float) -> np.ndarray:
    """Both z, shape (2,) or (2, n_draws); NaN where a column is zero on every day."""
    sums = np.array([sign * moments.first, moments.second])
    squares = np.array([moments.first_square, moments.second_square])
    return np.where(squares > 0.0, sums / np.sqrt(np.where(squares > 0.0, squares, 1.0)), np.nan)


def _tails(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return np.sort(ndtr(-z), axis=0)


def _hommel(z: np.ndarray) -> Any:
    small, large = _tails(z)
    return np.minimum(1.5 * np.minimum(2.0 * small, large), 1.0)


def _bonferroni(z: np.ndarray) -> Any:
    return np.minimum(2.0 * _tails(z)[0], 1.0)


def _method(null: str, n_draws: int) -> str:
    return f"{null} null, {n_draws:,} simulated samples" if n_draws else ""


def _simulated_days(checked: Sample, p: float, n_draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Days of hits of a correct model, and ES - VaR on them (0 after the last hit of a row)."""
    days = simulate_hit_days(checked.returns.size, p, n_draws, rng)
    return days, np.append(checked.es - checked.var, 0.0)[days - 1]


def _simulated_moments(checked: Sample, p: float, null: str, n_draws: int, rng: np.random.Generator) -> Moments:
    """Moments of V for correct models: on a hit V2 = (ES - VaR)(g/p - 1), g the excess with mean 1, else VaR - ES."""
    n_obs, margin = checked.returns.size, checked.es - checked.var
    days, margin_hit = _simulated_days(checked, p, n_draws, rng)
    hits = (days <= n_obs).sum(axis=1)
    grown = draw_excesses(p, null, days.shape, rng) / p
    return Moments(
        first=n_obs * p - hits,
        second=-margin.sum() + (margin_hit * grown).sum(axis=1),
        first_square=(n_obs - hits) * p**2 + hits * (1.0 - p) ** 2,
        second_square=margin @ margin + (margin_hit**2 * grown * (grown - 2.0)).sum(axis=1),
        product=-p * margin.sum() + (margin_hit * ((p - 1.0) * (grown - 1.0) + p)).sum(axis=1),
    )
