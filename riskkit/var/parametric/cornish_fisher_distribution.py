"""Cornish-Fisher distribution: the expansion, its domain, its moments, and the parameters that have given moments.

The expansion w = y + (y² - 1) S/6 + (y³ - 3y) K/24 - (2y³ - 5y) S²/36 of a normal y is a quantile function only where
w increases in y, and S and K are parameters of that distribution, not its skewness and excess kurtosis (Maillard 2012).
So parameters outside the domain are refused, and by default the parameters are solved for, such that the distribution
has unit variance and the given moments.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from riskkit._check import InputError, one_of
from riskkit._docs import with_described_fields
from riskkit.var.parametric.elliptical import quantile_multiplier

OutOfDomain = Literal["refuse", "allow"]

CORNISH_FISHER_MAX_SKEWNESS = 6.0 * (math.sqrt(2.0) - 1.0)
"""Largest absolute skewness parameter inside the domain: 6(√2 - 1)."""


@with_described_fields
class CornishFisherDistribution(NamedTuple):
    """Parameters of the expansion, one of each per portfolio.

    Attributes
    ----------
    skewness : (n_portfolios,)
        Parameter S.
    kurtosis : (n_portfolios,)
        Parameter K of the excess kurtosis.
    deviation : (n_portfolios,)
        Divisor of w: its standard deviation when corrected, else 1.
    in_domain : (n_portfolios,)
        True where w increases in y, as far as the tail that was asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.var.parametric import fit_cornish_fisher
    >>> distribution = fit_cornish_fisher(np.array([0.0]), np.array([1.0]))
    >>> distribution.kurtosis.round(4).tolist(), distribution.in_domain.tolist()
    ([0.7548], [True])
    """

    skewness: np.ndarray
    kurtosis: np.ndarray
    deviation: np.ndarray
    in_domain: np.ndarray

    def quantile(self, y: Any) -> np.ndarray:
        """Quantile w(y) / deviation."""
        quantile: np.ndarray = _expansion(y, self.skewness, self.kurtosis) / self.deviation
        return quantile

    def tail_mean(self, y: float, p: float) -> np.ndarray:
        """ES of the standard distribution: φ(y)/p × (b1 + b2 y + b3 (y² - 1)) with w = Σ b_k He_k, P(Y < y) = p.

        Where w turns in the tail beyond y, the loss stays at that of the turn.
        """
        from scipy.special import ndtr

        turn = np.where(self.in_domain, _turn_below(y, self.skewness, self.kurtosis), -np.inf)
        far = np.isneginf(turn)
        turn = np.where(far, -40.0, turn)  # whose density is zero in floats
        beyond = _partial_mean(turn, self.skewness, self.kurtosis) + self.quantile(turn) * self.deviation * ndtr(turn)
        near = _partial_mean(y, self.skewness, self.kurtosis)
        es: np.ndarray = (near - np.where(far, 0.0, beyond)) / p / self.deviation
        return es


def cornish_fisher_in_domain(skewness: Any, excess_kurtosis: Any) -> Any:
    """Test that the Cornish-Fisher expansion with these *parameters* increases everywhere, as a quantile must.

    Parameters
    ----------
    skewness, excess_kurtosis : float or array
        Parameters S and K of the expansion.

    Returns
    -------
    bool or array of bool
        S²/9 <= 4 (K/8 - S²/6)(1 - K/8 + 5S²/36), both factors at least zero. The domain is
        empty beyond abs(S) = 6(√2 - 1) = 2.485; for S = 0 it is 0 <= K <= 8.

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
    a, b, c = _slope(s, k)
    rises = (b**2 <= 4.0 * a * c) & (a >= 0.0) & (c >= 0.0)
    return bool(rises) if rises.ndim == 0 else rises


