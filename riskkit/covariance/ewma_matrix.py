"""Exponentially weighted covariance matrix: an immutable state, its path, and portfolio variance.

The recursion is S_t = decay × S_(t-1) + (1 - decay) × r_t r_t', with the start values of `riskkit.covariance.ewma`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    as_pandas,
    finite_array,
    labels_of,
    refuse_other_rows,
    refuse_size,
    returns_array,
    with_labels,
)
from riskkit._docs import shared_parameters
from riskkit._excel import Exported
from riskkit._jit import kernel
from riskkit._show import Row
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import PARAMETERS
from riskkit.covariance.ewma import BACKCAST_PERIODS, decay_factor, start_weights, variance_path
from riskkit.covariance.matrices import asset_names, square_matrix, symmetric

documented = shared_parameters(
    PARAMETERS | {"returns": "(n_obs, n_assets)\n    Returns per period, oldest first; the mean is taken as zero."}
)


@dataclass(frozen=True, repr=False, eq=False)
class EwmaCovariance(Exported):
    """Immutable state of an exponentially weighted covariance matrix.

    `update` returns the state after one more row of returns, `update_many` after many; results are bit-identical
    however the returns are split.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        S_t, the forecast for the next period.
    decay : float
        Weight of the past, between 0 and 1: 0.94 for daily, 0.97 for monthly data in RiskMetrics.
    n_obs : int
        Number of returns processed.

    Raises
    ------
    InputError
        NaN or infinity, a matrix that is not symmetric, a decay outside (0, 1), or other assets than those of the
        state.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.1.

    Examples
    --------
    >>> returns = [[0.02, 0.01], [-0.01, 0.03], [0.00, -0.02]]
    >>> state = EwmaCovariance.init(returns, decay=0.9, start="first_square")
    >>> state.update_many(returns).covariance.round(8).tolist()
    [[0.000333, 0.000135], [0.000135, 0.000202]]
    >>> state.update(returns[0]).update_many(returns[1:]).n_obs
    3
    """

    covariance: Any
    decay: float
    n_obs: int = 0

    def __post_init__(self) -> None:
        matrix, assets = square_matrix(self.covariance, "covariance")
        object.__setattr__(self, "covariance", with_labels(matrix, assets, assets))
        object.__setattr__(self, "decay", decay_factor(self.decay))

    @classmethod
    def init(
        cls,
        returns: ReturnsLike,
        decay: float = 0.94,
        start: Any = "backcast",
        *,
        backcast_periods: int = BACKCAST_PERIODS,
    ) -> EwmaCovariance:
        """State before the first of `returns`, which determine only the start value (see the module)."""
        array, assets = _rows_of(returns)
        value = _start_matrix(array, decay_factor(decay), start, backcast_periods)
        return cls(with_labels(value, assets, assets), decay)

    def update(self, row: Any) -> EwmaCovariance:
        """State after one more row of returns, (n_assets,)."""
        array = finite_array(_in_order(row, self._assets, 0), "row", ndim=1)
        self._check_width(len(array), "row")
        return self._after(array[None, :])

    def update_many(self, returns: ReturnsLike) -> EwmaCovariance:
        """State after all rows of `returns`, (n_obs, n_assets)."""
        return self._after(self._checked(returns))

    def path(self, returns: ReturnsLike) -> Any:
        """S_t after every row: (n_obs, n_assets, n_assets), or a DataFrame indexed by (row, asset)."""
        array = self._checked(returns)
        refuse_size((*array.shape, array.shape[1]), "the path of matrices", "EwmaCovariance.stream gives one at a time")
        out = np.empty((*array.shape, array.shape[1]))
        _path(np.array(self.covariance, dtype=float), array, self.decay, out)
        return _labelled_path(out, labels_of(returns, 0), self._assets)

    def stream(self, returns: ReturnsLike) -> Iterator[np.ndarray]:
        """Yield S_t after every row: one read-only view, overwritten in place."""
        array = self._checked(returns)
        current = np.array(self.covariance, dtype=float)
        view = current.view()
        view.flags.writeable = False
        for row in array:
            _step(current, row, self.decay, current)
            yield view

    @property
    def volatility(self) -> Any:
        """Square root of the diagonal, per period."""
        return with_labels(np.sqrt(np.diag(np.asarray(self.covariance))), self._assets)

    @property
    def _assets(self) -> Any:
        return labels_of(self.covariance, 1)

    def _after(self, array: np.ndarray) -> EwmaCovariance:
        current = np.array(self.covariance, dtype=float)
        _run(current, array, self.decay)
        covariance = with_labels(current, self._assets, self._assets)
        return replace(self, covariance=covariance, n_obs=self.n_obs + len(array))

    def _checked(self, returns: Any) -> np.ndarray:
        array, _ = _rows_of(_in_order(returns, self._assets, 1))
        self._check_width(array.shape[1], "returns")
        return array

    def _check_width(self, width: int, name: str) -> None:
        if width != len(self.covariance):
            raise InputError(f"{name} has {width} assets and the state {len(self.covariance)}; give the same assets")

    def _title(self) -> str:
        return "EWMA covariance"

    def _rows(self) -> list[Row]:
        volatility = np.asarray(self.volatility)
        return [
            ("assets", len(volatility), ""),
            ("observations", self.n_obs, ""),
            ("decay", self.decay, ""),
            ("lowest volatility", float(volatility.min()), "per period"),
            ("highest volatility", float(volatility.max()), "per period"),
        ]

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlations."""
        marks = asset_names(self.covariance)
        title = f"Correlations, EWMA with decay {self.decay:g} over {self.n_obs:,} returns"
        return plot.correlations(self.covariance, marks, title=title, ax=ax)

    def to_frame(self) -> Any:
        """The covariance matrix as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.covariance)


@documented
def ewma_covariance(returns: ReturnsLike, decay: float = 0.94, start: Any = "backcast") -> Any:
    """Exponentially weighted covariance matrix after the last return, the forecast for the next period.

    Returns
    -------
    (n_assets, n_assets)
        Covariance per period, exactly symmetric.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.1.

    Examples
    --------
    >>> ewma_covariance([[0.02, 0.01], [-0.01, 0.03]], decay=0.9, start="first_square").round(8).tolist()
    [[0.00037, 0.00015], [0.00015, 0.00018]]
    """
    array, assets = _rows_of(returns)
    decay = decay_factor(decay)
    weights = (1.0 - decay) * decay ** np.arange(len(array) - 1.0, -1.0, -1.0)
    first = _start_matrix(array, decay, start, BACKCAST_PERIODS)
    weighted = array * np.sqrt(weights)[:, None]  # of rows and columns alike: the product is symmetric
    covariance = symmetric(decay ** len(array) * first + weighted.T @ weighted)
    return with_labels(covariance, assets, assets)


@documented
def ewma_covariance_path(returns: ReturnsLike, decay: float = 0.94, start: Any = "backcast") -> Any:
    """Exponentially weighted covariance matrix after every return.

    2,500 days of 100 assets take 200 MB; `EwmaCovariance.stream` yields the same matrices one at a time.

    Returns
    -------
    (n_obs, n_assets, n_assets), or a DataFrame indexed by (row, asset) with one column per asset
        Entry t uses the returns up to t and is the forecast for t + 1.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.1.

    Examples
    --------
    >>> ewma_covariance_path([[0.02], [-0.01]], decay=0.9, start="zero").round(8).tolist()
    [[[4e-05]], [[4.6e-05]]]
    """
    return EwmaCovariance.init(returns, decay, start).path(returns)


@documented
def ewma_portfolio_variance(returns: ReturnsLike, weights: Any, decay: float = 0.94, start: Any = "backcast") -> Any:
    """Variance w'S_t w of a portfolio after every return, without storing a matrix.

    Parameters
    ----------
    weights : (n_assets,) or (n_obs, n_assets)
        Fixed weights or money positions, or one row per period: row t is held after return t, so that entry t is the
        forecast for that portfolio in t + 1.

    Returns
    -------
    (n_obs,)
        Variance per period, in the square of the unit of weights × returns.

    Notes
    -----
    With fixed weights w'S_t w obeys the recursion of the squared portfolio returns, so no matrix is needed at all.
    With changing weights one triangle is updated and multiplied in the same pass.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.1.

    Examples
    --------
    >>> ewma_portfolio_variance([[0.02, 0.01], [-0.01, 0.03]], [0.5, 0.5], decay=0.9, start="zero").round(9).tolist()
    [2.25e-05, 3.025e-05]
    """
    weights = as_pandas(weights)
    fixed = np.ndim(weights) == 1
    array, assets = _rows_of(returns, order="C" if fixed else "K")
    positions = finite_array(_in_order(weights, assets, np.ndim(weights) - 1), "weights", order="K")
    if positions.shape not in (array.shape[1:], array.shape):
        raise InputError(
            f"weights has shape {positions.shape}; returns of shape {array.shape} need one per asset, or that shape"
        )
    rows = labels_of(returns, 0)
    if positions.ndim == 2:
        refuse_other_rows(weights, "weights", returns, "returns")
    decay = decay_factor(decay)
    first = _start_matrix(array, decay, start, BACKCAST_PERIODS)
    out = np.empty(len(array))
    if fixed:
        portfolio = array @ positions
        variance_path(np.array([positions @ first @ positions]), portfolio[:, None], decay, out[:, None])
    else:
        _portfolio_path(first, *_same_layout(array, positions), decay, np.empty((3, len(first))), out)
    return with_labels(out, rows)


@kernel
def _step(covariance: Any, row: Any, decay: Any, out: Any) -> None:
    """One update; `out` may be `covariance`. Products commute, so the result is exactly symmetric."""
    fresh = 1.0 - decay
    size = row.shape[0]
    for i in range(size):
        here = row[i]
        for j in range(size):
            out[i, j] = decay * covariance[i, j] + fresh * (here * row[j])


@kernel
def _run(covariance: Any, returns: Any, decay: Any) -> None:
    """All updates in place."""
    for t in range(returns.shape[0]):
        _step(covariance, returns[t], decay, covariance)


@kernel
def _path(covariance: Any, returns: Any, decay: Any, out: Any) -> None:
    """All updates, each stored."""
    _step(covariance, returns[0], decay, out[0])
    for t in range(1, returns.shape[0]):
        _step(out[t - 1], returns[t], decay, out[t])


@kernel
def _portfolio_path(covariance: Any, returns: Any, weights: Any, decay: Any, buffers: Any, out: Any) -> None:
    """Update the lower triangle and multiply it by the weights in the same pass.

    `work` collects w'L, L the triangle with half its diagonal, so that w'Sw = 2 w'L w; both inner loops run along
    rows without a running sum, which keeps them vectorized without reordering any addition. The rows of a DataFrame
    are scattered in memory, so each is gathered first.
    """
    fresh = 1.0 - decay
    size = returns.shape[1]
    work, row, position = buffers[0], buffers[1], buffers[2]
    for t in range(returns.shape[0]):
        work[:] = 0.0
        row[:] = returns[t]
        position[:] = weights[t]
        for i in range(size):
            line = covariance[i]
            here = row[i]
            weight = position[i]
            for j in range(i):
                line[j] = decay * line[j] + fresh * (here * row[j])
                work[j] += weight * line[j]
            line[i] = decay * line[i] + fresh * (here * here)
            work[i] += 0.5 * weight * line[i]
        total = 0.0
        for j in range(size):
            total += work[j] * position[j]
        out[t] = 2.0 * total


def _start_matrix(array: np.ndarray, decay: float, start: Any, backcast_periods: int) -> np.ndarray:
    """The covariance before the first return: a new array that a kernel may overwrite."""
    if isinstance(start, str):
        weights = start_weights(len(array), decay, start, backcast_periods)
        first = np.ascontiguousarray(array[: len(weights)])  # one layout, one rounding
        value = (first * weights[:, None]).T @ first
        return symmetric(value)
    value, _ = square_matrix(start, "start")
    if len(value) != array.shape[1]:
        raise InputError(f"start has shape {value.shape} and returns {array.shape[1]} assets; give one row per asset")
    return value


def _rows_of(returns: Any, order: Literal["C", "K"] = "C") -> tuple[np.ndarray, Any]:
    """Returns as (n_obs, n_assets), a single series as one asset, and the labels of the assets."""
    array = returns_array(returns, order=order, ordered=True)
    table = array[:, None] if array.ndim == 1 else array
    if order == "C":
        table = np.require(table, requirements="W")  # one signature of the kernels
    return table, labels_of(returns, 1)


def _same_layout(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two tables as read-only views of the same memory layout, so that a kernel compiles for two layouts only."""
    if not (first.flags.f_contiguous and second.flags.f_contiguous):
        first, second = np.ascontiguousarray(first), np.ascontiguousarray(second)
    first, second = first.view(), second.view()
    first.flags.writeable = second.flags.writeable = False
    return first, second


def _in_order(values: Any, assets: Any, axis: int) -> Any:
    """Labelled `values` in the order of `assets` along `axis`."""
    values = as_pandas(values)
    labels = labels_of(values, axis) if axis in (0, 1) else None
    if assets is None or labels is None or labels.equals(assets):
        return values
    if len(labels) != len(assets) or not all(asset in labels for asset in assets):
        raise InputError(f"assets {list(labels)[:5]} differ from {list(assets)[:5]}; give the same assets")
    return values.reindex(assets, axis=axis)


def _labelled_path(path: np.ndarray, rows: Any, assets: Any) -> Any:
    """A path of matrices as a DataFrame indexed by (row, asset), without a copy; an array without labels."""
    if assets is None:
        return path
    import pandas as pd

    index = pd.MultiIndex.from_product([range(len(path)) if rows is None else rows, assets])
    return pd.DataFrame(path.reshape(-1, len(assets)), index=index, columns=assets, copy=False)
