"""The best hedge in each instrument: the trade that leaves the least VaR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, labels_of, one_of, with_labels
from riskkit._show import Row, Shown, alike
from riskkit.attribution.exposure import Exposure, asset_vector, exposure_of, risk_factor
from riskkit.var.estimate import percent

__all__ = ["BestHedges", "best_hedge"]


@dataclass(frozen=True, repr=False, eq=False)
class BestHedges(Shown):
    """For each instrument alone: what to trade, and what VaR (or ES) is left. Vectors are (n_assets,), money.

    Attributes
    ----------
    measure : str
        "var" or "es".
    confidence : float
        0.95 for 95 %.
    before : float
        Risk of the book as it is.
    trade : (n_assets,)
        Money to buy of each instrument (to sell when negative).
    after : (n_assets,)
        Risk of the book after that one trade.

    Examples
    --------
    >>> from riskkit import best_hedge
    >>> hedges = best_hedge([100.0, 50.0], [[0.0004, 0.0001], [0.0001, 0.0004]])
    >>> hedges.trade.round(2).tolist()
    [-112.5, -75.0]
    """

    measure: str
    confidence: float
    before: float
    trade: Any
    after: Any

    @property
    def saving(self) -> Any:
        """What each hedge takes off, money, at least zero."""
        return self.before - self.after

    def to_frame(self) -> Any:
        """One row per instrument, the best hedge first."""
        import pandas as pd

        frame = pd.DataFrame({"trade": self.trade, "after": self.after, "saving": self.saving}).rename_axis("asset")
        return frame.iloc[np.argsort(np.asarray(self.after), kind="stable")]

    def plot(self, ax: Any = None) -> Any:
        """Bars of the risk left after each hedge, the best on top, beside the risk before."""
        frame = self.to_frame().iloc[::-1]
        ax = plot.axes(ax, height=1.3 + 0.36 * len(frame))
        ax.barh([str(name) for name in frame.index], frame["after"], color=plot.STRONG)
        ax.axvline(self.before, color=plot.WARM, linewidth=1.4)
        plot.thousands(ax.xaxis)
        ax.set_xlabel(f"{self._name()} after the hedge, money (line: before)")
        plot.dress(ax, self._title())
        return ax

    def _name(self) -> str:
        return {"var": "VaR", "es": "ES"}[self.measure]

    def _title(self) -> str:
        return f"Best hedge by instrument, {self._name()} {percent(self.confidence)}"

    def _rows(self) -> list[Row]:
        trades, after = np.asarray(self.trade), np.asarray(self.after)
        names = labels_of(self.trade, 0)
        best = np.argsort(after, kind="stable")[:10]
        before, *left = alike([self.before, *after[best]])
        rows: list[Row] = [("before", before, "")]
        for i, amount, text in zip(best, alike(np.abs(trades[best])), left, strict=True):
            saved = f"{after[i] / self.before - 1.0:+.1%}" if self.before > 0.0 else ""
            verb = "buy" if trades[i] >= 0.0 else "sell"
            rows.append((f"{verb} {amount} of {i if names is None else names[i]}", text, saved))
        return rows


def best_hedge(
    positions: Any,
    covariance: Any,
    confidence: float = 0.95,
    *,
    measure: str = "var",
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> BestHedges:
    """The trade in each single instrument that makes VaR or ES of the book as small as it can get.

    Without a mean it is -(Cw)_i / C_ii: minus the regression of the book on the instrument. With one, the trade leans
    towards instruments that earn, and stays finite as long as a lone position in the instrument has a positive VaR.

    Parameters
    ----------
    positions : (n_assets,)
        Money held, negative when short; instruments that are not held are hedges like any other.
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon of the VaR.
    measure : {"var", "es"}
        What the hedge minimises.
    confidence, mean, z, nu
        As in `portfolio_var`.

    Returns
    -------
    BestHedges
        Trade, risk after it and saving, per instrument. An instrument without variance hedges nothing: trade 0.

    Raises
    ------
    InputError
        As in `portfolio_var`, or an instrument whose mean outweighs its risk, so that VaR falls without end.

    References
    ----------
    Litterman (1996), Hot Spots and Hedges, Journal of Portfolio Management 23, 52-75 (best hedge positions).
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.2 (the trade that minimises VaR).

    Examples
    --------
    >>> hedges = best_hedge([1_000_000.0, 0.0], [[0.0004, 0.0003], [0.0003, 0.0009]], z=1.65)
    >>> hedges.trade.round().tolist(), hedges.after.round().tolist()
    ([-1000000.0, -333333.0], [0.0, 28579.0])
    """
    one_of(measure, ("var", "es"), "measure")
    book = exposure_of(positions, covariance)
    factor = risk_factor(measure, confidence, z, nu)
    drifts = np.zeros_like(book.positions) if mean is None else asset_vector(mean, book, "mean")
    variances = book.variances
    _check_bounded(book, factor, drifts, variances)
    moving = variances > 0.0
    safe = np.where(moving, variances, 1.0)
    centre = np.where(moving, -book.gradient / safe, 0.0)
    # What no trade in the instrument can remove: the variance of the book's part that it does not explain.
    explained = -book.gradient * centre  # not its square over the variance, which may pass the range of floats
    left = book.without_rounding(book.volatility**2 - explained)
    lean = drifts * np.sqrt(left / safe) / np.sqrt(np.where(moving, factor**2 * safe - drifts**2, 1.0))
    trade = centre + np.where(moving, lean, 0.0)
    drift = float(book.positions @ drifts)
    after = factor * np.sqrt(left + safe * np.where(moving, lean, 0.0) ** 2) - drift - trade * drifts
    return BestHedges(
        measure=measure,
        confidence=confidence,
        before=factor * book.volatility - drift,
        trade=with_labels(trade, book.labels),
        after=with_labels(after, book.labels),
    )


def _check_bounded(book: Exposure, factor: float, drifts: np.ndarray, variances: np.ndarray) -> None:
    if factor <= 0.0:
        raise InputError("VaR at this confidence does not rise with volatility; give a confidence above 0.5")
    unbounded = np.abs(drifts) >= factor * np.sqrt(variances)
    unbounded &= drifts != 0.0
    if unbounded.any():
        i = int(np.argmax(unbounded))
        name = i if book.labels is None else repr(book.labels[i])
        raise InputError(
            f"mean of instrument {name} is {drifts[i]:g}, which outweighs its risk: VaR would fall without end"
        )
