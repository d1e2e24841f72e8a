"""Block bootstrap: scenarios made of blocks of consecutive rows of history."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, labels_of, one_of, positive, returns_array, shown, whole_number
from riskkit._show import Row
from riskkit.montecarlo.draws import Variates, VariateSpec
from riskkit.montecarlo.models.return_model import ReturnModel

Kind = Literal["stationary", "circular"]


@dataclass(frozen=True, repr=False, eq=False)
class BlockBootstrap(ReturnModel):
    """Returns over a horizon, compounded from blocks of consecutive historical days.

    Blocks preserve volatility clusters and autocorrelation, complete rows the dependence of assets, and no distribution
    is assumed. The history wraps around, so that every day is equally likely.

    Parameters
    ----------
    history : (n_obs, n_assets)
        Simple returns per period, oldest first.
    horizon : int
        Periods per scenario; with 1 a scenario is one random day.
    block : float
        Length of a block in periods: exact for "circular" (a whole number), the mean for "stationary".
    kind : {"stationary", "circular"}
        Blocks of geometric length, which make the resampled series stationary, or of one fixed length.

    Raises
    ------
    InputError
        NaN, fewer than two rows, a return of -100 % or less, or a block that is not at least 1 or longer than history.

    References
    ----------
    Politis and Romano (1994), The stationary bootstrap, JASA 89, 1303-1313, section 2. Politis and Romano (1992), A
    circular block-resampling procedure for stationary data, in Exploring the Limits of Bootstrap, 263-270.

    Examples
    --------
    >>> model = BlockBootstrap([[0.10], [-0.10], [0.20]], horizon=2, block=2, kind="circular")
    >>> model.sample(None, [[0.40], [0.99]]).round(6).tolist()  # days 2 and 3; day 3, and round to day 1
    [[0.08], [0.32]]
    """

    history: Any
    horizon: int = 1
    block: float = 10.0
    kind: Kind = "stationary"

    def __post_init__(self) -> None:
        one_of(self.kind, get_args(Kind), "kind")
        whole_number(self.horizon, "horizon")
        block = whole_number(self.block, "block") if self.kind == "circular" else positive(self.block, "block")
        if not 1.0 <= block <= len(self._growth):
            raise InputError(f"block={shown(self.block)} is not between 1 and the {len(self._growth)} rows of history")

    @property
    def labels(self) -> Any:
        """Names of the assets, or None."""
        return labels_of(self.history, 1)

    @property
    def n_assets(self) -> int:
        """Number of assets per scenario."""
        return int(self._growth.shape[1])

    @functools.cached_property
    def _growth(self) -> np.ndarray:
        array = returns_array(self.history, "history", min_obs=2, ordered=True, fractions=True)
        array = array[:, None] if array.ndim == 1 else array
        if array.min() <= -1.0:
            raise InputError(f"history holds {array.min():g}; a return of -1 or less cannot be compounded")
        return 1.0 + array

    @property
    def needs(self) -> VariateSpec:
        """One uniform per start of a block; for the stationary kind also one per later day, which may end a block."""
        if self.kind == "circular":
            return VariateSpec(uniforms=-(-self.horizon // int(self.block)))
        return VariateSpec(uniforms=2 * self.horizon - 1)

    def days(self, draws: Variates) -> np.ndarray:
        """(n, horizon) rows of history that make up each scenario."""
        n_days = len(self._growth)
        starts = (draws.uniforms[:, : self._n_starts] * n_days).astype(np.int64)
        if self.kind == "circular":
            block = int(self.block)
            days = (starts[:, :, None] + np.arange(block)) % n_days
            return days.reshape(len(starts), -1)[:, : self.horizon]
        fresh = draws.uniforms[:, self._n_starts :] < 1.0 / self.block
        days = np.empty_like(starts)
        days[:, 0] = starts[:, 0]
        for t in range(1, self.horizon):
            days[:, t] = np.where(fresh[:, t - 1], starts[:, t], (days[:, t - 1] + 1) % n_days)
        return days

    def returns(self, draws: Variates) -> np.ndarray:
        """(n, n_assets) simple returns over the horizon."""
        days = self.days(draws)
        growth: np.ndarray = self._growth[days[:, 0]]
        for t in range(1, self.horizon):
            growth *= self._growth[days[:, t]]
        growth -= 1.0
        return growth

    @property
    def _n_starts(self) -> int:
        return self.needs.uniforms if self.kind == "circular" else self.horizon

    def _title(self) -> str:
        return f"{self.kind.capitalize()} block bootstrap"

    def _rows(self) -> list[Row]:
        return [
            ("assets", self.n_assets, ""),
            ("history", len(self._growth), "periods"),
            ("horizon", self.horizon, "periods"),
            ("block", self.block, "periods" if self.kind == "circular" else "periods, mean"),
        ]
