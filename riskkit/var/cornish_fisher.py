"""Cornish-Fisher VaR and ES: a normal quantile bent by skewness and kurtosis, where that is a law at all.

The expansion is w = y + (y² - 1) S/6 + (y³ - 3y) K/24 - (2y³ - 5y) S²/36 of a normal y. It is the quantile function
of a law only where w rises in y, and S and K are then parameters of that law, not its skewness and excess kurtosis.
So two things are done here that most packages leave out (Maillard 2012): what lies outside the domain is refused, and
the parameters are solved for, such that the law has the moments that were asked for, and unit variance.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, one_of

__all__ = [
    "MAX_SKEWNESS",
    "CornishFisherLaw",
    "cornish_fisher_in_domain",
    "cornish_fisher_law",
    "cornish_fisher_moments",
]

MAX_SKEWNESS = 6.0 * (math.sqrt(2.0) - 1.0)
"""The largest skewness parameter, either way, for which some kurtosis parameter makes w rise: 6(√2 - 1)."""

OUT_OF_DOMAIN = ("refuse", "allow")


class CornishFisherLaw(NamedTuple):
    """Parameters of the expansion, one a portfolio.

    Attributes
    ----------
    skewness : (n_portfolios,)
        Parameter S.
    kurtosis : (n_portfolios,)
        Parameter K of the excess kurtosis.
    deviation : (n_portfolios,)
        What w is divided by: its standard deviation when corrected, else 1.
    in_domain : (n_portfolios,)
        Whether w rises in y everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit import cornish_fisher_law
    >>> law = cornish_fisher_law(np.array([0.0]), np.array([1.0]))
    >>> law.kurtosis.round(4).tolist(), law.in_domain.tolist()
    ([0.7548], [True])
    """

    skewness: np.ndarray
    kurtosis: np.ndarray
    deviation: np.ndarray
    in_domain: np.ndarray

    def quantile(self, y: Any) -> np.ndarray:
        """w(y), over the deviation."""
        return _expansion(y, self.skewness, self.kurtosis) / self.deviation

    def tail_mean(self, y: float, p: float) -> np.ndarray:
        """Minus the mean of w below w(y), P(Y < y) = p: φ(y)/p × (b1 + b2 y + b3 (y² - 1)) with w = Σ b_k He_k."""
        first, second, third = _hermite(self.skewness, self.kurtosis)
        density = math.exp(-0.5 * y * y) / math.sqrt(2.0 * math.pi)
        return density / p * (first + second * y + third * (y * y - 1.0)) / self.deviation


def cornish_fisher_in_domain(skewness: Any, excess_kurtosis: Any) -> Any:
    """Whether the Cornish-Fisher expansion with these *parameters* rises everywhere, so that it is a quantile.

    Parameters
    ----------
    skewness, excess_kurtosis : float or array
        Parameters S and K of the expansion.

    Returns
    -------
    bool or array of bool
        S²/9 <= 4 (K/8 - S²/6)(1 - K/8 + 5S²/36), both factors at least zero. No K will do beyond
        abs(S) = 6(√2 - 1) = 2.485; K lies between 0 and 8 for S = 0.

    Raises
    ------
    InputError
        NaN or infinity.

    References
    ----------
    Maillard (2012), A user's guide to the Cornish Fisher expansion, SSRN 1997178, section 4. Chernozhukov,
    Fernández-Val and Galichon (2010), Rearranging Edgeworth-Cornish-Fisher expansions, Economic Theory 42, 419-435.

    Examples
    --------
    >>> cornish_fisher_in_domain(-1.0, 3.0), cornish_fisher_in_domain(-1.5, 33.0)
    (True, False)
    """
    s, k = np.asarray(skewness, dtype=float), np.asarray(excess_kurtosis, dtype=float)
    # w' = c + b y + a y²
    a, b, c = k / 8.0 - s**2 / 6.0, s / 3.0, 1.0 - k / 8.0 + 5.0 * s**2 / 36.0
    rises = (b**2 <= 4.0 * a * c) & (a >= 0.0) & (c >= 0.0)
    return bool(rises) if rises.ndim == 0 else rises


def cornish_fisher_moments(skewness: Any, excess_kurtosis: Any) -> tuple[Any, Any, Any]:
    """Variance, skewness and excess kurtosis of the law that the expansion makes of these *parameters*.

    Parameters
    ----------
    skewness, excess_kurtosis : float or array
        Parameters S and K of the expansion, without unit.

    Returns
    -------
    (variance, skewness, excess_kurtosis)
        Of w, exactly; its mean is 0.

    Raises
    ------
    InputError
        NaN or infinity.

    References
    ----------
    Maillard (2012), A user's guide to the Cornish Fisher expansion, SSRN 1997178, section 3 and appendix.

    Examples
    --------
    >>> [round(float(moment), 6) for moment in cornish_fisher_moments(0.0, 8.0)]
    [1.666667, 0.0, 43.2]
    """
    second, third, fourth, *_ = _raw_moments(
        np.asarray(skewness, dtype=float), np.asarray(excess_kurtosis, dtype=float)
    )
    return second, third / second**1.5, fourth / second**2 - 3.0


def cornish_fisher_law(
    skewness: np.ndarray, excess_kurtosis: np.ndarray, *, corrected: bool = True, out_of_domain: str = "refuse"
) -> CornishFisherLaw:
    """The expansion for a skewness and excess kurtosis, as parameters or (corrected) as moments of the law.

    Parameters
    ----------
    skewness, excess_kurtosis : (n_portfolios,)
        Moments that the law shall have (corrected), or parameters of the expansion; without unit.
    corrected : bool
        Solve for the parameters that give these moments exactly.
    out_of_domain : {"refuse", "allow"}
        What to do with a portfolio for which the expansion is no quantile function.

    Returns
    -------
    CornishFisherLaw
        Its quantiles and tail means, of a law with mean 0 and standard deviation 1 (corrected).

    Raises
    ------
    InputError
        Outside the domain, unless allowed; no parameters have these moments (corrected), allowed or not.

    References
    ----------
    Maillard (2012), A user's guide to the Cornish Fisher expansion, SSRN 1997178, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit import cornish_fisher_law
    >>> law = cornish_fisher_law(np.array([0.0]), np.array([1.0]))
    >>> law.kurtosis.round(4).tolist()
    [0.7548]
    """
    one_of(out_of_domain, OUT_OF_DOMAIN, "out_of_domain")
    s, k = np.atleast_1d(skewness).astype(float), np.atleast_1d(excess_kurtosis).astype(float)
    s, k = np.broadcast_arrays(s, k)
    if not corrected:
        inside = np.atleast_1d(cornish_fisher_in_domain(s, k))
        if not inside.all() and out_of_domain == "refuse":
            _refuse(s, k, inside, "give no law", "out_of_domain='allow' computes the number all the same")
        return CornishFisherLaw(s, k, np.ones(s.shape), inside)
    parameters, inside = _solve(s, k)
    if not inside.all():
        _refuse(s, k, inside, "are the moments of no Cornish-Fisher law", "corrected=False takes them as parameters")
    variance = _raw_moments(*parameters)[0]
    return CornishFisherLaw(*parameters, np.sqrt(variance), inside)


def _refuse(s: np.ndarray, k: np.ndarray, inside: np.ndarray, what: str, instead: str) -> None:
    first = np.unravel_index(int(np.argmin(inside)), inside.shape)
    raise InputError(
        f"skewness {s[first]:.4g} and excess kurtosis {k[first]:.4g} {what}"
        + (f" (at {tuple(map(int, first))}, {int((~inside).sum())} such)" if inside.size > 1 else "")
        + f"; {instead}"
    )


def _expansion(y: Any, s: np.ndarray, k: np.ndarray) -> np.ndarray:
    return y + (y**2 - 1.0) * s / 6.0 + (y**3 - 3.0 * y) * k / 24.0 - (2.0 * y**3 - 5.0 * y) * s**2 / 36.0


def _hermite(s: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients of w in the Hermite polynomials y, y² - 1, y³ - 3y."""
    return 1.0 - s**2 / 36.0, s / 6.0, k / 24.0 - s**2 / 18.0


