"""Shrinkage covariance for many assets and few observations: Ledoit-Wolf and OAS by scikit-learn, or to one correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._check import labels_of, one_of, optional, refuse_overflow, returns_array, with_labels
from riskkit._excel import Exported
from riskkit._show import Row, worded
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import documented
from riskkit.covariance.equally_weighted import Mean
from riskkit.covariance.matrices import asset_names, symmetric

Method = Literal["ledoit_wolf", "oas", "constant_correlation"]
BY_SCIKIT_LEARN = {"ledoit_wolf": "LedoitWolf", "oas": "OAS"}


@dataclass(frozen=True, repr=False, eq=False)
class ShrunkCovariance(Exported):
    """Covariance matrix shrunk towards a simpler one.

    Attributes
    ----------
    covariance : (n_assets, n_assets)
        Covariance per period.
    shrinkage : float
        Weight of the target, mean(variance) × identity or equal correlations: 0 is the sample covariance, 1 the target.
    method : {"ledoit_wolf", "oas", "constant_correlation"}
        Estimator of the shrinkage.
    n_obs : int
        Number of returns.

    Examples
    --------
    >>> from riskkit.covariance import shrunk_covariance
    >>> result = shrunk_covariance([[0.01, 0.02], [0.03, 0.05], [0.00, -0.01], [-0.02, -0.03], [0.01, 0.01]])
    >>> round(result.shrinkage, 4), result.n_obs
    (0.4294, 5)
    """

    covariance: Any
    shrinkage: float
    method: str
    n_obs: int

    def _title(self) -> str:
        return f"Shrunk covariance ({worded(self.method)})"

    def _rows(self) -> list[Row]:
        return [
            ("assets", len(self.covariance), ""),
            ("observations", self.n_obs, ""),
            ("shrinkage", self.shrinkage, "of the target"),
        ]

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlations after shrinkage."""
        marks = asset_names(self.covariance)
        target = "their mean" if self.method == "constant_correlation" else "none"
        title = f"Correlations, {self.shrinkage:.0%} of the way to {target} ({worded(self.method)})"
        return plot.correlations(self.covariance, marks, title=title, ax=ax)

    def to_frame(self) -> Any:
        """The covariance matrix as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.covariance)


@documented
def shrunk_covariance(
    returns: ReturnsLike, method: Method = "ledoit_wolf", *, mean: Mean = "sample"
) -> ShrunkCovariance:
    """Covariance matrix shrunk towards a simpler one; invertible even with fewer days than assets.

    Needs scikit-learn (``pip install 'riskkit[shrinkage]'``), but for "constant_correlation".

    Parameters
    ----------
    returns : (n_obs, n_assets)
        Returns per period, at least two rows.
    method : {"ledoit_wolf", "oas", "constant_correlation"}
        Towards a multiple of the identity: Ledoit-Wolf, or the oracle approximating shrinkage of Chen et al. for normal
        returns. Towards the observed variances with the mean correlation for all pairs: Ledoit-Wolf.
    mean : {"sample", "zero"}
        Deviations from the sample mean, or from zero. The divisor is n_obs, as in the papers.

    Returns
    -------
    ShrunkCovariance
        `covariance` (n_assets, n_assets) per period, with the labels of the assets, and the `shrinkage` chosen.

    Raises
    ------
    InputError
        NaN, infinity, or a single row.
    ImportError
        scikit-learn is not installed.

    References
    ----------
    Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices, J. Multivariate
    Analysis 88, 365-411, section 3.3. Chen, Wiesel, Eldar and Hero (2010), Shrinkage Algorithms for MMSE Covariance
    Estimation, IEEE Trans. Signal Processing 58, 5016-5029, eq. 23; scikit-learn leaves out its terms in 2/n_assets. Ledoit
    and Wolf (2004), Honey, I shrunk the sample covariance matrix, J. Portfolio Management 30(4), 110-119, appendix B.

    Examples
    --------
    >>> result = shrunk_covariance([[0.01, 0.02], [0.03, 0.05], [0.00, -0.01], [-0.02, -0.03], [0.01, 0.01]])
    >>> round(result.shrinkage, 4)
    0.4294
    """
    one_of(method, get_args(Method), "method")
    one_of(mean, ("sample", "zero"), "mean")
    array = returns_array(returns, min_obs=2)
    refuse_overflow(array, "returns", 1e75)
    table = array.reshape(len(array), -1)
    if method == "constant_correlation":
        covariance, shrinkage = _to_one_correlation(table - table.mean(axis=0) if mean == "sample" else table)
    else:
        estimator = getattr(optional("sklearn.covariance", "shrinkage"), BY_SCIKIT_LEARN[method])
        fitted = estimator(assume_centered=mean == "zero", store_precision=False).fit(table)
        covariance, shrinkage = np.asarray(fitted.covariance_), float(fitted.shrinkage_)
    assets = labels_of(returns, 1)
    return ShrunkCovariance(
        covariance=with_labels(symmetric(covariance), assets, assets),
        shrinkage=shrinkage,
        method=method,
        n_obs=len(array),
    )


def _to_one_correlation(x: np.ndarray) -> tuple[np.ndarray, float]:
    """Covariance of deviations (n_obs, n_assets) shrunk to their mean correlation, and the weight of that target."""
    n, n_assets = x.shape
    sample = x.T @ x / n
    deviation = np.sqrt(np.diag(sample))
    moving = np.outer(deviation, deviation) > 0.0
    np.fill_diagonal(moving, False)
    if not moving.any():
        return sample, 0.0
    correlation = np.divide(sample, np.outer(deviation, deviation), out=np.zeros_like(sample), where=moving)
    mean = float(correlation[moving].mean())
    target = mean * np.outer(deviation, deviation)
    np.fill_diagonal(target, np.diag(sample))
    squares = x**2
    noise = squares.T @ squares / n - sample**2  # variance of each entry, times n
    # covariance of the error of each variance i with that of entry (i, j)
    shared = (x**3).T @ x / n - np.diag(sample)[:, None] * sample
    ratio = np.divide(deviation[None, :], deviation[:, None], out=np.zeros_like(sample), where=moving)
    of_target = np.trace(noise) + mean * float((ratio * shared)[moving].sum())
    distance = float(((sample - target) ** 2).sum())
    if distance <= 1e-18 * float((sample**2).sum()):  # two assets are their own target
        return sample, 0.0
    weight = min(max((noise.sum() - of_target) / distance / n, 0.0), 1.0)
    return weight * target + (1.0 - weight) * sample, float(weight)
