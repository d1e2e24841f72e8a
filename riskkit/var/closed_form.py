"""VaR and ES of a normal or Student t law with known parameters: the desk's z sigma sqrt(h), exact unless told.

One number of volatility or one a portfolio, one confidence or several; everything is scaled in the open:
``value × (factor × volatility × sqrt(horizon) - mean × horizon)``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of, one_of, positive
from riskkit.var.sample import Sample, read_confidences
from riskkit.var.tail import tail_mass

__all__ = [
    "NormalShortfall",
    "elliptical_factor",
    "normal_es",
    "normal_shortfall",
    "normal_var",
    "student_t_es",
    "student_t_var",
]

MEASURES = ("var", "es", "volatility")


def normal_var(
    volatility: Any,
    confidence: Any = 0.95,
    *,
    mean: Any = 0.0,
    z: float | None = None,
    horizon: float = 1.0,
    value: float = 1.0,
) -> Any:
    """VaR of a normal law: value × (z × volatility × sqrt(horizon) - mean × horizon), not floored at 0.

    Parameters
    ----------
    volatility : float or (n_portfolios,)
        Standard deviation per period, at least zero.
    confidence : float or sequence of float
        0.95 for 95 %.
    mean : float or (n_portfolios,)
        Mean per period; desks take zero for a day.
    z : float, optional
        Normal quantile to use as it is, as desks that round it do (1.65, 2.33), with one confidence; without it the
        exact one.
    horizon : float
        In periods of `volatility`: 10 for ten days from a daily one, 1/250 for a day from an annual one. The square
        root of time is right for independent returns (`riskkit.check_square_root_time`).
    value : float
        Money of the position; 1 leaves a fraction.

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
    return _scaled("var", volatility, confidence, mean, z, None, True, horizon, value)


def normal_es(
    volatility: Any,
    confidence: Any = 0.95,
    *,
    mean: Any = 0.0,
    z: float | None = None,
    horizon: float = 1.0,
    value: float = 1.0,
) -> Any:
    """ES of a normal law: φ(z)/p in the place of z; otherwise as `normal_var`.

    Parameters
    ----------
    volatility, confidence, mean, z, horizon, value
        As in `normal_var`.

    Returns
    -------
    float or array
        Mean loss beyond VaR, positive, as `value` × the unit of `volatility`, over `horizon` periods.

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
    return _scaled("es", volatility, confidence, mean, z, None, True, horizon, value)


def student_t_var(
    volatility: Any,
    nu: float,
    confidence: Any = 0.95,
    *,
    mean: Any = 0.0,
    scaled: bool = True,
    horizon: float = 1.0,
    value: float = 1.0,
) -> Any:
    """VaR of a Student t law with `nu` degrees of freedom; otherwise as `normal_var`.

    Parameters
    ----------
    volatility, confidence, mean, horizon, value
        As in `normal_var`. Sums of t are not t: over several periods this is an approximation, too heavy in the tail.
    nu : float
        Degrees of freedom, above 2 when scaled.
    scaled : bool
        True: `volatility` is the standard deviation, so the t is scaled by sqrt((nu - 2)/nu). False: it is the scale
        parameter, whose standard deviation is larger or infinite.

    Returns
    -------
    float, (n_confidences,), (n_portfolios,) or (n_confidences, n_portfolios)
        Losses positive.

    Raises
    ------
    InputError
        As in `normal_var`, or nu not above 2 (scaled) or 0.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3.

    Examples
    --------
    >>> round(student_t_var(0.2, 4, 0.99, horizon=1 / 250, value=10_000), 1)
    335.1
    >>> round(student_t_var(1.0, 4, 0.99, scaled=False), 6)
    3.746947
    """
    return _scaled("var", volatility, confidence, mean, None, nu, scaled, horizon, value)


def student_t_es(
    volatility: Any,
    nu: float,
    confidence: Any = 0.95,
    *,
    mean: Any = 0.0,
    scaled: bool = True,
    horizon: float = 1.0,
    value: float = 1.0,
) -> Any:
    """ES of a Student t law: density(t_p)/p × (nu + t_p²)/(nu - 1) in the place of t_p; otherwise as `student_t_var`.

    Parameters
    ----------
    volatility, nu, confidence, mean, scaled, horizon, value
        As in `student_t_var`.

    Returns
    -------
    float or array
        Mean loss beyond VaR, positive, as `value` × the unit of `volatility`, over `horizon` periods.

    Raises
    ------
    InputError
        As in `student_t_var`; unscaled, nu must be above 1, below which the mean of the tail is infinite.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3.

    Examples
    --------
    >>> round(student_t_es(1.0, 4, 0.99, scaled=False), 6)
    5.220584
    """
    return _scaled("es", volatility, confidence, mean, None, nu, scaled, horizon, value)


def elliptical_factor(
    measure: str, confidence: float, z: float | None = None, nu: float | None = None, *, scaled: bool = True
) -> float:
    """What a standard deviation is multiplied by: the quantile (VaR) or the tail mean (ES) of the standard law.

    Parameters
    ----------
    measure : {"var", "es", "volatility"}
        "volatility" is 1.
    confidence : float
        0.95 for 95 %.
    z : float, optional
        Normal quantile to use as it is; the ES is then φ(z)/p.
    nu : float, optional
        Student t with these degrees of freedom; without it normal.
    scaled : bool
        Scale the t to unit variance; otherwise the plain t.

    Returns
    -------
    float
        Multiple of a standard deviation (of a scale parameter, unscaled).

    Raises
    ------
    InputError
        A confidence outside (0, 1), z together with nu, or nu too small for the question.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3.

    Examples
    --------
    >>> round(elliptical_factor("var", 0.99), 6), elliptical_factor("var", 0.95, z=1.65)
    (2.326348, 1.65)
    """
    one_of(measure, MEASURES, "measure")
    p = tail_mass(confidence)
    if z is not None and nu is not None:
        raise InputError("z is a normal quantile and nu asks for a Student t; give one of them")
    if nu is not None:
        return _student_t_factor(measure, p, _degrees(measure, nu, scaled), scaled)
    quantile = _normal_quantile(p) if z is None else finite_number(z, "z")
    return {"var": quantile, "es": normal_density(quantile) / p, "volatility": 1.0}[measure]


class NormalShortfall(NamedTuple):
    """What a normal law does below a target.

    Attributes
    ----------
    probability : float
        Of being below it.
    average_shortfall : float
        E[target - X | X < target].
    regret : float
        E[(X - target)² | X < target].

    Examples
    --------
    >>> from riskkit import normal_shortfall
    >>> shortfall = normal_shortfall(mean=0.0, volatility=1.0, target=0.0)
    >>> round(shortfall.probability, 6), round(shortfall.average_shortfall, 6)
    (0.5, 0.797885)
    """

    probability: float
    average_shortfall: float
    regret: float


def normal_shortfall(volatility: float, *, mean: float = 0.0, target: float | None = None) -> NormalShortfall:
    """Shortfall of a normal law below a target: how likely, how large on average, how large squared.

    Parameters
    ----------
    volatility, mean : float
        Of the law, volatility above zero.
    target : float, optional
        In the same unit; without it the mean.

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
        raise InputError(f"target={target!r} is so far below the mean that a normal law never gets there")
    ratio = normal_density(above / volatility) / probability
    regret = above**2 + volatility**2 + volatility * above * ratio
    return NormalShortfall(probability, above + volatility * ratio, regret)


