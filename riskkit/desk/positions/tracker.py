"""`PositionTracker`: positions, cost and value by user, market and token; exact to 256 bits.

Amounts are whole lots and money whole quanta, both Python integers: only a trade's money is rounded, once, half to even.
For every user, exactly: cost of the open positions == money paid in + realized.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from riskkit._check import Duration, InputError, positive, shown, whole_number
from riskkit._commit import Change, commit
from riskkit._fork import lock_of
from riskkit._show import Row
from riskkit.desk.core.exact import Step, ratio_of
from riskkit.desk.core.journal import Key, PositionRow, Writer
from riskkit.desk.core.records import as_text, checked, nanoseconds
from riskkit.desk.core.stateful import Stateful
from riskkit.desk.positions.books import Books, Draft, TradeIdCache
from riskkit.desk.positions.ingest import ingest
from riskkit.desk.positions.metrics import high_risk, user_metrics
from riskkit.desk.positions.persistence import EVENTS, SHAPE, fill, options_of, plain_state, sorted_state
from riskkit.desk.positions.results import IngestStatistics, MissingPriceError, Position, UserExposure, UserMetrics
from riskkit.replay.schema.durations import MAX_AHEAD, duration, refuse_ahead


class PositionTracker(Stateful):
    """Positions of many users in many tokens on many markets; safe under threads.

    Amounts are ints, Decimals or texts, in tokens, and whole numbers of the token's declared lot: with lot 1 the amounts
    of ether are in wei, with lot "1e-18" in ether. Floats are refused, because they are not exact. Positions are valued
    at the prices of `set_price` only; the price of a trade is its cost.

    Parameters
    ----------
    tokens : mapping
        {token: lot}; `add_token` adds more.
    quantum : number
        The smallest step of money.
    stale_after : str, Timedelta or int
        Age beyond which a price is stale, "5min" or nanoseconds.
    periods_per_year : float
        Calls of `close_period` per year, for the Sharpe ratio.
    window : int
        Number of the last periods, and of the last closing trades, of each user in the metrics.
    remember : int
        Number of trade ids to remember. A trade from before the oldest of them is refused, so that no duplicate is
        booked. Ten times as many are remembered of one instant.
    max_ahead : str, Timedelta or int
        A time further ahead of the latest one is refused, because it would make the right ones late.

    Raises
    ------
    InputError
        An invalid lot, quantum or window.

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
        stale_after: Duration = "5min",
        periods_per_year: float = 252.0,
        window: int = 252,
        remember: int = 200_000,
        max_ahead: Duration = MAX_AHEAD,
    ) -> None:
        self._lock = lock_of(self)
        self._books = Books(Step(quantum), whole_number(window, "window"), duration(stale_after, "stale_after"))
        self._periods_per_year = positive(periods_per_year, "periods_per_year")
        self._trade_ids = TradeIdCache(whole_number(remember, "remember"))
        self._latest: int | None = None
        self._max_ahead = duration(max_ahead, "max_ahead", zero=False)
        self._writer = Writer(self._books.quantum)
        try:
            lots = dict(tokens)
        except (TypeError, ValueError):
            raise InputError(
                f"tokens={shown(tokens)} is not a mapping of lots by token, as {{'ETH': '1e-18'}}"
            ) from None
        for token, lot in lots.items():
            self.add_token(token, lot)

    # ------------------------------------------------------------------ tokens and prices

    def add_token(self, token: str, lot: Any) -> None:
        """Declare the lot size of a token, for good."""
        with self._lock:
            self._writer.begin(checked(as_text, token, "token"))
            step = self._books.prices.declare(token, lot)
            self._writer.event("token", token=token)
            written = self._writer.finish(body={"lot": str(step)})
            commit([(self._books.prices.lots.__setitem__, token, step), *written])

    def set_price(self, token: str, price: Any, timestamp: Any, market: str | None = None) -> bool:
        """Set the price of a token on all markets, or on one; return False if a later price is known."""
        with self._lock:
            stamp = self._stamp(timestamp)
            self._writer.begin(token, market)
            taken = self._books.prices.set(token, price, stamp, market)
            self._writer.event("price", timestamp=stamp, market=market, token=token)
            written = self._writer.finish(body={"price": "{}/{}".format(*ratio_of(price, "price", floats=True))})
            commit([*taken, self._advanced(stamp), *written])
            return bool(taken)

    def price_age(self, token: str, timestamp: Any, market: str = "") -> int:
        """Nanoseconds since the price of a token was set.

        Raises
        ------
        MissingPriceError
            No price is known.
        """
        with self._lock:
            return nanoseconds(timestamp) - int(self._books.prices.known(market, token).timestamp)

    # ------------------------------------------------------------------ trades

    def update(
        self, user: str, market: str, token: str, amount: Any, price: Any, timestamp: Any, trade_id: Any = None
    ) -> float:
        """Book a trade; return its realized profit in money.

        Parameters
        ----------
        user, market, token : str
        amount : int, Decimal or text
            Tokens, a whole number of lots: above zero bought, below zero sold. A sale of more than is held opens a
            short position.
        price : number
            Money per token, above zero.
        timestamp : int, datetime or ISO text
        trade_id : hashable, optional
            Refused if the user has one like it on the market; another user or market may have the same.

        Raises
        ------
        InputError
            An invalid argument; `UnknownTokenError`, `DuplicateTradeError`. Nothing is booked then.
        """
        self._lock.acquire()  # faster than a with statement
        try:
            stamp, lots = self._request(user, market, token, amount, timestamp)
            if lots == 0:
                raise InputError(f"amount={shown(amount)} is zero; a trade buys or sells")
            money = self._books.prices.cost(token, price, abs(lots))
            return self._trade("update", user, market, stamp, (("trade", token, lots, money),), trade_id)
        finally:
            self._lock.release()

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
        """Book a swap of one token for another, and its gas; return the realized profit in money.

        Both legs have the same money: `value`, else the value of the token sold at its price, else of the token bought.
        Gas is sold from the position in its token at its price, and its money counts as a fee.

        Raises
        ------
        InputError
            As in `update`, and `MissingPriceError`. Nothing is booked then: all legs, or none.
        """
        with self._lock:
            stamp, sold = self._request(user, market, sell_token, sell_amount, timestamp)
            _, bought = self._request(user, market, buy_token, buy_amount, timestamp)
            if sold <= 0 or bought <= 0:
                raise InputError(
                    f"sell_amount={shown(sell_amount)} and buy_amount={shown(buy_amount)} must be above zero"
                )
            if sell_token == buy_token:
                raise InputError(f"sell_token and buy_token are both {sell_token!r}; a swap needs two tokens")
            gas, fee = self._gas(user, market, gas_token, gas_amount, timestamp)
            money = self._books.prices.swap_value(market, sell_token, sold, buy_token, bought, value)
            legs = [("sell", sell_token, -sold, money), ("buy", buy_token, bought, money)]
            legs += [("gas", str(gas_token), -gas, fee)] if gas else []
            return self._trade("swap", user, market, stamp, legs, trade_id)

    def ingest(self, events: Any, *, on_error: str = "count") -> IngestStatistics:
        """Book a batch of trades: rows with the arguments of `update`, or of `swap` if ``kind`` is "swap".

        Parameters
        ----------
        events : DataFrame or iterable of mappings
            In order of time.
        on_error : {"count", "raise"}
            An invalid row is counted and listed, or raised (the rows before it stay booked). Nothing is locked while the
            next row is waited for.

        Returns
        -------
        IngestStatistics
        """
        return ingest(self, events, on_error)

    def traded(self) -> float:
        """Turnover of all known users in money, each swap once."""
        with self._lock:
            return self._books.quantum.number(sum(account.traded for account in self._books.users.values()))

    def close_period(self, timestamp: Any) -> list[str]:
        """End a period, such as a day, and store each user's return: profit over the gross exposure at its start.

        Returns
        -------
        list of str
            Users omitted because a price is missing; their next return spans both periods.
        """
        with self._lock:
            stamp = self._stamp(timestamp)
            self._writer.begin()
            omitted = []
            changes = [self._advanced(stamp)]
            for user, account in self._books.users.items():
                try:
                    gross, value = self._books.worth(user)
                except MissingPriceError:
                    omitted.append(user)
                    continue
                changes += account.end_period(value - account.cost + account.realized - account.fees, gross)
            self._writer.event("period", timestamp=stamp)
            commit([*changes, *self._writer.finish()])
            return omitted

    # ------------------------------------------------------------------ positions

    def get(self, user: str, market: str, token: str, timestamp: Any = None) -> Position:
        """One position, valued at the last price if one is known.

        Raises
        ------
        UnknownPositionError
            It is not open.
        """
        self._lock.acquire()
        try:
            now = self._latest if timestamp is None else nanoseconds(timestamp)
            return self._books.position((user, market, token), now)
        finally:
            self._lock.release()

    def has(self, user: str, market: str, token: str) -> bool:
        """Return True if a position is open."""
        return (user, market, token) in self._books.positions

    def remove(self, user: str, market: str, token: str) -> Position:
        """Remove a position without a trade, and return it; its realized profit stays with the user."""
        with self._lock:
            position, key = self.get(user, market, token), (user, market, token)
            self._writer.begin()
            self._writer.position("remove", key, self._books.nothing(key))
            commit([*self._books.dropped([key]), *self._writer.finish()])
            return position

    def count(self, user: str | None = None) -> int:
        """Number of open positions of a user, or of all."""
        with self._lock:
            return len(self._books.positions) if user is None else len(self._books.account(user).keys)

    def clear(self, user: str | None = None) -> int:
        """Remove a user, or all users, with their positions; return the number of positions. Prices and trade ids stay."""
        with self._lock:
            users = list(self._books.users) if user is None else [user]
            keys = [key for name in users for key in self._books.account(name).keys]
            self._writer.begin()
            self._writer.event("clear")
            for key in keys:
                self._writer.position("clear", key, self._books.nothing(key))
            gone = [(self._books.users.pop, name) for name in users]
            commit([*self._books.dropped(keys), *gone, *self._writer.finish(body={"user": user})])
            return len(keys)

    def positions_for_market(self, market: str, timestamp: Any = None) -> list[Position]:
        """Positions on a market, in the order in which they were opened."""
        with self._lock:
            return [self._books.position(key, self._when(timestamp)) for key in self._books.by_market.get(market, ())]

    def positions_of(self, user: str, timestamp: Any = None) -> list[Position]:
        """Positions of a user, in the order in which they were opened."""
        with self._lock:
            return [self._books.position(key, self._when(timestamp)) for key in self._books.account(user).keys]

    def users(self) -> list[str]:
        """Known users."""
        with self._lock:
            return list(self._books.users)

    def idle_positions(self, timestamp: Any, idle: Duration = "7d") -> list[Position]:
        """Positions without a trade for `idle` or longer, the longest first."""
        with self._lock:
            before = nanoseconds(timestamp) - duration(idle, "idle")
            found = [key for key, position in self._books.positions.items() if position.updated <= before]
            found.sort(key=lambda key: self._books.positions[key].updated)
            return [self._books.position(key, nanoseconds(timestamp)) for key in found]

    # ------------------------------------------------------------------ users

    def total_unrealized_pnl(self, user: str | None = None) -> float:
        """Value minus cost of the positions of a user, or of all users, in money.

        Raises
        ------
        UnknownUserError, MissingPriceError
        """
        with self._lock:
            accounts = self._books.users if user is None else {user: self._books.account(user)}
            return self._books.quantum.number(
                sum(self._books.worth(name)[1] - account.cost for name, account in accounts.items())
            )

    def total_exposure(self, user: str | None = None) -> float:
        """Gross exposure of a user, or of all users, in money; errors as in `total_unrealized_pnl`."""
        with self._lock:
            worth = self._books.worth
            gross = sum(worth(name)[0] for name in self._books.users) if user is None else worth(user)[0]
            return self._books.quantum.number(gross)

    def exposure(self, user: str, timestamp: Any = None) -> UserExposure:
        """Amount, value and share of each token of a user, over all markets.

        Parameters
        ----------
        timestamp : optional
            Time at which the age of prices is measured; by default the latest time of any event.

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
            return user_metrics(self._books, user, self._periods_per_year)

    def high_risk_users(
        self,
        *,
        max_exposure: float | None = None,
        max_concentration: float | None = None,
        max_var: float | None = None,
        max_drawdown: float | None = None,
    ) -> Any:
        """Users beyond at least one of the given limits (a value equal to its limit is not beyond it).

        Parameters
        ----------
        max_exposure, max_var : float, optional
            Money.
        max_concentration, max_drawdown : float, optional
            Fractions: 0.10 is 10 %.

        Returns
        -------
        DataFrame
            Indexed by user: the four measures, and ``reasons``. A user with a missing price is included, because the
            measures are unknown.
        """
        measures = {"total_exposure": max_exposure, "concentration": max_concentration, "var": max_var}
        return high_risk(self, measures | {"max_drawdown": max_drawdown})

    def to_frame(self) -> Any:
        """One row per position."""
        import pandas as pd

        with self._lock:
            rows = [self._books.position(key, self._latest).to_dict() for key in self._books.positions]
        return pd.DataFrame(rows, columns=list(Position._fields))

    # ------------------------------------------------------------------ state and journal

    _events = EVENTS
    _shape = SHAPE
    _options = staticmethod(options_of)
    _fill = fill
    _plain = plain_state
    _sorted = staticmethod(sorted_state)

    def _texts(self) -> Iterable[str]:
        return (text for key in self._books.positions for text in key)

    def _positions(self) -> Iterable[Key]:
        return self._books.positions

    def _position_row(self, key: Key) -> PositionRow:
        return self._books.position_row(key)

    def _last_time(self) -> int | None:
        return self._latest

    # ------------------------------------------------------------------ inside

    def _trade(self, kind: str, user: str, market: str, stamp: int, legs: Sequence[Any], trade_id: Any) -> float:
        """Book the legs of a trade, (role, token, lots, money) each, all or none; return the realized profit."""
        booked, writer, draft = (user, market, trade_id), self._writer, Draft(self._books, user, market)
        known: list[Change] = []
        if trade_id is not None:
            self._trade_ids.check(booked, stamp)
            known = self._trade_ids.added(booked, stamp)
        if writer.journal is not None:
            writer.begin(user, market, trade_id=trade_id)
        realized, draft.traded = 0, legs[0][3]
        for role, token, lots, money in legs:
            key = user, market, token
            profit = draft.fill(key, lots, money, stamp)
            realized += profit
            if role == "gas":
                draft.fees += money
            if writer.journal is not None:
                writer.leg(kind, role, key, draft.position_row(key), lots, money, profit, stamp)
        changes = [*known, *draft.changes()]
        if stamp != self._latest:
            changes.append(self._advanced(stamp))
        commit([*changes, *writer.finish()] if writer.journal is not None else changes)
        return self._books.quantum.number(realized)

    def _request(self, user: Any, market: Any, token: Any, amount: Any, timestamp: Any) -> tuple[int, int]:
        try:
            known = (user, market, token) in self._books.positions
        except TypeError:  # a list, ...
            known = False
        if not known:
            for name, text in (("user", user), ("market", market), ("token", token)):
                checked(as_text, text, name)
        return self._stamp(timestamp), self._books.prices.lot(token).count(amount, "amount")

    def _gas(self, user: Any, market: Any, token: Any, amount: Any, timestamp: Any) -> tuple[int, int]:
        """Lots of gas and their value in quanta."""
        if token is None:
            if amount not in (0, None):
                raise InputError(f"gas_amount={shown(amount)} has no gas_token")
            return 0, 0
        _, lots = self._request(user, market, token, amount, timestamp)
        if lots < 0:
            raise InputError(f"gas_amount={shown(amount)} is negative")
        return lots, self._books.prices.known(market, token).money(lots) if lots else 0

    def _stamp(self, timestamp: Any) -> int:
        """The time of an event, not far ahead of the latest one."""
        stamp, latest = nanoseconds(timestamp), self._latest
        if latest is not None and stamp > latest:
            refuse_ahead(stamp, latest, self._max_ahead, "timestamp")
        return stamp

    def _advanced(self, stamp: int) -> Change:
        """The change that makes the latest time this one, if it is later."""
        return setattr, self, "_latest", stamp if self._latest is None else max(self._latest, stamp)

    def _when(self, timestamp: Any) -> int | None:
        return self._latest if timestamp is None else nanoseconds(timestamp)

    def _rows(self) -> list[Row]:
        with self._lock:
            return [
                ("positions", len(self._books.positions), ""),
                ("users", len(self._books.users), ""),
                ("markets", len(self._books.by_market), ""),
                ("tokens", len(self._books.prices.lots), ""),
                ("trade ids", len(self._trade_ids), "remembered"),
            ]
