"""What a `PositionTracker` answers, and the names of what can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any, ClassVar, Self

from riskkit._check import InputError, finite_number
from riskkit._show import Row, number, table_html, table_text
from riskkit.desk.amounts import ratio_of
from riskkit.desk.fields import (
    Check,
    Problem,
    Record,
    as_text,
    as_truth,
    at_least_zero,
    nanoseconds,
    optionally,
)

__all__ = [
    "DuplicateTradeError",
    "Exposure",
    "IngestStatistics",
    "MissingPriceError",
    "Position",
    "TradeTooOldError",
    "UnknownPositionError",
    "UnknownTokenError",
    "UnknownUserError",
    "UserMetrics",
]


class UnknownUserError(InputError):
    """A user of whom nothing was ever heard.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> tracker.exposure("bob")
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.records.UnknownUserError: user 'bob' is unknown
    """


class UnknownPositionError(InputError):
    """A position that is not held.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> tracker.get("ann", "curve", "ETH")
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.records.UnknownPositionError: 'ann' holds no 'ETH' on 'curve'
    """


class UnknownTokenError(InputError):
    """A token whose lot size was never declared.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> tracker.set_price("WETH", 2000, 1)
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.records.UnknownTokenError: token 'WETH' is not declared; add_token('WETH', lot=...) says
    its lot size
    """


class MissingPriceError(InputError):
    """A token that is held, and whose price is not known.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> tracker.total_unrealized_pnl("ann")
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.records.MissingPriceError: no price of 'ETH' is known on 'uniswap'; set_price gives one
    """


class DuplicateTradeError(InputError):
    """A trade id that was taken before.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=3, trade_id="a")
    Traceback (most recent call last):
        ...
    riskkit.desk.positions.records.DuplicateTradeError: trade 'a' was taken before, at 2
    """


class TradeTooOldError(DuplicateTradeError):
    """A trade from before the oldest id that is remembered: nobody can tell whether it was taken before.

    Examples
    --------
    >>> issubclass(TradeTooOldError, DuplicateTradeError)
    True
    """


def _amount(value: Any, name: str) -> Decimal:
    """An exact amount, every digit of it, of an int, a Decimal or a text."""
    ratio_of(value, name)
    if not isinstance(value, (int, str, Decimal)):
        raise InputError(f"{name}={value!r} is not an amount; give an int, a Decimal or a text")
    return Decimal(value)


def _integer(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name}={value!r} is not a whole number")
    return value


def _count(value: Any, name: str) -> int:
    if _integer(value, name) < 0:
        raise InputError(f"{name}={value!r} is negative; it is at least zero")
    return int(value)


def _counts(value: Any, name: str) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise InputError(f"{name}={value!r} is no mapping from a name to a count")
    return {as_text(key, f"a name in {name}"): _count(one, f"{name}[{key!r}]") for key, one in value.items()}


def _problems(value: Any, name: str) -> tuple[tuple[int, str], ...]:
    if not isinstance(value, (list, tuple)) or any(
        not isinstance(one, (list, tuple)) or len(one) != 2 for one in value
    ):
        raise InputError(f"{name}={value!r} is no list of rows and sentences")
    return tuple((_count(row, f"a row in {name}"), as_text(said, f"a sentence in {name}")) for row, said in value)


def _tokens(value: Any, name: str) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{name}={value!r} is no list of tokens")
    return tuple(_token(one, f"{name}[{place}]") for place, one in enumerate(value))


def _token(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or set(value) != set(OF_TOKEN):
        raise InputError(f"{name}={value!r} is no token; it has {', '.join(OF_TOKEN)}")
    return {key: check(value[key], f"{name}: {key}") for key, check in OF_TOKEN.items()}


OF_TOKEN: dict[str, Check] = {
    "token": as_text,
    "amount": _amount,
    "value": finite_number,
    "gross": at_least_zero,
    "percentage": at_least_zero,
    "price_age": _integer,
    "stale": as_truth,
}


class _Answer(Record):
    """A frozen answer with one row as a frame. The tracker makes it of what it has checked; `from_dict` checks all."""

    def __post_init__(self) -> None:
        """Take the fields as they are."""

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read plain data, as `to_dict` writes it.

        Raises
        ------
        RequestError
            With every field that is unknown, missing or does not fit.
        """
        made = super().from_dict(data)
        Record.__post_init__(made)
        return made

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data; exact amounts as texts."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}  # type: ignore[arg-type]

    def to_frame(self) -> Any:
        """One row with every field."""
        import pandas as pd

        return pd.DataFrame([{one.name: getattr(self, one.name) for one in fields(self)}])  # type: ignore[arg-type]

    def _rows(self) -> list[Row]:
        return [(name.replace("_", " "), value, "") for name, value in self.to_dict().items()]


