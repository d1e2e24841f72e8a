"""What a `RiskManager` answers: the impact of a trade, the state of the portfolio, the numbers of a dashboard."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from riskkit._check import InputError, confidence_level, finite_number, one_of
from riskkit._show import Row
from riskkit.desk.fields import Record, as_side, as_text, as_time, at_least_zero, optionally
from riskkit.desk.limits import Limits, limits_of

__all__ = ["Dashboard", "LimitChange", "PortfolioState", "TradeImpact"]


def _decision(value: Any, name: str) -> str:
    return one_of(value, ("APPROVED", "REJECTED"), name)


def _limits(value: Any, name: str) -> Limits:
    return limits_of(value)


def _mapping(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{name}={value!r} is no mapping")
    return value


def _number_or_nan(value: Any, name: str) -> float:
    return math.nan if value is None else finite_number(value, name)


def _components(value: Any, name: str) -> Any:
    """A Series by ticker as it is, or read from {ticker: number}."""
    import pandas as pd

    if isinstance(value, pd.Series):
        return value
    numbers = {
        as_text(key, "ticker"): finite_number(one, f"{name}[{key!r}]") for key, one in _mapping(value, name).items()
    }
    return pd.Series(list(numbers.values()), index=_tickers(numbers), dtype=float)


def _frame(value: Any, name: str) -> Any:
    """A DataFrame by ticker as it is, or read from {ticker: {column: number}}."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return value
    rows = {as_text(key, "ticker"): _mapping(row, f"{name}[{key!r}]") for key, row in _mapping(value, name).items()}
    for ticker, row in rows.items():
        if set(row) != set(OF_HOLDING):
            raise InputError(f"{name}[{ticker!r}]={row!r} is no holding; it has {', '.join(OF_HOLDING)}")
    table = [
        [_number_or_nan(row[one], f"{name}[{ticker!r}]: {one}") for one in OF_HOLDING] for ticker, row in rows.items()
    ]
    return pd.DataFrame(table, index=_tickers(rows), columns=list(OF_HOLDING), dtype=float)


def _tickers(named: Any) -> Any:
    import pandas as pd

    return pd.Index(list(named), name="ticker", dtype=object)


OF_HOLDING = (
    "quantity",
    "average_price",
    "price",
    "value",
    "unrealised",
    "realised",
    "weight",
    "volatility",
    "component_var",
)


