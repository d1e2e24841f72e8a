"""VaR and ES of a normal or Student t distribution with given parameters.

VaR and ES are ``value × (factor × volatility × sqrt(horizon) - mean × horizon)``, the factor being the quantile or the
tail mean of the standard distribution.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple, get_args

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of, one_of, positive, shown
from riskkit._docs import with_described_fields
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import Confidence, Measure, Quantity, TailMeasure
from riskkit.var._inputs import Sample, read_confidences

ROUNDED = 0.4  # of the tail probability, by which that of a rounded quantile may differ: 3 for 99.9 %, 1.6 for 95 %


def normal_var(
    volatility: Any,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    mean: Any = 0.0,
    z: float | None = None,
    horizon: float = 1.0,
    value: float = 1.0,
) -> Quantity:
    """VaR of a normal distribution: value × (z × volatility × sqrt(horizon) - mean × horizon), not floored at 0.

    Parameters
    ----------
    volatility : float or (n_portfolios,)
        Standard deviation per period, at least zero.
    confidence : float or sequence of float
        0.95 for 95 %.
    mean : float or (n_portfolios,)
        Mean per period; usually zero for one day.
    z : float, optional
        Normal quantile to use for one confidence, possibly rounded (1.65, 2.33); the exact one by default.
    horizon : float
        In periods of `volatility`: 10 for ten days from a daily one, 1/250 for a day from an annual one. The square
        root of time holds for independent returns (`riskkit.returns.sqrt_time_test`).
    value : float
        Money of the position; 1 gives a fraction.

    Returns
    -------
    float, (n_confidences,), (n_portfolios,) or (n_confidences, n_portfolios)
        Losses positive.

    Raises
    ------
    InputError
        NaN, infinity, a negative volatility, a horizon or value not above zero, or z with several confidences.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3. Jorion (2007),
    Value at Risk, 3rd ed., chapter 5.

    Examples
    --------
    >>> round(normal_var(0.02, 0.99, horizon=10, value=10_000_000, z=2.33))
    1473621
    >>> normal_var(1.0, [0.95, 0.99]).round(6).tolist()
    [1.644854, 2.326348]
    """
    return _risk("var", volatility, confidence, z=z, mean=mean, horizon=horizon, value=value)


def normal_es(
    volatility: Any,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    mean: Any = 0.0,
    z: float | None = None,
    horizon: float = 1.0,
    value: float = 1.0,
) -> Quantity:
    """ES of a normal distribution: `normal_var` with φ(z)/p in place of z.

    Parameters
    ----------
    volatility, confidence, mean, z, horizon, value
        As in `normal_var`.

    Returns
    -------
    float or array
        Mean loss beyond VaR, positive.

    Raises
    ------
    InputError
        As in `normal_var`.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3.

    Examples
    --------
    >>> round(normal_es(1.0, 0.99), 6)
    2.665214
    """
    return _risk("es", volatility, confidence, z=z, mean=mean, horizon=horizon, value=value)


def student_t_var(
    volatility: Any,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    df: float,
    mean: Any = 0.0,
    scaled: bool = True,
    horizon: float = 1.0,
    value: float = 1.0,
) -> Quantity:
    """VaR of a Student t distribution: `normal_var` with the t quantile in place of z.

    Parameters
    ----------
    volatility, confidence, mean, horizon, value
        As in `normal_var`. Sums of t are not t: over several periods this approximation has too heavy a tail.
    df : float
        Degrees of freedom, above 2 when scaled.
    scaled : bool
        True: `volatility` is the standard deviation, and the t is scaled by sqrt((df - 2)/df). False: it is the scale
        parameter, whose standard deviation is larger or infinite.

    Returns
    -------
    float, (n_confidences,), (n_portfolios,) or (n_confidences, n_portfolios)
        Losses positive.

    Raises
    ------
    InputError
        As in `normal_var`, or df not above 2 (scaled) or 0.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3.

    Examples
    --------
    >>> round(student_t_var(0.2, 0.99, df=4, horizon=1 / 250, value=10_000), 1)
    335.1
    >>> round(student_t_var(1.0, 0.99, df=4, scaled=False), 6)
    3.746947
    """
    return _risk("var", volatility, confidence, df=df, scaled=scaled, mean=mean, horizon=horizon, value=value)


def student_t_es(
    volatility: Any,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    df: float,
    mean: Any = 0.0,
    scaled: bool = True,
    horizon: float = 1.0,
    value: float = 1.0,
) -> Quantity:
    """ES of a Student t distribution: `student_t_var` with density(t)/p × (df + t²)/(df - 1) in place of the quantile t.

    Parameters
    ----------
    volatility, confidence, df, mean, scaled, horizon, value
        As in `student_t_var`.

    Returns
    -------
    float or array
        Mean loss beyond VaR, positive.

    Raises
    ------
    InputError
        As in `student_t_var`; unscaled, df must be above 1, below which the mean of the tail is infinite.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3.

    Examples
    --------
    >>> round(student_t_es(1.0, 0.99, df=4, scaled=False), 6)
    5.220584
    """
    return _risk("es", volatility, confidence, df=df, scaled=scaled, mean=mean, horizon=horizon, value=value)


def quantile_multiplier(
    confidence: float, measure: Measure = "var", *, z: float | None = None, df: float | None = None, scaled: bool = True
) -> float:
    """Multiple of the standard deviation: the quantile (VaR) or tail mean (ES) of the standard distribution.

    Parameters
    ----------
    confidence : float
        0.95 for 95 %.
    measure : {"var", "es", "volatility"}
        "volatility" gives 1.
    z : float, optional
        Normal quantile of the confidence, possibly rounded (1.65 for 0.95), to use as given; the ES is then φ(z)/p.
    df : float, optional
        Degrees of freedom of a Student t; normal by default.
    scaled : bool
        Scale the t to unit variance; False for the plain t.

    Returns
    -------
    float
        Multiple of the standard deviation (unscaled: of the scale parameter).

    Raises
    ------
    InputError
        A confidence outside (0, 1), z of another confidence or together with df, or df too small for the measure.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3.

    Examples
    --------
    >>> round(quantile_multiplier(0.99), 6), quantile_multiplier(0.95, z=1.65)
    (2.326348, 1.65)
    """
    one_of(measure, get_args(Measure), "measure")
    p = tail_probability(confidence)
    if z is not None and df is not None:
        raise InputError("z is a normal quantile and df the degrees of freedom of a Student t; give one of them")
    if df is not None:
        return _student_t_factor(measure, p, _degrees(measure, df, scaled), scaled)
    quantile = _normal_quantile(p) if z is None else _rounded_quantile(z, p)
    return {"var": quantile, "es": normal_density(quantile) / p, "volatility": 1.0}[measure]


def _rounded_quantile(z: Any, p: float) -> float:
    """Check that z is the normal quantile of a tail probability, give or take its rounding."""
    quantile = finite_number(z, "z")
    tail = 0.5 * math.erfc(quantile / math.sqrt(2.0))
    if abs(tail - p) > ROUNDED * p:
        raise InputError(
            f"z={shown(z)} is the normal quantile of {1.0 - tail:.4g}, not of confidence={1.0 - p:g}; give the confidence of z, "
            "or leave z out"
        )
    return quantile


def cached_factor(confidence: float, measure: Measure, z: float | None, df: float | None) -> float:
    """`quantile_multiplier` with a cache: without it the factor takes a tenth of the time of a VaR of 500 assets."""
    try:
        return _cached_factor(confidence, measure, z=z, df=df)
    except TypeError:  # an unhashable argument is no number either, and is refused with its name
        return quantile_multiplier(confidence, measure, z=z, df=df)


_cached_factor = functools.lru_cache(quantile_multiplier)


@with_described_fields
class NormalShortfall(NamedTuple):
    """Shortfall of a normal distribution below a target.

    Attributes
    ----------
    probability : float
        P(X < target).
    average_shortfall : float
        E[target - X | X < target].
    regret : float
        E[(X - target)² | X < target].

    Examples
    --------
    >>> from riskkit.var.parametric import normal_shortfall
    >>> shortfall = normal_shortfall(mean=0.0, volatility=1.0, target=0.0)
    >>> round(shortfall.probability, 6), round(shortfall.average_shortfall, 6)
    (0.5, 0.797885)
    """

    probability: float
    average_shortfall: float
    regret: float


def normal_shortfall(volatility: float, *, mean: float = 0.0, target: float | None = None) -> NormalShortfall:
    """Shortfall of a normal distribution below a target: probability, mean and mean square.

    Parameters
    ----------
    volatility, mean : float
        Of the distribution, volatility above zero.
    target : float, optional
        In the same unit; the mean by default.

    Returns
    -------
    NormalShortfall
        probability, average_shortfall, regret (the last in squared units).

    Raises
    ------
    InputError
        NaN, infinity, or a volatility not above zero.

    References
    ----------
    Dembo and Freeman (2001), The Rules of Risk (regret); Johnson, Kotz and Balakrishnan (1994), Continuous Univariate
    Distributions 1, eq. 13.134 (moments of a truncated normal).

    Examples
    --------
    >>> shortfall = normal_shortfall(100.0, mean=1.0)
    >>> [round(number, 4) for number in shortfall]
    [0.5, 79.7885, 10000.0]
    """
    from scipy.special import ndtr

    volatility, mean = positive(volatility, "volatility"), finite_number(mean, "mean")
    above = (mean if target is None else finite_number(target, "target")) - mean
    probability = float(ndtr(above / volatility))
    if probability < 1e-300:
        raise InputError(f"target={shown(target)} is so far below the mean that its probability is zero in floats")
    ratio = normal_density(above / volatility) / probability
    regret = above**2 + volatility**2 + volatility * above * ratio
    return NormalShortfall(probability, above + volatility * ratio, regret)


def normal_density(z: float) -> float:
    """φ(z)."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _normal_quantile(p: float) -> float:
    from scipy.special import ndtri

    return -float(ndtri(p))


