"""Tail dependence: how often two series have their worst losses together, observed and of copulas."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, confidence_level, finite_array, one_of, positive, returns_array
from riskkit._types import ReturnsLike
from riskkit.var.parametric.elliptical import student_t_density

Archimedean = Literal["clayton", "gumbel"]


def tail_dependence(returns: ReturnsLike, confidence: Any = None) -> Any:
    """Observed tail dependence of two series: the share of the worst losses of one that are also among those of the other.

    Parameters
    ----------
    returns : (n_obs, 2)
        Returns or P&L of two series in the same periods.
    confidence : float or sequence of float, optional
        Ranks beyond which a loss is among the worst, as fractions; by default 19 from 0.8 to 0.98.

    Returns
    -------
    DataFrame
        By `confidence`: `chi`, the share, which tends to the coefficient of tail dependence; `chi_bar`, between -1 and 1, which
        tends to 1 for tail dependent series and says how near to it independent tails are; `n_joint`, losses among the worst of
        both.

    Raises
    ------
    InputError
        NaN, infinity, another number of series than two, or a confidence beyond which no loss is left.

    References
    ----------
    Coles, Heffernan and Tawn (1999), Dependence measures for extreme value analyses, Extremes 2, 339-365.

    Examples
    --------
    >>> returns = np.random.default_rng(1).multivariate_normal([0.0, 0.0], [[1.0, 0.7], [0.7, 1.0]], 1000)
    >>> tail_dependence(returns, [0.9, 0.95]).round(3)
                 chi  chi_bar  n_joint
    confidence
    0.90        0.52    0.558       52
    0.95        0.32    0.449       16
    """
    import pandas as pd
    from scipy.stats import rankdata

    losses = -returns_array(returns, min_obs=2)
    if losses.ndim != 2 or losses.shape[1] != 2:
        raise InputError(f"returns has shape {losses.shape}; tail dependence is of two series, (n_obs, 2)")
    given = np.linspace(0.8, 0.98, 19) if confidence is None else np.atleast_1d(confidence)
    levels = np.array([confidence_level(value) for value in given])
    beyond = rankdata(losses, axis=0)[:, :, None] / (len(losses) + 1.0) > levels
    n_joint = (beyond[:, 0] & beyond[:, 1]).sum(axis=0)
    single, both = beyond[:, 0].mean(axis=0), n_joint / len(losses)
    if not single.all():
        raise InputError(f"confidence={levels.max():g} leaves none of {len(losses)} losses; give a lower one")
    with np.errstate(divide="ignore"):
        chi_bar = 2.0 * np.log(single) / np.log(both) - 1.0
    return pd.DataFrame(
        {"chi": both / single, "chi_bar": chi_bar, "n_joint": n_joint},
        index=pd.Index(levels, name="confidence"),
    )


def t_tail_dependence(correlation: float, df: float, *, confidence: float | None = None) -> float:
    """Coefficient of tail dependence of a Student t copula, in the limit or beyond a confidence.

    Parameters
    ----------
    correlation : float
        Correlation of the copula, between -1 and 1.
    df : float
        Degrees of freedom, above zero.
    confidence : float, optional
        Probability that one series is beyond this quantile, given that the other is; by default the limit at 1.

    Returns
    -------
    float
        A probability.

    Raises
    ------
    InputError
        A correlation, df or confidence out of range.

    References
    ----------
    Demarta and McNeil (2005), The t copula and related copulas, International Statistical Review 73, 111-129, eq. 5.

    Examples
    --------
    >>> round(t_tail_dependence(0.5, 4.0), 4), round(t_tail_dependence(0.5, 4.0, confidence=0.99), 4)
    (0.2532, 0.2877)
    """
    from scipy.integrate import quad
    from scipy.special import stdtr, stdtrit

    rho, nu = float(finite_array(correlation, "correlation", ndim=0)), positive(df, "df")
    if not -1.0 < rho < 1.0:
        raise InputError(f"correlation={correlation!r} is not between -1 and 1")
    if confidence is None:
        return 2.0 * float(stdtr(nu + 1.0, -math.sqrt((nu + 1.0) * (1.0 - rho) / (1.0 + rho))))
    p = 1.0 - confidence_level(confidence)
    edge = float(stdtrit(nu, p))

    def joint(x: float) -> float:
        """Density of one at x, times the probability that the other is below the edge."""
        spread = math.sqrt((nu + x * x) / (nu + 1.0) * (1.0 - rho * rho))
        return student_t_density(x, nu) * float(stdtr(nu + 1.0, (edge - rho * x) / spread))

    return quad(joint, -math.inf, edge, epsabs=1e-14, epsrel=1e-10)[0] / p


def archimedean_tail_dependence(copula: Archimedean, dependence: float) -> float:
    """Coefficient of tail dependence of a Clayton copula (in its lower tail) or Gumbel copula (in its upper tail).

    Parameters
    ----------
    copula : {"clayton", "gumbel"}
        With the parameter θ Kendall's tau is θ / (θ + 2) or 1 - 1 / θ.
    dependence : float
        Parameter θ: above zero, or at least 1.

    Returns
    -------
    float
        2^(-1/θ), or 2 - 2^(1/θ); the other tail is independent.

    Raises
    ------
    InputError
        An unknown copula, or a parameter out of range.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 7.2.4.

    Examples
    --------
    >>> round(archimedean_tail_dependence("clayton", 2.0), 4), round(archimedean_tail_dependence("gumbel", 2.0), 4)
    (0.7071, 0.5858)
    """
    if one_of(copula, get_args(Archimedean), "copula") == "clayton":
        return 2.0 ** (-1.0 / positive(dependence, "dependence"))
    return 2.0 - 2.0 ** (1.0 / at_least_one(dependence))


def at_least_one(dependence: float) -> float:
    """The parameter of a Gumbel copula."""
    if positive(dependence, "dependence") < 1.0:
        raise InputError(
            f"dependence={dependence!r} is below 1; a Gumbel copula has 1 where the series are independent"
        )
    return float(dependence)
