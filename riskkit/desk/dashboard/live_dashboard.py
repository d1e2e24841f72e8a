"""`LiveDashboard`: a `LiveDesk` on a page, in a notebook or served by Voilà.

It shows exposures, VaR and its components, alerts and the breaker, and has a trade ticket that turns green or red and
executes. It reads no clock: the page's play button calls `step`, which reads bars.
"""

from __future__ import annotations

from typing import Any

from riskkit._check import InputError
from riskkit._show import Row
from riskkit._widgets import Live, board, widgets
from riskkit.desk.core.pre_trade_check import PreTradeCheck
from riskkit.desk.dashboard import panels
from riskkit.desk.dashboard.live_desk import LiveDesk
from riskkit.desk.manager import RiskManager
from riskkit.desk.market import MarketStream
from riskkit.replay.live.session import Session
from riskkit.replay.rules.rule import SEVERITIES

MAX_BARS = 1_000_000  # of the play button


class LiveDashboard(Live):
    """A page of a live book.

    Parameters
    ----------
    manager : RiskManager
        The book.
    stream : MarketStream
        Its market: simulated, recorded, or another feed.
    session, account, alerts
        As in `LiveDesk`: the rules of the book, its account there, and the alert system.
    interval_ms : int
        Wait of the play button between two bars, in milliseconds.

    Attributes
    ----------
    desk : LiveDesk
        Functions of the page, without widgets.
    widget : ipywidgets.VBox
        The page; the repr of the object shows it too.
    ticker, side, quantity, execute_button, verdict, ...
        Its parts; setting ``value`` acts like user input.

    Examples
    --------
    >>> from riskkit.desk import SimulatedTicks
    >>> stream = MarketStream(SimulatedTicks({"A": 100.0, "B": 50.0}, seed=1))
    >>> page = LiveDashboard(RiskManager(10_000), stream)
    >>> page.step(30)
    30
    >>> page.quantity.value = 1_000
    >>> page.answer.approved, page.execute_button.disabled
    (False, True)
    >>> page.quantity.value = 10
    >>> page.execute_button.click()
    >>> page.answer.executed, page.desk.metrics().holdings["quantity"].to_dict()
    (True, {'A': 10.0})
    """

    def __init__(
        self,
        manager: RiskManager,
        stream: MarketStream,
        *,
        session: Session | Any = None,
        account: str = "desk",
        alerts: Any = None,
        interval_ms: int = 1000,
    ) -> None:
        self.desk = LiveDesk(manager, stream, session=session, account=account, alerts=alerts)
        self.answer: PreTradeCheck | None = None
        self._make(interval_ms)
        self.refresh()

    # ------------------------------------------------------------------ actions of users, timers and tests

    def step(self, bars: int = 1) -> int:
        """Read bars of the stream and refresh the page; return the number read."""
        taken = self.desk.step(bars)
        self.refresh()
        return taken

    def refresh(self) -> None:
        """Refresh the page; a trade in the ticket is checked again."""
        self.figures.value = panels.figures(self.desk)
        self.exposures.value = panels.exposures(self.desk)
        self.components.value = panels.components(self.desk)
        self.prices.value = panels.prices(self.desk)
        self.breaker.value = panels.breaker(self.desk)
        self.limits.value = panels.limits(self.desk)
        self.reset_button.disabled = self.desk.trading_state() in ("", "ACTIVE")
        for button in (self.play, self.step_button):
            button.disabled = self.desk.ended
        self._list_tickers()
        self._list_alerts()
        self._check()

    # ------------------------------------------------------------------ the parts

    def _make(self, interval_ms: int) -> None:
        make = widgets()
        half, button = make.Layout(width="49%"), make.Layout(width="130px")
        self.play = make.Play(value=0, min=0, max=MAX_BARS, step=1, interval=interval_ms)
        self.play.observe(self._played, names="value")
        self.step_button = self._button("One bar", lambda: self.step(1), layout=button)
        self.figures, self.exposures, self.breaker, self.limits, self.verdict = (make.HTML() for _ in range(5))
        self.components, self.prices = (make.Image(format="png", layout=half) for _ in range(2))
        self.reset_button = self._button("Reset", self._reset, layout=button)

        self.ticker = make.Dropdown(description="ticker")
        self.side = make.Dropdown(options=["buy", "sell"], description="side")
        self.quantity = make.FloatText(value=0.0, description="quantity", continuous_update=True)
        self.execute_button = self._button("Execute", self._execute, layout=button)
        for part in (self.ticker, self.side, self.quantity):
            part.observe(self._check, names="value")

        self.severity = make.Dropdown(options=SEVERITIES, value=SEVERITIES[0], description="at least")
        self.only_open = make.Checkbox(value=False, description="not acknowledged only", indent=False)
        self.open_alerts = make.Dropdown(description="alert", layout=make.Layout(width="420px"))
        self.acknowledge_button = self._button("Acknowledge", self._acknowledge, layout=button)
        self.alerts = make.HTML()
        for part in (self.severity, self.only_open):
            part.observe(self._list_alerts, names="value")

        trade = make.VBox([make.HBox([self.ticker, self.side, self.quantity, self.execute_button]), self.verdict])
        acknowledge = [] if self.desk.alerts is None else [
            make.HBox([self.severity, self.only_open]), make.HBox([self.open_alerts, self.acknowledge_button])
        ]  # fmt: skip
        self.widget = board(
            make.HBox([self.play, self.step_button]),
            self.figures,
            make.HTML("<b>Trade ticket</b>"),
            trade,
            self.exposures,
            make.HBox([self.components, self.prices]),
            make.HTML("<b>Breaker</b>"),
            self.breaker,
            self.reset_button,
            self.limits,
            make.HTML("<b>Alerts</b>"),
            *acknowledge,
            self.alerts,
        )

    def _button(self, text: str, act: Any, **options: Any) -> Any:
        button = widgets().Button(description=text, **options)
        button.on_click(lambda _: act())
        return button

    # ------------------------------------------------------------------ the market

    def _played(self, change: Any) -> None:
        """The play button counts bars; reset to the start it reads none."""
        ahead = change["new"] - change["old"]
        if ahead > 0 and not self.desk.ended:
            self.step(ahead)
            if self.desk.ended:
                self.play.playing = False

    # ------------------------------------------------------------------ the ticket

    def _list_tickers(self) -> None:
        known = sorted(self.desk.manager.get_market_data().index)
        if list(self.ticker.options) != known:
            chosen = self.ticker.value
            self.ticker.options = known
            self.ticker.value = chosen if chosen in known else known[0] if known else None

    def _check(self, change: Any = None) -> None:
        """Check the trade in the ticket."""
        self.answer, shown = None, panels.ticket(None)
        if self.ticker.value is not None and self.quantity.value:
            self.answer, shown = self._call(self.desk.check)
        self.verdict.value = shown
        self.execute_button.disabled = self.answer is None or not self.answer.approved

    def _execute(self) -> None:
        answer, shown = self._call(self.desk.execute)
        done = answer is not None and answer.executed
        if done:
            self.quantity.value = 0.0  # two clicks must not execute the trade twice
        self.refresh()
        self.answer, self.verdict.value = answer, shown
        self.execute_button.disabled = True

    def _call(self, action: Any) -> tuple[PreTradeCheck | None, str]:
        try:
            answer = action(self.ticker.value, self.quantity.value, self.side.value)
        except InputError as problem:
            return None, panels.badge(f"REJECTED: {problem}", panels.RED, "ticket")
        return answer, panels.ticket(answer)

    # ------------------------------------------------------------------ breaker and alerts

    def _reset(self) -> None:
        self.desk.reset()
        self.refresh()

    def _list_alerts(self, change: Any = None) -> None:
        """Show the alerts that match the filters, and offer the unacknowledged ones."""
        waiting = self.desk.history(open_only=True)
        offered = [
            (f"{alert['severity']} {alert['rule']}: {alert['message'][:60]}", alert["alert_id"])
            for alert in waiting.iloc[::-1].to_dict("records")
        ]
        if list(self.open_alerts.options) != offered:
            chosen, ids = self.open_alerts.value, [alert_id for _, alert_id in offered]
            self.open_alerts.options = offered
            self.open_alerts.value = chosen if chosen in ids else ids[0] if ids else None
        self.acknowledge_button.disabled = not offered
        self.alerts.value = panels.alerts(self.desk, self.severity.value, self.only_open.value)

    def _acknowledge(self) -> None:
        if self.open_alerts.value is not None:
            self.desk.acknowledge(self.open_alerts.value)
            self._list_alerts()

    # ------------------------------------------------------------------ without widgets

    def _title(self) -> str:
        return "A desk, live"

    def _rows(self) -> list[Row]:
        state = self.desk.trading_state()
        rows: list[Row] = [("bars", self.desk.stream.count, ""), ("trades", self.desk.manager.approved, "executed")]
        rows += self.desk.metrics()._rows()
        return [*rows, *([("state", state, "")] if state else [])]
