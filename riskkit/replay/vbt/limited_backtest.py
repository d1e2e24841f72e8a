"""Results of running a vectorbt strategy under limits: see `riskkit.replay.vbt.run_with_limits`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._show import Row, Shown
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.schema.columns import EventKind

# the last answer for a column, for compiled order functions (`vbt.Rep("answers")`); bar -1: none yet, rule -1: none
ANSWER = np.dtype(
    [("bar", "i8"), ("refused", "i8"), ("rule", "i8"), ("observed", "f8"), ("limit", "f8"), ("headroom", "f8")]
)


@dataclass(frozen=True)
class OrderDecision:
    """The rules' answer to one order.

    Parameters
    ----------
    refused : bool
        True if the order was refused.
    rules : tuple of str
        Ids of the rules that objected, the cause first; a rule that only warned is included.
    observed, limit, headroom : int or float, optional
        Observed value and limit of the cause, and the difference (negative if exceeded), in quantity, money or counts
        as in the rule.
    until : int, optional
        Time at which a pause ends by itself (nanoseconds since the epoch), if the account was paused.
    reason : str
        The message; empty without an objection.
    bar : int
        Bar of the order, counted from 0.
    column : str
        Column of the order.
    size, price : float
        Size and price that vectorbt would have filled; the size is negative for a sale.

    Examples
    --------
    >>> answer = OrderDecision(True, ("size",), 8, 5, -3, None, "the order is refused by size", 0, "X", 8.0, 10.0)
    >>> answer.size + answer.headroom
    5.0
    """

    refused: bool
    rules: tuple[str, ...]
    observed: float | None
    limit: float | None
    headroom: float | None
    until: int | None
    reason: str
    bar: int
    column: str
    size: float
    price: float


@dataclass(frozen=True, repr=False)
class LimitedBacktest(Shown):
    """Result of a strategy under limits.

    Parameters
    ----------
    portfolio : vectorbt.Portfolio
        The portfolio of the allowed orders.
    result : ReplayResult
        The decisions; `log` has the wanted orders.
    answers : tuple of OrderDecision
        The answers to orders with an objection, in order.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit import RuleSet
    >>> from riskkit.vbt import run_with_limits
    >>> from vectorbt.portfolio.enums import Order  # doctest: +SKIP
    >>> close = pd.Series([10.0, 11.0], pd.date_range("2024-01-01", periods=2), name="X")
    >>> rules = RuleSet.from_dict({"rules": [
    ...     {"id": "size", "type": "max_order_qty", "params": {"limit": 5}}]})
    >>> gated = run_with_limits(rules, close, lambda c: Order(size=4.0 + 4.0 * c.i), init_cash=1_000)  # doctest: +SKIP
    >>> gated.result.refusals_by_rule(), [answer.size for answer in gated.rejections()]  # doctest: +SKIP
    ({'size': 1}, [8.0])
    """

    portfolio: Any
    result: ReplayResult
    answers: tuple[OrderDecision, ...]

    @property
    def log(self) -> EventLog:
        """All wanted orders with the fills that vectorbt computed, and the closes."""
        return self.result.log

    def rejections(self) -> tuple[OrderDecision, ...]:
        """The answers of refused orders."""
        return tuple(answer for answer in self.answers if answer.refused)

    def to_frame(self) -> Any:
        """One row per order with an objection: bar, column, size, price, rules, observed value, limit."""
        import pandas as pd

        names = ["column", "size", "price", "refused", "rules", "observed", "limit", "headroom", "reason"]
        rows = [[getattr(answer, name) for name in names] for answer in self.answers]
        frame = pd.DataFrame(rows, columns=names)
        frame["rules"] = [", ".join(answer.rules) for answer in self.answers]
        frame.index = self.portfolio.wrapper.index[[answer.bar for answer in self.answers]]
        return frame

    def _title(self) -> str:
        return "A strategy under limits"

    def _rows(self) -> list[Row]:
        wanted, refused = self.log.counts().get(EventKind.ORDER.name, 0), self.result.refusals_by_rule()
        rows: list[Row] = [("orders wanted", wanted, ""), ("refused", len(self.result.rejections()), "")]
        rows += [(f"  by {name}", count, "") for name, count in refused.items()]
        rows.append(("profit", float(np.sum(self.portfolio.total_profit())), self.log.universe.currency))
        rows.append(("digest", self.result.digest[:16], "..."))
        return rows
