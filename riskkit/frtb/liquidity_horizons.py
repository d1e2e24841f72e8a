"""Expected shortfall over the liquidity horizons of the risk factors, calibrated to stress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_array, positive
from riskkit._excel import Exported
from riskkit._show import Row, percent
from riskkit._types import ReturnsLike
from riskkit.frtb.docs import documented
from riskkit.var import historical

HORIZONS = (10, 20, 40, 60, 120)
"""Liquidity horizons in trading days (MAR33.12)."""


@dataclass(frozen=True, repr=False, eq=False)
class LiquidityHorizonES(Exported):
    """Expected shortfall over liquidity horizons.

    Attributes
    ----------
    es : float
        Mean loss, in the unit of the P&L.
    nested : (n_horizons,)
        ES over the base horizon of all factors whose horizon is at least each one.
    horizons : (n_horizons,)
        Days.
    confidence : float
        0.975 in the rules.

    Examples
    --------
    >>> from riskkit.frtb import expected_shortfall
    >>> expected_shortfall([[-3.0, 1.0], [2.0, -4.0], [-5.0, 1.0], [1.0, 0.0]], [10, 20], 0.75).nested.tolist()
    [4.0, 4.0]
    """

    es: float
    nested: np.ndarray
    horizons: tuple[float, ...]
    confidence: float

    @property
    def steps(self) -> np.ndarray:
        """(n_horizons,) share of each horizon in the square of the ES."""
        return self.nested**2 * _growth(self.horizons) / max(self.es**2, np.finfo(float).tiny)

    def _title(self) -> str:
        return f"Expected shortfall over liquidity horizons, {percent(self.confidence)}"

    def _rows(self) -> list[Row]:
        nested = zip(self.horizons, self.nested, self.steps, strict=True)
        return [
            ("ES", self.es, ""),
            *((f"from {days:g} days on", float(es), f"{share:.1%} of the square") for days, es, share in nested),
        ]

    def to_frame(self) -> Any:
        """One row per horizon: the nested ES and its share of the square."""
        import pandas as pd

        index = pd.Index(self.horizons, name="horizon")
        return pd.DataFrame({"nested_es": self.nested, "share": self.steps}, index=index)

    def plot(self, ax: Any = None) -> Any:
        """Draw the share of each horizon."""
        ax = plot.axes(ax)
        ax.bar([f"{days:g}" for days in self.horizons], self.steps, color=plot.STRONG)
        ax.set_xlabel("liquidity horizon of at least, days")
        ax.set_ylabel("share of the square of the ES")
        plot.dress(ax, self._title())
        return ax


def liquidity_horizon_es(nested: Any, horizons: Sequence[float] = HORIZONS) -> float:
    """Expected shortfall over liquidity horizons: sqrt(sum of (ES_j sqrt((LH_j - LH_(j-1))/T))²).

    Parameters
    ----------
    nested : (n_horizons,)
        ES over T = `horizons[0]` days of all positions to the factors whose horizon is at least LH_j: nested sets, each in the
        one before.
    horizons : (n_horizons,)
        Liquidity horizons LH_j in days, rising; the first is the base T.

    Returns
    -------
    float
        Loss, in the unit of `nested`.

    Raises
    ------
    InputError
        Horizons that do not rise or are not as many, or an ES below zero.

    References
    ----------
    Basel Framework, MAR33.4 and 33.5.

    Examples
    --------
    >>> round(liquidity_horizon_es([1000.0, 800.0, 500.0, 300.0, 100.0]), 2)
    1542.72
    """
    es = finite_array(nested, "nested", ndim=1)
    growth = _growth(horizons)
    if len(es) != len(growth):
        raise InputError(f"nested has {len(es)} numbers and horizons {len(growth)}; give one ES for each horizon")
    return float(np.sqrt((np.maximum(es, 0.0) ** 2 * growth).sum()))


@documented
def expected_shortfall(
    pnl: ReturnsLike, horizons: Sequence[float] = HORIZONS, confidence: float = 0.975
) -> LiquidityHorizonES:
    """Expected shortfall over liquidity horizons, from the P&L of the factors of each horizon.

    Parameters
    ----------
    pnl : (n_obs, n_horizons)
        P&L over the base horizon per scenario; column j is that of the factors whose horizon is exactly `horizons[j]`. A
        horizon without factors is left out.
    horizons : (n_horizons,)
        Days, rising.
    confidence : float
        0.975 in the rules.

    Returns
    -------
    LiquidityHorizonES
        `es` and the `nested` ES of which it is made, the mean of exactly the worst 1 - confidence of the scenarios; a
        nested set that gains in its worst scenarios adds nothing.

    References
    ----------
    Basel Framework, MAR33.2 to 33.5.

    Examples
    --------
    >>> expected_shortfall([[-3.0, 1.0], [2.0, -4.0], [-5.0, 1.0], [1.0, 0.0]], [10, 20], 0.75).es
    5.656854249492381
    """
    table = finite_array(pnl, "pnl", ndim=2)
    if table.shape[1] != len(horizons):
        raise InputError(f"pnl has {table.shape[1]} columns and horizons {len(horizons)}; give one column for each")
    nested = historical(table[:, ::-1].cumsum(axis=1)[:, ::-1], confidence).es
    days = tuple(float(each) for each in horizons)
    return LiquidityHorizonES(liquidity_horizon_es(nested, days), np.asarray(nested), days, float(confidence))


def stressed_es(reduced_stressed: float, full_current: float, reduced_current: float) -> float:
    """Expected shortfall calibrated to stress: ES of the reduced set in stress × max(ES full / ES reduced now, 1).

    Parameters
    ----------
    reduced_stressed : float
        ES of the reduced set of factors over the worst twelve months.
    full_current, reduced_current : float
        ES of all factors, and of the reduced set, over the last twelve months. The reduced set must explain three quarters.

    Returns
    -------
    float
        Loss, in the unit of the arguments.

    Raises
    ------
    InputError
        A number below zero, a reduced ES of zero, or one of less than three quarters of the full one.

    References
    ----------
    Basel Framework, MAR33.6 and 33.7.

    Examples
    --------
    >>> stressed_es(180.0, 100.0, 80.0), stressed_es(180.0, 75.0, 80.0)
    (225.0, 180.0)
    """
    stressed, full = positive(reduced_stressed, "reduced_stressed"), positive(full_current, "full_current", zero=True)
    reduced = positive(reduced_current, "reduced_current")
    if reduced < 0.75 * full:
        raise InputError(
            f"reduced_current={reduced_current!r} is {reduced / full:.1%} of full_current={full_current!r}; a reduced set "
            "must have at least 75%: add factors to it"
        )
    return stressed * max(full / reduced, 1.0)


def _growth(horizons: Sequence[float]) -> np.ndarray:
    """(LH_j - LH_(j-1)) / LH_1, with LH_0 = 0."""
    days = finite_array(horizons, "horizons", ndim=1)
    if days[0] <= 0.0 or (np.diff(days) <= 0.0).any():
        raise InputError(
            f"horizons={list(horizons)} do not rise from above zero; the rules have 10, 20, 40, 60, 120 days"
        )
    growth: np.ndarray = np.diff(days, prepend=0.0) / days[0]
    return growth
