"""`PositionTracker`: who holds how much of which token where, what it cost and what it is worth; exact to 256 bits.

Amounts are whole lots and money whole quanta, both Python integers: nothing is rounded but a trade's money, once,
half to even. Every user's books close, exactly: cost of what is held == paid in + realised.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from riskkit._check import InputError, positive, whole_number
from riskkit._show import Row
from riskkit.desk.amounts import Unit
from riskkit.desk.fields import as_text, checked, nanoseconds
from riskkit.desk.journal import JournalRow, Scribe
from riskkit.desk.kept import Kept
from riskkit.desk.positions.books import PositionBooks
from riskkit.desk.positions.high_risk import high_risk
from riskkit.desk.positions.ingest import ingest
from riskkit.desk.positions.records import Exposure, IngestStatistics, MissingPriceError, Position, UserMetrics
from riskkit.desk.positions.replayed import price_text, replay
from riskkit.desk.positions.seen_trades import SeenTrades
from riskkit.desk.positions.state import fill, options_of, plain_state, sorted_state
from riskkit.replay.parameters import duration

__all__ = ["PositionTracker"]


class PositionTracker(Kept):
    """Positions of many users in many tokens on many markets; safe under threads.

    Amounts are ints, Decimals or texts, in tokens, and whole numbers of the token's declared lot: a token counted in
    wei has lot 1 (its amounts are wei) or "1e-18" (they are ether). Floats are refused, for they are not exact.
    Prices come from `set_price` alone; a trade's own price is what it cost, not what it is worth.

    Parameters
    ----------
    tokens : mapping
        {token: lot}; `add_token` adds to them.
    quantum : number
        The smallest step of money.
    stale_after : str or int
        The age beyond which a price is flagged as stale, "5min" or nanoseconds.
    periods_per_year : float
        Of the periods that `close_period` ends, for the Sharpe ratio.
    window : int
        How many periods, and closing trades, of each user the metrics rest on: the last ones.
    remember : int
        How many trade ids are remembered. A trade from before the oldest of them is refused too: no duplicate passes.

    Raises
    ------
    InputError
        A lot, quantum or window that does not fit.

    Examples
    --------
    >>> tracker = PositionTracker({"ETH": "1e-18", "USDC": "1e-6"})
    >>> _ = tracker.set_price("ETH", 2000, 1), tracker.set_price("USDC", 1, 1)
    >>> tracker.update("ann", "uniswap", "ETH", "1.5", 1800, timestamp=2, trade_id="a")
    0.0
    >>> tracker.swap("ann", "uniswap", "ETH", "0.5", "USDC", 1000, gas_token="ETH", gas_amount="0.001", timestamp=3)
    100.2
    >>> tracker.get("ann", "uniswap", "ETH").amount, tracker.total_unrealized_pnl("ann")
    (Decimal('0.999000000000000000'), 199.8)
    """

    def __init__(
        self,
        tokens: Any = (),
        *,
        quantum: Any = "0.000001",
        stale_after: Any = "5min",
        periods_per_year: float = 252.0,
        window: int = 252,
        remember: int = 200_000,
    ) -> None:
        self._lock = threading.RLock()
        self._books = PositionBooks(Unit(quantum), whole_number(window, "window"), duration(stale_after, "stale_after"))
        self._periods_per_year = positive(periods_per_year, "periods_per_year")
        self._seen = SeenTrades(whole_number(remember, "remember"))
        self._latest: int | None = None
        self._scribe = Scribe(self._books.money, self._books.standing)
        for token, lot in dict(tokens).items():
            self.add_token(token, lot)

    # ------------------------------------------------------------------ tokens and prices

    def add_token(self, token: str, lot: Any) -> None:
        """Declare in what steps a token is counted; it cannot change later."""
        with self._lock:
            self._scribe.ready(checked(as_text, token, "token"))
            self._books.board.declare(token, lot)
            self._scribe.note("token", token=token)
            self._scribe.done(body={"lot": str(self._books.board.lots[token])})

    def set_price(self, token: str, price: Any, timestamp: Any, market: str | None = None) -> bool:
        """Take a token's price, for all markets or one; False where a later one is known already."""
        with self._lock:
            stamp = nanoseconds(timestamp)
            self._scribe.ready(token, market)
            taken = self._books.board.set(token, price, stamp, market)
            self._note(stamp)
            self._scribe.note("price", timestamp=stamp, market=market, token=token)
            self._scribe.done(body={"price": price_text(price)})
            return taken

    def price_age(self, token: str, timestamp: Any, market: str = "") -> int:
        """Nanoseconds since a token's price was set.

        Raises
        ------
        MissingPriceError
            No price is known.
        """
        with self._lock:
            return nanoseconds(timestamp) - self._books.board.known(market, token).timestamp

    # ------------------------------------------------------------------ trades

    def update(
        self, user: str, market: str, token: str, amount: Any, price: Any, timestamp: Any, trade_id: Any = None
    ) -> float:
        """Book a trade: bought above zero, sold below; return the profit that it took.

        Parameters
        ----------
        user, market, token : str
        amount : int, Decimal or text
            Tokens, a whole number of lots, not zero. Selling more than is held leaves a short position.
        price : number
            Money per token, above zero.
        timestamp : int, datetime or ISO text
        trade_id : hashable, optional
            Refused when it was taken before.

        Raises
        ------
        InputError
            A field that does not fit; `UnknownTokenError`, `DuplicateTradeError`. Nothing is changed then.
        """
        with self._lock:
            stamp, lots = self._request(user, market, token, amount, timestamp)
            if lots == 0:
                raise InputError(f"amount={amount!r} is zero; a trade buys or sells")
            money = self._books.board.priced(token, price, stamp).money(abs(lots))
            return self._trade("update", user, market, stamp, [("trade", token, lots, money)], trade_id)

    def swap(
        self,
        user: str,
        market: str,
        sell_token: str,
        sell_amount: Any,
        buy_token: str,
        buy_amount: Any,
        *,
        timestamp: Any,
        value: Any = None,
        gas_token: str | None = None,
        gas_amount: Any = 0,
        trade_id: Any = None,
    ) -> float:
        """Book a swap: one token out, another in, for the same money, and gas in a third; return the profit taken.

        The money is `value` where it is stated, else that of what is sold at its price, else that of what is bought. Gas
        leaves its token's position at its price; its money counts as a fee.

        Raises
        ------
        InputError
            As in `update`, and `MissingPriceError`. Nothing is changed then: all legs, or none.
        """
        with self._lock:
            stamp, sold = self._request(user, market, sell_token, sell_amount, timestamp)
            _, bought = self._request(user, market, buy_token, buy_amount, timestamp)
            if sold <= 0 or bought <= 0:
                raise InputError(f"sell_amount={sell_amount!r} and buy_amount={buy_amount!r} have to be above zero")
            if sell_token == buy_token:
                raise InputError(f"sell_token and buy_token are both {sell_token!r}; a swap changes one for another")
            gas, fee = self._gas(user, market, gas_token, gas_amount, timestamp)
            money = self._swapped(market, sell_token, sold, buy_token, bought, value)
            legs = [("sell", sell_token, -sold, money), ("buy", buy_token, bought, money)]
            legs += [("gas", str(gas_token), -gas, fee)] if gas else []
            return self._trade("swap", user, market, stamp, legs, trade_id)

    def ingest(self, events: Any, *, on_error: str = "count") -> IngestStatistics:
        """Book a batch: a DataFrame or mappings with the arguments of `update`, or of `swap` where ``kind`` is "swap".

        Parameters
        ----------
        events : DataFrame or iterable of mappings
            In the order in which they happened.
        on_error : {"count", "raise"}
            What does not fit is counted and named, or raised (what came before it stays).

        Returns
        -------
        IngestStatistics
        """
        with self._lock:
            return ingest(self, events, on_error)

    def traded(self) -> float:
        """Money of all trades of the users that are known, each swap once."""
        with self._lock:
            return self._books.money.number(sum(book.traded for book in self._books.users.values()))

    def close_period(self, timestamp: Any) -> list[str]:
        """End a period, such as a day: each user's return in it is kept, P&L over the gross exposure at its start.

        Returns
        -------
        list of str
            Users left out because a price is missing; their next return spans both periods.
        """
        with self._lock:
            stamp = nanoseconds(timestamp)
            self._scribe.ready()
            self._note(stamp)
            left_out = []
            for user, book in self._books.users.items():
                try:
                    gross, value = self._books.worth(user)
                except MissingPriceError:
                    left_out.append(user)
                    continue
                book.end_period(value - book.cost + book.realised - book.fees, gross)
            self._scribe.note("period", timestamp=stamp)
            self._scribe.done()
            return left_out

    # ------------------------------------------------------------------ positions

    def get(self, user: str, market: str, token: str, timestamp: Any = None) -> Position:
        """One position, valued at the last price where there is one.

        Raises
        ------
        UnknownPositionError
            It is not held.
        """
        with self._lock:
            return self._books.position(self._books.held(user, market, token), self._when(timestamp))

    def has(self, user: str, market: str, token: str) -> bool:
        """Whether a position is held."""
        return (user, market, token) in self._books.entries

    def remove(self, user: str, market: str, token: str) -> Position:
        """Forget a position without a trade, and return it; what it had realised stays with the user."""
        with self._lock:
            position, key = self.get(user, market, token), (user, market, token)
            self._scribe.ready()
            self._books.drop(key)
            self._scribe.position("remove", key)
            self._scribe.done()
            return position

    def count(self, user: str | None = None) -> int:
        """How many positions are held, by a user or by all."""
        with self._lock:
            return len(self._books.entries) if user is None else len(self._books.book(user).keys)

    def clear(self, user: str | None = None) -> int:
        """Forget a user's positions and record, or everything but tokens, prices and trade ids; return how many."""
        with self._lock:
            users = list(self._books.users) if user is None else [user]
            keys = [key for one in users for key in self._books.book(one).keys]
            self._scribe.ready()
            self._scribe.note("clear")
            for key in keys:
                self._books.drop(key)
                self._scribe.position("clear", key)
            for one in users:
                del self._books.users[one]
            self._scribe.done(body={"user": user})
            return len(keys)

    def positions_for_market(self, market: str, timestamp: Any = None) -> list[Position]:
        """Every position on a market, in the order in which they were opened."""
        with self._lock:
            return [self._books.position(key, self._when(timestamp)) for key in self._books.by_market.get(market, ())]

    def positions_of(self, user: str, timestamp: Any = None) -> list[Position]:
        """Every position of a user, in the order in which they were opened."""
        with self._lock:
            return [self._books.position(key, self._when(timestamp)) for key in self._books.book(user).keys]

    def users(self) -> list[str]:
        """Every user that was heard of."""
        with self._lock:
            return list(self._books.users)

    def idle_positions(self, timestamp: Any, idle: Any = "7d") -> list[Position]:
        """Positions that no trade has touched for `idle` or longer, the longest first."""
        with self._lock:
            before = nanoseconds(timestamp) - duration(idle, "idle")
            found = [key for key, entry in self._books.entries.items() if entry.updated <= before]
            found.sort(key=lambda key: self._books.entries[key].updated)
            return [self._books.position(key, nanoseconds(timestamp)) for key in found]

    # ------------------------------------------------------------------ users

    def total_unrealized_pnl(self, user: str | None = None) -> float:
        """Value less cost of what a user holds, or all users, in money.

        Raises
        ------
        UnknownUserError, MissingPriceError
        """
        with self._lock:
            books = self._books.users if user is None else {user: self._books.book(user)}
            return self._books.money.number(sum(self._books.worth(one)[1] - book.cost for one, book in books.items()))

    def total_exposure(self, user: str | None = None) -> float:
        """Sum of the absolute values of what a user holds, or all users, in money; errors as above."""
        with self._lock:
            for_whom: Iterable[str] = self._books.users if user is None else [user]
            return self._books.money.number(sum(self._books.worth(one)[0] for one in for_whom))

    def exposure(self, user: str, timestamp: Any = None) -> Exposure:
        """Amount, value and percentage of each token of a user, over all markets.

        Parameters
        ----------
        timestamp : optional
            The time at which prices have their age; without it, the latest that the tracker has heard of.

        Raises
        ------
        UnknownUserError, MissingPriceError
        """
        with self._lock:
            return self._books.exposure(user, self._when(timestamp))

    def metrics(self, user: str) -> UserMetrics:
        """Exposure, concentration, VaR, drawdown, Sharpe ratio, win rate and trade size of a user.

        Raises
        ------
        UnknownUserError, MissingPriceError
        """
        with self._lock:
            return self._books.metrics(user, self._periods_per_year)

    def high_risk_users(
        self,
        *,
        max_exposure: float | None = None,
        max_concentration: float | None = None,
        max_var: float | None = None,
        max_drawdown: float | None = None,
    ) -> Any:
        """Users beyond at least one of the given limits (what equals a limit is not beyond it).

        Parameters
        ----------
        max_exposure, max_var : float, optional
            In money.
        max_concentration, max_drawdown : float, optional
            Fractions.

        Returns
        -------
        DataFrame
            Indexed by user: the four measures, and ``reasons``. A user with a missing price is among them, for
            nobody can say that he is not.
        """
        given = {"total_exposure": max_exposure, "concentration": max_concentration, "var_95": max_var}
        return high_risk(self, given | {"max_drawdown": max_drawdown})

    def to_frame(self) -> Any:
        """Every position, one a row."""
        import pandas as pd

        with self._lock:
            rows = [self._books.position(key, self._latest).to_dict() for key in self._books.entries]
        return pd.DataFrame(rows, columns=list(Position.__dataclass_fields__))

    # ------------------------------------------------------------------ inside

    def _plain(self) -> dict[str, Any]:
        return plain_state(
            {"periods_per_year": self._periods_per_year, "latest": self._latest}, self._books, self._seen
        )

    @classmethod
    def _restored(cls, state: Any) -> PositionTracker:
        made = cls(**options_of(state))
        fill(made._books, made._seen, state)
        made._latest = state["latest"]
        return made

    _sorted = staticmethod(sorted_state)

    def _tell(self, kind: str) -> None:
        self._scribe.ready(*(text for key in self._books.entries for text in key))
        self._scribe.note(kind, role=type(self).__name__, timestamp=self._latest)
        for key in self._books.entries:
            self._scribe.position(kind, key)
        self._scribe.tell(self._plain)

    def _replay(self, rows: Sequence[JournalRow]) -> None:
        replay(self, rows)

    def _trade(self, kind: str, user: str, market: str, stamp: int, legs: list[Any], trade_id: Any) -> float:
        """Book the legs of a trade, (role, token, lots, money) each, all or none; return the profit that they took."""
        self._seen.check(trade_id, stamp)
        self._scribe.ready(user, market, trade_id=trade_id)
        self._seen.keep(trade_id, stamp)
        realised = 0
        for role, token, lots, money in legs:
            profit = self._books.fill((user, market, token), lots, money, stamp)
            realised += profit
            self._books.users[user].fees += money if role == "gas" else 0
            self._scribe.leg(kind, role, (user, market, token), lots, money, profit, stamp)
        self._books.users[user].count_trade(legs[0][3])
        self._note(stamp)
        self._scribe.done()
        return self._books.money.number(realised)

    def _request(self, user: Any, market: Any, token: Any, amount: Any, timestamp: Any) -> tuple[int, int]:
        for name, text in (("user", user), ("market", market), ("token", token)):
            checked(as_text, text, name)
        return nanoseconds(timestamp), self._books.board.unit(token).count(amount, "amount")

    def _gas(self, user: Any, market: Any, token: Any, amount: Any, timestamp: Any) -> tuple[int, int]:
        """Lots of gas, and their money."""
        if token is None:
            if amount not in (0, None):
                raise InputError(f"gas_amount={amount!r} came without a gas_token")
            return 0, 0
        _, lots = self._request(user, market, token, amount, timestamp)
        if lots < 0:
            raise InputError(f"gas_amount={amount!r} is negative")
        return lots, self._books.board.known(market, token).money(lots) if lots else 0

    def _swapped(self, market: str, sell: str, sold: int, buy: str, bought: int, value: Any) -> int:
        """The money of a swap, in quanta."""
        if value is not None:
            money = self._books.money.count(value, "value", floats=True)
            if money <= 0:
                raise InputError(f"value={value!r} is not above zero")
            return money
        price = self._books.board.find(market, sell)
        return price.money(sold) if price is not None else self._books.board.known(market, buy).money(bought)

    def _note(self, stamp: int) -> None:
        self._latest = stamp if self._latest is None else max(self._latest, stamp)

    def _when(self, timestamp: Any) -> int | None:
        return self._latest if timestamp is None else nanoseconds(timestamp)

    def _rows(self) -> list[Row]:
        with self._lock:
            return [
                ("positions", len(self._books.entries), ""),
                ("users", len(self._books.users), ""),
                ("markets", len(self._books.by_market), ""),
                ("tokens", len(self._books.board.lots), ""),
                ("trade ids", len(self._seen), "remembered"),
            ]
