"""Covariance of returns with gaps: holidays, later listings, halted trading. What is done about them is said and printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    float_array,
    labels_of,
    one_of,
    refuse_disorder,
    refuse_overflow,
    refuse_prices,
    returns_array,
    whole_number,
    with_labels,
)
from riskkit._excel import Exported
from riskkit._show import Row, percent
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import documented
from riskkit.covariance.ewma import decay_factor
from riskkit.covariance.matrices import asset_names, symmetric

Policy = Literal["maximum_likelihood", "pairwise", "listwise", "zero_fill"]
Gaps = Literal["absolute_time", "observed_time", "zero_fill"]
DONE = {
    "maximum_likelihood": "expected from the other assets (normal maximum likelihood, divisor n)",
    "pairwise": "left out pair by pair",
    "listwise": "left out with their whole period",
    "zero_fill": "taken as returns of zero",
}
TOLERANCE, MOST_STEPS = 1e-11, 10_000
"""Of the expectation-maximisation: relative change of the variances at its end, and steps."""


@dataclass(frozen=True, repr=False, eq=False)
class IncompleteCovariance(Exported):
    """Covariance of returns with gaps, and what was done about them.

    Attributes
    ----------
    covariance : (n_assets, n_assets)
        Covariance per period.
    mean : (n_assets,)
        Mean return per period.
    pairs : (n_assets, n_assets)
        Number of periods in which both assets have a return; on the diagonal those of the asset.
    policy : str
        What was done about missing returns.
    n_obs : int
        Number of periods, with gaps or without.
    iterations : int
        Number of steps of the expectation-maximisation, 0 for the other policies.
    log_likelihood : float or None
        Of the returns that are there, at its maximum.

    Examples
    --------
    >>> from riskkit.covariance import incomplete_covariance
    >>> nan = float("nan")
    >>> incomplete_covariance([[0.01, 0.02], [0.03, nan], [0.00, -0.01], [-0.02, -0.03]], "pairwise").pairs.tolist()
    [[4, 3], [3, 3]]
    """

    covariance: Any
    mean: Any
    pairs: Any
    policy: Policy
    n_obs: int
    iterations: int = 0
    log_likelihood: float | None = None

    @property
    def min_eigenvalue(self) -> float:
        """Lowest eigenvalue of the covariance; below zero for a pairwise one that no sample could have."""
        return float(np.linalg.eigvalsh(np.asarray(self.covariance))[0])

    def _title(self) -> str:
        return "Covariance of returns with gaps"

    def _rows(self) -> list[Row]:
        pairs = np.asarray(self.pairs)
        missing = 1.0 - np.diag(pairs).sum() / (self.n_obs * len(pairs))
        lowest = self.min_eigenvalue
        is_indefinite = lowest < -1e-12 * float(np.diag(np.asarray(self.covariance)).max())
        return [
            ("assets", len(pairs), ""),
            ("periods", self.n_obs, ""),
            ("missing", percent(round(missing, 6)), DONE[self.policy]),
            ("fewest periods of a pair", int(pairs.min()), ""),
            ("lowest eigenvalue", lowest, "not a covariance: see nearest_covariance" if is_indefinite else ""),
        ]

    def to_frame(self) -> Any:
        """The covariance matrix as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.covariance)

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlations."""
        title = f"Correlations; missing returns are {DONE[self.policy]}"
        return plot.correlations(self.covariance, asset_names(self.covariance), title=title, ax=ax)


@documented
def incomplete_covariance(returns: ReturnsLike, policy: Policy = "maximum_likelihood") -> IncompleteCovariance:
    """Covariance matrix of returns of which some are missing.

    Parameters
    ----------
    returns : (n_obs, n_assets)
        Returns per period, a missing one as NaN, None or masked; every two assets need two periods in common.
    policy : {"maximum_likelihood", "pairwise", "listwise", "zero_fill"}
        Maximum likelihood of normal returns that are missing at random, by expectation-maximisation: uses every number,
        and is positive semidefinite. Pairwise: each covariance from the periods of the pair; may be indefinite.
        Listwise: only periods without a gap. Zero-fill: for days without trading on which the value did not change.

    Returns
    -------
    IncompleteCovariance
        `covariance` and `mean` with the labels of the assets; the divisor is n for maximum likelihood, n - 1 else.

    Raises
    ------
    InputError
        Infinity, or too few periods in common.

    References
    ----------
    Little and Rubin (2019), Statistical Analysis with Missing Data, 3rd ed., sections 3.2 and 3.4 (complete and
    available cases) and 11.2 (expectation-maximisation of a normal sample).

    Examples
    --------
    >>> nan = float("nan")
    >>> result = incomplete_covariance([[1.0, 2.0], [3.0, nan], [0.0, -1.0], [-2.0, -3.0]])
    >>> result.covariance.round(4).tolist()
    [[3.25, 5.1071], [5.1071, 8.4065]]
    """
    one_of(policy, get_args(Policy), "policy")
    table, known, counts = _with_gaps(returns)
    steps, log_likelihood = 0, None
    if policy == "listwise":
        table, known = table[known.all(axis=1)], known[known.all(axis=1)]
        if len(table) < 2:
            raise InputError(f"returns has {len(table)} periods without a gap; policy='listwise' needs at least 2")
    if policy == "maximum_likelihood":
        mean, covariance, steps = _expectation_maximisation(table)
        log_likelihood = _log_likelihood(table, known, mean, covariance)
    elif policy == "pairwise":
        mean, covariance = np.where(known, table, 0.0).sum(axis=0) / known.sum(axis=0), _pairwise(table, known, counts)
    else:
        filled = np.where(known, table, 0.0)
        mean = filled.mean(axis=0)
        covariance = symmetric((filled - mean).T @ (filled - mean) / (len(filled) - 1))
    assets = labels_of(returns, 1)
    return IncompleteCovariance(
        covariance=with_labels(covariance, assets, assets),
        mean=with_labels(mean, assets),
        pairs=with_labels(counts, assets, assets),
        policy=policy,
        n_obs=int(np.shape(returns)[0]),
        iterations=steps,
        log_likelihood=log_likelihood,
    )


@documented
def incomplete_ewma_variance(returns: ReturnsLike, decay: float = 0.94, gaps: Gaps = "absolute_time") -> Any:
    """Exponentially weighted variance after the last period, of returns with gaps, about a mean of zero.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_series)
        Returns per period, oldest first; a missing one as NaN.
    gaps : {"absolute_time", "observed_time", "zero_fill"}
        A period without a return ages the earlier ones, does not, or counts as a return of zero. The weights are
        normalised to sum to 1.

    Returns
    -------
    float or (n_series,)
        Variance per period, the forecast for the next.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.3 (weights) and 8.2 (missing data).

    Examples
    --------
    >>> returns = [0.01, float("nan"), -0.02]
    >>> [round(1e4 * incomplete_ewma_variance(returns, 0.9, gaps), 4) for gaps in ("absolute_time", "zero_fill")]
    [2.6575, 1.7749]
    """
    one_of(gaps, get_args(Gaps), "gaps")
    decay = decay_factor(decay)
    refuse_disorder(returns, "returns")
    array = float_array(returns, "returns")
    if not array.size:
        raise InputError(f"returns is empty (shape {array.shape}); give at least one number")
    refuse_overflow(array, "returns")
    table = array.reshape(len(array), -1)
    known = _known(table)
    if not known.any(axis=0).all():
        raise InputError(f"returns has no number in column {int(np.argmin(known.any(axis=0)))}")
    age = np.arange(len(table) - 1.0, -1.0, -1.0)[:, None]
    if gaps == "observed_time":
        age = np.cumsum(known[::-1], axis=0)[::-1] - 1.0
    weights = decay**age * (known if gaps != "zero_fill" else 1.0)
    variance = (weights * np.where(known, table, 0.0) ** 2).sum(axis=0) / np.broadcast_to(weights, table.shape).sum(
        axis=0
    )
    return float(variance[0]) if array.ndim == 1 else with_labels(variance, labels_of(returns, 1))


@documented
def asynchronous_covariance(returns: ReturnsLike, lags: int = 1) -> Any:
    """Covariance of closes at different hours: the covariance of a day plus those with the days before and after.

    Where markets close at different hours, part of what moves both is in one's return today and in the other's
    tomorrow. About a mean of zero.

    Parameters
    ----------
    lags : int
        Days that may lie between the same news in two markets.

    Returns
    -------
    (n_assets, n_assets)
        Covariance per period; may be indefinite in small samples (`nearest_covariance`).

    Raises
    ------
    InputError
        NaN, infinity, fewer than `lags` + 2 periods.

    References
    ----------
    Cohen, Hawawini, Maier, Schwartz and Whitcomb (1983), Friction in the trading process and the estimation of systematic
    risk, J. Financial Economics 12, 263-278, eq. 7.

    Examples
    --------
    >>> asynchronous_covariance([[1.0, 0.0], [-1.0, 1.0], [0.0, -1.0], [0.0, 0.0]]).round(4).tolist()
    [[-0.1667, 0.4167], [0.4167, -0.1667]]
    """
    lags = whole_number(lags, "lags", at_least=0)
    array = returns_array(returns, min_obs=lags + 2, ordered=True)
    if array.ndim == 1:
        raise InputError(f"returns has shape {array.shape}; a matrix needs (n_obs, n_assets)")
    total = array.T @ array / len(array)
    for lag in range(1, lags + 1):
        later = array[lag:].T @ array[:-lag] / (len(array) - lag)
        total += later + later.T
    assets = labels_of(returns, 1)
    return with_labels(symmetric(total), assets, assets)


def _with_gaps(returns: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns (n_obs, n_assets), which of them are known, and the periods that each pair has in common."""
    table = float_array(returns, "returns")
    if table.ndim != 2:
        raise InputError(f"returns has shape {table.shape}; a matrix needs (n_obs, n_assets)")
    refuse_overflow(table, "returns")
    known = _known(table)
    counts = (known.T.astype(float) @ known.astype(float)).astype(np.int64)  # of floats it is a product of BLAS
    if counts.min(initial=2) < 2:
        i, j = (int(k) for k in np.argwhere(counts < 2)[0])
        names = asset_names(with_labels(counts, labels_of(returns, 1), labels_of(returns, 1)))
        raise InputError(
            f"the assets {names[i]} and {names[j]} have in common {counts[i, j]} of the 2 periods that a covariance needs"
        )
    return table, known, counts