@dataclass(frozen=True, repr=False, eq=False)
class TradeImpact(Record):
    """The answer to a trade: APPROVED or REJECTED, and VaR before and after, in money; None where it is unknown.

    Examples
    --------
    >>> from riskkit.desk import RiskManager
    >>> desk = RiskManager(10_000, bars_per_day=1)
    >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
    >>> impact = desk.check_trade_impact("AAPL", 200, "buy")
    >>> impact.decision, impact.reason
    ('REJECTED', 'costs 20,000.00 and 10,000.00 is in cash')
    """

    decision: str
    reason: str
    ticker: str
    side: str
    quantity: float
    price: float | None = None
    """At which it is valued."""
    old_var: float | None = None
    new_var: float | None = None
    incremental_var: float | None = None
    timestamp: Any = None
    executed: bool = False

    _checks: ClassVar = {
        "decision": _decision,
        "reason": as_text,
        "ticker": as_text,
        "side": as_side,
        "quantity": at_least_zero,
        "price": optionally(finite_number),
        "old_var": optionally(at_least_zero),
        "new_var": optionally(at_least_zero),
        "incremental_var": optionally(finite_number),
        "timestamp": optionally(as_time),
        "executed": lambda value, name: bool(value),
    }

    @property
    def approved(self) -> bool:
        """Whether the trade may be done."""
        return self.decision == "APPROVED"

    def _title(self) -> str:
        return f"{self.decision}: {self.side} {self.quantity:g} {self.ticker}{', executed' if self.executed else ''}"

    def _rows(self) -> list[Row]:
        return [
            ("reason", self.reason, ""),
            ("price", self.price, ""),
            ("VaR before", self.old_var, "money a day"),
            ("VaR after", self.new_var, "money a day"),
            ("incremental VaR", self.incremental_var, "money a day"),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class LimitChange(Record):
    """One entry of the journal of limits.

    Examples
    --------
    >>> from riskkit.desk import RiskManager
    >>> desk = RiskManager(10_000, bars_per_day=1)
    >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
    >>> _ = desk.set_limits("head of risk", "a calmer book", var_limit=200.0)
    >>> desk.journal[-1].why
    'a calmer book'
    """

    who: str
    why: str
    before: Limits
    after: Limits
    timestamp: Any = None

    _checks: ClassVar = {
        "who": as_text,
        "why": as_text,
        "before": _limits,
        "after": _limits,
        "timestamp": optionally(as_time),
    }


@dataclass(frozen=True, repr=False, eq=False)
class PortfolioState(Record):
    """Cash, holdings and value of a book at its last prices.

    Examples
    --------
    >>> from riskkit.desk import RiskManager
    >>> desk = RiskManager(10_000, bars_per_day=1)
    >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
    >>> _ = desk.execute_trade("AAPL", 10, "buy")
    >>> state = desk.get_portfolio_state()
    >>> state.cash, state.value
    (9000.0, 10000.0)
    """

    cash: float
    holdings: dict[str, Any]
    """{ticker: {"quantity", "average_price", "price", "value", "unrealised", "realised"}}"""
    value: float
    """Cash and holdings."""
    gross: float
    realised: float
    unrealised: float
    drawdown: float
    """In percent of the highest value."""
    timestamp: Any = None

    _checks: ClassVar = {
        "cash": finite_number,
        "holdings": _mapping,
        "value": finite_number,
        "gross": at_least_zero,
        "realised": finite_number,
        "unrealised": finite_number,
        "drawdown": finite_number,
        "timestamp": optionally(as_time),
    }

    def _rows(self) -> list[Row]:
        return [
            ("value", self.value, "cash and holdings"),
            ("cash", self.cash, ""),
            ("gross exposure", self.gross, ""),
            ("realised", self.realised, ""),
            ("unrealised", self.unrealised, ""),
            ("drawdown", self.drawdown, "%"),
            *(
                (ticker, held["value"], f"{held['quantity']:g} at {held['price']:g}")
                for ticker, held in self.holdings.items()
            ),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class Dashboard(Record):
    """The risk of a book for a day: volatility, VaR, its components, and VaR under stress; money, losses positive.

    Examples
    --------
    >>> from riskkit.desk import RiskManager
    >>> desk = RiskManager(10_000, bars_per_day=1)
    >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
    >>> _ = desk.execute_trade("AAPL", 10, "buy")
    >>> shown = desk.get_dashboard_metrics()
    >>> round(shown.volatility, 6), round(float(shown.component_var.sum() - shown.var), 9)
    (20.0, 0.0)
    """

    value: float
    cash: float
    volatility: float
    """Standard deviation of a day, in money."""
    volatility_pct: float | None
    """The same in percent of the value; None where that is not above zero."""
    var: float
    stressed_var: float | None
    """Under the stressed covariance; None before `warm_up`."""
    component_var: Any
    """Series by ticker; the components sum to `var`."""
    holdings: Any
    """DataFrame by ticker: quantity, average_price, price, value, weight, unrealised, volatility, component_var."""
    drawdown: float
    confidence: float
    timestamp: Any = None

    _checks: ClassVar = {
        "value": finite_number,
        "cash": finite_number,
        "volatility": at_least_zero,
        "volatility_pct": optionally(at_least_zero),
        "var": at_least_zero,
        "stressed_var": optionally(at_least_zero),
        "component_var": _components,
        "holdings": _frame,
        "drawdown": finite_number,
        "confidence": confidence_level,
        "timestamp": optionally(as_time),
    }

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain data: components and holdings by ticker; None where there is no number."""
        holdings = {
            ticker: {name: None if number != number else number for name, number in row.items()}
            for ticker, row in self.holdings.to_dict("index").items()
        }
        return super().to_dict() | {"component_var": self.component_var.to_dict(), "holdings": holdings}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.to_dict() == self.to_dict()

    def __hash__(self) -> int:
        return hash(str(self.to_dict()))

    def to_frame(self) -> Any:
        """The frame of the holdings."""
        return self.holdings

    def plot(self, ax: Any = None) -> Any:
        """Component VaR of each holding as bars; returns the axes."""
        from riskkit.plot import axes

        held = self.component_var[self.component_var != 0.0]
        ax = axes(ax, height=0.8 + 0.35 * max(len(held), 2))
        ax.barh(list(held.index), held.to_numpy())
        ax.axvline(0.0, color="black", linewidth=0.5)
        ax.invert_yaxis()
        ax.set_xlabel("component VaR, money a day")
        ax.set_title(f"VaR {self.confidence * 100:g}%: {self.var:,.2f}")
        return ax

    def _title(self) -> str:
        return "Desk, one day ahead"

    def _rows(self) -> list[Row]:
        return [
            ("value", self.value, ""),
            ("cash", self.cash, ""),
            (
                "volatility",
                self.volatility,
                "" if self.volatility_pct is None else f"{self.volatility_pct:.4g} % of the value",
            ),
            (f"VaR {self.confidence * 100:g}%", self.var, ""),
            ("stressed VaR", self.stressed_var, ""),
            ("drawdown", self.drawdown, "%"),
            *((f"  {ticker}", value, "component VaR") for ticker, value in self.component_var.items() if value),
        ]
