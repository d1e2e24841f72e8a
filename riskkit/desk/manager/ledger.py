"""`Ledger`: cash, holdings and prices of one book in lots and quanta, exact whatever the order of trades."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from riskkit._check import InputError
from riskkit.desk.core.exact import CostBasis, ExactPrice, Step

LIMIT = 2**128


class UnknownTickerError(InputError):
    """A ticker that was not added.

    Examples
    --------
    >>> from riskkit.desk import RiskManager
    >>> RiskManager(10_000).set_price("APPL", 101.0)
    Traceback (most recent call last):
        ...
    riskkit.desk.manager.ledger.UnknownTickerError: ticker 'APPL' is unknown; add it by add_ticker
    """


@dataclass(slots=True)
class Holding:
    """One ticker: quantity and cost, last price, and value at that price in quanta."""

    basis: CostBasis = field(default_factory=CostBasis)
    price: ExactPrice | None = None
    value: int = 0

    def money(self, lots: int) -> int:
        """Value of lots at the price, in quanta."""
        return 0 if self.price is None else self.price.money(lots)


class Ledger:
    """Cash and one holding per ticker; after every trade, exactly: cash + cost == opening cash + realized.

    Parameters
    ----------
    cash : number
        Opening cash, a whole number of quanta.
    lot, quantum : Step
        Steps of quantities and of money.
    """

    def __init__(self, cash: Any, lot: Step, quantum: Step) -> None:
        self.lot, self.quantum = lot, quantum
        self.cash = self.opening = quantum.count(cash, "cash", floats=True)
        self.cost = self.realized = self.value = 0
        self.peak = self.equity
        self.holdings: dict[str, Holding] = {}

    def draft(self, tickers: Iterable[str] = ()) -> Ledger:
        """A copy on which a change is prepared; of the holdings only those of `tickers` may change in it."""
        made = copy(self)
        made.holdings = dict(self.holdings)
        for ticker in tickers:
            held = made.holdings.get(ticker, Holding())
            made.holdings[ticker] = Holding(replace(held.basis), held.price, held.value)
        return made

    @property
    def equity(self) -> int:
        """Cash and value of the holdings, in quanta."""
        return self.cash + self.value

    def priced(self, ticker: str, price: Any, timestamp: Any = None) -> ExactPrice:
        """Convert a price, or raise `InputError` if it is out of range."""
        return ExactPrice.of(price, timestamp, self.lot, self.quantum, f"price of {ticker}", LIMIT)

    def set_price(self, ticker: str, price: Any, timestamp: Any) -> None:
        """Set a price, in the decimals that it prints as, and revalue the holding."""
        holding = self.holdings[ticker]
        holding.price = self.priced(ticker, price, timestamp)
        self._value(holding)

    def trade(self, ticker: str, lots: int, money: int) -> int:
        """Book a fill of signed lots for `money` quanta; return the realized profit."""
        holding = self.holdings[ticker]
        held, cost = holding.basis.lots, holding.basis.cost
        realized = holding.basis.fill(lots, money)
        self.cash -= money if lots > 0 else -money
        self.cost += holding.basis.cost - cost
        self.realized += realized
        if held != holding.basis.lots:
            self._value(holding)
        return realized

    def mark(self) -> None:
        """Update the highest equity."""
        self.peak = max(self.peak, self.equity)

    @property
    def drawdown(self) -> float:
        """Fall from the highest equity, as a fraction of it."""
        return (self.peak - self.equity) / self.peak if self.peak > 0 else 0.0

    def money(self, quanta: int) -> float:
        """Convert quanta to money."""
        return self.quantum.number(quanta)

    def balanced(self) -> bool:
        """Return True if cash + cost == opening cash + realized."""
        return self.cash + self.cost == self.opening + self.realized

    def _value(self, holding: Holding) -> None:
        before, holding.value = holding.value, holding.money(holding.basis.lots)
        self.value += holding.value - before
