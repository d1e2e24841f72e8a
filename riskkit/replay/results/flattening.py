"""What trips closed in a replay that flattens: fills, and their cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskkit._show import Row, Shown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False, eq=False)
class Flattening(Shown):
    """What trips closed in a replay with ``on_trip="flatten"``; money in the currency of each instrument.

    Parameters
    ----------
    how : str
        The pace in words.
    positions, left : int
        Positions held at trips, and those of them that were not closed before the pause, the log or its prices ended.
    fills : DataFrame
        One row per fill: ts, rule, account, instrument, side, qty, price, and ``cost`` against the mark at the trip.
    costs : mapping of currency to float
        Sum of the costs; negative if the prices after the trips were better than the marks at them.
    origin : ndarray of int64
        Row in the record of each row of the result's log, -1 for a fill of the flattening; shape (n_events,).

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("loss", rk.rules.DailyLoss(limit=5), action="PAUSE")])
    >>> log = rk.replay.tiny_log([4, 4, 1], price=[10, 8, 7], marks=[8, 7, 6])
    >>> rk.replay_log(log, rules, "enforce", on_trip="flatten", compiled=False).flattening
    Flattened at the touch
    ---------------------------------------------
    positions at trips             1
      closed                       1 at the touch
      fills                        1
      cost against marks at trips  4 USD
    """

    how: str
    positions: int
    left: int
    fills: pd.DataFrame
    costs: dict[str, float]
    origin: np.ndarray

    def to_frame(self) -> pd.DataFrame:
        """The fills."""
        return self.fills

    def rows(self) -> list[Row]:
        """The table, without the title."""
        return [
            ("positions at trips", self.positions, ""),
            ("  closed", self.positions - self.left, self.how),
            ("  fills", len(self.fills), ""),
            *(("  cost against marks at trips", cost, currency) for currency, cost in self.costs.items()),
        ]

    def _title(self) -> str:
        return f"Flattened {self.how}"

    def _rows(self) -> list[Row]:
        return self.rows()
