"""Kupiec's likelihood ratio of the number of hits, and its exact distribution by enumeration over the binomial.

The chi-square p-value of the test is asymptotic: with 250 days at 99 % the nominal 5 % test really rejects 9.5 % of
correct models. The exact p-value is the probability, under the model, of a number of hits at least as extreme. Two
orders of "extreme" are in use: by the likelihood ratio itself (`order="lr"`), and by how improbable the number is
(`order="likelihood"`, as R's binom.test does). Both keep the nominal level; the second wastes less of it. A third,
the distance from the expected number (`order="distance"`), is that of the normal and the proportion test.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from riskkit._check import confidence_level, one_of, positive, whole_number
from riskkit._tail import tail_mass
from riskkit.var_backtest.distributions import binomial_pmf, chi_square_quantile
from riskkit.var_backtest.hits import hit_count

__all__ = [
    "Region",
    "pof_attainable_size",
    "pof_exact_p_value",
    "pof_exact_p_values",
    "pof_lr",
    "pof_nonrejection_region",
    "pof_true_size",
    "rejects_pof",
]

ORDERS = ("likelihood", "lr", "distance")
TIE = 1e-9
"""Values that differ by less, relatively, count as equal: they are the same number computed two ways."""


class Region(NamedTuple):
    """Where a two-sided test rejects: at or below one bound, at or above the other; None where it never does."""

    reject_at_or_below: int | None
    reject_at_or_above: int | None


def pof_lr(n_hits: Any, n_obs: int, p: float) -> np.ndarray:
    """Return -2 ln of the likelihood of hit probability `p` over that of n_hits/n_obs, with 0 ln 0 = 0."""
    from scipy.special import xlogy

    x = np.asarray(n_hits, dtype=float)
    gain = xlogy(x, x / (n_obs * p)) + xlogy(n_obs - x, (n_obs - x) / (n_obs * (1.0 - p)))
    return np.maximum(2.0 * gain, 0.0)


def pof_exact_p_value(n_hits: int, n_obs: int, confidence: float = 0.99, *, order: str = "likelihood") -> float:
    """Exact p-value of the number of hits, by enumeration over the binomial.

    Parameters
    ----------
    n_hits, n_obs : int
        Number of hits and of days.
    confidence : float
        0.99 means 99 % VaR.
    order : {"likelihood", "lr", "distance"}
        Numbers of hits count as at least as extreme when they are at most as probable, when their likelihood ratio is
        at least as large, or when they are at least as far from n p.

    Returns
    -------
    float
        P(at least as extreme), hits independent with probability 1 - confidence.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, proportion of failures.
    .. [2] Hirji (2006), Exact Analysis of Discrete Data (probability and likelihood ratio orders).

    Examples
    --------
    >>> round(pof_exact_p_value(6, 250, 0.99), 6)
    0.041183
    >>> round(pof_exact_p_value(6, 250, 0.99, order="lr"), 6)
    0.122242
    """
    n_obs = whole_number(n_obs, "n_obs")
    n_hits = hit_count(n_hits, n_obs)
    p_values = pof_exact_p_values(n_obs, tail_mass(confidence), one_of(order, ORDERS, "order"))
    return float(p_values[n_hits])


def pof_true_size(n_obs: int, confidence: float = 0.99, *, nominal: float = 0.05) -> float:
    """Probability that the asymptotic (chi-square) POF test rejects a correct model.

    Parameters
    ----------
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.
    nominal : float
        Level of the test: 0.05 for 5 %.

    Returns
    -------
    float
        A probability.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models.

    Examples
    --------
    >>> round(pof_true_size(250, 0.99), 4)
    0.0948
    """
    n_obs = whole_number(n_obs, "n_obs")
    p = tail_mass(confidence)
    reject = rejects_pof(np.arange(n_obs + 1), n_obs, p, nominal)
    return float(min(binomial_pmf(n_obs, p)[reject].sum(), 1.0))


def pof_attainable_size(
    n_obs: int, confidence: float = 0.99, *, nominal: float = 0.05, order: str = "likelihood"
) -> float:
    """Probability that the exact test of `nominal` size rejects a correct model; never above `nominal`.

    Parameters
    ----------
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.
    nominal : float
        Level of the test: 0.05 for 5 %.
    order : {"likelihood", "lr", "distance"}
        What counts as extreme, as in `pof_exact_p_value`.

    Returns
    -------
    float
        A probability.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models.

    Examples
    --------
    >>> round(pof_attainable_size(250, 0.99), 4), round(pof_attainable_size(250, 0.99, order="lr"), 4)
    (0.0412, 0.0137)
    """
    n_obs = whole_number(n_obs, "n_obs")
    p = tail_mass(confidence)
    reject = pof_exact_p_values(n_obs, p, one_of(order, ORDERS, "order")) <= confidence_level(nominal, "nominal")
    return float(binomial_pmf(n_obs, p)[reject].sum())


def pof_nonrejection_region(n_obs: int, confidence: float = 0.99, *, test_confidence: float = 0.95) -> Region:
    """Numbers of hits at which the POF test starts to reject, on either side of the expected number.

    Parameters
    ----------
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.
    test_confidence : float
        1 - level of the test: 0.95 for a 5 % test.

    Returns
    -------
    Region
        `reject_at_or_below`, `reject_at_or_above`: the largest rejected number below n p and the smallest above; None
        where there is none.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, tables of
       non-rejection regions.

    Examples
    --------
    >>> pof_nonrejection_region(255, 0.99)
    Region(reject_at_or_below=0, reject_at_or_above=7)
    """
    n_obs = whole_number(n_obs, "n_obs")
    p = tail_mass(confidence)
    x = np.arange(n_obs + 1)
    reject = rejects_pof(x, n_obs, p, 1.0 - confidence_level(test_confidence, "test_confidence"))
    below, above = x[reject & (x < n_obs * p)], x[reject & (x > n_obs * p)]
    return Region(int(below.max()) if below.size else None, int(above.min()) if above.size else None)


def rejects_pof(n_hits: np.ndarray, n_obs: int, p: float, nominal: float) -> np.ndarray:
    """Return whether the asymptotic POF test of `nominal` size rejects, for each number of hits."""
    critical = chi_square_quantile(1.0 - positive(nominal, "nominal"), 1)
    return pof_lr(n_hits, n_obs, p) > critical


def pof_exact_p_values(n_obs: int, p: float, order: str) -> np.ndarray:
    """Return the exact p-value of every number of hits, shape (n_obs + 1,)."""
    pmf = binomial_pmf(n_obs, p)
    x = np.arange(n_obs + 1)
    # The larger, the more extreme.
    if order == "likelihood":
        extreme = -np.log(np.maximum(pmf, 1e-320))
    else:
        extreme = pof_lr(x, n_obs, p) if order == "lr" else np.abs(x - n_obs * p)
    ranking = np.argsort(extreme)
    mass_from = np.cumsum(pmf[ranking][::-1])[::-1]
    first = np.searchsorted(extreme[ranking], extreme - TIE * np.maximum(extreme, 1.0), side="left")
    return np.minimum(mass_from[np.minimum(first, n_obs)], 1.0)
