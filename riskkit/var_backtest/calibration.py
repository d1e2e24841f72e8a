"""Are VaR and ES calibrated together? Nolde and Ziegel's conditional calibration tests.

V = (p - hit, VaR - ES + hit (loss - VaR)/p) has mean zero for calibrated forecasts: its first column is positive on
average with too few hits, its second when ES is too small. The chi-square p-values are poor in short samples (250 days
at 97.5 %: the nominal 5 % test rejects 20 % of true models); the simulated ones draw losses beyond the given VaR
with the given ES, their shape from a stated null.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import one_of
from riskkit._tail import tail_mass
from riskkit.var_backtest.distributions import chi_square_tail
from riskkit.var_backtest.hits import Sample, es_sample, sd_array
from riskkit.var_backtest.outcome import Outcome, undefined
from riskkit.var_backtest.simulated_hits import generator, monte_carlo_p_value, simulate_hit_days
from riskkit.var_backtest.tail_simulation import draw_excesses

__all__ = ["identification", "nolde_ziegel_general", "nolde_ziegel_one_sided", "nolde_ziegel_simple"]

NULL = "VaR and ES are calibrated: hits as many and losses beyond as large as they say"
N_DRAWS = 999


class Moments(NamedTuple):
    """Sums over days of V1, V2, their squares and their product; of one sample, or of many (arrays)."""

    first: Any
    second: Any
    first_square: Any
    second_square: Any
    product: Any


def nolde_ziegel_simple(
    returns: Any,
    var: Any,
    es: Any,
    confidence: float = 0.975,
    *,
    null: str = "normal",
    n_draws: int = N_DRAWS,
    rng: np.random.Generator | None = None,
) -> Outcome:
    """Nolde and Ziegel's simple two-sided calibration test of VaR and ES.

    Parameters
    ----------
    returns : (n_obs,) array or Series
        Realised returns, gains positive.
    var, es : (n_obs,) array or Series, or a number
        Forecasts for the same days, positive losses.
    confidence : float
        0.975 means 97.5 % VaR and ES.
    null : str
        Shape of the losses beyond VaR, for the simulated p-value: "normal", or "t3", "t5", ...
    n_draws : int
        Number of simulated samples; 0 for none.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Outcome
        statistic n m'Ω⁻¹m, m the mean of V and Ω = V'V/n; chi-square, 2 df. Undefined if Ω is singular, as without
        hits when ES - VaR is constant.

    Raises
    ------
    InputError
        Lengths differ, or something is not finite.

    References
    ----------
    .. [1] Nolde and Ziegel (2017), Elicitability and Backtesting: Perspectives for Banking Regulation, section 2.

    Examples
    --------
    >>> returns = [0.01, -0.03, 0.0, -0.01, 0.02, -0.05, 0.01, 0.0, 0.01, 0.02]
    >>> round(nolde_ziegel_simple(returns, 0.02, 0.03, 0.9, n_draws=0).statistic, 4)
    1.0112
    """
    checked, p = es_sample(returns, var, es, positive_es=False), tail_mass(confidence)
    n_obs, moments = checked.returns.size, _moments(identification(checked, p))
    statistic = float(_wald(n_obs, moments))
    if math.isnan(statistic):
        return undefined("Nolde-Ziegel simple", NULL, "the columns of V are linearly dependent, as without hits")
    exact = None
    if n_draws:
        draws = _wald(n_obs, _simulated_moments(checked, p, null, n_draws, generator(rng)))
        exact = monte_carlo_p_value(statistic, draws[~np.isnan(draws)])
    return Outcome(
        "Nolde-Ziegel simple",
        NULL,
        f"mean V = {moments.first / n_obs:.3g} for VaR, {moments.second / n_obs:.3g} for ES",
        statistic,
        "chi-square, 2 df",
        chi_square_tail(statistic, 2),
        exact,
        _method(null, n_draws),
        df=2,
    )


def nolde_ziegel_general(
    returns: Any,
    var: Any,
    es: Any,
    sd: Any,
    confidence: float = 0.975,
    *,
    null: str = "normal",
    n_draws: int = N_DRAWS,
    rng: np.random.Generator | None = None,
) -> Outcome:
    """Nolde and Ziegel's general two-sided calibration test, with the forecast standard deviation.

    Parameters
    ----------
    returns : (n_obs,) array or Series
        Realised returns, gains positive.
    var, es : (n_obs,) array or Series, or a number
        Forecasts for the same days, positive losses.
    sd : (n_obs,) array or Series, or a number
        Forecast standard deviation, above zero, in the unit of the returns.
    confidence : float
        0.975 means 97.5 % VaR and ES.
    null : str
        Shape of the losses beyond VaR, for the simulated p-value: "normal", or "t3", "t5", ...
    n_draws : int
        Number of simulated samples behind the finite-sample p-value; 0 for none.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Outcome
        The same statistic with one column, V1 (ES - VaR)/(p sd) + V2/sd; chi-square, 1 df. Undefined without hits.

    Raises
    ------
    InputError
        Lengths differ, something is not finite, or a standard deviation is not above zero.

    References
    ----------
    .. [1] Nolde and Ziegel (2017), Elicitability and Backtesting: Perspectives for Banking Regulation, section 2.

    Examples
    --------
    >>> returns = [0.01, -0.03, 0.0, -0.01, 0.02, -0.05, 0.01, 0.0, 0.01, 0.02]
    >>> round(nolde_ziegel_general(returns, 0.02, 0.03, 0.015, 0.9, n_draws=0).statistic, 4)
    1.0
    """
    checked, p = es_sample(returns, var, es, positive_es=False), tail_mass(confidence)
    assert checked.es is not None
    spread = sd_array(sd, checked)
    # The terms of days without a hit cancel: what is left is (loss - ES)/(p sd) over the hits.
    column = np.where(checked.hits, -checked.returns - checked.es, 0.0) / (p * spread)
    largest = float(np.abs(column).max())
    if largest == 0.0:
        return undefined("Nolde-Ziegel general", NULL, "the column is zero on every day, as without hits")
    shares = column / largest  # the statistic has no unit, and no square of a share leaves floating point
    statistic = float(shares.sum()) ** 2 / float(shares @ shares)
    exact = None
    if n_draws:
        days, room = _simulated_days(checked, p, n_draws, rng := generator(rng))
        room = room / np.append(spread, 1.0)[days - 1]
        draws = room * (draw_excesses(p, null, days.shape, rng) - 1.0)
        squares = (draws**2).sum(axis=1)
        some = squares > 0.0
        exact = monte_carlo_p_value(statistic, draws.sum(axis=1)[some] ** 2 / squares[some])
    return Outcome(
        "Nolde-Ziegel general",
        NULL,
        f"losses beyond VaR exceed ES by {column.sum() * p / max(int(checked.hits.sum()), 1):.3g} sd on average",
        statistic,
        "chi-square, 1 df",
        chi_square_tail(statistic, 1),
        exact,
        _method(null, n_draws),
        df=1,
    )


def nolde_ziegel_one_sided(
    returns: Any,
    var: Any,
    es: Any,
    confidence: float = 0.975,
    *,
    correction: str = "hommel",
    alternative: str = "understated",
    null: str = "normal",
    n_draws: int = N_DRAWS,
    rng: np.random.Generator | None = None,
) -> Outcome:
    """Nolde and Ziegel's simple one-sided calibration test.

    Parameters
    ----------
    returns : (n_obs,) array or Series
        Realised returns, gains positive.
    var, es : (n_obs,) array or Series, or a number
        Forecasts for the same days, positive losses.
    confidence : float
        0.975 means 97.5 % VaR and ES.
    correction : {"hommel", "bonferroni"}
        How the two p-values become one: 1.5 min(2 p(1), p(2)) with p sorted, or 2 min.
    alternative : {"understated", "as_printed"}
        "understated": large z in either column say that risk is understated (too many hits; ES too small).
        "as_printed": both columns of V as they stand, in which the first grows with too *few* hits; this is what the
        R package esback reports.
    null : str
        Shape of the losses beyond VaR, for the simulated p-value: "normal", or "t3", "t5", ...
    n_draws : int
        Number of simulated samples behind the finite-sample p-value; 0 for none.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Outcome
        p_i = 1 - Φ(z_i), z_i = sqrt(n) m_i/sqrt(Ω_ii); statistic = the larger z. `details` holds both z.

    Raises
    ------
    InputError
        Lengths differ, something is not finite, or an option is unknown.

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
    checked, p = es_sample(returns, var, es, positive_es=False), tail_mass(confidence)
    name, null_text = "Nolde-Ziegel one-sided", "VaR and ES are calibrated or too large"
    z = _z_values(_moments(identification(checked, p)), sign)
    if np.isnan(z).any():
        return undefined(name, null_text, "one of the two columns of V is zero on every day")
    p_value = float(combine(z))
    exact = None
    if n_draws:
        draws = combine(_z_values(_simulated_moments(checked, p, null, n_draws, generator(rng)), sign))
        exact = monte_carlo_p_value(p_value, draws[~np.isnan(draws)], lower=True)
    return Outcome(
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
    assert checked.es is not None
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
    """Days of hits of a true model, and ES - VaR on them (0 where a row has no more hits)."""
    assert checked.es is not None
    days = simulate_hit_days(checked.returns.size, p, n_draws, rng)
    return days, np.append(checked.es - checked.var, 0.0)[days - 1]


def _simulated_moments(checked: Sample, p: float, null: str, n_draws: int, rng: np.random.Generator) -> Moments:
    """Moments of V for true models: on a hit V2 = (ES - VaR)(g/p - 1), g the excess with mean 1, else VaR - ES."""
    assert checked.es is not None
    n_obs, room = checked.returns.size, checked.es - checked.var
    days, room_hit = _simulated_days(checked, p, n_draws, rng)
    hits = (days <= n_obs).sum(axis=1)
    grown = draw_excesses(p, null, days.shape, rng) / p
    return Moments(
        first=n_obs * p - hits,
        second=-room.sum() + (room_hit * grown).sum(axis=1),
        first_square=(n_obs - hits) * p**2 + hits * (1.0 - p) ** 2,
        second_square=room @ room + (room_hit**2 * grown * (grown - 2.0)).sum(axis=1),
        product=-p * room.sum() + (room_hit * ((p - 1.0) * (grown - 1.0) + p)).sum(axis=1),
    )