@dataclass(frozen=True, repr=False)
class Position(_Answer):
    """One user's position in one token on one market; long above zero, short below.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> held = tracker.get("ann", "uniswap", "ETH")
    >>> held.amount, held.unrealised
    (Decimal('1.500000000000000000'), 300.0)
    """

    user: str
    market: str
    token: str
    amount: Decimal
    """Every digit of it."""
    average_cost: float
    """Money per token."""
    cost: float
    """Money paid for what is held, negative for a short."""
    realised: float
    """Profit that closing took, of this position since it was opened."""
    price: float | None
    """None while none is known; value and unrealised are then None too."""
    value: float | None
    unrealised: float | None
    opened: int
    """Nanoseconds since the epoch, UTC."""
    updated: int
    price_age: int | None = None
    """Nanoseconds since its price was set."""
    stale: bool = False
    """Whether the price is older than the tracker's `stale_after`, or missing."""

    _checks: ClassVar = {
        "user": as_text,
        "market": as_text,
        "token": as_text,
        "amount": _amount,
        "average_cost": finite_number,
        "cost": finite_number,
        "realised": finite_number,
        "price": optionally(at_least_zero),
        "value": optionally(finite_number),
        "unrealised": optionally(finite_number),
        "opened": nanoseconds,
        "updated": nanoseconds,
        "price_age": optionally(_integer),
        "stale": as_truth,
    }

    def _disagreement(self) -> Problem | None:
        if len({self.price is None, self.value is None, self.unrealised is None}) == 2:
            return Problem("price", "price, value and unrealised are known together or not at all")
        return None


