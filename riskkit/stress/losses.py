"""Losses of a book in scenarios, by scenario, book and position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, labels_of
from riskkit._show import Row, Shown, alike
from riskkit.pnl import DeltaGamma, aggregate_pnl, linear_pnl, scenario_pnl
from riskkit.stress.windows import short

__all__ = ["StressTest", "stress_test"]

SHOWN = 20


@dataclass(frozen=True, repr=False, eq=False)
class StressTest(Shown):
    """Losses per scenario; money, losses positive.

    Attributes
    ----------
    losses : DataFrame
        One row a scenario, one column a book or node of the tree.
    by_position : DataFrame or None
        One row a scenario, one column an asset; sums to the loss. Of a single book of positions, else None.

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
        """Name of the scenario in which the first book (the top of a tree) loses most."""
        return self.losses.iloc[:, 0].idxmax()

    def to_frame(self) -> Any:
        """One row a scenario, one column a book."""
        return self.losses.copy()

    def plot(self, ax: Any = None, *, book: Any = None) -> Any:
        """Bars of the losses, largest on top; of the first book, or of the one named."""
        losses = (self.losses.iloc[:, 0] if book is None else self.losses[book]).sort_values(kind="stable")
        ax = plot.axes(ax, height=1.3 + 0.36 * len(losses))
        colours = [plot.WARM if loss > 0.0 else plot.STRONG for loss in losses]
        ax.barh([short(name) for name in losses.index], losses, color=colours)
        ax.axvline(0.0, color=plot.INK, linewidth=0.8)
        plot.thousands(ax.xaxis)
        ax.set_xlabel("loss, money (left of zero: a gain)")
        plot.dress(ax, self._title())
        return ax

    def _title(self) -> str:
        return f"Stress test: {len(self.losses)} scenarios, losses positive"

    def _rows(self) -> list[Row]:
        losses = self.losses.iloc[:, 0]
        order = np.argsort(-losses.to_numpy(), kind="stable")
        texts = alike(losses.iloc[order[: SHOWN + 1]])
        names = [short(losses.index[place]) for place in order[:SHOWN]]
        rows: list[Row] = list(zip(names, texts, self._causes(order[:SHOWN]), strict=False))
        if len(order) > SHOWN:
            rows.append((f"{len(order) - SHOWN} more", "", f"at most {texts[SHOWN]}"))
        return rows

    def _causes(self, places: np.ndarray) -> list[str]:
        """Of each scenario the position that loses most, or the books beside the first."""
        if self.by_position is not None:
            parts = self.by_position.iloc[places]
            largest = zip(parts.idxmax(axis=1), parts.max(axis=1), alike(parts.max(axis=1)), strict=True)
            return [f"most from {name}: {text}" if loss > 0.0 else "" for name, loss, text in largest]
        others = self.losses.iloc[places, 1:4]
        columns = [[f"{name} {text}" for text in alike(losses)] for name, losses in others.items()]
        return [", ".join(row) for row in zip(*columns, strict=True)] if columns else [""] * len(places)


def stress_test(
    book: Any, scenarios: Any = None, *, tree: Mapping[Any, Any] | None = None, total: Any = None
) -> StressTest:
    """Value a book in every scenario.

    Parameters
    ----------
    book : positions, DeltaGamma, callable, or ready P&L
        As `riskkit.pnl.scenario_pnl` takes it: money held, (n_assets,) or (n_books, n_assets); sensitivities;
        ``revalue(scenarios)``; or, without `scenarios`, P&L per scenario, (n_scenarios,) or (n_scenarios, n_books).
    scenarios : (n_scenarios, n_factors), optional
        Moves, one row a scenario: from `shock_scenarios`, `factor_scenarios`, `historical_scenarios`.
    tree : mapping, optional
        Book -> desk -> firm, as `riskkit.pnl.aggregate_pnl` takes it.
    total : label, optional
        Add one node of this name above all.

    Returns
    -------
    StressTest
        `losses` per scenario and book (or node); `by_position` for a single book of positions.

    Raises
    ------
    InputError
        NaN, shapes or names that do not fit.

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

    pnl = scenario_pnl(book, scenarios)
    rows = labels_of(pnl, 0)
    rows = pd.RangeIndex(len(pnl), name="scenario") if rows is None else rows
    values = np.asarray(pnl)
    columns = labels_of(pnl, 1)
    if values.ndim == 1:
        values, columns = values[:, None], ["loss"]
    table = pd.DataFrame(values, index=rows, columns=columns)
    if tree is not None or isinstance(table.columns, pd.MultiIndex):
        table = aggregate_pnl(table, tree, total=total)
    elif total is not None:
        raise InputError("total names a node above a tree; give the tree too")
    return StressTest(losses=0.0 - table, by_position=_by_position(book, scenarios, rows))


def _by_position(book: Any, scenarios: Any, rows: Any) -> Any:
    """Loss of every position of a single book in every scenario."""
    import pandas as pd

    if scenarios is None or isinstance(book, DeltaGamma) or callable(book) or np.ndim(book) != 1:
        return None
    held, assets, factors = np.asarray(book, dtype=float), labels_of(book, 0), labels_of(scenarios, 1)
    each: Any = np.diag(held)
    if assets is not None and factors is not None:
        each = pd.DataFrame(each, index=assets, columns=assets)
    pnl = np.asarray(linear_pnl(each, scenarios))
    return pd.DataFrame(0.0 - pnl, index=rows, columns=factors if assets is None else assets)
