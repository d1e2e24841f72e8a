"""Covariance and volatility with equal weights, of a sample and of a stress window."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import (
    InputError,
    as_pandas,
    finite_array,
    labels_of,
    one_of,
    refuse_disorder,
    returns_array,
    shown,
    whole_number,
    with_labels,
)
from riskkit._docs import counted
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import documented
from riskkit.covariance.matrices import symmetric

Mean = Literal["sample", "zero"]


@documented
def sample_covariance(returns: ReturnsLike, *, ddof: int = 1, mean: Mean = "sample") -> Any:
    """Covariance matrix of returns with equal weights.

    Returns
    -------
    (n_assets, n_assets)
        Covariance per period; exactly symmetric.

    References
    ----------
    Alexander (2008), Market Risk Analysis II, section II.3.2 (equally weighted averages).

    Examples
    --------
    >>> sample_covariance([[0.01, 0.02], [0.03, -0.02]]).round(6).tolist()
    [[0.0002, -0.0004], [-0.0004, 0.0008]]
    """
    array = returns_array(returns)
    if array.ndim == 1:
        raise InputError(
            f"returns has shape {array.shape}; a matrix needs (n_obs, n_assets), one series has a volatility"
        )
    deviation, divisor = _deviations(array, ddof, mean)
    assets = labels_of(returns, 1)
    return with_labels(symmetric(deviation.T @ deviation / divisor), assets, assets)


@documented
def sample_volatility(returns: ReturnsLike, *, ddof: int = 1, mean: Mean = "sample") -> Any:
    """Standard deviation of each series with equal weights.

    ``mean="zero", ddof=0`` gives the root mean square.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_assets)
        Returns per period.

    Returns
    -------
    float or (n_assets,)
        Volatility per period.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., table 5.1.

    Examples
    --------
    >>> round(sample_volatility([0.01, -0.01, 0.02, -0.02], mean="zero", ddof=0), 6)
    0.015811
    """
    array = returns_array(returns)
    deviation, divisor = _deviations(array, ddof, mean)
    volatility = np.sqrt((deviation**2).sum(axis=0) / divisor)
    return float(volatility) if array.ndim == 1 else with_labels(volatility, labels_of(returns, 1))


@documented
def stressed_sample(returns: ReturnsLike, start: Any, end: Any, *, ddof: int = 1, mean: Mean = "sample") -> Any:
    """Covariance matrix of a historical stress window, such as March 2020, both ends included.

    Parameters
    ----------
    returns : DataFrame (n_obs, n_assets), or array
        Returns per period, oldest first.
    start, end : label
        First and last row of the window: labels that slice the index ("2020-02-20", a Timestamp); row numbers for an
        array.

    Returns
    -------
    (n_assets, n_assets)
        Covariance per period within the window. It is singular with fewer rows than assets; `shrunk_covariance` is
        not.

    Raises
    ------
    InputError
        The window is empty, has a single row, or extends outside the data.

    References
    ----------
    Basel Committee (2009), Revisions to the Basel II market risk framework, paragraph 718(Lxxvi)(i) (stressed VaR).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2020-03-02", periods=4)
    >>> returns = pd.DataFrame({"A": [0.0, 0.1, -0.1, 0.0], "B": [0.0, 0.2, 0.0, 0.1]}, index=days)
    >>> stressed_sample(returns, "2020-03-03", "2020-03-04")
          A     B
    A  0.02  0.02
    B  0.02  0.02
    """
    if labels_of(returns, 0) is None:
        first, last = whole_number(start, "start", at_least=0), whole_number(end, "end", at_least=0)
        table: Any = finite_array(returns, "returns", ndim=2)
        window, inside = table[first : last + 1], last < len(table)
    else:
        refuse_disorder(returns, "returns")
        table = as_pandas(returns)
        try:
            window = table.loc[start:end]
            inside = len(table.loc[:start]) > 0 and len(table.loc[end:]) > 0
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"start={shown(start)}, end={shown(end)} do not slice the index of returns ({error})"
            ) from None
    if len(window) < 2 or not inside:
        raise InputError(
            f"start={shown(start)} to end={shown(end)} covers {len(window)} of {len(table)} rows"
            f"{'' if inside else ' and extends outside them'}; give a window of at least 2 rows inside the data"
        )
    return sample_covariance(window, ddof=ddof, mean=mean)


def _deviations(array: np.ndarray, ddof: int, mean: str) -> tuple[np.ndarray, int]:
    one_of(mean, get_args(Mean), "mean")
    divisor = len(array) - whole_number(ddof, "ddof", at_least=0)
    if divisor < 1:
        raise InputError(f"returns has {counted(len(array), 'observation')}; ddof={ddof} needs at least {ddof + 1}")
    return (array - array.mean(axis=0) if mean == "sample" else array), divisor
