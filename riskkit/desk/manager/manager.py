"""`RiskManager`: one book with live risk, which checks and executes trades.

Money and quantities are whole quanta and lots, so that cash and holdings are exact after any number of trades from any
number of threads. VaR is normal, for one day, from an EWMA covariance of log returns of bars.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any, Self

import numpy as np

from riskkit._check import Duration, one_of, positive, shown, whole_number
from riskkit._commit import Change, commit
from riskkit._fork import lock_of
from riskkit._show import Row
from riskkit.desk.core.exact import Step
from riskkit.desk.core.journal import Key, PositionRow, Writer
from riskkit.desk.core.limits import DeskLimits
from riskkit.desk.core.pre_trade_check import PreTradeCheck, failed_check
from riskkit.desk.core.records import (
    Problem,
    RequestError,
    as_side,
    as_text,
    as_time,
    checked,
    nanoseconds,
    optional_nanoseconds,
)
from riskkit.desk.core.stateful import Stateful
from riskkit.desk.manager.ledger import LIMIT, Holding, Ledger, UnknownTickerError
from riskkit.desk.manager.limit_check import CorruptStateError, LimitChecker, LimitUse, corruption, limit_frame, verify
from riskkit.desk.manager.persistence import EVENTS, SHAPE, fill, options_of, plain_state, sorted_state
from riskkit.desk.manager.reports import (
    DashboardMetrics,
    LimitChange,
    PortfolioState,
    dashboard_metrics,
    market_data,
    portfolio_state,
)
from riskkit.desk.manager.risk import IncrementalRisk, stress_covariance
from riskkit.desk.market.live_covariance import LiveCovariance, expanded, log_moves
from riskkit.replay.schema.durations import MAX_AHEAD, duration, refuse_ahead
from riskkit.returns import log_returns

OWNER = ("desk", "desk")  # user and market of a manager's trades in a journal


class RiskManager(Stateful):
    """Cash, holdings, prices, and the live and stressed covariance of one book; safe under threads.

    Parameters
    ----------
    cash : number
        Opening cash, a whole number of `quantum`.
    limits : DeskLimits
        VaR, position size, drawdown; None is no limit. Changed by `set_limits` only. A value equal to its limit passes,
        and a trade that only reduces a position is checked against none of them.
    decay : float
        Weight of the past in the EWMA covariance, between 0 and 1.
    z : float, optional
        Normal quantile, such as 1.65; by default the exact one of `limits.confidence`.
    bars_per_day : float
        VaR and volatility are scaled to a day by its square root: 390 one-minute bars, 1 for daily bars.
    lot, quantum : number
        Steps of quantities and of money.
    short_selling : bool
        Allow sales of more than is held.
    min_bars : int
        With a VaR limit, a ticker with fewer returns than this can only be reduced, unless ``on_warm_up="allow"``.
    on_warm_up : {"reject", "allow"}
    keep : int
        Number of the last executions to keep.
    max_ahead : str, Timedelta or int
        A time further ahead of the last one is refused.

    Raises
    ------
    InputError
        Arguments out of range, cash that is not a whole number of quanta.

    Examples
    --------
    >>> desk = RiskManager(10_000, limits=DeskLimits(var_limit=500.0), bars_per_day=1)
    >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
    >>> desk.execute_trade("AAPL", 90, "buy").decision
    'APPROVED'
    >>> check = desk.check_trade_impact("AAPL", 10, "buy")
    >>> check.decision, round(check.old_var, 2), round(check.incremental_var, 2)
    ('APPROVED', 296.07, 32.9)
    >>> desk.check_trade_impact("AAPL", 11, "buy").reason
    'costs 1,100.00 and 1,000.00 is in cash'
    """

    def __init__(
        self,
        cash: Any,
        *,
        limits: DeskLimits | None = None,
        decay: float = 0.94,
        z: float | None = None,
        bars_per_day: float = 390.0,
        lot: Any = 1,
        quantum: Any = "0.01",
        short_selling: bool = False,
        min_bars: int = 20,
        on_warm_up: str = "reject",
        keep: int = 1000,
        max_ahead: Duration = MAX_AHEAD,
    ) -> None:
        self._max_ahead = duration(max_ahead, "max_ahead", zero=False)
        self._lock = lock_of(self)
        self._ledger = Ledger(cash, Step(lot), Step(quantum))
        self._risk = IncrementalRisk(LiveCovariance(decay), positive(bars_per_day, "bars_per_day"))
        self._closes: dict[str, float] = {}
        self._stressed: np.ndarray | None = None
        self._min_bars = whole_number(min_bars, "min_bars", at_least=0)
        needed = self._min_bars if one_of(on_warm_up, ("reject", "allow"), "on_warm_up") == "reject" else 0
        limits = DeskLimits() if limits is None else limits
        self._checker = LimitChecker(limits, z, bars_per_day, bool(short_selling), needed)
        self._timestamp: Any = None
        self.executions: deque[PreTradeCheck] = deque(maxlen=whole_number(keep, "keep"))
        self.journal: list[LimitChange] = []
        self.approved = self.rejected = 0
        self._writer = Writer(self._ledger.quantum)

    # ------------------------------------------------------------------ market

    def warm_up(self, closes: Any, timestamp: Any = None, *, stress: tuple[Any, Any] | None = None) -> None:
        """Seed the covariance, the stressed covariance and the prices from closing prices of past bars.

        Parameters
        ----------
        closes : DataFrame (n_bars, n_tickers)
            Closing prices, oldest first, at least three rows; with a column for every ticker held.
        timestamp : optional
            Of the last bar.
        stress : (first, last), optional
            Stress window, as labels of the rows. By default the most volatile quarter of the bars (at least two): the
            largest mean of squared returns, each in units of its ticker's mean.

        Raises
        ------
        RequestError
            Prices that are not finite and above zero, too few bars, a missing column.
        """
        if not hasattr(closes, "columns"):
            raise RequestError([Problem("closes", "closes has no tickers; give a DataFrame of closing prices")])
        returns = checked(lambda value, name: log_returns(value), closes, "closes")
        if len(returns) < 2:
            raise RequestError([Problem("closes", f"closes has {len(closes)} rows; at least three are needed")])
        with self._lock:
            missing = [key[2] for key in self._positions() if key[2] not in closes.columns]
            if missing:
                raise RequestError([Problem("closes", f"closes has no column {missing[0]!r}, which is held")])
            stressed = checked(lambda value, name: stress_covariance(returns, value), stress, "stress")
            self._check_time(timestamp)
            self._writer.begin(*map(str, closes.columns))
            last = {str(ticker): float(price) for ticker, price in closes.iloc[-1].items()}
            draft = self._draft(last)
            draft._stressed, draft._closes = stressed, {}
            draft._risk.covariance.seed(returns)
            draft._ledger.holdings = {ticker: draft._ledger.holdings[ticker] for ticker in draft._risk.covariance.index}
            draft._apply_bar(last, timestamp)
            self._swap(draft, draft._state_event("warm_up", self._writer))  # the resulting state, not the bars

    def add_ticker(
        self,
        ticker: str,
        price: float | None = None,
        *,
        volatility: float | None = None,
        stressed_volatility: float | None = None,
        timestamp: Any = None,
    ) -> None:
        """Add a ticker: a row and a column of the covariance, without a reset.

        Parameters
        ----------
        ticker : str
        price : float, optional
            Without it, trades in the ticker are rejected until its first price.
        volatility : float, optional
            Daily, as a fraction; the ticker then counts as warmed up. By default its variance begins with its first
            return.
        stressed_volatility : float, optional
            Daily, as a fraction; by default the largest of the stressed covariance.
        """
        checked(as_text, ticker, "ticker")
        with self._lock:
            if ticker in self._ledger.holdings:
                raise RequestError([Problem("ticker", f"ticker {ticker!r} was added already")])
            per_bar = self._risk.bars_per_day**-0.5
            root = None if volatility is None else checked(positive, volatility, "volatility") * per_bar
            stressed = None
            if stressed_volatility is not None:
                stressed = (positive(stressed_volatility, "stressed_volatility") * per_bar) ** 2
            if price is not None:
                self._valid_price(ticker, price, "price")
            stamp, draft = checked(optional_nanoseconds, timestamp, "timestamp"), self._draft()
            self._writer.begin(ticker)
            draft._add(ticker, root, stressed, 0 if volatility is None else self._min_bars)
            if price is not None:
                draft._apply_price(ticker, price, timestamp)
            given = {"price": price, "volatility": volatility, "stressed_volatility": stressed_volatility}
            self._writer.event("ticker", timestamp=stamp, token=ticker)
            body = {name: None if value is None else float(value) for name, value in given.items()}
            self._swap(draft, self._writer.finish(body=body))

    def set_price(self, ticker: str, price: float, timestamp: Any = None) -> None:
        """Set a price between bars: it revalues the holding and leaves the covariance unchanged."""
        with self._lock:
            if ticker not in self._ledger.holdings:
                raise UnknownTickerError(f"ticker {ticker!r} is unknown; add it by add_ticker")
            self._valid_price(ticker, price, "price")
            self._check_time(timestamp)
            self._writer.begin(ticker)
            draft = self._draft([ticker])
            draft._apply_price(ticker, price, timestamp)
            self._writer.event("price", timestamp=optional_nanoseconds(timestamp), token=ticker)
            self._swap(draft, self._writer.finish(body={"price": float(price)}))

    def on_bar(self, closes: Any, timestamp: Any = None) -> None:
        """Add the closing prices of a bar, of all tickers at once: update covariance, prices and VaR.

        Parameters
        ----------
        closes : mapping, or a `Bar` of a `MarketStream`
            {ticker: price}. A known ticker without a price did not move; a new one is added.
        timestamp : optional
            End of the bar; by default that of the `Bar`.
        """
        if hasattr(closes, "closes"):
            closes, timestamp = closes.closes, closes.timestamp if timestamp is None else timestamp
        if not isinstance(closes, Mapping):
            raise RequestError([Problem("closes", "closes is not a mapping from ticker to price")])
        with self._lock:
            prices = {
                checked(as_text, ticker, "ticker"): self._valid_price(ticker, price, f"closes[{ticker!r}]")
                for ticker, price in closes.items()
            }
            self._check_time(timestamp)
            self._writer.begin(*prices)
            draft = self._draft(self._ledger.holdings.keys() & prices)
            for ticker in prices:
                if ticker not in draft._ledger.holdings:
                    draft._add(ticker, None, None, 0)
            draft._risk.covariance.step(log_moves(self._closes, prices))
            draft._apply_bar(prices, timestamp)
            self._writer.event("bar", timestamp=optional_nanoseconds(timestamp))
            self._swap(draft, self._writer.finish(body=prices))

    def get_market_data(self) -> Any:
        """One row per ticker: price and its time, daily volatility and stressed volatility, number of returns."""
        with self._lock:
            return market_data(self._ledger, self._risk, self._stressed)

    # ------------------------------------------------------------------ trades

    def check_trade_impact(self, ticker: str, qty: Any, side: Any, *, timestamp: Any = None) -> PreTradeCheck:
        """Check a trade at the last price: cash, inventory and limits; VaR before and after. Nothing changes.

        Parameters
        ----------
        ticker : str
        qty : number
            Above zero, a whole number of lots.
        side : {"buy", "sell"}
            Or any spelling that an event log accepts.
        timestamp : optional
            Copied to the answer.

        Returns
        -------
        PreTradeCheck
            Rejected, with the reason, if the ticker is unknown, has no price or (under a VaR limit) too few returns,
            if cash or inventory does not suffice, a limit would be exceeded, or the state is corrupt.

        Raises
        ------
        RequestError
            An invalid quantity, side or time.
        """
        with self._lock:
            return self._check(*self._request(ticker, qty, side, timestamp))

    def execute_trade(self, ticker: str, qty: Any, side: Any, *, timestamp: Any = None) -> PreTradeCheck:
        """Check a trade and execute it if it is approved, all or nothing; with a store, the time is required.

        Returns
        -------
        PreTradeCheck
            ``executed`` is True if it was approved; it is then in `executions` too.
        """
        with self._lock:
            ticker, lots, timestamp = self._request(ticker, qty, side, timestamp)
            if timestamp is None and self._writer.journal is not None:
                raise RequestError([Problem("timestamp", "timestamp is missing; a stored trade needs its time")])
            self._check_time(timestamp)
            check = self._check(ticker, lots, timestamp)
            if not check.approved:
                self.rejected += 1
                return check
            self._writer.begin(ticker)
            draft = self._draft([ticker])
            ledger, risk, holding = draft._ledger, draft._risk, draft._ledger.holdings[ticker]
            change = holding.money(holding.basis.lots + lots) - holding.value
            risk.move(risk.covariance.index[ticker], ledger.money(change))
            money, key, stamp = holding.money(abs(lots)), (*OWNER, ticker), optional_nanoseconds(timestamp)
            realized = ledger.trade(ticker, lots, money)
            draft.approved += 1
            self._writer.leg("trade", "trade", key, draft._position_row(key), lots, money, realized, stamp)
            done = PreTradeCheck._trusted(**{**check.__dict__, "executed": True})
            self._swap(draft, [(self.executions.append, done), *self._writer.finish()])
            return done

    # ------------------------------------------------------------------ answers
    def get_portfolio_state(self) -> PortfolioState:
        """Cash, holdings, value, profits and drawdown at the last prices."""
        with self._lock:
            self._check_corruption()
            return portfolio_state(self._ledger, self._timestamp)

    def get_dashboard_metrics(self) -> DashboardMetrics:
        """One-day volatility, VaR, component VaR, VaR under the stressed covariance, and a table of the holdings."""
        with self._lock:
            self._check_corruption()
            return dashboard_metrics(self._ledger, self._risk, self._stressed, self._checker, self._timestamp)

    def get_limit_utilization(self) -> Any:
        """Use of cash and of each limit that is set, at the last prices: a DataFrame with one row per limit.

        Columns: rule, key (the ticker of the largest position), observed, limit, headroom (money), and state: "ok",
        "near" (at most a tenth of the limit is left) or "breached" (a trade that adds to it is rejected).

        Examples
        --------
        >>> desk = RiskManager(10_000, limits=DeskLimits(max_position_size=0.5), bars_per_day=1)
        >>> desk.add_ticker("AAPL", price=100.0, volatility=0.02)
        >>> _ = desk.execute_trade("AAPL", 48, "buy")
        >>> desk.get_limit_utilization()[["observed", "limit", "state"]].to_numpy().tolist()
        [[4800.0, 10000.0, 'ok'], [4800.0, 5000.0, 'near']]
        """
        return limit_frame(self._limit_uses())

    def _limit_uses(self) -> list[LimitUse]:
        with self._lock:
            self._check_corruption()
            return self._checker.usage(self._ledger, self._risk)

    @property
    def limits(self) -> DeskLimits:
        """The present limits."""
        return self._checker.limits

    def set_limits(self, who: str, why: str, *, timestamp: Any = None, **changes: Any) -> DeskLimits:
        """Change limits at run time; `journal` records who, why, and the limits before and after.

        Raises
        ------
        RequestError
            `who` or `why` is empty, a limit is unknown or out of range; nothing is changed then.
        """
        with self._lock:
            after = DeskLimits.from_dict({**self.limits.to_dict(), **changes})
            change = LimitChange(who, why, self.limits, after, timestamp)
            self._writer.begin(who, why)
            checker = self._checker.with_limits(after)
            self._writer.event("limits", timestamp=optional_nanoseconds(timestamp))
            written = self._writer.finish(body={"who": who, "why": why, "limits": after.to_dict()})
            commit([(setattr, self, "_checker", checker), (self.journal.append, change), *written])
            return after

    def verify(self) -> None:
        """Recompute every cached number and refuse an inconsistent state.

        Raises
        ------
        CorruptStateError
            With the first inconsistency.
        """
        with self._lock:
            verify(self._ledger, self._risk)

    # ------------------------------------------------------------------ state and journal

    _events = EVENTS
    _shape = SHAPE
    _options = staticmethod(options_of)
    _fill = fill
    _plain = plain_state
    _sorted = staticmethod(sorted_state)

    def _texts(self) -> Iterable[str]:
        return self._ledger.holdings

    def _positions(self) -> Iterable[Key]:
        return [(*OWNER, ticker) for ticker, holding in self._ledger.holdings.items() if holding.basis.lots]

    def _last_time(self) -> int | None:
        return optional_nanoseconds(self._timestamp)

    def _position_row(self, key: Key) -> PositionRow:
        return PositionRow(self._ledger.lot, self._ledger.holdings[key[2]].basis)

    # ------------------------------------------------------------------ inside

    def _draft(self, tickers: Iterable[str] = ()) -> Self:
        """A copy of the book on which a change is prepared, in the holdings of some tickers."""
        draft = copy(self)
        draft._ledger, draft._risk = self._ledger.draft(tickers), self._risk.draft()
        draft._closes = dict(self._closes)
        return draft

    def _swap(self, draft: Self, others: list[Change]) -> None:
        """Put a prepared change in place, together with other changes."""
        commit([(self.__dict__.update, draft.__dict__), *others])

    def _add(self, ticker: str, volatility: float | None, stressed_variance: float | None, bars: int) -> None:
        """Add a holding, and a row to each covariance matrix; volatilities per bar."""
        if self._stressed is not None:
            largest = float(np.diag(self._stressed).max(initial=0.0))
            self._stressed = expanded(self._stressed, largest if stressed_variance is None else stressed_variance)
        self._risk.covariance.add(ticker, volatility, bars)
        self._risk.refresh()
        self._ledger.holdings[ticker] = Holding()

    def _request(self, ticker: Any, qty: Any, side: Any, timestamp: Any) -> tuple[str, int, Any]:
        """Ticker, signed lots and time of a requested trade."""
        checked(as_text, ticker, "ticker")
        lots = checked(lambda value, name: self._ledger.lot.count(value, name, floats=True), qty, "qty")
        if lots <= 0:
            raise RequestError([Problem("qty", f"qty={shown(qty)} is not above zero; a sale has side='sell'")])
        if lots >= LIMIT:
            raise RequestError([Problem("qty", f"qty={shown(qty)} is beyond 2^128 lots")])
        if timestamp is not None:
            checked(as_time, timestamp, "timestamp")
        return ticker, -lots if checked(as_side, side, "side") == "sell" else lots, timestamp

    def _check(self, ticker: str, lots: int, timestamp: Any) -> PreTradeCheck:
        try:
            return self._checker.check(self._ledger, self._risk, ticker, lots, timestamp)
        except Exception as error:
            return failed_check(error, ticker, lots, self._ledger.lot, timestamp)

    def _apply_bar(self, prices: Mapping[str, float], timestamp: Any) -> None:
        for ticker, price in prices.items():
            self._ledger.set_price(ticker, price, timestamp)
        self._closes.update(prices)
        holdings = self._ledger.holdings
        self._risk.positions = np.array(
            [self._ledger.money(holdings[ticker].value) for ticker in self._risk.covariance.index]
        )
        self._risk.refresh()
        self._ledger.mark()
        self._timestamp = self._timestamp if timestamp is None else timestamp

    def _apply_price(self, ticker: str, price: float, timestamp: Any) -> None:
        holding = self._ledger.holdings[ticker]
        before = holding.value
        self._ledger.set_price(ticker, price, timestamp)
        self._risk.move(self._risk.covariance.index[ticker], self._ledger.money(holding.value - before))
        self._ledger.mark()
        self._timestamp = self._timestamp if timestamp is None else timestamp

    def _valid_price(self, ticker: str, price: Any, name: str) -> float:
        """A price that the ledger can represent."""
        number: float = checked(positive, price, name)
        checked(lambda value, _: self._ledger.priced(ticker, value), number, name)
        return number

    def _check_time(self, timestamp: Any) -> None:
        """Refuse a time before the last one, or far ahead of it."""
        if timestamp is None:
            return
        now = checked(nanoseconds, timestamp, "timestamp")
        checked(lambda _, name: refuse_ahead(now, self._last_time(), self._max_ahead, name), timestamp, "timestamp")
        if self._timestamp is not None and now < nanoseconds(self._timestamp):
            message = f"timestamp={shown(timestamp)} is earlier than {self._timestamp!r}, the time of the last event"
            raise RequestError([Problem("timestamp", message)])

    def _check_corruption(self) -> None:
        corrupt = corruption(self._ledger, self._risk)
        if corrupt is not None:
            raise CorruptStateError(corrupt)

    def _rows(self) -> list[Row]:
        corrupt = corruption(self._ledger, self._risk)
        if corrupt is not None:
            return [("the state is corrupt", "", corrupt)]
        return [
            *self.get_portfolio_state()._rows(),
            ("VaR", self._checker.factor * self._risk.variance**0.5, "money a day"),
            ("trades", self.approved, "executed"),
        ]
