"""Hansen's skewed Student t with mean zero and unit variance: VaR and ES in closed form."""

from __future__ import annotations

import math
from typing import NamedTuple

from riskkit._check import InputError, finite_number
from riskkit._docs import with_described_fields
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit.var.parametric.elliptical import student_t_density


@with_described_fields
class SkewedT(NamedTuple):
    """VaR and ES of a skewed t, in volatilities.

    Attributes
    ----------
    var : float
        Loss not exceeded with the confidence, over the volatility.
    es : float
        Mean loss beyond, over the volatility.

    Examples
    --------
    >>> from riskkit.var.parametric import skewed_t
    >>> skewed_t(0.99, df=5.0, skew=-0.2)._fields
    ('var', 'es')
    """

    var: float
    es: float


def skewed_t(confidence: float = DEFAULT_CONFIDENCE, *, df: float, skew: float) -> SkewedT:
    """VaR and ES of Hansen's skewed t with mean zero and unit variance.

    Parameters
    ----------
    confidence : float
        0.99 for 99 %.
    df : float
        Degrees of freedom η, above 2.
    skew : float
        Asymmetry λ, between -1 and 1; below zero the losses have the longer tail. The shape ξ of Fernández and Steel is
        sqrt((1 + λ)/(1 - λ)).

    Returns
    -------
    SkewedT
        Losses positive, in volatilities.

    Raises
    ------
    InputError
        A confidence, df or skew out of range.

    References
    ----------
    Hansen (1994), Autoregressive conditional density estimation, International Economic Review 35, 705-730, eq. 10 to 13.
    Fernández and Steel (1998), On Bayesian modeling of fat tails and skewness, JASA 93, 359-371 (the same family).

    Examples
    --------
    >>> risk = skewed_t(0.99, df=5.0, skew=-0.2)
    >>> round(risk.var, 4), round(risk.es, 4)
    (2.942, 3.9656)
    """
    from scipy.special import stdtrit

    p, eta, asymmetry = tail_probability(confidence), finite_number(df, "df"), finite_number(skew, "skew")
    if eta <= 2.0:
        raise InputError(f"df={df!r} is not above 2; such a t has no variance to scale to")
    if not -1.0 < asymmetry < 1.0:
        raise InputError(f"skew={skew!r} is not between -1 and 1")
    unit = math.sqrt((eta - 2.0) / eta)
    density = math.exp(math.lgamma(0.5 * (eta + 1.0)) - math.lgamma(0.5 * eta)) / math.sqrt(math.pi * (eta - 2.0))
    shift = 4.0 * asymmetry * density * (eta - 2.0) / (eta - 1.0)
    spread = math.sqrt(1.0 + 3.0 * asymmetry**2 - shift**2)
    left = p < 0.5 * (1.0 - asymmetry)  # the quantile is in the half that is stretched by 1 - λ
    side = 1.0 - asymmetry if left else 1.0 + asymmetry
    mass = (p if left else 1.0 - p) / side  # of the plain t beyond the quantile, on its side
    t = -float(stdtrit(eta, mass))
    mean_beyond = student_t_density(t, eta) / mass * (eta + t * t) / (eta - 1.0)
    if left:
        return SkewedT((side * unit * t + shift) / spread, (side * unit * mean_beyond + shift) / spread)
    above = (side * unit * mean_beyond - shift) / spread  # the mean is zero, so what is above balances what is below
    return SkewedT((shift - side * unit * t) / spread, above * (1.0 - p) / p)
