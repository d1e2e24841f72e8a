"""Conformal limits: a quantile of past errors, with a coverage that holds for any model if the errors are exchangeable."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, single_series
from riskkit._check import probability as as_probability
from riskkit._docs import with_described_fields


@with_described_fields
class ConformalQuantile(NamedTuple):
    """Limit that the next score exceeds with a known probability.

    Attributes
    ----------
    bound : float
        In the unit of the scores; infinite if there are too few of them.
    rank : int
        Number of the score that is the bound, from the smallest; one more than there are scores if none is.
    n_obs : int
        Number of scores.

    Examples
    --------
    >>> from riskkit.var.learned import conformal_quantile
    >>> conformal_quantile([0.3, 1.2, 0.7, 2.5, 0.1, 1.9, 0.9, 1.1, 0.4], 0.8).rank
    8
    """

    bound: float
    rank: int
    n_obs: int

    @property
    def expected_coverage(self) -> float:
        """Probability that the next score is at most the limit, a fraction: rank / (n + 1) for scores without ties."""
        return min(self.rank / (self.n_obs + 1.0), 1.0)

    @property
    def coverage_sd(self) -> float:
        """Standard deviation of the coverage over the samples of scores that could have been, a fraction."""
        a, b = self._beta
        return math.sqrt(a * b / (a + b + 1.0)) / (a + b) if b else 0.0

    def coverage_quantile(self, probability: float) -> float:
        """Coverage that is not reached with a probability, over the samples of scores that could have been.

        Parameters
        ----------
        probability : float
            Between 0 and 1.

        Returns
        -------
        float
            A fraction.
        """
        from scipy.special import betaincinv

        a, b = self._beta
        return float(betaincinv(a, b, as_probability(probability, "probability"))) if b else 1.0

    @property
    def _beta(self) -> tuple[int, int]:
        """Parameters of the beta distribution of the coverage."""
        return self.rank, self.n_obs + 1 - self.rank


def conformal_quantile(scores: Any, coverage: float = 0.9) -> ConformalQuantile:
    """Limit that the next score does not exceed with at least a probability: the ceil((n + 1) coverage)-th smallest score.

    Parameters
    ----------
    scores : (n_obs,)
        Errors of a model on data it was not fitted to, larger is worse: losses less the VaR forecast, or losses over it.
    coverage : float
        Probability that the limit holds, a fraction.

    Returns
    -------
    ConformalQuantile
        Add (or multiply) its `bound` to the next forecast.

    Raises
    ------
    InputError
        NaN, infinity, no scores, or a coverage that is not between 0 and 1.

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani and Wasserman (2018), Distribution-free predictive inference for regression, JASA 113,
    1094-1111. Vovk (2012), Conditional validity of inductive conformal predictors (distribution of the coverage).

    Examples
    --------
    >>> found = conformal_quantile([0.3, 1.2, 0.7, 2.5, 0.1, 1.9, 0.9, 1.1, 0.4], 0.8)
    >>> found.bound, round(found.expected_coverage, 2)
    (1.9, 0.8)
    """
    values = np.sort(single_series(scores, "scores"))
    # rounded, as 1 - 0.2 and (1 - 0.9) * 10 are not exact: the next larger rank for an error of 1e-16 is a wrong one
    rank = math.ceil(round((len(values) + 1) * as_probability(coverage, "coverage"), 9))
    return ConformalQuantile(float(values[rank - 1]) if rank <= len(values) else math.inf, rank, len(values))


def conformal_interval(realized: Any, low: Any, high: Any, coverage: float = 0.9) -> ConformalQuantile:
    """Widening of an interval forecast with which it encloses the next value with at least a probability.

    Parameters
    ----------
    realized : (n_obs,)
        Values after the forecasts, which the model was not fitted to.
    low, high : (n_obs,)
        Ends of the interval forecasts, as of two quantile regressions.
    coverage : float
        Probability that the interval is to enclose the value, a fraction.

    Returns
    -------
    ConformalQuantile
        Take its `bound` from the next low end and add it to the high end; below zero it narrows the interval.

    Raises
    ------
    InputError
        NaN, infinity, ends of other values, or a coverage that is not between 0 and 1.

    References
    ----------
    Romano, Patterson and Candès (2019), Conformalized quantile regression, NeurIPS 32.

    Examples
    --------
    >>> round(conformal_interval([3.4, 2.5, -0.3, 2.0], [1.0, 2.0, 0.0, 1.5], [3.0, 4.0, 1.0, 2.5], 0.8).bound, 6)
    0.4
    """
    values = finite_array(realized, "realized", ndim=1)
    ends = {name: finite_array(end, name, ndim=1) for name, end in (("low", low), ("high", high))}
    for name, end in ends.items():
        if end.shape != values.shape:
            raise InputError(f"{name} has {len(end)} entries for {len(values)} realized values; give one each")
    return conformal_quantile(np.maximum(ends["low"] - values, values - ends["high"]), coverage)
