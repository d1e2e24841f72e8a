"""`RiskManager`: one book beside its live risk; it says whether a trade may be done and what it does to VaR.

Money and quantities are whole quanta and lots, so that cash and holdings are exact after any number of trades from
any number of threads. VaR is normal, for one day, from an EWMA covariance of log returns of bars.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from riskkit._check import InputError, one_of, positive, whole_number
from riskkit._show import Row
from riskkit.desk.amounts import Unit
from riskkit.desk.fields import Problem, RequestError, as_side, as_text, as_time, checked, nanoseconds, optionally
from riskkit.desk.journal import JournalRow, Key, Scribe, Standing
from riskkit.desk.kept import Kept
from riskkit.desk.limits import Limits
from riskkit.desk.manager.answers import Dashboard, LimitChange, PortfolioState, TradeImpact
from riskkit.desk.manager.gate import Gate, broken_state
from riskkit.desk.manager.ledger import LARGEST, Ledger, Line
from riskkit.desk.manager.portfolio_risk import PortfolioRisk
from riskkit.desk.manager.replayed import replay
from riskkit.desk.manager.state import fill, options_of, plain_state, sorted_state, stamp_of
from riskkit.desk.manager.stress_window import under_stress
from riskkit.desk.manager.views import dashboard, market_data, portfolio_state
from riskkit.desk.market.live_covariance import LiveCovariance, grown, log_moves
from riskkit.returns import log_returns

__all__ = ["CorruptStateError", "RiskManager", "UnknownTickerError"]


OWNER = ("desk", "desk")
"""User and market of a manager's trades in a log."""


class UnknownTickerError(InputError):
    """A ticker that the book does not know.

    Examples
    --------
    >>> desk = RiskManager(10_000, bars_per_day=1)
    >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
    >>> desk.set_price("APPL", 101.0)
    Traceback (most recent call last):
        ...
    riskkit.desk.manager.risk_manager.UnknownTickerError: ticker 'APPL' is unknown; add_ticker makes it known
    """


class CorruptStateError(RuntimeError):
    """What is kept does not fit together: money was made or lost, or a number is none.

    Examples
    --------
    >>> issubclass(CorruptStateError, RuntimeError)
    True
    """


