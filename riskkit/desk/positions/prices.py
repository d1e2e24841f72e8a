"""The last price of every token, its age, and what lots are worth at it."""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._check import InputError
from riskkit.desk.amounts import MOST, Unit, half_even, ratio_of
from riskkit.desk.positions.records import MissingPriceError, UnknownTokenError

__all__ = ["Price", "PriceBoard"]


class Price(NamedTuple):
    """A price, and quanta of one lot at it as a fraction."""

    price: float
    timestamp: int
    numerator: int
    denominator: int

    def money(self, lots: int) -> int:
        """Quanta of so many lots, rounded once, half to even."""
        return half_even(lots * self.numerator, self.denominator)


class PriceBoard:
    """Prices by token, and by market and token where a market has its own.

    Parameters
    ----------
    quantum : Unit
        The smallest step of money.
    """

    def __init__(self, quantum: Unit) -> None:
        self.quantum = quantum
        self.lots: dict[str, Unit] = {}
        self.prices: dict[tuple[str | None, str], Price] = {}

    def declare(self, token: str, lot: Any) -> None:
        """Say in what steps a token is counted."""
        if token in self.lots:
            raise InputError(f"token {token!r} is declared already")
        self.lots[token] = Unit(lot)

    def unit(self, token: str) -> Unit:
        """The steps of a token."""
        unit = self.lots.get(token)
        if unit is None:
            raise UnknownTokenError(f"token {token!r} is not declared; add_token({token!r}, lot=...) says its lot size")
        return unit

    def priced(self, token: str, price: Any, timestamp: int) -> Price:
        """A price in the decimals that it was written in."""
        unit, quantum = self.unit(token), self.quantum
        above, below = ratio_of(price, "price", floats=True)
        if above <= 0:
            raise InputError(f"price={price!r} of {token!r} is not above zero")
        numerator = above * unit.numerator * quantum.denominator
        denominator = below * unit.denominator * quantum.numerator
        if numerator >= MOST * denominator:
            raise InputError(f"price={price!r} of {token!r} is beyond 256 bits in quanta of a lot")
        return Price(above / below, timestamp, numerator, denominator)

    def set(self, token: str, price: Any, timestamp: int, market: str | None) -> bool:
        """Take a price unless a later one is known; whether it was taken."""
        new, old = self.priced(token, price, timestamp), self.prices.get((market, token))
        if old is not None and timestamp < old.timestamp:
            return False
        self.prices[market, token] = new
        return True

    def find(self, market: str, token: str) -> Price | None:
        """The market's own price, else the token's, else None."""
        return self.prices.get((market, token)) or self.prices.get((None, token))

    def known(self, market: str, token: str) -> Price:
        """The same, or a named error."""
        price = self.find(market, token)
        if price is None:
            raise MissingPriceError(f"no price of {token!r} is known on {market!r}; set_price gives one")
        return price