def _student_t_factor(measure: str, p: float, df: float, scaled: bool) -> float:
    from scipy.special import stdtrit

    scale = math.sqrt((df - 2.0) / df) if scaled else 1.0
    if measure == "volatility":
        return 1.0
    t = -float(stdtrit(df, p))
    if measure == "var":
        return scale * t
    return scale * student_t_density(t, df) / p * (df + t * t) / (df - 1.0)


def student_t_density(t: float, df: float) -> float:
    """Density of the plain t."""
    log_constant = math.lgamma(0.5 * (df + 1.0)) - math.lgamma(0.5 * df) - 0.5 * math.log(df * math.pi)
    return math.exp(log_constant - 0.5 * (df + 1.0) * math.log1p(t * t / df))


def _degrees(measure: str, df: Any, scaled: bool) -> float:
    number = finite_number(df, "df")
    minimum = 2.0 if scaled else (1.0 if measure == "es" else 0.0)
    if number <= minimum:
        why = "has no variance to scale to" if scaled else "has no mean in the tail" if minimum else "does not exist"
        raise InputError(f"df={shown(df)} is not above {minimum:g}; such a t {why}")
    return number


def _risk(
    measure: TailMeasure,
    volatility: Any,
    confidence: Confidence,
    *,
    mean: Any,
    horizon: float,
    value: float,
    z: float | None = None,
    df: float | None = None,
    scaled: bool = True,
) -> Quantity:
    confidences = read_confidences(confidence)
    if z is not None and not confidences.single:
        raise InputError("z is the quantile of one confidence; leave it out to have the exact ones of several")
    factors = [quantile_multiplier(level, measure, z=z, df=df, scaled=scaled) for level in confidences.levels]
    sigma, centre = finite_array(volatility, "volatility"), finite_array(mean, "mean")
    if sigma.ndim > 1 or centre.shape not in ((), sigma.shape) or (sigma < 0.0).any():
        raise InputError(
            f"volatility has shape {sigma.shape} and mean {centre.shape}; they need one number of at least zero, "
            "or one per portfolio"
        )
    periods, money = positive(horizon, "horizon"), positive(value, "value")
    spread = np.atleast_1d(sigma) * math.sqrt(periods)
    risk = money * (np.multiply.outer(np.array(factors), spread) - centre * periods)
    return Sample.of_portfolios(labels_of(volatility, 0), single=sigma.ndim == 0).per_confidence(risk, confidences)
