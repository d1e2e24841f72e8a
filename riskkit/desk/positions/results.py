"""Answers and errors of a `PositionTracker`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from riskkit._check import InputError, finite_number, shown
from riskkit._show import Row, number, table_html, table_text
from riskkit.desk.core.exact import ratio_of
from riskkit.desk.core.records import (
    Age,
    CheckedRecord,
    Count,
    Field,
    Flag,
    Money,
    Nanoseconds,
    NonNegativeFraction,
    NonNegativeMoney,
    Number,
    Price,
    Problem,
    Text,
    as_bool,
    as_text,
    count,
    integer,
    mapping,
    non_negative,
)


class UnknownUserError(InputError):
    """A user without any trade.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> PositionTracker({"ETH": "1e-18"}).exposure("bob")
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.results.UnknownUserError: user 'bob' is unknown
    """


class UnknownPositionError(InputError):
    """A position that is not open.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.update("ann", "uniswap", "ETH", 1, 1800, timestamp=2, trade_id="a")
    >>> tracker.get("ann", "curve", "ETH")
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.results.UnknownPositionError: 'ann' has no position in 'ETH' on 'curve'
    """


class UnknownTokenError(InputError):
    """A token whose lot size was not declared.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> PositionTracker({"ETH": "1e-18"}).set_price("WETH", 2000, 1)
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.results.UnknownTokenError: token 'WETH' is not declared; add_token('WETH', lot=...) declares
    its lot size
    """


class MissingPriceError(InputError):
    """An open position in a token without a price.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.update("ann", "uniswap", "ETH", 1, 1800, timestamp=2, trade_id="a")
    >>> tracker.total_unrealized_pnl("ann")
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.results.MissingPriceError: no price of 'ETH' is known on 'uniswap'; set one by set_price
    """


class DuplicateTradeError(InputError):
    """A trade id that was booked before.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.update("ann", "uniswap", "ETH", 1, 1800, timestamp=2, trade_id="a")
    >>> tracker.update("ann", "uniswap", "ETH", 1, 1800, timestamp=3, trade_id="a")
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.results.DuplicateTradeError: trade 'a' of 'ann' on 'uniswap' was booked before, at 2
    """


class TradeTooOldError(DuplicateTradeError):
    """A trade from before the oldest remembered id, which may therefore be a duplicate.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"}, remember=1)
    >>> for time in (2, 3):
    ...     _ = tracker.update("ann", "uniswap", "ETH", 1, 1800, timestamp=time, trade_id=time)
    >>> tracker.update("ann", "uniswap", "ETH", 1, 1800, timestamp=1, trade_id=1)
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.results.TradeTooOldError: trade 1 of 1 is not after 2, the time since when ids are remembered
    """


def _amount(value: Any, name: str) -> Decimal:
    """An exact amount of an int, a Decimal or a text."""
    ratio_of(value, name)
    if not isinstance(value, (int, str, Decimal)):
        raise InputError(f"{name}={shown(value)} is not an amount; give an int, a Decimal or a text")
    return Decimal(value)


def _problems(value: Any, name: str) -> tuple[tuple[int, str], ...]:
    if not isinstance(value, (list, tuple)) or any(
        not isinstance(problem, (list, tuple)) or len(problem) != 2 for problem in value
    ):
        raise InputError(f"{name}={shown(value)} is not a list of rows and sentences")
    return tuple((count(row, f"a row in {name}"), as_text(text, f"a sentence in {name}")) for row, text in value)


def _tokens(value: Any, name: str) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{name}={shown(value)} is not a list of tokens")
    return tuple(_token(token, f"{name}[{index}]") for index, token in enumerate(value))


def _token(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or set(value) != set(TOKEN_FIELDS):
        raise InputError(f"{name}={shown(value)} is not a token; it has {', '.join(TOKEN_FIELDS)}")
    return {key: field.check(value[key], f"{name}: {key}") for key, field in TOKEN_FIELDS.items()}


TOKEN_FIELDS = {
    "token": Field(as_text),
    "amount": Field(_amount, "tokens"),
    "value": Field(finite_number, "money"),
    "gross": Field(non_negative, "money"),
    "share": Field(non_negative, "fraction"),
    "price_age": Field(integer, "ns"),
    "stale": Field(as_bool),
}
"""Fields of one token of a `UserExposure`."""
Amount = Annotated[Decimal, Field(_amount, "tokens")]
Counts = Annotated[Mapping[str, int], Field(mapping(as_text, count), "count")]


@dataclass(frozen=True, repr=False, eq=False)
class Position(CheckedRecord):
    """Position of one user in one token on one market; long above zero, short below.

    Attributes
    ----------
    user
        Owner.
    market
        Market on which it is held.
    token
        What is held.
    amount
        Every digit of it.
    average_cost
        Mean price paid for the open amount, money of one unit.
    cost
        Money paid for the open amount, negative for a short.
    realized
        Profit that closing trades realized, of this position since it was opened.
    price
        None if unknown; value and unrealized are then None too.
    value
        The amount at the price, in money.
    unrealized
        Value less cost, in money.
    opened
        Time of the first trade, nanoseconds since the epoch.
    updated
        Time of the last trade, nanoseconds since the epoch.
    price_age
        Nanoseconds since the price was set.
    stale
        True if the price is older than the tracker's `stale_after`, or missing.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> position = tracker.get("ann", "uniswap", "ETH")
    >>> position.amount, position.unrealized
    (Decimal('1.500000000000000000'), 300.0)
    """

    user: Text
    market: Text
    token: Text
    amount: Amount
    average_cost: Annotated[float, Field(finite_number, "money per unit")]
    cost: Money
    realized: Money
    price: Price | None
    value: Money | None
    unrealized: Money | None
    opened: Nanoseconds
    updated: Nanoseconds
    price_age: Age | None = field(default_factory=type(None))  # a default would be an attribute of the class
    stale: Flag = field(default_factory=bool)

    def _inconsistency(self) -> Problem | None:
        if len({self.price is None, self.value is None, self.unrealized is None}) == 2:
            return Problem("price", "price, value and unrealized must all be given, or all be None")
        return None


@dataclass(frozen=True, repr=False, eq=False)
class UserExposure(CheckedRecord):
    """Exposure of a user: amount, value and share of each token over all markets.

    Attributes
    ----------
    user
        Owner.
    total
        Gross: the sum of the absolute values of all positions.
    net
        Sum of the values of all positions, shorts negative, in money.
    tokens
        One mapping per token: token, amount (exact, net), value (net), gross, share (of the total), price_age,
        stale.
    timestamp
        Time as of which prices are judged stale, nanoseconds since the epoch.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> exposure = tracker.exposure("ann")
    >>> exposure.total, exposure.tokens[0]["share"]
    (3000.0, 1.0)
    """

    user: Text
    total: NonNegativeMoney
    net: Money
    tokens: Annotated[tuple[Mapping[str, Any], ...], Field(_tokens)]
    timestamp: Nanoseconds | None = None

    @property
    def stale(self) -> bool:
        """Return True if any price is stale."""
        return any(token["stale"] for token in self.tokens)

    def to_frame(self) -> Any:
        """One row per token."""
        import pandas as pd

        return pd.DataFrame([dict(token) for token in self.tokens], columns=list(TOKEN_FIELDS)).set_index("token")

    def plot(self, ax: Any = None) -> Any:
        """Plot the value of each token as bars; return the axes."""
        from riskkit.plot import axes, literal, names_beside

        ax = axes(ax, height=0.8 + 0.35 * max(len(self.tokens), 2))
        ax.barh(names_beside(ax, [token["token"] for token in self.tokens]), [token["value"] for token in self.tokens])
        ax.axvline(0.0, color="black", linewidth=0.5)
        ax.invert_yaxis()
        ax.set_xlabel("value in money")
        ax.set_title(literal(self._title()))
        return ax

    def _title(self) -> str:
        return f"Exposure of {self.user}: {number(self.total)} gross, {number(self.net)} net"

    def _table(self) -> tuple[str, list[str], list[list[Any]]]:
        rows = [
            [row["token"], str(row["amount"]), row["value"], 100.0 * row["share"], "stale" if row["stale"] else ""]
            for row in self.tokens
        ]
        return self._title(), ["token", "amount", "value", "%", ""], rows

    def __repr__(self) -> str:
        """Return the table as text."""
        return table_text(*self._table())

    def _repr_html_(self) -> str:
        return table_html(*self._table())


@dataclass(frozen=True, repr=False, eq=False)
class UserMetrics(CheckedRecord):
    """Exposure, risk and performance of one user; None if a measure has no value yet.

    Attributes
    ----------
    user
        Owner.
    total_exposure
        Gross.
    concentration
        Largest token as a fraction of the gross exposure; None without exposure.
    var
        Historical VaR at 95 % of the periods' returns, times the present exposure; losses positive.
    max_drawdown
        Of the summed returns, that is, of a book of constant size.
    sharpe
        Arithmetic, annualized.
    win_rate
        Of the kept closing trades, without those of zero profit.
    average_trade_size
        Mean of all trades.
    n_trades
        Number of trades.
    realized
        Profit of closed amounts, in money.
    unrealized
        Profit of open positions at the last prices, in money.
    fees
        Gas, at its price when it was paid.
    n_periods
        Number of returns behind var, max_drawdown and sharpe.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> tracker.metrics("ann").concentration
    1.0
    """

    user: Text
    total_exposure: NonNegativeMoney
    concentration: NonNegativeFraction | None
    var: Money | None
    max_drawdown: NonNegativeFraction | None
    sharpe: Number | None
    win_rate: NonNegativeFraction | None
    average_trade_size: NonNegativeMoney | None
    n_trades: Count
    realized: Money
    unrealized: Money
    fees: Money
    n_periods: Count

    def _title(self) -> str:
        return f"Metrics of {self.user}"


@dataclass(frozen=True, repr=False, eq=False)
class IngestStatistics(CheckedRecord):
    """Statistics of a batch of trades.

    Attributes
    ----------
    rows
        Rows that came.
    accepted
        Rows that were taken.
    rejected
        Rows that were not.
    duplicates
        Among the rejected.
    users
        Distinct, among the accepted.
    markets
        Accepted rows by market.
    errors
        Rejected rows by the name of the error.
    traded
        Of the accepted trades.
    first
        Earliest timestamp of the accepted.
    last
        Latest timestamp of the accepted.
    problems
        (row, sentence) of the first rejected rows.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> trade = {"user": "ann", "market": "m", "token": "ETH", "amount": "1", "price": 1800, "timestamp": 2}
    >>> found = PositionTracker({"ETH": "1e-18"}).ingest([{**trade, "trade_id": "a"}] * 2)
    >>> found.accepted, found.rejected, found.errors
    (1, 1, {'DuplicateTradeError': 1})
    """

    rows: Count
    accepted: Count
    rejected: Count
    duplicates: Count
    users: Count
    markets: Counts
    errors: Counts
    traded: NonNegativeMoney
    first: Nanoseconds | None
    last: Nanoseconds | None
    problems: Annotated[tuple[tuple[int, str], ...], Field(_problems)] = ()

    def _title(self) -> str:
        return "Batch of trades"

    def _rows(self) -> list[Row]:
        return [
            ("rows", self.rows, ""),
            ("accepted", self.accepted, ""),
            ("rejected", self.rejected, ", ".join(f"{n} {name}" for name, n in self.errors.items())),
            ("duplicates", self.duplicates, ""),
            ("users", self.users, ""),
            ("markets", len(self.markets), ""),
            ("traded", self.traded, "money"),
            *((f"row {row}", "", sentence) for row, sentence in self.problems[:5]),
        ]
