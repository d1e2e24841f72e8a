"""Engle and Manganelli's dynamic quantile test: hits regressed on information of the day before.

Packages differ in their regressors, so they are chosen by name: the default is a constant, the hits of the last four
days, and the VaR of the day (which is known the day before).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from riskkit._check import InputError, one_of, whole_number
from riskkit._jit import kernel
from riskkit._show import percent
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import ReturnsLike
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import Sample, sample
from riskkit.var_backtest.core.outcome import TestResult, chi_square_outcome, undefined
from riskkit.var_backtest.core.simulated_hits import generator, monte_carlo_p_value, simulate_hit_days

REGRESSORS = {
    "constant": "const",
    "hits": "Hit(t-1..t-{lags})",
    "var": "VaR(t)",
    "lagged_var": "VaR(t-1)",
    "returns": "r(t-1)",
    "squared_returns": "r(t-1)^2",
}
DEPENDENT = 1e-22
"""Share of its squared norm below which the residual of a column marks it as linearly dependent."""


@documented
def dynamic_quantile(
    returns: ReturnsLike,
    var: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    lags: int = 4,
    regressors: Sequence[str] = ("constant", "hits", "var"),
    n_draws: int = 999,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Engle and Manganelli's dynamic quantile test.

    Parameters
    ----------
    lags : int
        Number of lagged hits. The regression starts on day lags + 1, or on day 2 if another regressor is lagged.
    regressors : sequence of str
        Any of "constant", "hits", "var", "lagged_var", "returns" and "squared_returns" (both of the day before).

    Returns
    -------
    Outcome
        statistic b'X'Xb/(p(1-p)) of H = hit - p on X; chi-square. df = number of regressors that are not linear
        combinations of others (such as a constant VaR beside the constant, or lagged hits in a sample without hits).

    References
    ----------
    .. [1] Engle and Manganelli (2004), CAViaR: Conditional Autoregressive Value at Risk by Regression
       Quantiles, section on testing (out-of-sample DQ).

    Examples
    --------
    >>> returns = [0.01, -0.03, 0.02, -0.01, 0.0, -0.04, 0.01, 0.02, -0.01, 0.01]
    >>> outcome = dynamic_quantile(returns, 0.02, 0.9, lags=1, n_draws=0)
    >>> round(outcome.statistic, 4), outcome.df
    (2.9048, 2)
    """
    checked, p = sample(returns, var), tail_probability(confidence)
    lags = whole_number(lags, "lags", at_least=0)
    names = [one_of(name, tuple(REGRESSORS), "regressors") for name in regressors]
    if not names:
        raise InputError("regressors is empty; give at least 'constant'")
    test = "Dynamic quantile"
    stated = ", ".join(REGRESSORS[name].format(lags=lags) for name in names)
    null = f"hits are not predicted by {stated}"
    n_lagged = lags if "hits" in names else 0
    start = max(lags, int(any(name in ("lagged_var", "returns", "squared_returns") for name in names)))
    if checked.returns.size <= start:
        return undefined(test, null, f"{checked.returns.size} days, and the regression starts on day {start + 1}")
    known = known_before(checked, names, start)
    days = np.flatnonzero(checked.hits)[None, :] + 1
    statistics, ranks = _rows(days, known, checked.returns.size, n_lagged, p)
    statistic, df = float(statistics[0]), int(ranks[0])
    exact = None
    if n_draws:
        draws = simulate_hit_days(checked.returns.size, p, n_draws, generator(rng))
        exact = monte_carlo_p_value(statistic, _rows(draws, known, checked.returns.size, n_lagged, p)[0])
    dropped = len(names) - ("hits" in names) + n_lagged - df
    finding = f"hits regressed on {stated}" + (f" ({dropped} of them redundant)" if dropped else "")
    if df == 0:
        return undefined(test, null, "every regressor is zero", statistic)
    samples = f"{n_draws:,} simulated samples"
    return chi_square_outcome(
        test, null, finding, statistic, df, exact, samples, regressors=stated, hit_probability=percent(p)
    )