class RiskManager(Kept):
    """Cash, holdings, prices, and the live and stressed covariance of one book; safe under threads.

    Parameters
    ----------
    cash : number
        Opening cash, a whole number of `quantum`.
    limits : Limits
        VaR, size of a position, drawdown; None is no limit. They change through `set_limits` only. What equals a
        limit passes, and a trade that only reduces a position is held against none of them.
    decay : float
        Of the EWMA covariance.
    z : float, optional
        Normal quantile to use as it is (1.65); without it the exact one of `limits.confidence`.
    bars_per_day : float
        VaR and volatility are scaled to a day by its square root: 390 one-minute bars, 1 for daily bars.
    lot, quantum : number
        Steps of quantities and of money.
    short_selling : bool
        Whether more may be sold than is held.
    min_bars : int
        With a VaR limit, a ticker with fewer returns than this can only be reduced, unless ``on_warm_up="allow"``.
    on_warm_up : {"reject", "allow"}
    history : int
        How many of the last executions are kept.

    Raises
    ------
    InputError
        Arguments out of range, cash that is no whole number of quanta.

    Examples
    --------
    >>> desk = RiskManager(10_000, limits=Limits(var_limit=500.0), bars_per_day=1)
    >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
    >>> desk.execute_trade("AAPL", 90, "buy").decision
    'APPROVED'
    >>> impact = desk.check_trade_impact("AAPL", 10, "buy")
    >>> impact.decision, round(impact.old_var, 2), round(impact.incremental_var, 2)
    ('APPROVED', 296.07, 32.9)
    >>> desk.check_trade_impact("AAPL", 11, "buy").reason
    'costs 1,100.00 and 1,000.00 is in cash'
    """

    def __init__(
        self,
        cash: Any,
        *,
        limits: Limits | None = None,
        decay: float = 0.94,
        z: float | None = None,
        bars_per_day: float = 390.0,
        lot: Any = 1,
        quantum: Any = "0.01",
        short_selling: bool = False,
        min_bars: int = 20,
        on_warm_up: str = "reject",
        history: int = 1000,
    ) -> None:
        self._lock = threading.RLock()
        self._ledger = Ledger(cash, Unit(lot), Unit(quantum))
        self._risk = PortfolioRisk(LiveCovariance(decay), positive(bars_per_day, "bars_per_day"))
        self._closes: dict[str, float] = {}
        self._stressed: np.ndarray | None = None
        self._min_bars = whole_number(min_bars, "min_bars", at_least=0)
        needed = self._min_bars if one_of(on_warm_up, ("reject", "allow"), "on_warm_up") == "reject" else 0
        self._gate = Gate(Limits() if limits is None else limits, z, bars_per_day, bool(short_selling), needed)
        self._timestamp: Any = None
        self.executions: deque[TradeImpact] = deque(maxlen=whole_number(history, "history"))
        self.journal: list[LimitChange] = []
        self.approved = self.rejected = 0
        self._scribe = Scribe(self._ledger.quantum, self._standing)

    # ------------------------------------------------------------------ market

    def warm_up(self, bars: Any, timestamp: Any = None, *, stress: tuple[Any, Any] | None = None) -> None:
        """Seed the covariance, the stressed covariance and the prices with closing prices of past bars.

        Parameters
        ----------
        bars : DataFrame (n_bars, n_tickers)
            Closing prices, oldest first, at least three rows; every ticker that is held among its columns.
        timestamp : optional
            Of the last bar.
        stress : (start, end), optional
            The window of stress, as labels of the rows. Without it, the quarter of the bars (at least two) in which
            the tickers moved most: the largest mean of squared returns, each in units of its own variance.

        Raises
        ------
        RequestError
            Prices that are not finite and above zero, too few bars, a held ticker that is missing.
        """
        if not hasattr(bars, "columns"):
            raise RequestError([Problem("bars", "bars have no tickers; give a DataFrame of closing prices")])
        moves = checked(lambda value, name: log_returns(value), bars, "bars")
        if len(moves) < 2:
            raise RequestError([Problem("bars", f"bars has {len(bars)} rows; at least three are needed")])
        with self._lock:
            absent = [
                ticker
                for ticker, line in self._ledger.lines.items()
                if ticker not in bars.columns and line.holding.lots
            ]
            if absent:
                raise RequestError([Problem("bars", f"bars has no column {absent[0]!r}, which is held")])
            stressed = checked(lambda value, name: under_stress(moves, value), stress, "stress")
            self._in_time(timestamp)
            self._scribe.ready(*map(str, bars.columns))
            self._stressed = stressed
            self._risk.covariance.seed(moves)
            self._closes = {}
            lines = self._ledger.lines
            self._ledger.lines = {ticker: lines.get(ticker, Line()) for ticker in self._risk.covariance.places}
            self._take_bar({str(ticker): float(price) for ticker, price in bars.iloc[-1].items()}, timestamp)
            self._told("warm_up")  # what it made of the bars is written, not the bars

    def add_ticker(
        self,
        ticker: str,
        price: float | None = None,
        *,
        volatility: float | None = None,
        stressed_volatility: float | None = None,
        timestamp: Any = None,
    ) -> None:
        """Make a ticker known: the matrices grow by a row and a column, and keep what they have learnt.

        Parameters
        ----------
        ticker : str
        price : float, optional
            Without it, trades in the ticker are rejected until one comes.
        volatility : float, optional
            Daily; the ticker then counts as warmed up. Without it, its variance begins with its first return.
        stressed_volatility : float, optional
            Daily; without it the largest of the stressed matrix.
        """
        checked(as_text, ticker, "ticker")
        with self._lock:
            if ticker in self._ledger.lines:
                raise RequestError([Problem("ticker", f"ticker {ticker!r} is known already")])
            per_bar = self._risk.bars_per_day**-0.5
            own = None if volatility is None else checked(positive, volatility, "volatility") * per_bar
            worst = None
            if stressed_volatility is not None:
                worst = (positive(stressed_volatility, "stressed_volatility") * per_bar) ** 2
            if price is not None:
                self._priced(ticker, price, "price")
            stamp = checked(optionally(nanoseconds), timestamp, "timestamp")
            self._scribe.ready(ticker)
            self._grow(ticker, own, worst, 0 if volatility is None else self._min_bars)
            if price is not None:
                self._price(ticker, price, timestamp)
            given = {"price": price, "volatility": volatility, "stressed_volatility": stressed_volatility}
            self._scribe.note("ticker", timestamp=stamp, token=ticker)
            self._scribe.done(body={name: None if value is None else float(value) for name, value in given.items()})

    def set_price(self, ticker: str, price: float, timestamp: Any = None) -> None:
        """Take a price between bars: holdings are valued at it, the covariance waits for the bar."""
        with self._lock:
            self._known(ticker)
            self._priced(ticker, price, "price")
            self._in_time(timestamp)
            self._scribe.ready(ticker)
            self._price(ticker, price, timestamp)
            self._scribe.note("price", timestamp=stamp_of(timestamp), token=ticker)
            self._scribe.done(body={"price": float(price)})

    def on_bar(self, closes: Any, timestamp: Any = None) -> None:
        """Take the closing prices of a bar, of all tickers at once: covariance, then prices and VaR.

        Parameters
        ----------
        closes : mapping, or a `Bar` of a `MarketStream`
            {ticker: price}. A known ticker that is not in it did not move; a new one is added.
        timestamp : optional
            Of the end of the bar; a `Bar` brings its own.
        """
        if hasattr(closes, "closes"):
            closes, timestamp = closes.closes, closes.timestamp if timestamp is None else timestamp
        if not isinstance(closes, Mapping):
            raise RequestError([Problem("closes", "closes is no mapping from ticker to price")])
        with self._lock:
            prices = {
                checked(as_text, ticker, "ticker"): self._priced(ticker, price, f"closes[{ticker!r}]")
                for ticker, price in closes.items()
            }
            self._in_time(timestamp)
            self._scribe.ready(*prices)
            for ticker in prices:
                if ticker not in self._ledger.lines:
                    self._grow(ticker, None, None, 0)
            self._risk.covariance.step(log_moves(self._closes, prices))
            self._take_bar(prices, timestamp)
            self._scribe.note("bar", timestamp=stamp_of(timestamp))
            self._scribe.done(body=prices)

    def get_market_data(self) -> Any:
        """One row a ticker: price and its time, daily volatility and stressed volatility, returns seen."""
        with self._lock:
            return market_data(self._ledger, self._risk, self._stressed)

    # ------------------------------------------------------------------ trades

    def check_trade_impact(self, ticker: str, qty: Any, side: Any, *, timestamp: Any = None) -> TradeImpact:
        """What a trade at the last price would do: solvency, inventory and limits; VaR before and after.

        Parameters
        ----------
        ticker : str
        qty : number
            Above zero, a whole number of lots.
        side : {"buy", "sell"}
            Or any spelling that an event log takes.
        timestamp : optional
            Handed on as it came.

        Returns
        -------
        TradeImpact
            REJECTED, with the reason, where the ticker is unknown, has no price or (under a VaR limit) too few
            returns, cash or inventory does not suffice, a limit would be exceeded, or the state is corrupt. Nothing
            changes.

        Raises
        ------
        RequestError
            A quantity, side or time that does not fit.
        """
        with self._lock:
            return self._judge(*self._request(ticker, qty, side, timestamp))

    def execute_trade(self, ticker: str, qty: Any, side: Any, *, timestamp: Any = None) -> TradeImpact:
        """`check_trade_impact`, and if it is approved, the trade: all or nothing; with a store, it needs its time.

        Returns
        -------
        TradeImpact
            With ``executed`` True where it was approved; it is then in `executions` too.
        """
        with self._lock:
            ticker, lots, sold, timestamp = self._request(ticker, qty, side, timestamp)
            if timestamp is None and self._scribe.journal is not None:
                raise RequestError([Problem("timestamp", "timestamp is missing; a stored trade needs its time")])
            impact = self._judge(ticker, lots, sold, timestamp)
            if not impact.approved:
                self.rejected += 1
                return impact
            self._scribe.ready(ticker)
            risk, line = self._risk, self._ledger.lines[ticker]
            saved = risk.gradient.copy(), risk.positions.copy(), risk.variance
            value = line.value
            try:
                signed = -lots if sold else lots
                risk.move(
                    risk.covariance.places[ticker], self._ledger.money(line.money(line.holding.lots + signed) - value)
                )
                done = TradeImpact._trusted(**{**impact.__dict__, "executed": True})
            except BaseException:
                risk.gradient, risk.positions, risk.variance = saved
                raise
            money = line.money(lots)
            realised = self._ledger.trade(ticker, signed, money)  # integers, after which nothing can fail
            self.executions.append(done)
            self.approved += 1
            self._scribe.leg("trade", "trade", (*OWNER, ticker), signed, money, realised, stamp_of(timestamp))
            self._scribe.done()
            return done

    # ------------------------------------------------------------------ answers

    def get_portfolio_state(self) -> PortfolioState:
        """Cash, holdings, value, profits and drawdown at the last prices."""
        with self._lock:
            self._refuse_corrupt()
            return portfolio_state(self._ledger, self._timestamp)

    def get_dashboard_metrics(self) -> Dashboard:
        """Volatility, VaR and component VaR of a day, VaR under the stressed covariance, and a frame per holding."""
        with self._lock:
            self._refuse_corrupt()
            return dashboard(self._ledger, self._risk, self._stressed, self._gate, self._timestamp)

    @property
    def limits(self) -> Limits:
        """The limits as they are now."""
        return self._gate.limits

    def set_limits(self, who: str, why: str, *, timestamp: Any = None, **changes: Any) -> Limits:
        """Change limits at run time; who did it, why, and what stood before are kept in `journal`.

        Raises
        ------
        RequestError
            Nobody named, no reason, an unknown limit, or one out of range; nothing is changed then.
        """
        with self._lock:
            before = self.limits
            after = Limits.from_dict({**before.to_dict(), **changes})
            change = LimitChange(who, why, before, after, timestamp)
            self._scribe.ready(who, why)
            self._gate = self._gate.with_limits(after)
            self.journal.append(change)
            self._scribe.note("limits", timestamp=stamp_of(timestamp))
            self._scribe.done(body={"who": who, "why": why, "limits": after.to_dict()})
            return after

    def verify(self) -> None:
        """Recompute everything that is kept and refuse a state that does not fit together.

        Raises
        ------
        CorruptStateError
            With the first thing that does not fit.
        """
        with self._lock:
            self._refuse_corrupt()
            ledger, variance, gradient = self._ledger, self._risk.variance, self._risk.gradient.copy()
            if ledger.value != sum(line.money(line.holding.lots) for line in ledger.lines.values()):
                raise CorruptStateError("the value of the holdings is not the sum of its lines")
            self._risk.refresh()
            fresh = self._risk.gradient
            near = np.allclose(gradient, fresh, rtol=1e-6, atol=1e-9 * np.abs(fresh).max(initial=0.0))
            apart = float(self._risk.positions**2 @ np.diag(self._risk.covariance.matrix))  # were nothing hedged
            if not near or not np.isclose(variance, self._risk.variance, rtol=1e-6, atol=1e-9 * apart):
                raise CorruptStateError("the variance that was kept is not that of the positions")

    # ------------------------------------------------------------------ inside

    def _plain(self) -> dict[str, Any]:
        return plain_state(self)

    @classmethod
    def _restored(cls, state: Any) -> RiskManager:
        made = cls(**options_of(state))
        fill(made, state)
        return made

    _sorted = staticmethod(sorted_state)

    def _tell(self, kind: str) -> None:
        self._scribe.ready(*self._ledger.lines)
        self._told(kind)

    def _told(self, kind: str) -> None:
        """Tell of the whole state, where what is to be told was asked for."""
        self._scribe.note(kind, role=type(self).__name__, timestamp=stamp_of(self._timestamp))
        for ticker, line in self._ledger.lines.items():
            if line.holding.lots:
                self._scribe.position(kind, (*OWNER, ticker))
        self._scribe.tell(self._plain)

    def _replay(self, rows: Sequence[JournalRow]) -> None:
        replay(self, rows)

    def _standing(self, key: Key) -> Standing:
        return Standing(self._ledger.lot, self._ledger.lines[key[2]].holding)

    def _grow(self, ticker: str, variance_root: float | None, worst: float | None, bars: int) -> None:
        """Give a ticker a line, and a row in each matrix."""
        if self._stressed is not None:
            largest = float(np.diag(self._stressed).max(initial=0.0))
            self._stressed = grown(self._stressed, largest if worst is None else worst)
        self._risk.covariance.add(ticker, variance_root, bars)
        self._risk.refresh()
        self._ledger.lines[ticker] = Line()

    def _request(self, ticker: Any, qty: Any, side: Any, timestamp: Any) -> tuple[str, int, bool, Any]:
        checked(as_text, ticker, "ticker")
        lots = checked(lambda value, name: self._ledger.lot.count(value, name, floats=True), qty, "qty")
        if lots <= 0:
            raise RequestError([Problem("qty", f"qty={qty!r} is not above zero; the side says whether it is sold")])
        if lots >= LARGEST:
            raise RequestError([Problem("qty", f"qty={qty!r} is beyond 2^128 lots")])
        if timestamp is not None:
            checked(as_time, timestamp, "timestamp")
        return ticker, lots, checked(as_side, side, "side") == "sell", timestamp

    def _take_bar(self, prices: Mapping[str, float], timestamp: Any) -> None:
        for ticker, price in prices.items():
            self._ledger.set_price(ticker, price, timestamp)
        self._closes.update(prices)
        places = self._risk.covariance.places
        self._risk.positions = np.array([self._ledger.money(self._ledger.lines[ticker].value) for ticker in places])
        self._risk.refresh()
        self._ledger.mark()
        self._timestamp = self._timestamp if timestamp is None else timestamp

    def _price(self, ticker: str, price: float, timestamp: Any) -> None:
        line = self._ledger.lines[ticker]
        before = line.value
        self._ledger.set_price(ticker, price, timestamp)
        self._risk.move(self._risk.covariance.places[ticker], self._ledger.money(line.value - before))
        self._ledger.mark()
        self._timestamp = self._timestamp if timestamp is None else timestamp

    def _judge(self, ticker: str, lots: int, sold: bool, timestamp: Any) -> TradeImpact:
        return self._gate.judge(self._ledger, self._risk, ticker, lots, sold, timestamp)

    def _priced(self, ticker: str, price: Any, name: str) -> float:
        """A price that the ledger can take."""
        number = checked(positive, price, name)
        checked(lambda value, _: self._ledger.priced(ticker, value), number, name)
        return number

    def _in_time(self, timestamp: Any) -> None:
        """Refuse what is earlier than what was taken before."""
        if timestamp is None:
            return
        stamp = checked(nanoseconds, timestamp, "timestamp")
        if self._timestamp is not None and stamp < nanoseconds(self._timestamp):
            message = f"timestamp={timestamp!r} is earlier than {self._timestamp!r}, the last one that was taken"
            raise RequestError([Problem("timestamp", message)])

    def _known(self, ticker: str) -> Line:
        line = self._ledger.lines.get(ticker)
        if line is None:
            raise UnknownTickerError(f"ticker {ticker!r} is unknown; add_ticker makes it known")
        return line

    def _refuse_corrupt(self) -> None:
        broken = broken_state(self._ledger, self._risk)
        if broken is not None:
            raise CorruptStateError(broken)

    def _rows(self) -> list[Row]:
        broken = broken_state(self._ledger, self._risk)
        if broken is not None:
            return [("the state is corrupt", "", broken)]
        state = self.get_portfolio_state()
        return [
            *state._rows(),
            ("VaR", self._gate.factor * self._risk.variance**0.5, "money a day"),
            ("trades", self.approved, "executed"),
        ]