def cornish_fisher_moments(skewness: Any, excess_kurtosis: Any) -> tuple[Any, Any, Any]:
    """Variance, skewness and excess kurtosis of the Cornish-Fisher distribution with these *parameters*.

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


def fit_cornish_fisher(
    skewness: np.ndarray,
    excess_kurtosis: np.ndarray,
    *,
    corrected: bool = True,
    out_of_domain: OutOfDomain = "refuse",
    confidence: float | None = None,
) -> CornishFisherDistribution:
    """Cornish-Fisher distribution with given skewness and excess kurtosis, as moments (corrected) or as parameters.

    Parameters
    ----------
    skewness, excess_kurtosis : (n_portfolios,)
        Moments of the distribution (corrected), or parameters of the expansion; without unit.
    corrected : bool
        Solve for the parameters that give these moments exactly.
    out_of_domain : {"refuse", "allow"}
        Treatment of portfolios for which the expansion is not a quantile function.
    confidence : float, optional
        The expansion has to increase between the quantiles of 1 - confidence and confidence; by default everywhere.

    Returns
    -------
    CornishFisherDistribution
        Quantiles and tail means of a distribution with mean 0 and, corrected, standard deviation 1.

    Raises
    ------
    InputError
        Parameters outside the domain, unless allowed; moments that no parameters have (corrected).

    References
    ----------
    Maillard (2012), A user's guide to the Cornish Fisher expansion, SSRN 1997178, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.var.parametric import fit_cornish_fisher
    >>> distribution = fit_cornish_fisher(np.array([0.0]), np.array([1.0]))
    >>> distribution.kurtosis.round(4).tolist()
    [0.7548]
    """
    one_of(out_of_domain, get_args(OutOfDomain), "out_of_domain")
    s, k = np.atleast_1d(skewness).astype(float), np.atleast_1d(excess_kurtosis).astype(float)
    s, k = np.broadcast_arrays(s, k)
    distribution, computable = unchecked_distribution(s, k, corrected, confidence)
    usable = computable if out_of_domain == "allow" else distribution.in_domain
    if not usable.all():
        first = np.unravel_index(int(np.argmin(usable)), usable.shape)
        where = f" (at {tuple(map(int, first))}, {int((~usable).sum())} such)" if usable.size > 1 else ""
        raise InputError(refusal(float(s[first]), float(k[first]), corrected, confidence, where))
    return distribution


def unchecked_distribution(
    s: np.ndarray, k: np.ndarray, corrected: bool, confidence: float | None
) -> tuple[CornishFisherDistribution, np.ndarray]:
    """The distribution of any moments, and where it can be computed, inside the domain or not."""
    if not corrected:
        return CornishFisherDistribution(s, k, np.ones(s.shape), _rises(s, k, confidence)), np.ones(s.shape, dtype=bool)
    (s, k), solved = _solve(s, k)
    distribution = CornishFisherDistribution(
        s, k, np.sqrt(_raw_moments(s, k)[0]), solved & _rises(s, k * (1.0 + 1e-12), confidence)
    )
    return distribution, solved


def refusal(s: float, k: float, corrected: bool, confidence: float | None, where: str = "") -> str:
    """Why moments are refused, with each way out that works for them."""
    (distribution, solved), (plain, _) = (
        unchecked_distribution(np.array([s]), np.array([k]), form, confidence) for form in (True, False)
    )
    problem = "are the moments of no Cornish-Fisher distribution" if corrected else "are outside the domain"
    ways = ["out_of_domain='allow' computes the number anyway"] if solved[0] or not corrected else []
    if not corrected and distribution.in_domain[0]:
        ways.append("corrected=True finds a distribution with these moments")
    if corrected:
        also = "" if plain.in_domain[0] else ", with out_of_domain='allow'"
        ways.append(f"corrected=False{also} takes them as parameters")
    return f"skewness {s:.4g} and excess kurtosis {k:.4g} {problem}{where}; {'; '.join(ways)}"


def _rises(s: np.ndarray, k: np.ndarray, confidence: float | None) -> np.ndarray:
    """True where w' >= 0 between the quantiles of a tail on both sides, or everywhere."""
    everywhere = np.atleast_1d(cornish_fisher_in_domain(s, k))
    if confidence is None:
        return everywhere
    z = abs(quantile_multiplier(confidence))
    a, b, c = _slope(s, k)
    ends = c + a * z * z - np.abs(b) * z
    inner = (a > 0.0) & (np.abs(b) < 2.0 * a * z)
    lowest = np.where(inner, c - b * b / np.where(inner, 4.0 * a, 1.0), ends)
    return everywhere | (lowest >= 0.0)


def _slope(s: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients a, b, c of w' = a y² + b y + c."""
    return k / 8.0 - s**2 / 6.0, s / 3.0, 1.0 - k / 8.0 + 5.0 * s**2 / 36.0


def _turn_below(y: float, s: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Largest y' < y at which w' = 0; minus infinity without one."""
    a, b, c = _slope(s, k)
    real = (b * b >= 4.0 * a * c) & (np.abs(a) > 1e-12)
    root = np.sqrt(np.where(real, b * b - 4.0 * a * c, 0.0))
    pair = [np.where(real, (-b + sign * root) / np.where(real, 2.0 * a, 1.0), -np.inf) for sign in (-1.0, 1.0)]
    return np.maximum(*(np.where(point < y, point, -np.inf) for point in pair))


def _partial_mean(y: Any, s: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Minus the integral of w φ up to y."""
    first, second, third = _hermite(s, k)
    mean: np.ndarray = np.exp(-0.5 * y * y) / math.sqrt(2.0 * math.pi) * (first + second * y + third * (y * y - 1.0))
    return mean


def _expansion(y: Any, s: np.ndarray, k: np.ndarray) -> np.ndarray:
    w: np.ndarray = y + (y**2 - 1.0) * s / 6.0 + (y**3 - 3.0 * y) * k / 24.0 - (2.0 * y**3 - 5.0 * y) * s**2 / 36.0
    return w


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
    """Solve for parameters with these moments, and say where that worked: Newton from the nearest point of a grid."""
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
    return (s.reshape(skewness.shape), k.reshape(skewness.shape)), solved.reshape(skewness.shape)


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
    """Grid of parameters over the domain, and their moments."""
    s, share = (
        axis.ravel()
        for axis in np.meshgrid(
            np.linspace(-CORNISH_FISHER_MAX_SKEWNESS, CORNISH_FISHER_MAX_SKEWNESS, 25), np.linspace(0, 1, 13)
        )
    )
    low, high = kurtosis_range(s)
    k = low + share * (high - low)
    _, skewness, kurtosis = cornish_fisher_moments(s, k)
    return s, k, skewness, kurtosis


def kurtosis_range(s: Any) -> tuple[Any, Any]:
    """Smallest and largest kurtosis parameter in the domain, for a skewness parameter up to `CORNISH_FISHER_MAX_SKEWNESS`."""
    middle = 4.0 + 11.0 * np.square(s) / 9.0
    half = 4.0 * np.sqrt(np.maximum((1.0 - np.square(s) / 36.0) ** 2 - np.square(s) / 9.0, 0.0))
    return middle - half, middle + half
