"""Reports of a `RiskManager`: state of the portfolio, metrics of its dashboard, market data, changes of limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from riskkit import attribution
from riskkit._check import InputError, confidence_level, finite_number, shown
from riskkit._show import Row
from riskkit.desk.core.limits import DeskLimits, limits_of
from riskkit.desk.core.records import (
    CheckedRecord,
    Field,
    FreeFraction,
    Money,
    NonNegativeFraction,
    NonNegativeMoney,
    Text,
    Time,
    as_text,
)
from riskkit.desk.manager.ledger import Holding, Ledger
from riskkit.desk.manager.limit_check import LimitChecker
from riskkit.desk.manager.risk import IncrementalRisk
from riskkit.returns import scale_volatility

HOLDING_UNITS = {
    "quantity": "units",
    "average_price": "money per unit",
    "price": "money per unit",
    "value": "money",
    "unrealized": "money",
    "realized": "money",
    "weight": "fraction",
    "volatility": "fraction",
    "component_var": "money",
}
"""Columns of `DashboardMetrics.holdings` and their units; `PortfolioState.holdings` has the first six."""
POSITION = tuple(HOLDING_UNITS)[:6]


def _dict(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{name}={shown(value)} is not a mapping")
    return value


def _components(value: Any, name: str) -> Any:
    """A Series by ticker, or {ticker: number}."""
    import pandas as pd

    if isinstance(value, pd.Series):
        return value
    numbers = {
        as_text(key, "ticker"): finite_number(item, f"{name}[{key!r}]") for key, item in _dict(value, name).items()
    }
    return pd.Series(list(numbers.values()), index=_tickers(numbers), dtype=float)


def _holdings_frame(value: Any, name: str) -> Any:
    """A DataFrame by ticker, or {ticker: {column: number}}."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return value
    rows = {as_text(key, "ticker"): _dict(row, f"{name}[{key!r}]") for key, row in _dict(value, name).items()}
    for ticker, row in rows.items():
        if set(row) != set(HOLDING_UNITS):
            raise InputError(f"{name}[{ticker!r}]={shown(row)} is not a holding; it has {', '.join(HOLDING_UNITS)}")
    table = [
        [_number(row[column], f"{name}[{ticker!r}]: {column}") for column in HOLDING_UNITS]
        for ticker, row in rows.items()
    ]
    return pd.DataFrame(table, index=_tickers(rows), columns=list(HOLDING_UNITS), dtype=float)


def _number(value: Any, name: str) -> float:
    return math.nan if value is None else finite_number(value, name)


def _tickers(names: Any) -> Any:
    import pandas as pd

    return pd.Index(list(names), name="ticker", dtype=object)


@dataclass(frozen=True, repr=False, eq=False)
class LimitChange(CheckedRecord):
    """One change of limits, in `RiskManager.journal`.

    Attributes
    ----------
    who
        Who changed them.
    why
        The reason given.
    before
        The limits until then.
    after
        The limits since.
    timestamp
        Time of the change, as given.

    Examples
    --------
    >>> from riskkit.desk import RiskManager
    >>> desk = RiskManager(10_000)
    >>> _ = desk.set_limits("head of risk", "lower risk appetite", var_limit=200.0)
    >>> desk.journal[-1].why
    'lower risk appetite'
    """

    who: Text
    why: Text
    before: Annotated[DeskLimits, Field(limits_of)]
    after: Annotated[DeskLimits, Field(limits_of)]
    timestamp: Time | None = None