def _known(table: np.ndarray) -> np.ndarray:
    """True where there is a return; infinity and prices are refused."""
    if np.isinf(table).any():
        row = int(np.argwhere(np.isinf(table))[0][0])
        raise InputError(f"returns holds infinity in row {row}; a missing return is NaN")
    known = np.isfinite(table)
    refuse_prices(table[known.all(axis=1)], "returns")
    return known


def _pairwise(table: np.ndarray, known: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Covariances, each about the means of its pair in the periods that both have, divisor n - 1."""
    filled = np.where(known, table, 0.0)
    is_known = known.astype(float)
    sums = filled.T @ is_known  # of asset i where j is known too
    products = filled.T @ filled - sums * sums.T / counts
    return symmetric(products / (counts - 1))


def _log_likelihood(table: np.ndarray, known: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """Normal log-likelihood of the returns that are there; minus infinity for a singular covariance."""
    total = -0.5 * float(known.sum()) * np.log(2.0 * np.pi)
    for seen, _, rows in _groups(table):
        sign, log_determinant = np.linalg.slogdet(covariance[np.ix_(seen, seen)])
        if sign <= 0.0:
            return -np.inf
        gaps = rows - mean[seen]
        total -= 0.5 * (
            len(rows) * log_determinant + (gaps * np.linalg.solve(covariance[np.ix_(seen, seen)], gaps.T).T).sum()
        )
    return float(total)


def groups_of_gaps(table: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Assets that are there, assets that are not, and the rows, of the periods with the same gaps (NaN)."""
    patterns, of_period = np.unique(np.isfinite(table), axis=0, return_inverse=True)
    return [
        (np.flatnonzero(seen), np.flatnonzero(~seen), np.flatnonzero(of_period.ravel() == k))
        for k, seen in enumerate(patterns)
    ]


def _groups(table: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Assets that are there, assets that are not, and the returns that are, of the periods with the same gaps."""
    return [(seen, gone, table[np.ix_(rows, seen)]) for seen, gone, rows in groups_of_gaps(table)]


def _expectation_maximisation(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Mean and covariance of maximum likelihood, and the steps; periods with the same gaps are treated together."""
    centre, spread = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    unit = np.where(spread > 0.0, spread, 1.0)
    groups = _groups((table - centre) / unit)
    mean, covariance = np.zeros(table.shape[1]), np.diag(np.where(spread > 0.0, 1.0, 0.0))
    for step in range(1, MOST_STEPS + 1):
        total, squares = np.zeros_like(mean), np.zeros_like(covariance)
        for seen, gone, rows in groups:
            slopes = np.linalg.pinv(covariance[np.ix_(seen, seen)], hermitian=True) @ covariance[np.ix_(seen, gone)]
            full = np.empty((len(rows), len(mean)))
            full[:, seen] = rows
            full[:, gone] = mean[gone] + (rows - mean[seen]) @ slopes
            total += full.sum(axis=0)
            squares += full.T @ full
            left = covariance[np.ix_(gone, gone)] - covariance[np.ix_(gone, seen)] @ slopes
            squares[np.ix_(gone, gone)] += len(rows) * left
        before, mean = covariance, total / len(table)
        covariance = symmetric(squares / len(table) - np.outer(mean, mean))
        if np.abs(covariance - before).max() <= TOLERANCE * np.abs(covariance).max():
            return centre + unit * mean, covariance * np.outer(unit, unit), step
    raise InputError(f"returns has too many gaps: the likelihood has no maximum within {MOST_STEPS:,} steps")
