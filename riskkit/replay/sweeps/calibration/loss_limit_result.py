"""Result of `calibrate_loss_limit`: a table of limits and paths with intervals, its plot, and the choice of a limit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, one_of, positive
from riskkit._excel import MONEY, NUMBER, Exported, Sheet
from riskkit._show import Row, number, percent

if TYPE_CHECKING:
    import pandas as pd

MEASURES = {
    "trips": "trips a year",
    "saved": "saved a year",
    "cost": "cost a year",
    "net": "saved less cost a year",
    "rest": "P&L of the rest of the day after a trip",
    "next": "P&L of the periods after a trip",
}
PATH_WORDS = {
    "straight": "P&L goes straight from zero to its end: the fewest trips, and none that costs",
    "bridge": "P&L is a Brownian motion that ends where the day ended",
    "lowest": "the lowest P&L of each day, as given",
}


@dataclass(frozen=True, repr=False, eq=False)
class LossLimits(Exported):
    """What daily loss limits would have done to a series of daily P&L; of `calibrate_loss_limit`.

    Attributes
    ----------
    keys : tuple of (str, float)
        Path and limit of each row.
    means : (n_rows, 6) array
        Means a day of trips, money saved and cost, P&L of the rest of the day, of the next periods, and days that have these.
    resampled : (n_resamples, n_rows, 6) array
        The same of resampled days.
    pnl : (n_days,) array
        P&L.
    periods_per_year : float
        Days a year.
    after : int
        Number of the next periods.
    slippage : float
        Loss beyond the limit, a fraction of it.
    block : float
        Mean length of a block of the bootstrap, in days.
    coverage : float
        Of the intervals.
    currency : str
        Unit of the money.

    Examples
    --------
    >>> from riskkit.sweeps import calibrate_loss_limit
    >>> found = calibrate_loss_limit([9.0, -20.0, 4.0, -1.0], [10], paths="straight", rng=np.random.default_rng(1))
    >>> found.frame.loc[("straight", 10), ["trips", "saved"]].tolist()
    [63.0, 630.0]
    """

    keys: tuple[tuple[str, float], ...]
    means: np.ndarray
    resampled: np.ndarray
    pnl: np.ndarray
    periods_per_year: float
    after: int
    slippage: float
    block: float
    coverage: float
    currency: str = ""

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per path and limit: each of `MEASURES` with the ends of its interval; money, and trips as counts."""
        import pandas as pd

        found, drawn = self._measures(self.means), self._measures(self.resampled)
        tail = (1.0 - self.coverage) / 2.0
        columns = {}
        for name, values in found.items():
            columns[name] = values
            for end, level in (("low", tail), ("high", 1.0 - tail)):
                columns[f"{name}_{end}"] = _quantile(drawn[name], level)
        return pd.DataFrame(columns, index=pd.MultiIndex.from_tuples(self.keys, names=["path", "limit"]))

    def _measures(self, means: np.ndarray) -> dict[str, np.ndarray]:
        trips, saved, cost, rest, following, followed = np.moveaxis(means, -1, 0)
        year = self.periods_per_year
        with np.errstate(invalid="ignore", divide="ignore"):
            of_trips = {"rest": rest / trips, "next": following / followed}
        return {
            "trips": year * trips,
            "saved": year * saved,
            "cost": year * cost,
            "net": year * (saved - cost),
            **of_trips,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per path and limit."""
        return self.frame

    def best(self, *, trips_per_year: float, path: str | None = None) -> float:
        """The lowest limit that trips at most so often a year; by default under the path with the most trips.

        Raises
        ------
        InputError
            If every limit trips more often, or the path was not assumed.
        """
        most = positive(trips_per_year, "trips_per_year")
        assumed = self.paths
        chosen = assumed[-1] if path is None else one_of(path, assumed, "path")
        trips: Any = self.frame.loc[chosen, "trips"]
        if (trips > most).all():
            raise InputError(
                f"every limit trips more than {most:,.6g} times a year; the highest, {trips.index[-1]:,.6g}, does so "
                f"{trips.iloc[-1]:,.3g} times: give a higher limit"
            )
        return float(trips.index[trips <= most][0])

    @property
    def paths(self) -> tuple[str, ...]:
        """The assumed paths."""
        return tuple(dict.fromkeys(path for path, _ in self.keys))

    def plot(self, ax: Any = None, *, measure: str = "trips") -> Any:
        """Plot one of `MEASURES` against the limit, one line per path, with its interval shaded."""
        one_of(measure, tuple(MEASURES), "measure")
        ax = plot.axes(ax, height=4.0)
        for place, path in enumerate(self.paths):
            rows: Any = self.frame.loc[path]
            look = plot.line_style(place)
            limits = rows.index.to_numpy(float)
            ax.fill_between(
                limits, rows[f"{measure}_low"], rows[f"{measure}_high"], color=look["color"], alpha=0.15, lw=0
            )
            ax.plot(limits, rows[measure], marker="o", ms=4, lw=1.2, label=path, **look)
        ax.axhline(0.0, color=plot.PALE, lw=0.6, zorder=0)
        plot.thousands(ax.xaxis)
        plot.thousands(ax.yaxis)
        ax.set_xlabel(f"daily loss limit{self._unit}")
        ax.set_ylabel(MEASURES[measure] + ("" if measure == "trips" else self._unit))
        ax.legend(frameon=False, title=f"path inside the day ({percent(self.coverage)} intervals)")
        plot.dress(ax, f"{self._title()}: {MEASURES[measure]}")
        return ax

    @property
    def _unit(self) -> str:
        return f", {plot.literal(self.currency or 'money')}"

    def _sheets(self) -> list[Sheet]:
        money = {f"{name}{end}": MONEY for name in MEASURES if name != "trips" for end in ("", "_low", "_high")}
        return [Sheet("loss limits", self.frame, {"limit": MONEY, "trips": NUMBER, **money})]

    def _title(self) -> str:
        return "Daily loss limits"

    def _rows(self) -> list[Row]:
        interval = f"{percent(self.coverage)}, block bootstrap of days, {self.block:.3g} days a block"
        rows: list[Row] = [
            ("days", len(self.pnl), f"the worst {number(float(self.pnl.min()))} {self.currency}".strip()),
            ("slippage", percent(self.slippage), "of the limit"),
            ("intervals", "", interval),
        ]
        money = f"{self.currency} " if self.currency else ""
        for path in self.paths:
            rows.append((path, "", PATH_WORDS[path]))
            table: Any = self.frame.loc[path]
            for limit, row in table.iterrows():
                trips = f"{row['trips']:.3g} ({row['trips_low']:.3g} to {row['trips_high']:.3g})"
                amount = f"saves {row['saved']:,.0f} and costs {row['cost']:,.0f}"
                rows.append((f"  {limit:,.10g}", trips, f"trips, {amount} {money}a year"))
        return rows


def _quantile(values: np.ndarray, level: float) -> np.ndarray:
    """Quantile over the resamples that have a value; NaN where none has."""
    import pandas as pd

    found: np.ndarray = pd.DataFrame(values).quantile(level).to_numpy(float)
    return found