def normal_density(z: float) -> float:
    """φ(z)."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _normal_quantile(p: float) -> float:
    from scipy.special import ndtri

    return -float(ndtri(p))


def _student_t_factor(measure: str, p: float, nu: float, scaled: bool) -> float:
    from scipy.special import stdtrit

    scale = math.sqrt((nu - 2.0) / nu) if scaled else 1.0
    if measure == "volatility":
        return 1.0
    t = -float(stdtrit(nu, p))
    if measure == "var":
        return scale * t
    return scale * student_t_density(t, nu) / p * (nu + t * t) / (nu - 1.0)


def student_t_density(t: float, nu: float) -> float:
    """Density of the plain t."""
    log_constant = math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(nu * math.pi)
    return math.exp(log_constant - 0.5 * (nu + 1.0) * math.log1p(t * t / nu))


def _degrees(measure: str, nu: Any, scaled: bool) -> float:
    number = finite_number(nu, "nu")
    least = 2.0 if scaled else (1.0 if measure == "es" else 0.0)
    if number <= least:
        why = "has no variance to scale to" if scaled else "has no mean in the tail" if least else "is no law"
        raise InputError(f"nu={nu!r} is not above {least:g}; such a t {why}")
    return number


def _scaled(
    measure: str,
    volatility: Any,
    confidence: Any,
    mean: Any,
    z: float | None,
    nu: float | None,
    scaled: bool,
    horizon: Any,
    value: Any,
) -> Any:
    confidences = read_confidences(confidence)
    if z is not None and not confidences.single:
        raise InputError("z is the quantile of one confidence; leave it out to have the exact ones of several")
    factors = [elliptical_factor(measure, level, z, nu, scaled=scaled) for level in confidences.levels]
    sigma, centre = finite_array(volatility, "volatility"), finite_array(mean, "mean")
    if sigma.ndim > 1 or centre.shape not in ((), sigma.shape) or (sigma < 0.0).any():
        raise InputError(
            f"volatility has shape {sigma.shape} and mean {centre.shape}; they need one number of at least zero, "
            "or one a portfolio"
        )
    periods, money = positive(horizon, "horizon"), positive(value, "value")
    spread = np.atleast_1d(sigma) * math.sqrt(periods)
    risk = money * (np.multiply.outer(np.array(factors), spread) - centre * periods)
    portfolios = labels_of(volatility, 0)
    single = sigma.ndim == 0
    return Sample(risk, single, portfolios, portfolios, None).per_confidence(risk, confidences)
