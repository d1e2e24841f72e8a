"""Cornish-Fisher distribution: VaR and ES from mean, volatility, skewness and excess kurtosis.

The expansion w = y + (y² - 1) S/6 + (y³ - 3y) K/24 - (2y³ - 5y) S²/36 of a normal y is a quantile function only where
w increases in y, and S and K are parameters of that distribution, not its skewness and excess kurtosis (Maillard 2012).
So parameters outside the domain are refused, and by default the parameters are solved for, such that the distribution
has unit variance and the given moments.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, one_of, positive
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import Confidence, Quantity
from riskkit.var._inputs import Sample, read_confidences
from riskkit.var.parametric.elliptical import quantile_multiplier

OutOfDomain = Literal["refuse", "allow"]
EsDefinition = Literal["exact", "boudt", "operational"]

CORNISH_FISHER_MAX_SKEWNESS = 6.0 * (math.sqrt(2.0) - 1.0)
"""Largest absolute skewness parameter inside the domain: 6(√2 - 1)."""


class CornishFisherLaw(NamedTuple):
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
        True where w increases in y everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.var.parametric import cornish_fisher_law
    >>> law = cornish_fisher_law(np.array([0.0]), np.array([1.0]))
    >>> law.kurtosis.round(4).tolist(), law.in_domain.tolist()
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
        """ES of the standard distribution: φ(y)/p × (b1 + b2 y + b3 (y² - 1)) with w = Σ b_k He_k, P(Y < y) = p."""
        first, second, third = _hermite(self.skewness, self.kurtosis)
        density = math.exp(-0.5 * y * y) / math.sqrt(2.0 * math.pi)
        es: np.ndarray = density / p * (first + second * y + third * (y * y - 1.0)) / self.deviation
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
    # w' = c + b y + a y²
    a, b, c = k / 8.0 - s**2 / 6.0, s / 3.0, 1.0 - k / 8.0 + 5.0 * s**2 / 36.0
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


def cornish_fisher_law(
    skewness: np.ndarray, excess_kurtosis: np.ndarray, *, corrected: bool = True, out_of_domain: OutOfDomain = "refuse"
) -> CornishFisherLaw:
    """Cornish-Fisher distribution with given skewness and excess kurtosis, as moments (corrected) or as parameters.

    Parameters
    ----------
    skewness, excess_kurtosis : (n_portfolios,)
        Moments of the distribution (corrected), or parameters of the expansion; without unit.
    corrected : bool
        Solve for the parameters that give these moments exactly.
    out_of_domain : {"refuse", "allow"}
        Treatment of portfolios for which the expansion is not a quantile function.

    Returns
    -------
    CornishFisherLaw
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
    >>> from riskkit.var.parametric import cornish_fisher_law
    >>> law = cornish_fisher_law(np.array([0.0]), np.array([1.0]))
    >>> law.kurtosis.round(4).tolist()
    [0.7548]
    """
    one_of(out_of_domain, get_args(OutOfDomain), "out_of_domain")
    s, k = np.atleast_1d(skewness).astype(float), np.atleast_1d(excess_kurtosis).astype(float)
    s, k = np.broadcast_arrays(s, k)
    if not corrected:
        inside = np.atleast_1d(cornish_fisher_in_domain(s, k))
        if not inside.all() and out_of_domain == "refuse":
            _refuse(s, k, inside, "are outside the domain", "out_of_domain='allow' computes the number anyway")
        return CornishFisherLaw(s, k, np.ones(s.shape), inside)
    parameters, inside = _solve(s, k)
    if not inside.all():
        _refuse(
            s,
            k,
            inside,
            "are the moments of no Cornish-Fisher distribution",
            "corrected=False takes them as parameters",
        )
    variance = _raw_moments(*parameters)[0]
    return CornishFisherLaw(*parameters, np.sqrt(variance), inside)


def cornish_fisher_var(
    volatility: Any,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    skewness: Any,
    excess_kurtosis: Any,
    mean: Any = 0.0,
    horizon: float = 1.0,
    value: float = 1.0,
    corrected: bool = True,
    out_of_domain: OutOfDomain = "refuse",
) -> Quantity:
    """Cornish-Fisher VaR of given moments per period: value × (-w(y_p) × volatility × √h - mean × h).

    Parameters
    ----------
    volatility, skewness, excess_kurtosis, mean : float or (n_portfolios,)
        Per period; over a horizon, those of a sum of independent returns.
    confidence, corrected, out_of_domain
        As in `cornish_fisher`.
    horizon, value : float
        Periods, and money of the position.

    Returns
    -------
    float, (n_confidences,), (n_portfolios,) or (n_confidences, n_portfolios)
        Losses positive, not floored at 0.

    Raises
    ------
    InputError
        NaN, infinity, a negative volatility, shapes that do not fit, or moments outside the domain.

    References
    ----------
    Maillard (2012), A user's guide to the Cornish Fisher expansion, SSRN 1997178, section 2.

    Examples
    --------
    >>> round(cornish_fisher_var(0.02, 0.99, skewness=-0.5, excess_kurtosis=1.0), 6)
    0.055234
    >>> round(cornish_fisher_var(0.02, 0.99, skewness=-0.5, excess_kurtosis=1.0, corrected=False), 6)
    0.056674
    """
    form = CornishFisherForm(corrected=corrected, out_of_domain=out_of_domain, horizon=horizon)
    moments = {"volatility": volatility, "skewness": skewness, "excess_kurtosis": excess_kurtosis, "mean": mean}
    return _given_moments(moments, confidence, value, form)[0]


def cornish_fisher_es(
    volatility: Any,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    skewness: Any,
    excess_kurtosis: Any,
    definition: EsDefinition = "exact",
    mean: Any = 0.0,
    horizon: float = 1.0,
    value: float = 1.0,
    corrected: bool = True,
    out_of_domain: OutOfDomain = "refuse",
) -> Quantity:
    """Cornish-Fisher ES of given moments per period.

    Parameters
    ----------
    volatility, confidence, skewness, excess_kurtosis, mean, horizon, value, corrected, out_of_domain
        As in `cornish_fisher_var`.
    definition : {"exact", "boudt", "operational"}
        As `es` in `cornish_fisher`.

    Returns
    -------
    float or array
        Mean loss beyond VaR, positive.

    Raises
    ------
    InputError
        As in `cornish_fisher_var`, or a definition that needs corrected=False.

    References
    ----------
    Maillard (2012), as above; Boudt, Peterson and Croux (2008), J. Risk 11(2), 79-103.

    Examples
    --------
    >>> moments = {"skewness": -0.5, "excess_kurtosis": 1.0}
    >>> round(cornish_fisher_es(0.02, 0.99, **moments), 6)
    0.067405
    >>> round(cornish_fisher_es(0.02, 0.99, **moments, definition="boudt", corrected=False), 6)
    0.070778
    """
    form = CornishFisherForm(corrected=corrected, out_of_domain=out_of_domain, es=definition, horizon=horizon)
    moments = {"volatility": volatility, "skewness": skewness, "excess_kurtosis": excess_kurtosis, "mean": mean}
    return _given_moments(moments, confidence, value, form)[1]


@dataclass(frozen=True, kw_only=True)
class CornishFisherForm:
    """Options of the closed form; see `cornish_fisher`."""

    corrected: bool = True
    out_of_domain: OutOfDomain = "refuse"
    es: EsDefinition = "exact"
    horizon: float = 1.0

    def __post_init__(self) -> None:
        positive(self.horizon, "horizon")
        one_of(self.out_of_domain, get_args(OutOfDomain), "out_of_domain")
        one_of(self.es, get_args(EsDefinition), "es")
        if self.corrected and self.es != "exact":
            raise InputError(f"es={self.es!r} takes the moments as parameters; give corrected=False with it")

    def risk(
        self,
        confidences: tuple[float, ...],
        *,
        volatility: np.ndarray,
        skewness: np.ndarray,
        excess_kurtosis: np.ndarray,
        mean: np.ndarray,
    ) -> tuple[CornishFisherLaw, np.ndarray, np.ndarray]:
        """Distribution at the horizon, VaR and ES (n_confidences, ...) of given moments per period."""
        h = self.horizon
        law = cornish_fisher_law(
            skewness / math.sqrt(h), excess_kurtosis / h, corrected=self.corrected, out_of_domain=self.out_of_domain
        )
        factors = [(-law.quantile(-quantile_multiplier(c)), self._tail(law, c)) for c in confidences]
        var, es = (np.array(each) * volatility * math.sqrt(h) - mean * h for each in zip(*factors, strict=True))
        return law, var, np.maximum(es, var) if self.es == "operational" else es

    def _tail(self, law: CornishFisherLaw, confidence: float) -> np.ndarray:
        p, y = tail_probability(confidence), -quantile_multiplier(confidence)
        return law.tail_mean(y, p) if self.es == "exact" else _edgeworth_tail(law, y, p)


def _edgeworth_tail(law: CornishFisherLaw, y: float, p: float) -> np.ndarray:
    """ES of the second-order Edgeworth density below the Cornish-Fisher quantile (Boudt et al. 2008)."""
    from scipy.special import ndtr

    s, k, w = law.skewness, law.kurtosis, law.quantile(y)
    density, below = np.exp(-0.5 * w**2) / math.sqrt(2.0 * math.pi), ndtr(w)
    i1, i2 = w * density - below, w**2 * density + 2.0 * density
    i3, i4 = w**3 * density + 3.0 * i1, w**4 * density + 4.0 * i2
    i6 = w**6 * density + 6.0 * i4
    tail: np.ndarray = (
        density
        + k / 24.0 * (i4 - 6.0 * i2 + 3.0 * density)
        + s / 6.0 * (i3 - 3.0 * i1)
        + s**2 / 72.0 * (i6 - 15.0 * i4 + 45.0 * i2 - 15.0 * density)
    ) / p
    return tail


def _given_moments(
    moments: dict[str, Any], confidence: Confidence, value: float, form: CornishFisherForm
) -> tuple[Quantity, Quantity]:
    confidences, money = read_confidences(confidence), positive(value, "value")
    arrays = {name: finite_array(number, name) for name, number in moments.items()}
    shapes = {array.shape for array in arrays.values()} - {()}
    if len(shapes) > 1 or any(len(shape) > 1 for shape in shapes) or (arrays["volatility"] < 0.0).any():
        found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InputError(f"{found}: give one number of each, or one per portfolio; volatility is at least zero")
    shape = next(iter(shapes), ())
    arrays = {name: np.atleast_1d(np.broadcast_to(array, shape)) for name, array in arrays.items()}
    if (arrays["excess_kurtosis"] < arrays["skewness"] ** 2 - 2.0).any():
        raise InputError("excess_kurtosis is below skewness² - 2, which no distribution has")
    _, var, es = form.risk(confidences.levels, **arrays)
    labels = Sample.of_portfolios(labels_of(moments["volatility"], 0), single=shape == ())
    return labels.per_confidence(money * var, confidences), labels.per_confidence(money * es, confidences)


def _refuse(s: np.ndarray, k: np.ndarray, inside: np.ndarray, problem: str, instead: str) -> None:
    first = np.unravel_index(int(np.argmin(inside)), inside.shape)
    raise InputError(
        f"skewness {s[first]:.4g} and excess kurtosis {k[first]:.4g} {problem}"
        + (f" (at {tuple(map(int, first))}, {int((~inside).sum())} such)" if inside.size > 1 else "")
        + f"; {instead}"
    )


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
    """Solve for parameters with these moments, and test the domain: Newton from the nearest point of a grid."""
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
