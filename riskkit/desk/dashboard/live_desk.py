"""`LiveDesk`: a book, its market, and (where given) rules behind a live session and alerts, moved together.

No clock is read: time is that of the last bar. What a dashboard shows and does is all here, without any widget.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from riskkit._check import InputError, whole_number
from riskkit._show import Row, Shown
from riskkit.desk.manager import Dashboard, RiskManager, TradeImpact
from riskkit.desk.market import Bar, MarketStream
from riskkit.replay.action import Action, ActionEvent
from riskkit.replay.session import LiveSession
from riskkit.replay.universe import exact

__all__ = ["LiveDesk", "Ticket"]


@dataclass(frozen=True, repr=False, eq=False)
class Ticket(Shown):
    """The answer to a trade: whether it may be done or was done, why, and what it does to VaR.

    Attributes
    ----------
    approved : bool
        Whether manager and rules agree.
    reason : str
        Why not, or "within all limits".
    impact : TradeImpact
        What the manager says: price, VaR before and after.
    executed : bool
        Whether it was done.

    Examples
    --------
    >>> book = RiskManager(1_000, bars_per_day=1)
    >>> book.add_ticker("A", price=10.0, volatility=0.01)
    >>> ticket = LiveDesk(book, MarketStream([])).check("A", 60, "buy")
    >>> ticket.approved, ticket.executed, round(ticket.impact.new_var, 2)
    (True, False, 9.87)
    """

    approved: bool
    reason: str
    impact: TradeImpact
    executed: bool = False

    def _title(self) -> str:
        asked = f"{self.impact.side} {self.impact.quantity:g} {self.impact.ticker}"
        return f"{'APPROVED' if self.approved else 'REJECTED'}: {asked}{', executed' if self.executed else ''}"

    def _rows(self) -> list[Row]:
        return [("reason", self.reason, ""), *self.impact._rows()[1:]]


class LiveDesk:
    """One book that lives: it takes bars, checks trades and does them, and passes on what the rules say.

    A trade is asked of the manager (cash, inventory, VaR) and of the session's rules; both have to agree. `check`
    asks a copy of the session, so that nothing is changed or journaled by a question; the copy costs time with the
    length of the journal (a tenth of a second at 3,000 events).

    Parameters
    ----------
    manager : RiskManager
        The book.
    stream : MarketStream
        Its market.
    session : LiveSession, optional
        Rules, in enforce mode, over the same tickers; prices are rounded to its ticks, for the book as well.
    account : str
        The book's name in the session.
    alerts : AlertSystem, optional
        To be shown and acknowledged; give the session that it watches, ``session=alerts.watch(session)``.

    Raises
    ------
    InputError
        A session in shadow mode (it would let everything pass), or one that does not know the account.

    Examples
    --------
    >>> from riskkit.desk import RecordedBars
    >>> import pandas as pd
    >>> closes = pd.DataFrame({"A": [10.0, 10.5, 10.0, 9.5]}, index=[60, 120, 180, 240])
    >>> desk = LiveDesk(RiskManager(1_000, bars_per_day=1), MarketStream(RecordedBars(closes)))
    >>> desk.step(3)
    3
    >>> desk.check("A", 101, "buy").reason
    'costs 1,010.00 and 1,000.00 is in cash'
    >>> desk.execute("A", 50, "buy").executed, desk.step(9), desk.metrics().value
    (True, 1, 975.0)
    """

    def __init__(
        self,
        manager: RiskManager,
        stream: MarketStream,
        *,
        session: LiveSession | Any = None,
        account: str = "desk",
        alerts: Any = None,
    ) -> None:
        self.manager = manager
        self.stream = stream
        self.session = session
        self.account = account
        self.alerts = alerts
        self.actions: list[ActionEvent] = []
        """What the rules said of what was done, in its order."""
        self.bars = self.trades = 0
        self.ended = False
        self._lock = threading.RLock()
        self._ticks: dict[str, Any] = {}
        if session is not None:
            if account not in session.universe.account_codes:
                raise InputError(f"account={account!r} is not an account of the session")
            if session.result().mode != "enforce":
                raise InputError("the session is in shadow mode, in which nothing is refused; use mode='enforce'")
            self._ticks = {one.id: one.tick for one in session.universe.instruments}

    # ------------------------------------------------------------------ the market

    def step(self, bars: int = 1) -> int:
        """Take so many bars of the stream, or all that are left; return how many there were."""
        with self._lock:
            taken = self.stream.run(self._take, bars=whole_number(bars, "bars", at_least=0))
            self.ended = taken < bars
            return taken

    def _take(self, bar: Bar) -> None:
        closes = {ticker: self._on_tick(ticker, price) for ticker, price in bar.closes.items()}
        self.manager.on_bar(closes, bar.timestamp)
        self.bars += 1
        if self.session is not None:
            for ticker, price in closes.items():
                if ticker in self._ticks:
                    stamped = {"ts": bar.timestamp, "instrument": ticker}
                    self._said(self.session.process_price(**stamped, price=price))

    def _on_tick(self, ticker: str, price: float) -> float:
        """The nearest price on the session's grid, at least one tick."""
        tick = self._ticks.get(ticker)
        return price if tick is None else float(max(round(exact(price, ticker) / tick), 1) * tick)

    # ------------------------------------------------------------------ trades

    def check(self, ticker: str, qty: Any, side: Any) -> Ticket:
        """Whether a trade may be done at the last price; nothing changes.

        Raises
        ------
        RequestError
            A quantity or side that does not fit.
        """
        with self._lock:
            impact, objection = self._asked(ticker, qty, side)
            if objection is not None or self.session is None:
                return Ticket(objection is None, objection or impact.reason, impact)
            copy = LiveSession.restore(self.session.snapshot(), self.session.rules, compiled=False)
            refusal = _refusal(copy.process_order(**self._order(impact)))
            return Ticket(refusal is None, refusal or impact.reason, impact)

    def execute(self, ticker: str, qty: Any, side: Any) -> Ticket:
        """Do a trade at the last price, if manager and rules agree: as one step, all or nothing."""
        with self._lock:
            impact, objection = self._asked(ticker, qty, side)
            if objection is not None:
                return Ticket(False, objection, impact)
            order = self._order(impact)
            if self.session is not None:
                refusal = _refusal(self._said(self.session.process_order(**order)))
                if refusal is not None:
                    return Ticket(False, refusal, impact)
            done = self.manager.execute_trade(ticker, qty, side)
            if not done.executed:  # somebody else traded in the manager since it was asked
                if self.session is not None:
                    self._said(self.session.process_cancel(ts=order["ts"], order_id=order["order_id"]))
                return Ticket(False, done.reason, done)
            if self.session is not None:
                fill = {name: order[name] for name in ("ts", "order_id", "qty", "price")}
                self._said(self.session.process_trade(trade_id=order["order_id"], **fill))
            self.trades += 1
            return Ticket(True, done.reason, done, executed=True)

    def _asked(self, ticker: str, qty: Any, side: Any) -> tuple[TradeImpact, str | None]:
        """What the manager says, and the reason if that is no; the rules can only judge what is declared to them."""
        impact = self.manager.check_trade_impact(ticker, qty, side)
        if impact.approved and self.session is not None and ticker not in self._ticks:
            return impact, f"{ticker!r} is no instrument of the session, so its rules cannot judge it"
        return impact, None if impact.approved else impact.reason

    def _order(self, impact: TradeImpact) -> dict[str, Any]:
        return {
            "ts": self._now(),
            "account": self.account,
            "instrument": impact.ticker,
            "side": impact.side,
            "qty": impact.quantity,
            "price": impact.price,
            "order_id": f"desk-{len(self.session) if self.session is not None else 0}",
        }

    def _now(self) -> int:
        """The time of the last bar, and not before the session's last event."""
        last = self.stream.bars[-1].timestamp if self.stream.bars else 0
        return last if self.session is None else max(last, self.session.latest, 0)

    def _said(self, actions: list[ActionEvent]) -> list[ActionEvent]:
        self.actions += actions
        return actions

    # ------------------------------------------------------------------ breakers

    def reset(self) -> None:
        """Lift every pause of the book, by hand, and start its day's loss and errors anew."""
        if self.session is not None:
            with self._lock:
                self._said(self.session.reset_breaker(self.account, self._now()))

    def state(self) -> str:
        """ACTIVE, REDUCING, HALTED or PAUSED; empty without a session."""
        return "" if self.session is None else self.session.view().states()[self.account]

    def used(self) -> Any:
        """How far each limit is used, one row a rule and key: rule, key, observed, limit, headroom, held.

        A breaker has a row for each of its limits: the day's loss, open positions, errors in a row.
        """
        import pandas as pd

        if self.session is None:
            return pd.DataFrame(columns=["rule", "key", "observed", "limit", "headroom", "held"])
        view = self.session.view()
        frame = view.utilisation()
        table: list[dict[str, Any]] = [
            {str(name): value for name, value in row.items()} for row in frame.to_dict("records")
        ]
        breakers = {rule.id: place for place, rule in enumerate(view.rules) if rule.type == "breaker"}
        found = [row for row in table if row["rule"] not in breakers]
        for id, place in breakers.items():
            limits = view.rules[id].parameters
            rows = [row for row in table if row["rule"] == id]
            for record, row in zip(view.state.rules[place][1:], rows, strict=True):
                loss = float(record["loss"] * view.universe.quantum)
                seen = (("day's loss", loss, limits.daily_loss), ("positions", int(record["open"]), limits.open_positions),
                        ("errors in a row", int(record["errors"]), limits.consecutive_errors))  # fmt: skip
                for name, value, limit in seen:
                    if limit is not None:
                        most = float(exact(limit, name))
                        unit = view.universe.currency if name == "day's loss" else "count"
                        one = {"observed": value, "limit": most, "headroom": most - value, "unit": unit}
                        found.append({**row, "rule": f"{id}: {name}", **one})
        return pd.DataFrame(found, columns=frame.columns)

    def stops(self) -> list[ActionEvent]:
        """Trips of rules so far: PAUSE and HALT, the last first."""
        return [one for one in reversed(self.actions) if one.action in (Action.PAUSE, Action.HALT)]

    # ------------------------------------------------------------------ alerts

    def history(self, minimum_severity: str = "INFO", open_only: bool = False) -> Any:
        """Alerts of this severity or worse as a frame, oldest first; without an alert system, an empty one."""
        import pandas as pd

        if self.alerts is None:
            return pd.DataFrame(columns=["alert_id", "timestamp", "severity", "rule", "message", "acknowledged"])
        return self.alerts.history(minimum_severity=minimum_severity, acknowledged=False if open_only else None)

    def acknowledge(self, alert_id: str) -> None:
        """Note that the desk has taken note of an alert, at the time of the last bar."""
        if self.alerts is not None:
            self.alerts.acknowledge(alert_id, who=self.account, timestamp=self._now())

    # ------------------------------------------------------------------ looking

    def said(self) -> Any:
        """What the rules said of what the desk did, one row an action: timestamp, action, rule, key, reason."""
        import pandas as pd

        return pd.DataFrame(
            [(one.ts, one.action.name, one.rule, one.key, one.reason) for one in self.actions],
            columns=["timestamp", "action", "rule", "key", "reason"],
        )

    def metrics(self) -> Dashboard:
        """Volatility, VaR, components and holdings of the book."""
        return self.manager.get_dashboard_metrics()


def _refusal(actions: list[ActionEvent]) -> str | None:
    """Why an order is refused, or None."""
    return next((one.reason for one in actions if one.action == Action.REJECT), None)
