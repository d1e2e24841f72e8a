"""Log densities of copulas of two series, to compare them on observed ranks."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, one_of, positive
from riskkit.var.tails.dependence import at_least_one

Copula = Literal["gaussian", "t", "clayton", "gumbel"]


def copula_log_density(
    u: Any,
    copula: Copula = "gaussian",
    *,
    correlation: float | None = None,
    df: float | None = None,
    dependence: float | None = None,
) -> np.ndarray:
    """Log density of a copula of two series.

    Parameters
    ----------
    u : (n, 2)
        Probabilities strictly between 0 and 1: ranks / (n + 1), or a fitted distribution function at the observations.
    copula : {"gaussian", "t", "clayton", "gumbel"}
        The sum of the logarithms over the observations is the (pseudo) likelihood to be maximised.
    correlation : float, optional
        Of "gaussian" and "t", between -1 and 1.
    df : float, optional
        Degrees of freedom of "t", above zero.
    dependence : float, optional
        Parameter θ of "clayton", above zero, and of "gumbel", at least 1.

    Returns
    -------
    (n,)
        Natural logarithms.

    Raises
    ------
    InputError
        Probabilities that are not between 0 and 1, an unknown copula, or a parameter that is missing or out of range.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., sections 7.1 and 7.5. Joe (2014), Dependence
    Modeling with Copulas, sections 4.6 and 4.8 (densities of Clayton and Gumbel).

    Examples
    --------
    >>> copula_log_density([[0.1, 0.2], [0.5, 0.4]], "clayton", dependence=1.5).round(4).tolist()
    [0.7418, 0.2609]
    """
    one_of(copula, get_args(Copula), "copula")
    pairs = finite_array(u, "u", ndim=2)
    if pairs.shape[1] != 2 or pairs.min() <= 0.0 or pairs.max() >= 1.0:
        raise InputError(
            f"u has shape {pairs.shape}, from {pairs.min():g} to {pairs.max():g}; give (n, 2) between 0 and 1"
        )
    if copula == "clayton":
        return _clayton(pairs, positive(_given(dependence, "dependence", copula), "dependence"))
    if copula == "gumbel":
        return _gumbel(pairs, at_least_one(_given(dependence, "dependence", copula)))
    rho = finite_number(_given(correlation, "correlation", copula), "correlation")
    if not -1.0 < rho < 1.0:
        raise InputError(f"correlation={correlation!r} is not between -1 and 1")
    return (
        _gaussian(pairs, rho)
        if copula == "gaussian"
        else _student_t(pairs, rho, positive(_given(df, "df", copula), "df"))
    )


def _given(value: Any, name: str, copula: str) -> Any:
    if value is None:
        raise InputError(f"copula={copula!r} needs {name}")
    return value


def _gaussian(u: np.ndarray, rho: float) -> np.ndarray:
    from scipy.special import ndtri

    x, y = ndtri(u).T
    left = 1.0 - rho * rho
    return np.asarray(-0.5 * math.log(left) - (rho * rho * (x * x + y * y) - 2.0 * rho * x * y) / (2.0 * left))


def _student_t(u: np.ndarray, rho: float, df: float) -> np.ndarray:
    from scipy.special import gammaln, stdtrit

    x, y = stdtrit(df, u).T
    left = 1.0 - rho * rho
    joint = (x * x + y * y - 2.0 * rho * x * y) / left
    constant = gammaln(0.5 * df + 1.0) + gammaln(0.5 * df) - 2.0 * gammaln(0.5 * df + 0.5) - 0.5 * math.log(left)
    margins = 0.5 * (df + 1.0) * (np.log1p(x * x / df) + np.log1p(y * y / df))
    return np.asarray(constant - (0.5 * df + 1.0) * np.log1p(joint / df) + margins)


def _clayton(u: np.ndarray, theta: float) -> np.ndarray:
    logs = np.log(u)
    largest = (-theta * logs).max(axis=1)
    # ln(u^-theta + v^-theta - 1) without the overflow of the powers
    total = largest + np.log(np.exp(-theta * logs - largest[:, None]).sum(axis=1) - np.exp(-largest))
    return np.asarray(math.log1p(theta) - (1.0 + theta) * logs.sum(axis=1) - (2.0 + 1.0 / theta) * total)


def _gumbel(u: np.ndarray, theta: float) -> np.ndarray:
    logs = -np.log(u)
    radius = (logs**theta).sum(axis=1) ** (1.0 / theta)
    tail = (1.0 - 2.0 * theta) * np.log(radius) + np.log(radius + theta - 1.0)
    return np.asarray(-radius + logs.sum(axis=1) + (theta - 1.0) * np.log(logs).sum(axis=1) + tail)