@dataclass(frozen=True, repr=False, eq=False)
class PortfolioState(CheckedRecord):
    """Cash, holdings and value of a book at its last prices.

    Attributes
    ----------
    cash
        Money that is not invested.
    holdings
        {ticker: {"quantity", "average_price", "price", "value", "unrealized", "realized"}}
    value
        Cash and holdings.
    gross
        Gross exposure: the sum of the absolute values of the holdings.
    realized
        Profit of closed positions, in money.
    unrealized
        Profit of open positions at the last prices, in money.
    drawdown
        Fall from the highest value, as a fraction of it.
    timestamp
        Time of the answer, as given.

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

    cash: Money
    holdings: Annotated[dict[str, Any], Field(_dict)]
    value: Money
    gross: NonNegativeMoney
    realized: Money
    unrealized: Money
    drawdown: FreeFraction
    timestamp: Time | None = None

    def _rows(self) -> list[Row]:
        return [
            ("value", self.value, "cash and holdings"),
            ("cash", self.cash, ""),
            ("gross exposure", self.gross, ""),
            ("realized", self.realized, ""),
            ("unrealized", self.unrealized, ""),
            ("drawdown", 100.0 * self.drawdown, "%"),
            *(
                (ticker, held["value"], f"{held['quantity']:g} at {held['price']:g}")
                for ticker, held in self.holdings.items()
            ),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class DashboardMetrics(CheckedRecord):
    """One-day risk of a book: volatility, VaR, its components, and VaR under stress; losses positive.

    Attributes
    ----------
    value
        Cash and holdings.
    cash
        Money that is not invested.
    pnl_volatility
        Standard deviation of the profit of one day, in money.
    volatility
        The same as a fraction of the value; None if the value is not above zero.
    var
        One-day VaR at `confidence`.
    stressed_var
        Under the stressed covariance; None before `warm_up`.
    component_var
        Series by ticker; the components sum to `var`.
    holdings
        DataFrame by ticker, with the columns of `HOLDING_UNITS`.
    drawdown
        Fall from the highest value, as a fraction of it.
    confidence
        Of both VaR; 0.99 for 99 %.
    timestamp
        Time of the answer, as given.

    Examples
    --------
    >>> from riskkit.desk import RiskManager
    >>> desk = RiskManager(10_000, bars_per_day=1)
    >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
    >>> _ = desk.execute_trade("AAPL", 10, "buy")
    >>> metrics = desk.get_dashboard_metrics()
    >>> round(metrics.pnl_volatility, 6), round(float(metrics.component_var.sum() - metrics.var), 9)
    (20.0, 0.0)
    """

    value: Money
    cash: Money
    pnl_volatility: NonNegativeMoney
    volatility: NonNegativeFraction | None
    var: NonNegativeMoney
    stressed_var: NonNegativeMoney | None
    component_var: Annotated[Any, Field(_components, "money")]
    holdings: Annotated[Any, Field(_holdings_frame)]
    drawdown: FreeFraction
    confidence: Annotated[float, Field(confidence_level, "fraction")]
    timestamp: Time | None = None

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain data; components and holdings by ticker, None instead of NaN."""
        holdings = {
            ticker: {name: None if number != number else number for name, number in row.items()}
            for ticker, row in self.holdings.to_dict("index").items()
        }
        return super().to_dict() | {"component_var": self.component_var.to_dict(), "holdings": holdings}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DashboardMetrics) and other.to_dict() == self.to_dict()

    def __hash__(self) -> int:
        return hash(str(self.to_dict()))

    def to_frame(self) -> Any:
        """The DataFrame of the holdings."""
        return self.holdings

    def plot(self, ax: Any = None) -> Any:
        """Plot the component VaR of each holding as bars; return the axes."""
        from riskkit.plot import axes, names_beside

        held = self.component_var[self.component_var != 0.0]
        ax = axes(ax, height=0.8 + 0.35 * max(len(held), 2))
        ax.barh(names_beside(ax, held.index), held.to_numpy())
        ax.axvline(0.0, color="black", linewidth=0.5)
        ax.invert_yaxis()
        ax.set_xlabel("component VaR, money a day")
        ax.set_title(f"VaR {self.confidence * 100:g}%: {self.var:,.2f}")
        return ax

    def _title(self) -> str:
        return "Desk, one day ahead"

    def _rows(self) -> list[Row]:
        relative = "" if self.volatility is None else f"{100.0 * self.volatility:.4g} % of the value"
        return [
            ("value", self.value, ""),
            ("cash", self.cash, ""),
            ("volatility", self.pnl_volatility, relative),
            (f"VaR {self.confidence * 100:g}%", self.var, ""),
            ("stressed VaR", self.stressed_var, ""),
            ("drawdown", 100.0 * self.drawdown, "%"),
            *((f"  {ticker}", value, "component VaR") for ticker, value in self.component_var.items() if value),
        ]


