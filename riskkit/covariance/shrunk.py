"""Shrinkage covariance for many assets and few observations: Ledoit-Wolf and OAS, by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from riskkit import plot
from riskkit._check import labels_of, one_of, optional, returns_array, with_labels
from riskkit._show import Row, Shown
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import documented
from riskkit.covariance.equally_weighted import Mean
from riskkit.covariance.matrices import asset_names, symmetric

METHODS = {"ledoit_wolf": "LedoitWolf", "oas": "OAS"}


@dataclass(frozen=True, repr=False, eq=False)
class ShrunkCovariance(Shown):
    """Covariance matrix shrunk towards equal variances without correlation.

    Attributes
    ----------
    covariance : (n_assets, n_assets)
        Covariance per period.
    shrinkage : float
        Weight of the target mean(variance) × identity: 0 is the sample covariance, 1 the target.
    method : {"ledoit_wolf", "oas"}
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
        return f"Shrunk covariance ({self.method})"

    def _rows(self) -> list[Row]:
        return [
            ("assets", len(self.covariance), ""),
            ("observations", self.n_obs, ""),
            ("shrinkage", self.shrinkage, "of the target"),
        ]

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlations after shrinkage."""
        marks = asset_names(self.covariance)
        title = f"Correlations, {self.shrinkage:.0%} of the way to none ({self.method})"
        return plot.correlations(self.covariance, marks, title=title, ax=ax)

    def to_frame(self) -> Any:
        """The covariance matrix as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.covariance)


@documented
def shrunk_covariance(
    returns: ReturnsLike, method: Literal["ledoit_wolf", "oas"] = "ledoit_wolf", *, mean: Mean = "sample"
) -> ShrunkCovariance:
    """Covariance matrix shrunk towards a multiple of the identity; invertible even with fewer days than assets.

    Needs scikit-learn (``pip install 'riskkit[shrinkage]'``).

    Parameters
    ----------
    returns : (n_obs, n_assets)
        Returns per period, at least two rows.
    method : {"ledoit_wolf", "oas"}
        Ledoit-Wolf, or the oracle approximating shrinkage of Chen et al. for normal returns.
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
    Estimation, IEEE Trans. Signal Processing 58, 5016-5029, eq. 23; scikit-learn leaves out its terms in 2/n_assets.

    Examples
    --------
    >>> result = shrunk_covariance([[0.01, 0.02], [0.03, 0.05], [0.00, -0.01], [-0.02, -0.03], [0.01, 0.01]])
    >>> round(result.shrinkage, 4)
    0.4294
    """
    one_of(method, tuple(METHODS), "method")
    one_of(mean, ("sample", "zero"), "mean")
    array = returns_array(returns, min_obs=2)
    estimator = getattr(optional("sklearn.covariance", "shrinkage"), METHODS[method])
    fitted = estimator(assume_centered=mean == "zero", store_precision=False).fit(array.reshape(len(array), -1))
    assets = labels_of(returns, 1)
    return ShrunkCovariance(
        covariance=with_labels(symmetric(np.asarray(fitted.covariance_)), assets, assets),
        shrinkage=float(fitted.shrinkage_),
        method=method,
        n_obs=len(array),
    )
