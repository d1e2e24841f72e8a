"""The books behind a `PositionTracker`: positions by user, market and token, and what they are worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from riskkit.desk.amounts import Holding, Unit
from riskkit.desk.journal import Key, Standing
from riskkit.desk.positions.prices import Price, PriceBoard
from riskkit.desk.positions.records import Exposure, Position, UnknownPositionError, UnknownUserError, UserMetrics
from riskkit.desk.positions.user_book import UserBook

__all__ = ["Entry", "Key", "PositionBooks"]


@dataclass(slots=True)
class Entry:
    """One open position."""

    opened: int
    updated: int
    holding: Holding = field(default_factory=Holding)


class PositionBooks:
    """Positions, their users and their prices; not safe under threads by itself.

    Parameters
    ----------
    money : Unit
        The smallest step of money.
    window : int
        How many periods and closing trades of a user are kept.
    stale_after : int
        Nanoseconds after which a price is stale.
    """

    def __init__(self, money: Unit, window: int, stale_after: int) -> None:
        self.money, self.window, self.stale_after = money, window, stale_after
        self.board = PriceBoard(money)
        self.entries: dict[Key, Entry] = {}
        self.users: dict[str, UserBook] = {}
        self.by_market: dict[str, dict[Key, None]] = {}

    def fill(self, key: Key, lots: int, money: int, stamp: int) -> int:
        """Book one leg: signed lots for so much money (at least 0); return the profit that it took, in quanta."""
        user = key[0]
        book = self.users.get(user)
        if book is None:
            book = self.users[user] = UserBook(self.window)
        entry = self.entries.get(key)
        if entry is None:
            entry = self.add(key, Entry(stamp, stamp))
        held, cost = entry.holding.lots, entry.holding.cost
        realised = entry.holding.fill(lots, money)
        book.take(realised, entry.holding.cost - cost, closes=held * lots < 0)
        entry.updated = max(entry.updated, stamp)
        if held * entry.holding.lots < 0:
            entry.opened = stamp
        if entry.holding.lots == 0:
            self.drop(key)
        return realised

    def add(self, key: Key, entry: Entry) -> Entry:
        """Make a position known, of a user who is."""
        self.entries[key] = entry
        self.users[key[0]].keys[key] = None
        self.by_market.setdefault(key[1], {})[key] = None
        return entry

    def standing(self, key: Key) -> Standing:
        """How a position stands: without any, when it is not held."""
        entry, unit = self.entries.get(key), self.board.lots[key[2]]
        return (
            Standing(unit, Holding()) if entry is None else Standing(unit, entry.holding, entry.opened, entry.updated)
        )

    def drop(self, key: Key) -> None:
        """Forget a position."""
        entry = self.entries.pop(key)
        book = self.users[key[0]]
        book.cost -= entry.holding.cost
        del book.keys[key]
        del self.by_market[key[1]][key]
        if not self.by_market[key[1]]:
            del self.by_market[key[1]]

    def valued(self, user: str) -> Iterator[tuple[Key, Price, int]]:
        """Each position of a user with its price and its value in quanta."""
        for key in self.book(user).keys:
            price = self.board.known(key[1], key[2])
            yield key, price, price.money(self.entries[key].holding.lots)

    def worth(self, user: str) -> tuple[int, int]:
        """(gross, net) value of what a user holds, in quanta."""
        values = [value for _, _, value in self.valued(user)]
        return sum(map(abs, values)), sum(values)

    def position(self, key: Key, when: int | None) -> Position:
        """A position as it is shown."""
        entry, unit = self.entries[key], self.board.lots[key[2]]
        holding, price = entry.holding, self.board.find(key[1], key[2])
        value = None if price is None else price.money(holding.lots)
        age = None if price is None or when is None else when - price.timestamp
        return Position(
            *key,
            amount=unit.amount(holding.lots),
            average_cost=holding.cost * self.money.step / (holding.lots * unit.step) + 0.0,
            cost=self.money.number(holding.cost),
            realised=self.money.number(holding.realised),
            price=None if price is None else price.price,
            value=None if value is None else self.money.number(value),
            unrealised=None if value is None else self.money.number(value - holding.cost),
            opened=entry.opened,
            updated=entry.updated,
            price_age=age,
            stale=price is None or (age is not None and age > self.stale_after),
        )

    def exposure(self, user: str, when: int | None) -> Exposure:
        """Amount, value and percentage of each token of a user."""
        sums: dict[str, list[int]] = {}
        ages: dict[str, int] = {}
        for key, price, value in self.valued(user):
            lots = self.entries[key].holding.lots
            token = sums.setdefault(key[2], [0, 0, 0])
            token[0], token[1], token[2] = token[0] + lots, token[1] + value, token[2] + abs(value)
            ages[key[2]] = max(ages.get(key[2], 0), 0 if when is None else when - price.timestamp)
        total = sum(gross for _, _, gross in sums.values())
        tokens = tuple(
            {
                "token": token,
                "amount": self.board.lots[token].amount(lots),
                "value": self.money.number(value),
                "gross": self.money.number(gross),
                "percentage": 100 * gross / total if total else 0.0,
                "price_age": ages[token],
                "stale": ages[token] > self.stale_after,
            }
            for token, (lots, value, gross) in sums.items()
        )
        net = sum(value for _, value, _ in sums.values())
        return Exposure(user, self.money.number(total), self.money.number(net), tokens, when)

    def metrics(self, user: str, periods_per_year: float) -> UserMetrics:
        """The measures of a user."""
        book, by_token = self.book(user), dict[str, int]()
        gross = net = 0
        for key, _, value in self.valued(user):
            by_token[key[2]] = by_token.get(key[2], 0) + abs(value)
            gross, net = gross + abs(value), net + value
        largest = max(by_token.values(), default=0) / gross if gross else None
        return book.metrics(user, self.money, gross, largest, net - book.cost, periods_per_year)

    def held(self, user: str, market: str, token: str) -> Key:
        """The key of a position that is held, or a named error."""
        key = (user, market, token)
        if key not in self.entries:
            self.book(user)
            raise UnknownPositionError(f"{user!r} holds no {token!r} on {market!r}")
        return key

    def book(self, user: str) -> UserBook:
        """The record of a user, or a named error."""
        book = self.users.get(user)
        if book is None:
            raise UnknownUserError(f"user {user!r} is unknown")
        return book
