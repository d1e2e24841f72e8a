"""Books behind a `PositionTracker`: prices, positions, accounts of users, and remembered trade ids."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from riskkit._check import InputError, shown
from riskkit._commit import Change, commit
from riskkit.desk.core.exact import CostBasis, ExactPrice, Step, half_even
from riskkit.desk.core.journal import Key, PositionRow
from riskkit.desk.positions.results import (
    DuplicateTradeError,
    MissingPriceError,
    Position,
    TradeTooOldError,
    UnknownPositionError,
    UnknownTokenError,
    UnknownUserError,
    UserExposure,
)

_new = object.__new__
MOST_PRICES = 1 << 16  # of trades that are remembered


class PriceTable:
    """Lot sizes of tokens, and their prices: of all markets, or of one.

    Parameters
    ----------
    quantum : Step
        The smallest step of money.
    """

    def __init__(self, quantum: Step) -> None:
        self.quantum = quantum
        self.lots: dict[str, Step] = {}
        self.prices: dict[tuple[str | None, str], ExactPrice] = {}
        self.changes = 0  # of prices
        self.changed: dict[str, int] = {}  # the number of the last one of each token, on any market
        self._costs: dict[tuple[Any, ...], ExactPrice] = {}  # prices of trades, as they came

    def declare(self, token: str, lot: Any) -> Step:
        """The lot size of a token that is not declared yet."""
        if token in self.lots:
            raise InputError(f"token {token!r} is declared already")
        return Step(lot)

    def lot(self, token: str) -> Step:
        """Lot size of a token."""
        lot = self.lots.get(token)
        if lot is None:
            raise UnknownTokenError(
                f"token {shown(token)} is not declared; add_token({shown(token)}, lot=...) declares its lot size"
            )
        return lot

    def priced(self, token: str, price: Any, timestamp: int) -> ExactPrice:
        """Convert a price of a token."""
        lot = self.lot(token)
        return ExactPrice.of(price, timestamp, lot, self.quantum, f"price of {token!r}")

    def set(self, token: str, price: Any, timestamp: int, market: str | None) -> list[Change]:
        """The changes that set a price; none if a later one is known."""
        new, old = self.priced(token, price, timestamp), self.prices.get((market, token))
        if old is not None and timestamp < old.timestamp:
            return []
        number = self.changes + 1
        counted = (self.changed.__setitem__, token, number), (setattr, self, "changes", number)
        return [(self.prices.__setitem__, (market, token), new), *counted]

    def cost(self, token: str, price: Any, lots: int) -> int:
        """Quanta of money for lots (at least 0) of a token at the price of a trade."""
        key = token, price, type(price)
        try:
            known = self._costs.get(key)
        except TypeError:  # a list, ...
            known = None
        if known is None:
            known = self.priced(token, price, 0)
            if len(self._costs) >= MOST_PRICES:
                self._costs.clear()
            self._costs[key] = known
        return half_even(lots * known.numerator, known.denominator)

    def find(self, market: str, token: str) -> ExactPrice | None:
        """Price on the market, else on all markets, else None."""
        return self.prices.get((market, token)) or self.prices.get((None, token))

    def known(self, market: str, token: str) -> ExactPrice:
        """The same; a missing price raises `MissingPriceError`."""
        price = self.find(market, token)
        if price is None:
            raise MissingPriceError(f"no price of {token!r} is known on {market!r}; set one by set_price")
        return price

    def swap_value(self, market: str, sell: str, sold: int, buy: str, bought: int, value: Any) -> int:
        """Value of a swap in quanta: `value`, else that of the token sold, else of the token bought."""
        if value is None:
            price = self.find(market, sell)
            return price.money(sold) if price is not None else self.known(market, buy).money(bought)
        money = self.quantum.count(value, "value", floats=True)
        if money <= 0:
            raise InputError(f"value={shown(value)} is not above zero")
        return money


class UserAccount:
    """Sums of one user in quanta, and the last periods and closing trades.

    Parameters
    ----------
    window : int
        Number of periods and of closing trades to keep.
    """

    __slots__ = (
        "closed", "cost", "fees", "gross", "keys", "profit", "realized", "returns", "traded", "trades", "values", "worth",
    )  # fmt: skip

    def __init__(self, window: int) -> None:
        self.keys: dict[Key, None] = {}
        self.values: dict[Key, int] = {}  # of the positions that `worth` has
        self.worth = 0, 0, 0  # gross and net of `values`, and how many prices had changed by then
        self.cost = self.realized = self.fees = self.traded = self.trades = 0
        self.profit = self.gross = 0  # at the end of the last period
        self.closed: deque[int] = deque(maxlen=window)
        self.returns: deque[float] = deque(maxlen=window)

    def without(self, keys: Iterable[Key]) -> list[Change]:
        """The changes that take positions, which change, out of the known values."""
        gone = {key: self.values[key] for key in keys if key in self.values}
        if not gone:
            return []
        gross, net, at = self.worth
        left = gross - sum(map(abs, gone.values())), net - sum(gone.values()), at
        return [(setattr, self, "worth", left), *((self.values.pop, key) for key in gone)]

    def end_period(self, profit: int, gross: int) -> list[Change]:
        """The changes that add the return since the last period, if anything was held at its start."""
        ended = [(self.returns.append, (profit - self.profit) / self.gross)] if self.gross else []
        return [*ended, (setattr, self, "profit", profit), (setattr, self, "gross", gross)]


@dataclass(slots=True)
class OpenPosition:
    """An open position and its times in nanoseconds."""

    opened: int
    updated: int
    basis: CostBasis = field(default_factory=CostBasis)


class Books:
    """Positions, users and prices; not safe under threads by itself.

    Parameters
    ----------
    quantum : Step
        The smallest step of money.
    window : int
        Number of periods and closing trades of a user to keep.
    stale_after : int
        Nanoseconds after which a price is stale.
    """

    def __init__(self, quantum: Step, window: int, stale_after: int) -> None:
        self.quantum, self.window, self.stale_after = quantum, window, stale_after
        self.prices = PriceTable(quantum)
        self.positions: dict[Key, OpenPosition] = {}
        self.users: dict[str, UserAccount] = {}
        self.by_market: dict[str, dict[Key, None]] = {}

    def add(self, key: Key, position: OpenPosition) -> OpenPosition:
        """Add a position of a known user."""
        self.positions[key] = position
        self.users[key[0]].keys[key] = None
        self.by_market.setdefault(key[1], {})[key] = None
        return position

    def dropped(self, keys: Sequence[Key]) -> list[Change]:
        """The changes that remove positions without a trade."""
        costs = Counter[str]()
        changes: list[Change] = []
        for key in keys:
            costs[key[0]] += self.positions[key].basis.cost
            changes += [(self.positions.pop, key), (self.users[key[0]].keys.pop, key)]
        for user, cost in costs.items():
            account = self.users[user]
            changes.append((setattr, account, "cost", account.cost - cost))
            changes += account.without([key for key in keys if key[0] == user])
        for market, left in Counter(key[1] for key in keys).items():
            held = self.by_market[market]
            changes += [(held.pop, key) for key in keys if key[1] == market]
            changes += [(self.by_market.pop, market)] if len(held) == left else []
        return changes

    def position_row(self, key: Key) -> PositionRow:
        """An open position for the journal."""
        position = self.positions[key]
        return PositionRow(self.prices.lots[key[2]], position.basis, position.opened, position.updated)

    def nothing(self, key: Key) -> PositionRow:
        """A removed position for the journal."""
        return PositionRow(self.prices.lots[key[2]], CostBasis())

    def valued(self, user: str) -> Iterator[tuple[Key, ExactPrice, int]]:
        """Each position of a user with its price and its value in quanta."""
        for key in self.account(user).keys:
            price = self.prices.known(key[1], key[2])
            yield key, price, price.money(self.positions[key].basis.lots)

    def worth(self, user: str) -> tuple[int, int]:
        """(gross, net) value of the positions of a user, in quanta: sums that follow what has changed."""
        account, prices = self.account(user), self.prices
        gross, net, at = account.worth
        known, changed = account.values, prices.changed
        if at == prices.changes and len(known) == len(account.keys):
            return gross, net
        found: list[Change] = []
        for key in account.keys:
            before = known.get(key)
            if before is None or changed.get(key[2], 0) > at:
                value = prices.known(key[1], key[2]).money(self.positions[key].basis.lots)
                gross, net = gross + abs(value) - abs(before or 0), net + value - (before or 0)
                found.append((known.__setitem__, key, value))
        commit([*found, (setattr, account, "worth", (gross, net, prices.changes))])
        return gross, net

    def position(self, key: Key, now: int | None) -> Position:
        """A position as a result, valued at the last price."""
        position, prices = self.positions.get(key), self.prices.prices
        if position is None:
            user, market, token = key
            self.account(user)
            raise UnknownPositionError(f"{user!r} has no position in {token!r} on {market!r}")
        price = prices.get(key[1:]) or prices.get((None, key[2]))
        found = _new(Position)
        found.__dict__["_late"] = self._described, (key, position, price, now)
        return found

    def _described(self, key: Key, position: OpenPosition, price: ExactPrice | None, now: int | None) -> dict[str, Any]:
        """The fields of a position, which no trade changes: it makes another one."""
        user, market, token = key
        basis, lot, money = position.basis, self.prices.lots[token], self.quantum.number
        value = None if price is None else price.money(basis.lots)
        age = None if price is None or now is None else now - price.timestamp
        return {
            "user": user,
            "market": market,
            "token": token,
            "amount": lot.amount(basis.lots),
            "average_cost": basis.cost * self.quantum.step / (basis.lots * lot.step) + 0.0,
            "cost": money(basis.cost),
            "realized": money(basis.realized),
            "price": None if price is None else price.price,
            "value": None if value is None else money(value),
            "unrealized": None if value is None else money(value - basis.cost),
            "opened": position.opened,
            "updated": position.updated,
            "price_age": age,
            "stale": price is None or (age is not None and self._is_stale(age)),
        }

    def _is_stale(self, age: int) -> bool:
        """True for a price that is too old, or of a time that has not come."""
        return not 0 <= age <= self.stale_after

    def exposure(self, user: str, now: int | None) -> UserExposure:
        """Amount, value and share of each token of a user."""
        sums: dict[str, list[int]] = {}  # lots, value, gross, age of the oldest price
        for key, price, value in self.valued(user):
            lots, age = self.positions[key].basis.lots, 0 if now is None else now - price.timestamp
            token = sums.setdefault(key[2], [0, 0, 0, 0])
            token[:] = token[0] + lots, token[1] + value, token[2] + abs(value), max(token[3], age, key=abs)
        total, money = sum(gross for _, _, gross, _ in sums.values()), self.quantum.number
        tokens = tuple(
            {
                "token": token,
                "amount": self.prices.lots[token].amount(lots),
                "value": money(value),
                "gross": money(gross),
                "share": gross / total if total else 0.0,
                "price_age": age,
                "stale": self._is_stale(age),
            }
            for token, (lots, value, gross, age) in sums.items()
        )
        net = sum(value for _, value, _, _ in sums.values())
        return UserExposure(user, money(total), money(net), tokens, now)

    def account(self, user: str) -> UserAccount:
        """The account of a known user."""
        account = self.users.get(user)
        if account is None:
            raise UnknownUserError(f"user {user!r} is unknown")
        return account


class Draft:
    """A trade under preparation: the positions and sums of one user on one market as they will be.

    Parameters
    ----------
    books : Books
        Only read; `changes` changes them.
    user, market : str
    """

    __slots__ = ("account", "books", "closed", "cost", "fees", "market", "positions", "realized", "traded", "user")

    def __init__(self, books: Books, user: str, market: str) -> None:
        self.books, self.user, self.market = books, user, market
        self.account = books.users.get(user) or UserAccount(books.window)
        self.fees = self.traded = self.cost = self.realized = 0  # more than the account has
        self.closed: list[int] = []
        self.positions: dict[Key, OpenPosition] = {}

    def fill(self, key: Key, lots: int, money: int, timestamp: int) -> int:
        """Add one leg of signed lots for `money` quanta (at least 0); return the realized profit."""
        position = self.positions.get(key) or self.books.positions.get(key)
        if position is None or position.basis.lots == 0:
            opened, updated, held, cost, basis = timestamp, timestamp, 0, 0, CostBasis()
        else:
            opened, updated, old = position.opened, position.updated, position.basis
            held, cost = old.lots, old.cost
            basis = CostBasis(held, cost, old.realized)
        realized = basis.fill(lots, money)
        self.cost += basis.cost - cost
        if held * lots < 0:
            self.realized += realized
            self.closed.append(realized)
            if held * basis.lots < 0:
                opened = timestamp
        self.positions[key] = OpenPosition(opened, timestamp if timestamp > updated else updated, basis)
        return realized

    def position_row(self, key: Key) -> PositionRow:
        """The position after the legs so far, for the journal; empty if it is closed."""
        position, lot = self.positions[key], self.books.prices.lots[key[2]]
        if position.basis.lots == 0:
            return PositionRow(lot, CostBasis())
        return PositionRow(lot, position.basis, position.opened, position.updated)

    def changes(self) -> list[Change]:
        """The changes that put the trade into the books."""
        books, account = self.books, self.account
        found: list[Change] = [
            (setattr, account, "trades", account.trades + 1),
            (setattr, account, "traded", account.traded + self.traded),
            (setattr, account, "cost", account.cost + self.cost),
        ]
        if self.fees:
            found.append((setattr, account, "fees", account.fees + self.fees))
        if self.closed:
            found.append((setattr, account, "realized", account.realized + self.realized))
            found.append((account.closed.extend, self.closed))
        if account.values:
            found += account.without(self.positions)
        known, held = books.positions, books.by_market.get(self.market, {})
        opened = closed = 0
        for key, position in self.positions.items():
            if position.basis.lots:
                found.append((known.__setitem__, key, position))
                if key not in known:
                    found += [(account.keys.__setitem__, key, None), (held.__setitem__, key, None)]
                    opened += 1
            elif key in known:
                found += [(known.pop, key), (account.keys.pop, key), (held.pop, key)]
                closed += 1
        if opened:
            found.append((books.by_market.__setitem__, self.market, held))
        elif closed == len(held):
            found.append((books.by_market.pop, self.market, None))
        if self.user not in books.users:
            found.append((books.users.__setitem__, self.user, account))
        return found


MOST_OF_AN_INSTANT = 10  # times `size`
TradeKey = tuple[str, str, Any]  # user, market, id


class TradeIdCache:
    """The last `size` trade ids with their times, each an id of a user on a market: venues and users count alike.

    An id is forgotten only after a later time; from then on every trade at or before its time is refused. So no
    duplicate is booked, and no trade in order of time is refused. Of one instant ten times as many ids are remembered; a
    further one ends the instant.

    Examples
    --------
    >>> cache = TradeIdCache(1)
    >>> for time, name in enumerate("abc", 1):
    ...     cache.add(("ann", "uniswap", name), time)
    >>> cache.check(("ann", "uniswap", "a"), 1)
    Traceback (most recent call last):
    riskkit.desk.positions.results.TradeTooOldError: trade 'a' of 1 is not after 2, the time since when ids are remembered
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.times: OrderedDict[TradeKey, int] = OrderedDict()  # finds its oldest key in constant time, unlike a dict
        self.latest = self.horizon = -(2**63)

    def __len__(self) -> int:
        return len(self.times)

    def check(self, key: TradeKey, timestamp: int) -> None:
        """Refuse an id that was added before, or may have been; None is not checked."""
        user, market, trade_id = key
        if trade_id is None:
            return
        try:
            known = key in self.times
        except TypeError:
            raise InputError(f"trade_id={shown(trade_id)} is not an id; give a text or an integer") from None
        if known:
            raise DuplicateTradeError(
                f"trade {shown(trade_id)} of {user!r} on {market!r} was booked before, at {self.times[key]}"
            )
        if timestamp <= self.horizon:
            raise TradeTooOldError(
                f"trade {shown(trade_id)} of {timestamp} is not after {self.horizon}, the time since when ids are remembered"
            )

    def add(self, key: TradeKey, timestamp: int) -> None:
        """Add a checked id."""
        commit(self.added(key, timestamp))

    def added(self, key: TradeKey, timestamp: int) -> list[Change]:
        """The changes that add a checked id and forget the oldest ones."""
        if key[2] is None:
            return []
        latest, horizon = max(self.latest, timestamp), self.horizon
        forgotten: list[Change] = []
        for oldest, time in islice(self.times.items(), max(len(self.times) + 1 - self.size, 0)):
            if time >= latest and len(self.times) - len(forgotten) < MOST_OF_AN_INSTANT * self.size:
                forgotten.append((self.times.move_to_end, oldest))
                break
            horizon = max(horizon, time)
            forgotten.append((self.times.pop, oldest))
        sums = [(setattr, self, "latest", latest), (setattr, self, "horizon", horizon)]
        return [(self.times.__setitem__, key, timestamp), *forgotten, *sums]
