"""Cash, holdings and prices of one book, in whole lots and quanta: what a trade moves is exact, whatever the order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from riskkit._check import InputError
from riskkit.desk.amounts import Holding, Unit, half_even, ratio_of

__all__ = ["LARGEST", "Ledger", "Line"]

LARGEST = 2**128


@dataclass(slots=True)
class Line:
    """One ticker: its holding, its price, and what the holding is worth."""

    holding: Holding = field(default_factory=Holding)
    price: float | None = None
    price_time: Any = None
    numerator: int = 0
    """Quanta of a lot at this price are numerator / denominator."""
    denominator: int = 1
    value: int = 0
    """Of the holding, in quanta."""

    def money(self, lots: int) -> int:
        """Quanta of so many lots at the price, rounded once, half to even."""
        return half_even(lots * self.numerator, self.denominator)


class Ledger:
    """Cash and one line a ticker; after every trade, exactly: cash + cost == opening cash + realised.

    Parameters
    ----------
    cash : number
        Opening cash, a whole number of quanta.
    lot, quantum : Unit
        Steps of quantities and of money.
    """

    def __init__(self, cash: Any, lot: Unit, quantum: Unit) -> None:
        self.lot, self.quantum = lot, quantum
        self.cash = self.opening = quantum.count(cash, "cash", floats=True)
        self.cost = self.realised = self.value = 0
        self.peak = self.equity
        self.lines: dict[str, Line] = {}

    @property
    def equity(self) -> int:
        """Cash and holdings at their prices, in quanta."""
        return self.cash + self.value

    def set_price(self, ticker: str, price: Any, timestamp: Any) -> None:
        """Take a price, in the decimals that it prints as, and value the holding at it."""
        numerator, denominator = self.priced(ticker, price)
        line = self.lines[ticker]
        line.price, line.price_time = float(price), timestamp
        line.numerator, line.denominator = numerator, denominator
        self._value(line)

    def priced(self, ticker: str, price: Any) -> tuple[int, int]:
        """Quanta of a lot at a price, as numerator and denominator."""
        above, below = ratio_of(price, f"price of {ticker}", floats=True)
        numerator = above * self.lot.numerator * self.quantum.denominator
        denominator = below * self.lot.denominator * self.quantum.numerator
        if not 0 < numerator < LARGEST * denominator:
            raise InputError(f"price of {ticker}={price!r} is not above zero and below 2^128 quanta of money a lot")
        return numerator, denominator

    def trade(self, ticker: str, lots: int, money: int) -> int:
        """Book a fill of signed lots for so many quanta; return the profit that it took."""
        line = self.lines[ticker]
        held, cost = line.holding.lots, line.holding.cost
        realised = line.holding.fill(lots, money)
        self.cash -= money if lots > 0 else -money
        self.cost += line.holding.cost - cost
        self.realised += realised
        if held != line.holding.lots:
            self._value(line)
        return realised

    def mark(self) -> None:
        """Keep the highest equity."""
        self.peak = max(self.peak, self.equity)

    @property
    def drawdown(self) -> float:
        """Fall from the highest equity, in percent."""
        return 100 * (self.peak - self.equity) / self.peak if self.peak > 0 else 0.0

    def money(self, quanta: int) -> float:
        """So many quanta, as people read them."""
        return self.quantum.number(quanta)

    def balanced(self) -> bool:
        """Whether money was neither made nor lost: cash + cost == opening + realised."""
        return self.cash + self.cost == self.opening + self.realised

    def _value(self, line: Line) -> None:
        before, line.value = line.value, line.money(line.holding.lots)
        self.value += line.value - before
