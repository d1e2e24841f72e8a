"""Sample and stressed covariance, and the way between covariance and correlation."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, one_of, returns_array, whole_number, with_labels

__all__ = [
    "correlation_from_covariance",
    "covariance_from_correlation",
    "sample_covariance",
    "sample_volatility",
    "square_matrix",
    "stressed_covariance",
]

MEANS = ("sample", "zero")


def sample_covariance(returns: Any, *, ddof: int = 1, mean: str = "sample") -> Any:
    """Covariance matrix of returns with equal weights.

    Parameters
    ----------
    returns : (n_obs, n_assets)
        Returns per period.
    ddof : int
        The divisor is n_obs - ddof: 1 for the sample (unbiased), 0 for the population.
    mean : {"sample", "zero"}
        About the sample mean, or about zero, as desks do for daily returns (then ddof=0 is the usual divisor).

    Returns
    -------
    (n_assets, n_assets)
        Covariance per period; exactly symmetric.

    Raises
    ------
    InputError
        NaN, infinity, or not more than `ddof` observations.

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


def sample_volatility(returns: Any, *, ddof: int = 1, mean: str = "sample") -> Any:
    """Standard deviation of each series with equal weights: ``mean="zero", ddof=0`` is the root of the mean square.

    Parameters
    ----------
    returns, ddof, mean
        As in `sample_covariance`; `returns` may also be one series.

    Returns
    -------
    float or (n_assets,)
        Volatility per period.

    Raises
    ------
    InputError
        NaN, infinity, or not more than `ddof` observations.

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


def stressed_covariance(returns: Any, start: Any, end: Any, *, ddof: int = 1, mean: str = "sample") -> Any:
    """Covariance matrix of a historical window of stress, such as March 2020, both ends included.

    Parameters
    ----------
    returns : DataFrame (n_obs, n_assets), or array
        Returns per period, oldest first.
    start, end : label
        First and last row of the window: anything that slices the index ("2020-02-20", a Timestamp); row numbers
        for an array.
    ddof, mean
        As in `sample_covariance`.

    Returns
    -------
    (n_assets, n_assets)
        Covariance per period within the window. With fewer rows than assets it is singular: `repair_covariance` or
        `shrunk_covariance` help where an inverse is needed.

    Raises
    ------
    InputError
        A window that is empty, has a single row, or reaches outside the data.

    References
    ----------
    Basel Committee (2009), Revisions to the Basel II market risk framework, paragraph 718(Lxxvi)(i) (stressed VaR).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2020-03-02", periods=4)
    >>> returns = pd.DataFrame({"A": [0.0, 0.1, -0.1, 0.0], "B": [0.0, 0.2, 0.0, 0.1]}, index=days)
    >>> stressed_covariance(returns, "2020-03-03", "2020-03-04")
          A     B
    A  0.02  0.02
    B  0.02  0.02
    """
    if labels_of(returns, 0) is None:
        first, last = whole_number(start, "start", at_least=0), whole_number(end, "end", at_least=0)
        returns = finite_array(returns, "returns", ndim=2)
        window, inside = returns[first : last + 1], last < len(returns)
    else:
        try:
            window = returns.loc[start:end]
            inside = len(returns.loc[:start]) > 0 and len(returns.loc[end:]) > 0
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"start={start!r}, end={end!r} do not slice the index of returns ({error})") from None
    if len(window) < 2 or not inside:
        raise InputError(
            f"start={start!r} to end={end!r} covers {len(window)} of {len(returns)} rows"
            f"{'' if inside else ' and reaches outside them'}; give a window of at least 2 rows inside the data"
        )
    return sample_covariance(window, ddof=ddof, mean=mean)


def correlation_from_covariance(covariance: Any) -> Any:
    """Correlation matrix of a covariance matrix, with a diagonal of exactly 1.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Symmetric, variances above zero.

    Returns
    -------
    (n_assets, n_assets)
        Correlations; nothing is clipped, so an entry beyond 1 shows that the covariance was none.

    Raises
    ------
    InputError
        Not square, not symmetric, NaN, or an asset without variance.

    Examples
    --------
    >>> correlation_from_covariance([[0.04, 0.01], [0.01, 0.01]]).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    matrix, assets = square_matrix(covariance, "covariance")
    volatility = volatilities_of(matrix, assets)
    correlation = matrix / volatility[:, None] / volatility
    correlation = (correlation + correlation.T) / 2.0
    np.fill_diagonal(correlation, 1.0)
    return with_labels(correlation, assets, assets)