@functools.cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Eight Gauss-Hermite nodes: exact for polynomials up to degree 15, and w⁴ has degree 12."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(8)
    return nodes, weights / weights.sum()


def _raw_moments(s: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, ...]:
    """E w², E w³, E w⁴, then their derivatives in s, then in k."""
    nodes, weights = _nodes()
    y = nodes.reshape(-1, *(1,) * np.ndim(s))
    w = _expansion(y, s, k)
    in_s, in_k = (y**2 - 1.0) / 6.0 - (2.0 * y**3 - 5.0 * y) * s / 18.0, (y**3 - 3.0 * y) / 24.0
    mean = functools.partial(np.tensordot, weights, axes=(0, 0))
    moments = tuple(mean(w**power) for power in (2, 3, 4))
    slopes = tuple(mean(power * w ** (power - 1) * slope) for slope in (in_s, in_k) for power in (2, 3, 4))
    return *moments, *slopes


def _solve(skewness: np.ndarray, kurtosis: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Parameters with these moments and whether they are in the domain: Newton from the nearest point of a grid."""
    grid_s, grid_k, grid_skewness, grid_kurtosis = _grid()
    target = np.stack([skewness.ravel(), kurtosis.ravel()])
    # Distances in units that even out the corners of the domain, where kurtosis runs up to 43
    away = (grid_skewness - target[0][:, None]) ** 2 + 4.0 * (
        np.log1p(grid_kurtosis) - np.log1p(np.maximum(target[1], -0.9))[:, None]
    ) ** 2
    nearest = np.argmin(away, axis=1)
    s, k = grid_s[nearest].copy(), grid_k[nearest].copy()
    for _ in range(60):
        miss, slopes = _miss(s, k, target)
        if np.abs(miss).max() < 1e-13:
            break
        (a, b), (c, d) = slopes
        determinant = a * d - b * c
        step_s, step_k = (d * miss[0] - b * miss[1]) / determinant, (a * miss[1] - c * miss[0]) / determinant
        damping = np.minimum(1.0, 0.5 / np.maximum(np.maximum(np.abs(step_s), np.abs(step_k) / 4.0), 1e-300))
        s, k = np.clip(s - damping * step_s, -3.0, 3.0), np.clip(k - damping * step_k, -1.0, 13.0)
    solved = np.abs(_miss(s, k, target)[0]).max(axis=0) < 1e-9
    inside = solved & np.atleast_1d(cornish_fisher_in_domain(s, k * (1.0 + 1e-12)))
    return (s.reshape(skewness.shape), k.reshape(skewness.shape)), inside.reshape(skewness.shape)


def _miss(s: np.ndarray, k: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, tuple[Any, Any]]:
    """Skewness and kurtosis less their targets (relative for large ones), and derivatives of both in (s, k)."""
    m2, m3, m4, s2, s3, s4, k2, k3, k4 = _raw_moments(s, k)
    scale = 1.0 + np.abs(target[1])
    miss = np.stack([m3 / m2**1.5 - target[0], (m4 / m2**2 - 3.0 - target[1]) / scale])
    skewness = [third / m2**1.5 - 1.5 * m3 * second / m2**2.5 for second, third in ((s2, s3), (k2, k3))]
    kurtosis = [(fourth / m2**2 - 2.0 * m4 * second / m2**3) / scale for second, fourth in ((s2, s4), (k2, k4))]
    return miss, (skewness, kurtosis)


@functools.cache
def _grid() -> tuple[np.ndarray, ...]:
    """Parameters all over the domain, and their moments."""
    s, share = (
        axis.ravel() for axis in np.meshgrid(np.linspace(-MAX_SKEWNESS, MAX_SKEWNESS, 25), np.linspace(0, 1, 13))
    )
    low, high = kurtosis_range(s)
    k = low + share * (high - low)
    _, skewness, kurtosis = cornish_fisher_moments(s, k)
    return s, k, skewness, kurtosis


def kurtosis_range(s: Any) -> tuple[Any, Any]:
    """The kurtosis parameters between which the expansion rises, for a skewness parameter of at most `MAX_SKEWNESS`."""
    middle = 4.0 + 11.0 * np.square(s) / 9.0
    half = 4.0 * np.sqrt(np.maximum((1.0 - np.square(s) / 36.0) ** 2 - np.square(s) / 9.0, 0.0))
    return middle - half, middle + half