def market_data(ledger: Ledger, risk: IncrementalRisk, stressed: np.ndarray | None) -> Any:
    """One row per ticker: price and its time, daily volatilities, number of returns."""
    import pandas as pd

    live = risk.covariance
    prices = [holding.price for holding in ledger.holdings.values()]
    stressed_volatility = np.full(len(live.index), np.nan) if stressed is None else np.sqrt(np.diag(stressed))
    columns = {
        "price": pd.Series([None if price is None else price.price for price in prices], dtype=float),
        "timestamp": pd.Series([None if price is None else price.timestamp for price in prices], dtype=object),
        "volatility": scale_volatility(np.sqrt(np.diag(live.matrix)), risk.bars_per_day) if live.index else [],
        "stressed_volatility": stressed_volatility * np.sqrt(risk.bars_per_day),
        "bars": list(live.bars),
    }
    return pd.DataFrame(columns).set_axis(_tickers(live.tickers))


def portfolio_state(ledger: Ledger, timestamp: Any) -> PortfolioState:
    """Cash, holdings, value, profits and drawdown at the last prices."""
    return PortfolioState(
        cash=ledger.money(ledger.cash),
        holdings=_holdings(ledger),
        value=ledger.money(ledger.equity),
        gross=ledger.money(sum(abs(holding.value) for holding in ledger.holdings.values())),
        realized=ledger.money(ledger.realized),
        unrealized=ledger.money(ledger.value - ledger.cost),
        drawdown=ledger.drawdown,
        timestamp=timestamp,
    )


def dashboard_metrics(
    ledger: Ledger, risk: IncrementalRisk, stressed: np.ndarray | None, checker: LimitChecker, timestamp: Any
) -> DashboardMetrics:
    """One-day volatility, VaR, components, VaR under stress, and a table of the holdings."""
    import pandas as pd

    confidence, z = checker.limits.confidence, checker.z
    index, daily = risk.covariance.index, risk.covariance.matrix * risk.bars_per_day
    components = attribution.component(risk.positions, daily, confidence, z=z) if index else np.zeros(0)
    stressed_var = None
    if stressed is not None:
        stressed_var = attribution.portfolio(risk.positions, stressed * risk.bars_per_day, confidence, z=z)
    equity, volatility = ledger.money(ledger.equity), risk.variance**0.5 * risk.bars_per_day**0.5
    held = _holdings(ledger)
    places = [index[ticker] for ticker in held]
    values = np.array([[row[name] for name in POSITION] for row in held.values()], float).reshape(-1, len(POSITION))
    columns = dict(zip(POSITION, values.T, strict=True))
    columns["weight"] = columns["value"] / (equity if equity > 0 else np.nan)
    columns["volatility"] = np.sqrt(np.diag(daily))[places]
    columns["component_var"] = np.asarray(components, float)[places]
    return DashboardMetrics(
        value=equity,
        cash=ledger.money(ledger.cash),
        pnl_volatility=volatility,
        volatility=volatility / equity if equity > 0 else None,
        var=checker.factor * risk.variance**0.5,
        stressed_var=stressed_var,
        component_var=pd.Series(components, index=list(index), dtype=float),
        holdings=pd.DataFrame(columns, index=pd.Index(list(held), name="ticker")),
        drawdown=ledger.drawdown,
        confidence=confidence,
        timestamp=timestamp,
    )


def _holdings(ledger: Ledger) -> dict[str, dict[str, Any]]:
    return {ticker: _holding(ledger, holding) for ticker, holding in ledger.holdings.items() if holding.basis.lots}


def _holding(ledger: Ledger, holding: Holding) -> dict[str, Any]:
    basis, quantity = holding.basis, ledger.lot.number(holding.basis.lots)
    values = (
        quantity,
        ledger.money(basis.cost) / quantity,
        None if holding.price is None else holding.price.price,
        ledger.money(holding.value),
        ledger.money(holding.value - basis.cost),
        ledger.money(basis.realized),
    )
    return dict(zip(POSITION, values, strict=True))