def covariance_from_correlation(correlation: Any, volatilities: Any) -> Any:
    """Covariance matrix of a correlation matrix and one volatility per asset.

    Parameters
    ----------
    correlation : (n_assets, n_assets)
        Symmetric with a diagonal of 1.
    volatilities : (n_assets,)
        Standard deviations per period, at least zero; matched by name where both are labelled.

    Returns
    -------
    (n_assets, n_assets)
        Covariance per period.

    Raises
    ------
    InputError
        Not square, not symmetric, NaN, a diagonal that is not 1, a negative volatility, or other assets.

    Examples
    --------
    >>> covariance_from_correlation([[1.0, 0.5], [0.5, 1.0]], [0.2, 0.1]).round(6).tolist()
    [[0.04, 0.01], [0.01, 0.01]]
    """
    matrix, assets = square_matrix(correlation, "correlation")
    own = labels_of(volatilities, 0)
    if assets is not None and own is not None:
        if len(own) != len(assets) or not all(asset in own for asset in assets):
            raise InputError(
                f"volatilities are labelled {list(own)} and correlation {list(assets)}; give the same assets"
            )
        volatilities = volatilities[assets]
    volatility = finite_array(volatilities, "volatilities", ndim=1)
    if len(volatility) != len(matrix):
        raise InputError(f"volatilities has {len(volatility)} entries for {len(matrix)} assets")
    if (volatility < 0.0).any():
        raise InputError(f"volatilities holds {volatility.min():g}; a standard deviation is at least zero")
    if np.abs(np.diag(matrix) - 1.0).max() > 1e-8:
        raise InputError("correlation has a diagonal that is not 1; correlation_from_covariance gives one")
    assets = own if assets is None else assets
    return with_labels(matrix * volatility[:, None] * volatility, assets, assets)


def square_matrix(value: Any, name: str) -> tuple[np.ndarray, Any]:
    """A finite, square and symmetric matrix, made exactly symmetric, and its labels."""
    matrix = finite_array(value, name, ndim=2)
    if matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"{name} has shape {matrix.shape}; it needs as many rows as columns")
    gap = np.abs(matrix - matrix.T)
    if gap.max() > 1e-8 * np.abs(matrix).max():
        i, j = map(int, np.unravel_index(gap.argmax(), gap.shape))
        raise InputError(f"{name} is not symmetric: {matrix[i, j]:g} at {(i, j)} and {matrix[j, i]:g} at {(j, i)}")
    return symmetric(matrix), labels_of(value, 1)


def symmetric(matrix: np.ndarray) -> np.ndarray:
    """The symmetric part, which for a matrix that is symmetric up to rounding is that matrix."""
    return (matrix + matrix.T) / 2.0


def volatilities_of(matrix: np.ndarray, assets: Any) -> np.ndarray:
    """Square roots of a diagonal that must be above zero."""
    variance = np.diag(matrix)
    if (variance <= 0.0).any():
        i = int(np.argmax(variance <= 0.0))
        name = i if assets is None else repr(assets[i])
        raise InputError(f"covariance gives asset {name} the variance {variance[i]:g}; its correlations are undefined")
    return np.sqrt(variance)


def _deviations(array: np.ndarray, ddof: int, mean: str) -> tuple[np.ndarray, int]:
    one_of(mean, MEANS, "mean")
    divisor = len(array) - whole_number(ddof, "ddof", at_least=0)
    if divisor < 1:
        raise InputError(f"returns has {len(array)} observations; ddof={ddof} needs at least {ddof + 1}")
    return (array - array.mean(axis=0) if mean == "sample" else array), divisor
