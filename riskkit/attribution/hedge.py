"""Best hedge in each instrument: the trade with the lowest VaR or ES after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from riskkit import plot
from riskkit._check import InputError, labels_of, one_of, with_labels
from riskkit._excel import Exported
from riskkit._exposure import Exposure, asset_vector, exposure_of
from riskkit._show import Row, alike, percent
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import PositionsLike, TailMeasure, Vector
from riskkit.attribution.result import NAMES
from riskkit.var.parametric.elliptical import cached_factor


@dataclass(frozen=True, repr=False, eq=False)
class BestHedges(Exported):
    """Best trade in each single instrument, and VaR or ES after it. Vectors are (n_assets,), money.

    Attributes
    ----------
    measure : str
        "var" or "es".
    confidence : float
        0.95 for 95 %.
    before : float
        Risk of the portfolio in money without a trade.
    trade : (n_assets,)
        Money to buy of each instrument (to sell when negative).
    after : (n_assets,)
        Risk of the portfolio in money after that trade.

    Examples
    --------
    >>> from riskkit.attribution import best_hedge
    >>> hedges = best_hedge([100.0, 50.0], [[0.0004, 0.0001], [0.0001, 0.0004]])
    >>> hedges.trade.round(2).tolist()
    [-112.5, -75.0]
    """

    measure: TailMeasure
    confidence: float
    before: float
    trade: Vector
    after: Vector

    @property
    def saving(self) -> Vector:
        """Reduction of the risk by each hedge, money, at least zero."""
        saving: Vector = self.before - self.after
        return saving

    def to_frame(self) -> Any:
        """One row per instrument, the best hedge first."""
        import pandas as pd

        frame = pd.DataFrame({"trade": self.trade, "after": self.after, "saving": self.saving}).rename_axis("asset")
        return frame.iloc[np.argsort(np.asarray(self.after), kind="stable")]

    def plot(self, ax: Any = None) -> Any:
        """Draw the risk after each hedge as bars, the best on top, and the risk before as a line."""
        frame = self.to_frame().iloc[::-1]
        ax = plot.axes(ax, height=1.3 + 0.36 * len(frame))
        ax.barh(plot.names_beside(ax, frame.index), frame["after"], color=plot.STRONG)
        ax.axvline(
            self.before, color=plot.WARM, linewidth=1.4, label=f"now: {plot.loss_text(self.before, self.measure)}"
        )
        plot.thousands(ax.xaxis)
        ax.set_xlabel(f"{NAMES[self.measure]} after the hedge, money")
        plot.legend_below(ax)
        plot.dress(ax, self._title())
        return ax

    def _title(self) -> str:
        return f"Best hedge by instrument, {NAMES[self.measure]} {percent(self.confidence)}"

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
    positions: PositionsLike,
    covariance: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    measure: TailMeasure = "var",
    mean: Any = None,
    z: float | None = None,
    df: float | None = None,
) -> BestHedges:
    """Trade in each single instrument that minimises the VaR or ES of the portfolio.

    Without a mean the trade is -(Cw)_i / C_ii, minus the regression of the portfolio on the instrument. With a mean it
    is shifted in the direction of positive returns, and finite if a position in the instrument alone has a positive VaR.

    Parameters
    ----------
    positions : (n_assets,)
        Money held, negative when short; instruments that are not held are candidates too.
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon of the VaR.
    measure : {"var", "es"}
        Risk measure to minimise.
    confidence, mean, z, df
        As in `riskkit.attribution.portfolio`.

    Returns
    -------
    BestHedges
        Trade, risk after it and saving, per instrument. The trade in an instrument without variance is 0.

    Raises
    ------
    InputError
        As in `riskkit.attribution.portfolio`, or an instrument whose mean exceeds its risk, so that VaR has no minimum.

    References
    ----------
    Litterman (1996), Hot Spots and Hedges, Journal of Portfolio Management 23, 52-75 (best hedge positions).
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.2 (the trade that minimises VaR).

    Examples
    --------
    >>> hedges = best_hedge([1_000_000.0, 0.0], [[0.0004, 0.0003], [0.0003, 0.0009]], confidence=0.95, z=1.65)
    >>> hedges.trade.round().tolist(), hedges.after.round().tolist()
    ([-1000000.0, -333333.0], [0.0, 28579.0])
    """
    one_of(measure, get_args(TailMeasure), "measure")
    book = exposure_of(positions, covariance)
    factor = cached_factor(confidence, measure, z, df)
    drifts = np.zeros_like(book.positions) if mean is None else asset_vector(mean, book, "mean")
    variances = book.variances
    _check_bounded(book, factor, drifts, variances)
    moving = variances > 0.0
    safe = np.where(moving, variances, 1.0)
    centre = np.where(moving, -book.gradient / safe, 0.0)
    # Variance that no trade in the instrument removes: the residual of the regression on it.
    explained = -book.gradient * centre  # not its square over the variance, which may overflow
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
        raise InputError("VaR at this confidence does not increase with volatility; give a confidence above 0.5")
    unbounded = np.abs(drifts) >= factor * np.sqrt(variances)
    unbounded &= drifts != 0.0
    if unbounded.any():
        i = int(np.argmax(unbounded))
        name = i if book.labels is None else repr(book.labels[i])
        raise InputError(
            f"mean of instrument {name} is {drifts[i]:g}, which exceeds its risk, so that VaR has no minimum"
        )
