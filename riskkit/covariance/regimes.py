"""Regimes of volatility: the probability of each, from the returns so far."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of, refuse_prices, single_series, with_labels
from riskkit._docs import with_described_fields
from riskkit._jit import kernel
from riskkit._types import ReturnsLike

ROUNDING = 1e-14
"""Long-run probabilities that are smaller are zero: a shock of 40 volatilities would make a regime of what is rounding."""


@with_described_fields
class RegimeProbabilities(NamedTuple):
    """Probabilities of the regimes after each return.

    Attributes
    ----------
    filtered : (n_obs, n_regimes)
        Probability of each regime, given the returns up to and with that of the period.
    predicted : (n_regimes,)
        Probability of each regime in the period after the last.
    next_variance : float
        Variance forecast for that period, in the square of the unit of the returns.
    log_likelihood : float
        Of the returns.

    Examples
    --------
    >>> from riskkit.covariance import regime_filter
    >>> regime_filter([0.5, -3.0], [[0.95, 0.05], [0.15, 0.85]], [1.0, 4.0]).filtered.shape
    (2, 2)
    """

    filtered: Any
    predicted: np.ndarray
    next_variance: float
    log_likelihood: float


def regime_filter(returns: ReturnsLike, transition: Any, variances: Any, *, mean: float = 0.0) -> RegimeProbabilities:
    """Probabilities of regimes of normal returns with given variances, by Hamilton's filter.

    Parameters
    ----------
    returns : (n_obs,)
        Returns per period, oldest first.
    transition : (n_regimes, n_regimes)
        Row i: probabilities of each regime in the period after one in regime i.
    variances : (n_regimes,)
        Variance of the returns in each regime, above zero.
    mean : float
        Mean return in every regime.

    Returns
    -------
    RegimeProbabilities
        Started at the long-run probabilities of the regimes.

    Raises
    ------
    InputError
        NaN, infinity, dates out of order, rows of probabilities that do not sum to 1, or a variance not above zero.

    References
    ----------
    Hamilton (1989), A new approach to the economic analysis of nonstationary time series and the business cycle,
    Econometrica 57, 357-384.

    Examples
    --------
    >>> found = regime_filter([0.5, -1.0, 0.2, 2.5], [[0.95, 0.05], [0.15, 0.85]], [1.0, 4.0])
    >>> found.filtered[:, 1].round(3).tolist()
    [0.155, 0.133, 0.086, 0.412]
    """
    array = single_series(returns, "returns", ordered=True)
    refuse_prices(array, "returns")
    spread = finite_array(variances, "variances", ndim=1)
    matrix = finite_array(transition, "transition", ndim=2)
    if (spread <= 0.0).any():
        raise InputError(f"variances holds {spread.min():g}; the variance of a regime is above zero")
    if matrix.shape != (len(spread), len(spread)):
        raise InputError(
            f"transition has shape {matrix.shape} for {len(spread)} regimes; give a row and a column for each"
        )
    if matrix.min() < 0.0 or np.abs(matrix.sum(axis=1) - 1.0).max() > 1e-9:
        raise InputError("transition has a row that does not consist of probabilities with a sum of 1")
    shocks = array - finite_number(mean, "mean")
    total, filtered, predicted, _, _ = expectation(shocks, spread, matrix, long_run_probabilities(matrix))
    rows = labels_of(returns, 0)
    labelled = with_labels(filtered, rows, None if rows is None else range(len(spread)))
    return RegimeProbabilities(labelled, predicted[-1], float(predicted[-1] @ spread), total)


def long_run_probabilities(matrix: np.ndarray) -> np.ndarray:
    """Probabilities that a transition leaves as they are."""
    n = len(matrix)
    system = np.vstack([matrix.T - np.eye(n), np.ones(n)])
    solution: np.ndarray = np.linalg.lstsq(system, np.append(np.zeros(n), 1.0))[0]
    return np.where(solution < ROUNDING, 0.0, solution)


@kernel
def expectation(
    shocks: np.ndarray, variances: np.ndarray, transition: np.ndarray, start: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Log-likelihood; probabilities given the shocks up to each, before it (and after the last), given all; expected moves.

    One kernel: numba cannot load a function from its cache that was linked into another one, too.
    """
    n, k = shocks.size, variances.size
    filtered, predicted = np.zeros((n, k)), np.zeros((n + 1, k))
    total, predicted[0] = 0.0, start
    for t in range(n):
        mass, lowest = 0.0, np.inf
        for i in range(k):  # densities over the highest that is possible, which is at the smallest exponent
            if predicted[t, i] > 0.0:
                lowest = min(lowest, 0.5 * (math.log(variances[i]) + shocks[t] * shocks[t] / variances[i]))
        for i in range(k):
            if predicted[t, i] > 0.0:
                exponent = 0.5 * (math.log(variances[i]) + shocks[t] * shocks[t] / variances[i])
                filtered[t, i] = predicted[t, i] * math.exp(lowest - exponent)
                mass += filtered[t, i]
        total += math.log(mass) - lowest - 0.5 * math.log(2.0 * math.pi)
        for i in range(k):
            filtered[t, i] /= mass
            for j in range(k):
                predicted[t + 1, j] += filtered[t, i] * transition[i, j]
    smoothed, moves = filtered.copy(), np.zeros((k, k))
    for t in range(n - 2, -1, -1):
        for i in range(k):
            smoothed[t, i] = 0.0
            for j in range(k):
                if predicted[t + 1, j] > 0.0:
                    both = filtered[t, i] * transition[i, j] * smoothed[t + 1, j] / predicted[t + 1, j]
                    moves[i, j] += both
                    smoothed[t, i] += both
    return total, filtered, predicted, smoothed, moves
