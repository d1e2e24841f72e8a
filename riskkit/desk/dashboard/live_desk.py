"""`LiveDesk`: a book, its market, and optionally the rules of a live session and alerts, updated together.

No clock is read: the time is that of the last bar. The functions of a dashboard are here, without widgets.
"""

from __future__ import annotations

from collections import deque
from math import isnan
from typing import Any

from riskkit._check import InputError, instance, shown, whole_number
from riskkit._fork import lock_of, new_lock
from riskkit._show import frame_of
from riskkit.desk.core.limits import state_of
from riskkit.desk.core.pre_trade_check import PreTradeCheck, failure
from riskkit.desk.core.state_digest import checked_state, digest_of
from riskkit.desk.dashboard.persistence import COUNTED, FORMAT, SHAPE, decision_of, plain_decision
from riskkit.desk.manager import DashboardMetrics, RiskManager
from riskkit.desk.market import Bar, MarketStream
from riskkit.replay.live.early_warning import EarlyWarning
from riskkit.replay.live.session import Session
from riskkit.replay.live.session_status import TEXTS, USE
from riskkit.replay.results.decisions import Decision, DecisionKind
from riskkit.replay.schema.universe import exact

KEPT = 10_000  # decisions


class LiveDesk:
    """One live book: reads bars, checks and executes trades, and collects the decisions of the rules.

    A trade needs the approval of the manager (cash, inventory, limits) and of the session's rules. `check` asks the session
    by `Session.probe`, which changes and journals nothing.

    Parameters
    ----------
    manager : RiskManager
        The book.
    stream : MarketStream
        Its market.
    session : Session, optional
        Rules, in enforce mode, for the same tickers; prices are rounded to its ticks, for the book as well.
    account : str
        Account of the book in the session.
    alerts : AlertSystem, optional
        Alerts to show and acknowledge; pass the watched session, ``session=alerts.watch(session)``.

    Raises
    ------
    InputError
        A session in shadow mode, which rejects nothing, or one without the account.

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
        session: Session | Any = None,
        account: str = "desk",
        alerts: Any = None,
    ) -> None:
        self.manager = manager
        self.stream = stream
        self.session = session
        self.account = account
        self.alerts = alerts
        self.actions: deque[Decision] = deque(maxlen=KEPT)
        """The last decisions of the rules, in order."""
        self.bars = self.trades = 0
        self.ended = False
        self._lock, self._steps = lock_of(self), new_lock()
        self._ticks: dict[str, Any] = {}
        if session is not None:
            if account not in session.universe.account_codes:
                raise InputError(f"account={shown(account)} is not an account of the session")
            if session.result().mode != "enforce":
                raise InputError("the session is in shadow mode, which rejects nothing; use mode='enforce'")
            self._ticks = {instrument.id: instrument.tick for instrument in session.universe.instruments}

    # ------------------------------------------------------------------ the market

    def step(self, bars: int = 1) -> int:
        """Read a number of bars of the stream, or all that are left; return the number read."""
        wanted, taken = whole_number(bars, "bars", at_least=0), 0
        with self._steps:  # held while the feed is waited for: checks and trades go on meanwhile
            while taken < wanted:
                try:
                    bar = self.stream._read()
                except StopIteration:
                    break
                with self._lock:
                    self._on_bar(self.stream._take(bar))
                taken += 1
            self.ended = taken < wanted
        return taken

    def _on_bar(self, bar: Bar) -> None:
        closes = {ticker: self._on_tick(ticker, price) for ticker, price in bar.closes.items()}
        self.manager.on_bar(closes, bar.timestamp)
        self.bars += 1
        if self.session is not None:
            for ticker, price in closes.items():
                if ticker in self._ticks:
                    stamped = {"ts": bar.timestamp, "instrument": ticker}
                    self._collect(self.session.process_price(**stamped, price=price))

    def _on_tick(self, ticker: str, price: float) -> float:
        """The nearest multiple of the session's tick, at least one tick."""
        tick = self._ticks.get(ticker)
        return price if tick is None else float(max(round(exact(price, ticker) / tick), 1) * tick)

    # ------------------------------------------------------------------ trades

    def check(self, ticker: str, qty: Any, side: Any) -> PreTradeCheck:
        """Check a trade at the last price; nothing changes.

        Raises
        ------
        RequestError
            An invalid quantity or side.
        """
        with self._lock:
            check = self._check(ticker, qty, side)
            if not check.approved or self.session is None:
                return check
            try:
                reason = _rejection(self.session.probe(**self._order(check)))
            except Exception as error:
                reason = failure(error)
            return check if reason is None else check.rejected(reason)

    def execute(self, ticker: str, qty: Any, side: Any) -> PreTradeCheck:
        """Execute a trade at the last price if manager and rules approve it, all or nothing."""
        with self._lock:
            check = self._check(ticker, qty, side)
            if not check.approved:
                return check
            order = self._order(check)
            if self.session is not None:
                try:
                    reason = _rejection(self._collect(self.session.process_order(**order)))
                except Exception as error:
                    reason = failure(error)
                if reason is not None:
                    return check.rejected(reason)
            done = self.manager.execute_trade(ticker, qty, side)
            if not done.executed:  # another thread traded in the manager since the check
                if self.session is not None:
                    self._collect(self.session.process_cancel(ts=order["ts"], order_id=order["order_id"]))
                return done
            if self.session is not None:
                fill = {name: order[name] for name in ("ts", "order_id", "qty", "price")}
                self._collect(self.session.process_trade(trade_id=order["order_id"], **fill))
            self.trades += 1
            return done

    def _check(self, ticker: str, qty: Any, side: Any) -> PreTradeCheck:
        """The manager's check; a ticker that is not in the session is rejected."""
        check = self.manager.check_trade_impact(ticker, qty, side)
        if check.approved and self.session is not None and ticker not in self._ticks:
            return check.rejected(f"{ticker!r} is not an instrument of the session, so its rules cannot check it")
        return check

    def _order(self, check: PreTradeCheck) -> dict[str, Any]:
        return {
            "ts": self._now(),
            "account": self.account,
            "instrument": check.ticker,
            "side": check.side,
            "qty": check.quantity,
            "price": check.price,
            "order_id": f"desk-{len(self.session) if self.session is not None else 0}",
        }

    def _now(self) -> int:
        """Time of the last bar, but not before the session's last event."""
        last = self.stream.bars[-1].timestamp if self.stream.bars else 0
        return last if self.session is None else max(last, self.session.latest, 0)

    def _collect(self, actions: list[Decision]) -> list[Decision]:
        self.actions += actions
        return actions

    # ------------------------------------------------------------------ breakers

    def reset(self) -> None:
        """Lift every pause of the book manually, and reset its daily loss and errors."""
        if self.session is not None:
            with self._lock:
                self._collect(self.session.reset_breaker(self.account, self._now()))

    def trading_state(self) -> str:
        """ACTIVE, REDUCING, HALTED or PAUSED; empty without a session."""
        return "" if self.session is None else str(self.session.status().state_of(self.account))

    def limits(self) -> Any:
        """Every limit that a trade has to pass, one row each: those of the manager, then those of the rules.

        Columns: rule, key, observed, limit, headroom, unit, and state: "ok", "near" (at most a tenth of the limit is
        left), "breached", or "paused" by the rule.
        """
        currency = "money" if self.session is None else self.session.universe.currency
        rows = [{**use._asdict(), "unit": currency} for use in self.manager._limit_uses()]
        for use in self._uses():
            headroom = use["headroom"]
            open_state = "" if headroom is None or isnan(headroom) else state_of(headroom, use["limit"])
            rows.append({**use, "state": "paused" if use["paused"] else open_state})
        columns = ("rule", "key", "observed", "limit", "headroom", "unit", "state")
        return frame_of({name: [row[name] for row in rows] for name in columns}, TEXTS)

    def utilization(self) -> Any:
        """Utilization of the limits of the rules, one row per rule and key: rule, key, observed, limit, headroom, paused.

        A breaker has one row per limit: daily loss, open positions, consecutive errors.
        """
        uses = self._uses()
        return frame_of({name: [use[name] for use in uses] for name in USE}, TEXTS)

    def _uses(self) -> list[dict[str, Any]]:
        """The rows of `utilization`."""
        if self.session is None:
            return []
        status = self.session.status()
        table = status.uses
        breakers = {rule.id: index for index, rule in enumerate(status.rules) if rule.type == "breaker"}
        found = [row for row in table if row["rule"] not in breakers]
        for id, index in breakers.items():
            limits = status.rules[id].parameters
            rows = [row for row in table if row["rule"] == id]
            for record, row in zip(status.state.rules[index][1:], rows, strict=True):
                loss = float(record["loss"] * status.universe.quantum)
                observed = (
                    ("daily loss", loss, limits.daily_loss),
                    ("open positions", int(record["open"]), limits.open_positions),
                    ("consecutive errors", int(record["errors"]), limits.consecutive_errors),
                )
                for name, value, given in observed:
                    if given is not None:
                        limit = float(exact(given, name))
                        unit = status.universe.currency if name == "daily loss" else "count"
                        numbers = {"observed": value, "limit": limit, "headroom": limit - value, "unit": unit}
                        found.append({**row, "rule": f"{id}: {name}", **numbers})
        return found

    def projected_breaches(self, warning: EarlyWarning) -> Any:
        """Time until each limit of the rules is breached at its present rate, as `riskkit.replay.EarlyWarning.take`."""
        ts = 0 if self.session is None else self.session.status().ts
        return instance(warning, EarlyWarning, "warning").take_utilization(self.utilization(), ts)

    def halts(self) -> list[Decision]:
        """Pauses and halts by rules so far, last first."""
        return [action for action in reversed(self.actions) if action.action in (DecisionKind.PAUSE, DecisionKind.HALT)]

    # ------------------------------------------------------------------ alerts

    def history(self, minimum_severity: str = "INFO", open_only: bool = False) -> Any:
        """Alerts of this severity or higher as a DataFrame, oldest first; without an alert system, an empty one."""
        import pandas as pd

        if self.alerts is None:
            return pd.DataFrame(columns=["alert_id", "timestamp", "severity", "rule", "message", "acknowledged"])
        return self.alerts.history(minimum_severity=minimum_severity, acknowledged=False if open_only else None)

    def acknowledge(self, alert_id: str) -> None:
        """Acknowledge an alert in the name of the account, at the time of the last bar."""
        if self.alerts is not None:
            self.alerts.acknowledge(alert_id, who=self.account, timestamp=self._now())

    # ------------------------------------------------------------------ restart

    def state(self) -> dict[str, Any]:
        """Book, market, counts and decisions as plain data for JSON.

        Session and alerts keep their own (`Session.snapshot` or its folder, `AlertSystem.state`); of the session its
        length and digest are here.
        """
        with self._lock:
            session = None if self.session is None else {"events": len(self.session), "digest": self.session.digest}
            return {
                **{"format": FORMAT, "account": self.account, **{name: getattr(self, name) for name in COUNTED}},
                **{"manager": self.manager.state(), "stream": self.stream.state(), "session": session},
                "actions": list(map(plain_decision, self.actions)),
            }

    @classmethod
    def from_state(cls, state: Any, feed: Any = (), *, session: Any = None, alerts: Any = None) -> LiveDesk:
        """Continue from a `state`, with a feed of what comes next and the session as it was.

        Raises
        ------
        InputError
            Malformed or inconsistent data, or a session that is not as it was.
        """
        checked_state(cls.__name__, SHAPE, state, FORMAT)
        manager, stream = RiskManager.from_state(state["manager"]), MarketStream.from_state(state["stream"], feed)
        made, was = cls(manager, stream, session=session, account=state["account"], alerts=alerts), state["session"]
        now = None if session is None else {"events": len(session), "digest": session.digest}
        if now != was:
            raise InputError(
                "the state was taken without a session"
                if was is None
                else f"the session is not as it was: the state belongs to one of {was['events']:,} events; restore it first"
            )
        made.bars, made.trades, made.ended = (state[name] for name in COUNTED)
        made.actions.extend(map(decision_of, state["actions"]))
        return made

    @property
    def digest(self) -> str:
        """SHA-256 of book, market, counts and session."""
        sessions = None if self.session is None else self.session.digest
        return digest_of(
            type(self).__name__, [self.manager.digest, self.stream.digest, sessions, self.bars, self.trades]
        )

    # ------------------------------------------------------------------ reports

    def messages(self) -> Any:
        """Decisions of the rules, one row per action: timestamp, action, rule, key, reason."""
        import pandas as pd

        return pd.DataFrame(
            [(action.ts, action.action.name, action.rule, action.key, action.reason) for action in self.actions],
            columns=["timestamp", "action", "rule", "key", "reason"],
        )

    def metrics(self) -> DashboardMetrics:
        """Volatility, VaR, components and holdings of the book."""
        return self.manager.get_dashboard_metrics()


def _rejection(actions: list[Decision]) -> str | None:
    """The reason of a rejection, or None."""
    return next((action.reason for action in actions if action.action == DecisionKind.REJECT), None)
