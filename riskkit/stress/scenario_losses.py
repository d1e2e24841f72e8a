"""Stress test: losses of a book in scenarios, by scenario, book and position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, float_array, labels_of
from riskkit._docs import counted
from riskkit._excel import MONEY, Exported, Sheet
from riskkit._show import Row, alike, short_label
from riskkit.pnl import DeltaGamma, aggregate, scenario
from riskkit.stress.docs import documented

SHOWN = 20


@dataclass(frozen=True, repr=False, eq=False)
class StressTest(Exported):
    """Losses per scenario; money, losses positive.

    Attributes
    ----------
    losses : DataFrame
        Losses in money, one row per scenario, one column per book or node of the hierarchy.
    by_position : DataFrame or None
        Losses by scenario and asset in money, for a single book of positions; else None.

    Examples
    --------
    >>> from riskkit import stress_test
    >>> test = stress_test([100.0, 50.0], [[-0.1, 0.0], [0.0, 0.2]])
    >>> test.losses.to_numpy().round(6).tolist()
    [[10.0], [-10.0]]
    """

    losses: Any
    by_position: Any

    @property
    def worst(self) -> Any:
        """Name of the scenario with the largest loss of the first book (the top of a hierarchy)."""
        return self.losses.iloc[:, 0].idxmax()

    def to_frame(self) -> Any:
        """One row per scenario, one column per book."""
        return self.losses.copy()

    def _sheets(self) -> list[Sheet]:
        found = [("losses", self.losses)] + (
            [("by position", self.by_position)] if self.by_position is not None else []
        )
        return [Sheet(name, frame, dict.fromkeys(map(str, frame.columns), MONEY)) for name, frame in found]

    def plot(self, ax: Any = None, *, book: Any = None) -> Any:
        """Draw bars of the losses of one book (by default the first), the largest on top."""
        losses = (self.losses.iloc[:, 0] if book is None else self.losses[book]).sort_values(kind="stable")
        ax = plot.axes(ax, height=1.3 + 0.36 * len(losses))
        colors = [plot.WARM if loss > 0.0 else plot.STRONG for loss in losses]
        rows = range(len(losses))
        ax.barh(rows, losses, color=colors)
        ax.set_yticks(rows, plot.names_beside(ax, [short_label(name) for name in losses.index]))
        ax.axvline(0.0, color=plot.INK, linewidth=0.8)
        plot.thousands(ax.xaxis)
        ax.set_xlabel("loss, money (left of zero: a gain)")
        plot.dress(ax, self._title())
        return ax

    def _title(self) -> str:
        return f"Stress test: {counted(len(self.losses), 'scenario')}, losses positive"

    def _rows(self) -> list[Row]:
        losses = self.losses.iloc[:, 0]
        order = np.argsort(-losses.to_numpy(), kind="stable")
        texts = alike(losses.iloc[order[: SHOWN + 1]])
        names = [short_label(losses.index[i]) for i in order[:SHOWN]]
        rows: list[Row] = list(zip(names, texts, self._causes(order[:SHOWN]), strict=False))
        if len(order) > SHOWN:
            rows.append((f"{len(order) - SHOWN} more", "", f"at most {texts[SHOWN]}"))
        return rows

    def _causes(self, rows: np.ndarray) -> list[str]:
        """Position with the largest loss in each scenario, or the losses of further books."""
        if self.by_position is not None:
            parts = self.by_position.iloc[rows]
            largest = zip(parts.idxmax(axis=1), parts.max(axis=1), alike(parts.max(axis=1)), strict=True)
            return [f"most from {name}: {text}" if loss > 0.0 else "" for name, loss, text in largest]
        others = self.losses.iloc[rows, 1:4]
        columns = [[f"{name} {text}" for text in alike(losses)] for name, losses in others.items()]
        return [", ".join(texts) for texts in zip(*columns, strict=True)] if columns else [""] * len(rows)


@documented
def stress_test(
    book: Any, scenarios: Any = None, *, hierarchy: Mapping[Any, Any] | None = None, total: Any = None
) -> StressTest:
    """Stress test of a book: its loss in every scenario.

    Parameters
    ----------
    scenarios : (n_scenarios, n_factors), optional
        Moves, one row per scenario: from `shock_scenarios`, `factor_scenarios`, `historical_scenarios`.

    Returns
    -------
    StressTest
        `losses` per scenario and book (or node); `by_position` for a single book of positions.

    References
    ----------
    Basel Committee (2018), Stress testing principles. Jorion (2007), Value at Risk, 3rd ed., chapter 14.

    Examples
    --------
    >>> import pandas as pd
    >>> scenarios = pd.DataFrame({"shares": [-0.2, 0.1], "bonds": [0.03, -0.04]}, index=["crash", "rates up"])
    >>> stress_test(pd.Series({"shares": 1000.0, "bonds": 2000.0}), scenarios)
    Stress test: 2 scenarios, losses positive
    -----------------------------------------
    crash     140 most from shares: 200
    rates up  -20 most from bonds: 80
    """
    import pandas as pd

    pnl = scenario(book, scenarios)
    rows = labels_of(pnl, 0)
    rows = pd.RangeIndex(len(pnl), name="scenario") if rows is None else rows
    values = np.asarray(pnl)
    columns = labels_of(pnl, 1)
    if values.ndim == 1:
        values, columns = values[:, None], ["loss"]
    table = pd.DataFrame(values, index=rows, columns=columns)
    if hierarchy is not None or isinstance(table.columns, pd.MultiIndex):
        table = aggregate(table, hierarchy, total=total)
    elif total is not None:
        raise InputError("total names a node above a hierarchy; give the hierarchy too")
    losses = pd.DataFrame(0.0 - table.to_numpy(), table.index, table.columns)
    return StressTest(losses=losses, by_position=_by_position(book, scenarios, rows))


def _by_position(book: Any, scenarios: Any, rows: Any) -> Any:
    """Loss of every position of a single book in every scenario."""
    import pandas as pd

    if scenarios is None or isinstance(book, DeltaGamma) or callable(book) or np.ndim(book) != 1:
        return None
    amounts, assets, factors = np.asarray(book, dtype=float), labels_of(book, 0), labels_of(scenarios, 1)
    moves = float_array(scenarios, "scenarios").reshape(len(rows), -1)
    if assets is not None and factors is not None:
        moves = moves[:, factors.get_indexer(assets)]
    return pd.DataFrame(0.0 - amounts * moves, index=rows, columns=factors if assets is None else assets)
