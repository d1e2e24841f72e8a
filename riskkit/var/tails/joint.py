"""Joint tails of several series: how many have one of their worst losses in the same period."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, confidence_level, labels_of, returns_array, with_labels
from riskkit._docs import with_described_fields
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import ReturnsLike


@with_described_fields
class JointTails(NamedTuple):
    """Worst losses of several series that come together.

    Attributes
    ----------
    chi : (n_series, n_series)
        Share of the worst losses of a series (row) that are also among those of another (column); 1 on the diagonal. NaN
        for a series without a worst loss, as one that never moves.
    n_together : (n_series + 1,)
        Number of periods in which exactly 0, 1, 2 ... of the series have one of their worst losses.
    expected_number : float
        Mean number of series with one of their worst losses, in the periods in which at least one has.

    Examples
    --------
    >>> from riskkit.var.tails import joint_tails
    >>> joint_tails([[-2.0, -1.0], [-1.0, -2.0], [0.5, 0.1], [0.2, 0.3]], 0.5).n_together.tolist()
    [2, 0, 2]
    """

    chi: Any
    n_together: np.ndarray
    expected_number: float


def joint_tails(returns: ReturnsLike, confidence: float = DEFAULT_CONFIDENCE) -> JointTails:
    """Observed tail dependence of several series: of every pair, and of all together.

    Parameters
    ----------
    returns : (n_obs, n_series)
        Returns or P&L of at least two series in the same periods.
    confidence : float
        Rank beyond which a loss is among the worst of its series, as a fraction: 0.95 for the worst twentieth.

    Returns
    -------
    JointTails
        With independent tails of probability p the expected number tends to d p / (1 - (1 - p)^d), near 1; with losses that all
        come together it is d.

    Raises
    ------
    InputError
        NaN, infinity, fewer than two series, or a confidence beyond which no loss is left.

    References
    ----------
    Coles, Heffernan and Tawn (1999), Dependence measures for extreme value analyses, Extremes 2, 339-365 (chi). Hartmann,
    Straetmans and de Vries (2004), Asset market linkages in crisis periods, Review of Economics and Statistics 86, 313-326 (the
    number of markets that crash, given that one does).

    Examples
    --------
    >>> common = np.random.default_rng(1).standard_t(3, (1000, 1))
    >>> returns = common + np.random.default_rng(2).standard_t(3, (1000, 3))
    >>> tails = joint_tails(returns, 0.95)
    >>> tails.chi.round(2)[0].tolist(), tails.n_together.tolist(), round(tails.expected_number, 2)
    ([1.0, 0.34, 0.3], [887, 88, 13, 12], 1.33)
    """
    from scipy.stats import rankdata

    losses = -returns_array(returns, min_obs=2)
    if losses.ndim != 2 or losses.shape[1] < 2:
        raise InputError(f"returns has shape {losses.shape}; joint tails are of at least two series, (n_obs, n_series)")
    level = confidence_level(confidence)
    beyond = rankdata(losses, axis=0) / (len(losses) + 1.0) > level
    single = beyond.sum(axis=0)
    if not single.any():
        raise InputError(f"confidence={level:g} leaves none of {len(losses)} losses; give a lower one")
    flags = beyond.astype(float)  # a product with booleans does not go through BLAS
    pairs = flags.T @ flags / np.where(single > 0, single, np.nan)[:, None]
    counts = np.bincount(beyond.sum(axis=1), minlength=losses.shape[1] + 1)
    names = labels_of(returns, 1)
    return JointTails(with_labels(pairs, names, names), counts, float(single.sum() / counts[1:].sum()))