@dataclass(frozen=True, repr=False, eq=False)
class Exposure(_Answer):
    """What a user is exposed to: amount, value and percentage of each token over all markets.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> found = tracker.exposure("ann")
    >>> found.total, found.tokens[0]["percentage"]
    (3000.0, 100.0)
    """

    user: str
    total: float
    """Gross: the sum of the absolute values of all positions."""
    net: float
    tokens: tuple[Mapping[str, Any], ...]
    """One mapping a token: token, amount (exact, net), value (net), gross, percentage (of the total), price_age (ns), stale."""
    timestamp: int | None = None

    _checks: ClassVar = {
        "user": as_text,
        "total": at_least_zero,
        "net": finite_number,
        "tokens": _tokens,
        "timestamp": optionally(nanoseconds),
    }

    @property
    def stale(self) -> bool:
        """Whether any price is stale."""
        return any(token["stale"] for token in self.tokens)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data; exact amounts as texts."""
        tokens = [{name: _plain(value) for name, value in token.items()} for token in self.tokens]
        return {"user": self.user, "total": self.total, "net": self.net, "tokens": tokens, "timestamp": self.timestamp}

    def to_frame(self) -> Any:
        """One row a token."""
        import pandas as pd

        names = ["token", "amount", "value", "gross", "percentage", "price_age", "stale"]
        return pd.DataFrame([dict(token) for token in self.tokens], columns=names).set_index("token")

    def plot(self, ax: Any = None) -> Any:
        """Value of each token as bars; returns the axes."""
        from riskkit.plot import axes

        ax = axes(ax, height=0.8 + 0.35 * max(len(self.tokens), 2))
        ax.barh([token["token"] for token in self.tokens], [token["value"] for token in self.tokens])
        ax.axvline(0.0, color="black", linewidth=0.5)
        ax.invert_yaxis()
        ax.set_xlabel("value in money")
        ax.set_title(self._title())
        return ax

    def _title(self) -> str:
        return f"Exposure of {self.user}: {number(self.total)} gross, {number(self.net)} net"

    def _table(self) -> tuple[str, list[str], list[list[Any]]]:
        rows = [
            [one["token"], str(one["amount"]), one["value"], one["percentage"], "stale" if one["stale"] else ""]
            for one in self.tokens
        ]
        return self._title(), ["token", "amount", "value", "%", ""], rows

    def __repr__(self) -> str:
        """Return the table as text."""
        return table_text(*self._table())

    def _repr_html_(self) -> str:
        return table_html(*self._table())


@dataclass(frozen=True, repr=False)
class UserMetrics(_Answer):
    """The record of one user; None where a measure has no value yet.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> _ = tracker.set_price("ETH", 2000, 1)
    >>> _ = tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    >>> tracker.metrics("ann").concentration
    1.0
    """

    user: str
    total_exposure: float
    """Gross, in money."""
    concentration: float | None
    """Largest token as a share of it, from 0 to 1; None without exposure."""
    var_95: float | None
    """Historical VaR of the periods' returns, times the exposure now, in money; losses positive."""
    max_drawdown: float | None
    """Of the summed returns: a book of constant size; a fraction."""
    sharpe: float | None
    """Arithmetic, per year."""
    win_rate: float | None
    """Of the closing trades that are kept, without those at zero."""
    average_trade_size: float | None
    """Mean money of all trades."""
    trades: int
    realised: float
    unrealised: float
    fees: float
    """Gas, at its price when it was paid."""
    periods: int
    """Returns that the first measures rest on."""

    _checks: ClassVar = {
        "user": as_text,
        "total_exposure": at_least_zero,
        "concentration": optionally(at_least_zero),
        "var_95": optionally(finite_number),
        "max_drawdown": optionally(finite_number),
        "sharpe": optionally(finite_number),
        "win_rate": optionally(at_least_zero),
        "average_trade_size": optionally(at_least_zero),
        "trades": _count,
        "realised": finite_number,
        "unrealised": finite_number,
        "fees": finite_number,
        "periods": _count,
    }

    def _title(self) -> str:
        return f"Metrics of {self.user}"


@dataclass(frozen=True, repr=False)
class IngestStatistics(_Answer):
    """What became of a batch.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> trade = {"user": "ann", "market": "uniswap", "token": "ETH", "amount": "1", "price": 1800}
    >>> found = tracker.ingest([{**trade, "timestamp": 2, "trade_id": "a"}] * 2)
    >>> found.accepted, found.refused, found.reasons
    (1, 1, {'DuplicateTradeError': 1})
    """

    rows: int
    accepted: int
    refused: int
    duplicates: int
    """Among the refused."""
    users: int
    """Distinct, among the accepted."""
    markets: Mapping[str, int]
    """Accepted rows by market."""
    reasons: Mapping[str, int]
    """Refused rows by the name of the error."""
    traded: float
    """Money of the accepted trades."""
    first: int | None
    """Least and greatest timestamp of the accepted."""
    last: int | None
    problems: tuple[tuple[int, str], ...] = field(default=())
    """(row, sentence) of the first refused ones."""

    _checks: ClassVar = {
        "rows": _count,
        "accepted": _count,
        "refused": _count,
        "duplicates": _count,
        "users": _count,
        "markets": _counts,
        "reasons": _counts,
        "traded": at_least_zero,
        "first": optionally(nanoseconds),
        "last": optionally(nanoseconds),
        "problems": _problems,
    }

    def _title(self) -> str:
        return "Batch of trades"

    def _rows(self) -> list[Row]:
        return [
            ("rows", self.rows, ""),
            ("accepted", self.accepted, ""),
            ("refused", self.refused, ", ".join(f"{n} {name}" for name, n in self.reasons.items())),
            ("duplicates", self.duplicates, ""),
            ("users", self.users, ""),
            ("markets", len(self.markets), ""),
            ("traded", self.traded, "money"),
            *((f"row {row}", "", sentence) for row, sentence in self.problems[:5]),
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return [list(item) for item in value] if isinstance(value, tuple) else value