def known_before(checked: Sample, names: Sequence[str], start: int) -> np.ndarray:
    """Return an orthonormal basis (rank, n_rows) of the regressors other than hits, from day `start` + 1 on."""
    n_obs = checked.returns.size
    yesterday = slice(start - 1, n_obs - 1)
    columns: dict[str, Callable[[], np.ndarray]] = {
        "constant": lambda: np.ones(n_obs - start),
        "var": lambda: checked.var[start:],
        "lagged_var": lambda: checked.var[yesterday],
        "returns": lambda: checked.returns[yesterday],
        "squared_returns": lambda: checked.returns[yesterday] ** 2,
    }
    chosen = [columns[name]() for name in names if name != "hits"]
    basis, rank = _orthonormal(np.array(chosen).reshape(len(chosen), n_obs - start))
    return np.asarray(basis[:rank])


def simulated_dynamic_quantile(days: np.ndarray, known: np.ndarray, n_obs: int, lags: int, p: float) -> np.ndarray:
    """Return the statistic of every simulated row of hit days."""
    return np.asarray(_rows(days, known, n_obs, lags, p)[0])


@kernel
def _orthogonalize(column: Any, basis: Any, used: Any) -> Any:
    """Make `column` orthogonal to the first `used` rows of `basis`, with unit norm; False if it depends on them."""
    before = 0.0
    for i in range(column.size):
        before += column[i] * column[i]
    after = before
    for _ in range(2):  # a second pass removes what rounding left
        for j in range(used):
            share = 0.0
            for i in range(column.size):
                share += basis[j, i] * column[i]
            for i in range(column.size):
                column[i] -= share * basis[j, i]
    after = 0.0
    for i in range(column.size):
        after += column[i] * column[i]
    if after <= DEPENDENT * before:
        return False
    norm = math.sqrt(after)
    for i in range(column.size):
        column[i] /= norm
    return True


@kernel
def _orthonormal(columns: Any) -> Any:
    """Orthonormal basis of the rows of `columns`, without dependent ones, and its rank."""
    basis = np.zeros(columns.shape)
    column = np.empty(columns.shape[1])
    used = 0
    for j in range(columns.shape[0]):
        for i in range(column.size):
            column[i] = columns[j, i]
        if _orthogonalize(column, basis, used):
            for i in range(column.size):
                basis[used, i] = column[i]
            used += 1
    return basis, used


@kernel
def _rows(days: Any, known: Any, n_obs: Any, lags: Any, p: Any) -> Any:
    """Square length of the projection of H on the regressors over p(1-p), and their rank, for each row of hit days."""
    n_rows = known.shape[1]
    start = n_obs - n_rows
    basis = np.empty((known.shape[0] + lags, n_rows))
    for j in range(known.shape[0]):
        for i in range(n_rows):
            basis[j, i] = known[j, i]
    hits, column = np.empty(n_obs), np.empty(n_rows)
    statistics, ranks = np.empty(days.shape[0]), np.empty(days.shape[0], dtype=np.int64)
    for row in range(days.shape[0]):
        for i in range(n_obs):
            hits[i] = -p
        for k in range(days.shape[1]):
            if days[row, k] <= n_obs:
                hits[days[row, k] - 1] = 1.0 - p
        used = known.shape[0]
        for lag in range(1, lags + 1):
            for i in range(n_rows):
                column[i] = hits[start - lag + i]
            if _orthogonalize(column, basis, used):
                for i in range(n_rows):
                    basis[used, i] = column[i]
                used += 1
        explained = 0.0
        for j in range(used):
            share = 0.0
            for i in range(n_rows):
                share += basis[j, i] * hits[start + i]
            explained += share * share
        statistics[row] = explained / (p * (1.0 - p))
        ranks[row] = used
    return statistics, ranks
