"""A strategy under limits that reacts to refusals beside one that does not: what becomes of its record if it is enforced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._show import Row, Shown
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.results.result import ORPHANS_ARE
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.compare import compare
from riskkit.replay.run.comparison import ReplayComparison
from riskkit.replay.vbt.limited_backtest import LimitedBacktest
from riskkit.replay.vbt.run_with_limits import run_with_limits

if TYPE_CHECKING:
    import pandas as pd

WITHOUT, REACTS = "without limits", "reacts"


@dataclass(frozen=True, repr=False)
class ReactionComparison(Shown):
    """Result of `compare_reactions`.

    Parameters
    ----------
    free, limited : LimitedBacktest
        The strategy without limits, and under limits.
    enforced : dict of str to ReplayComparison
        Record of the strategy without limits, enforced under each policy for orphan exits: a strategy that does not react.
    reacting : ReplayComparison
        What the strategy wanted under limits, enforced; its digest is that of `limited`.

    Examples
    --------
    >>> from riskkit.vbt import compare_reactions
    >>> from vectorbt.portfolio.enums import Order  # doctest: +SKIP
    >>> import pandas as pd
    >>> close = pd.Series([10.0, 11.0], pd.date_range("2024-01-01", periods=2), name="X")
    >>> rules = RuleSet.from_dict({"rules": [{"id": "size", "type": "max_order_qty", "params": {"limit": 5}}]})
    >>> compare_reactions(rules, close, lambda c: Order(size=8.0), init_cash=1_000).first_difference  # doctest: +SKIP
    """

    free: LimitedBacktest
    limited: LimitedBacktest
    enforced: dict[str, ReplayComparison]
    reacting: ReplayComparison

    @property
    def first_difference(self) -> int | None:
        """Number of the first event in which the strategy under limits wants something else; None if it never does."""
        one, other = self.free.log.columns, self.limited.log.columns
        size = min(len(one["ts"]), len(other["ts"]))
        differs = np.zeros(size, bool)
        for name in ("ts", "kind", "account", "instrument", "side", "qty", "price"):
            differs |= one[name][:size] != other[name][:size]
        if differs.any():
            return int(differs.argmax())
        return None if len(one["ts"]) == len(other["ts"]) else size

    def to_frame(self) -> pd.DataFrame:
        """Orders, refusals, profit, drawdown after any event and worst day: without limits, enforced, and reacting."""
        import pandas as pd

        free = next(iter(self.enforced.values()))
        columns = {WITHOUT: (free, WITHOUT)}
        columns |= {f"does not react, exits {ORPHANS_ARE[p]}": (one, "enforce") for p, one in self.enforced.items()}
        columns[REACTS] = self.reacting, "enforce"
        found = {}
        for label, (one, name) in columns.items():
            curve, result = one.curves[name], one.results[name]
            found[label] = {
                "orders": result.refused_by_kind()["orders"][1],
                "refused": result.refused_by_kind()["orders"][0],
                "profit": curve.final,
                "max_drawdown": curve.deepest,
                "worst_day": curve.worst_day,
            }
        return pd.DataFrame(found).T.astype({"orders": int, "refused": int})

    def plot(self, ax: Any = None) -> Any:
        """Plot the profit without limits and of what the strategy wanted under limits, enforced."""
        return self.reacting.plot_profit(ax)

    def _title(self) -> str:
        place = self.first_difference
        if place is None:
            return "The strategy does not react to refusals"
        return f"The strategy reacts to refusals: it wants something else from event {place:,} on"

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        for label, row in self.to_frame().iterrows():
            rows.append((str(label), int(row["refused"]), f"refused of {int(row['orders']):,} orders"))
            money = self.free.log.universe.currency
            rows += [(f"  {name.replace('_', ' ')}", float(row[name]), money) for name in row.index[2:]]
        return rows


def compare_reactions(
    rules: RuleSet,
    close: Any,
    order_func: Callable[..., Any],
    *order_args: Any,
    compiled: Tier = "auto",
    **options: Any,
) -> ReactionComparison:
    """Run a vectorbt strategy with and without limits, and enforce the limits on the record of the one without.

    Parameters
    ----------
    rules, close, order_func, *order_args, compiled, **options
        As in `run_with_limits`. The order function is run twice, so it must not remember the first run.

    Returns
    -------
    ReactionComparison

    Raises
    ------
    ImportError
        If vectorbt is not installed.
    InputError
        As in `run_with_limits`.

    Examples
    --------
    >>> import pandas as pd
    >>> from vectorbt.portfolio.enums import Order  # doctest: +SKIP
    >>> close = pd.Series([10.0, 11.0, 12.0], pd.date_range("2024-01-01", periods=3), name="X")
    >>> rules = RuleSet.from_dict({"rules": [{"id": "size", "type": "max_order_qty", "params": {"limit": 5}}]})
    >>> def halve(c):
    ...     return Order(size=4.0 if c.answer is not None and c.answer.refused else 8.0)
    >>> compare_reactions(rules, close, halve, init_cash=1_000).to_frame()["refused"].tolist()  # doctest: +SKIP
    [0, 3, 3, 3, 2]
    """
    run = {"compiled": compiled, **options}
    limited = run_with_limits(rules, close, order_func, *order_args, **run)
    free = run_with_limits(RuleSet([]), close, order_func, *order_args, **run)
    enforced = {
        policy: compare(free.log, rules, ("enforce",), orphans=policy, compiled=compiled)
        for policy in ("keep", "clip", "drop")
    }
    return ReactionComparison(free, limited, enforced, compare(limited.log, rules, ("enforce",), compiled=compiled))
