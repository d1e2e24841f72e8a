"""`LiveDashboard`: a `LiveDesk` on a page, in a notebook or served alone by Voilà.

Exposures, VaR and its components, alerts, the breaker, and a trade ticket that turns green or red and executes. It
reads no clock: `step` takes bars, and the play button, which is the page's, calls it.
"""

from __future__ import annotations

from typing import Any

from riskkit._check import InputError
from riskkit._show import Row
from riskkit._widgets import Live, board, widgets
from riskkit.desk.dashboard import boards
from riskkit.desk.dashboard.live_desk import LiveDesk, Ticket
from riskkit.desk.manager import RiskManager
from riskkit.desk.market import MarketStream
from riskkit.replay.rule import SEVERITIES
from riskkit.replay.session import LiveSession

__all__ = ["LiveDashboard"]

FOREVER = 1_000_000  # bars that the play button can count


class LiveDashboard(Live):
    """A page over a book that lives.

    Parameters
    ----------
    manager : RiskManager
        The book.
    stream : MarketStream
        Its market: simulated, recorded, or a feed of yours.
    session, account, alerts
        As of `LiveDesk`: the rules that a trade has to pass, the book's name there, and the alert system.
    interval_ms : int
        How long the play button waits between two bars.

    Attributes
    ----------
    desk : LiveDesk
        What is shown and done, without widgets.
    widget : ipywidgets.VBox
        The page; the object itself shows it too.
    ticker, side, quantity, execute_button, verdict, ...
        Its parts; setting ``value`` does what a person's hand does.

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
        session: LiveSession | Any = None,
        account: str = "desk",
        alerts: Any = None,
        interval_ms: int = 1000,
    ) -> None:
        self.desk = LiveDesk(manager, stream, session=session, account=account, alerts=alerts)
        self.answer: Ticket | None = None
        self._make(interval_ms)
        self.refresh()

    # ------------------------------------------------------------------ what a person, a timer or a test does

    def step(self, bars: int = 1) -> int:
        """Take bars of the stream and draw anew; return how many there were."""
        taken = self.desk.step(bars)
        self.refresh()
        return taken

    def refresh(self) -> None:
        """Draw everything as it is now; a trade that stands in the ticket is checked again."""
        self.figures.value = boards.figures(self.desk)
        self.exposures.value = boards.exposures(self.desk)
        self.components.value = boards.components(self.desk)
        self.prices.value = boards.prices(self.desk)
        self.breaker.value = boards.breaker(self.desk)
        self.reset_button.disabled = self.desk.state() in ("", "ACTIVE")
        for button in (self.play, self.step_button):
            button.disabled = self.desk.ended
        self._list_tickers()
        self._list_alerts()
        self._check()

    # ------------------------------------------------------------------ the parts

    def _make(self, interval_ms: int) -> None:
        make = widgets()
        half, button = make.Layout(width="49%"), make.Layout(width="130px")
        self.play = make.Play(value=0, min=0, max=FOREVER, step=1, interval=interval_ms)
        self.play.observe(self._played, names="value")
        self.step_button = self._button("One bar", lambda: self.step(1), layout=button)
        self.figures, self.exposures, self.breaker, self.verdict = (make.HTML() for _ in range(4))
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
        """The play button counts bars; set back to the start it takes none."""
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
        """Ask about the trade that stands in the ticket."""
        self.answer, said = None, boards.ticket(None)
        if self.ticker.value is not None and self.quantity.value:
            self.answer, said = self._asked(self.desk.check)
        self.verdict.value = said
        self.execute_button.disabled = self.answer is None or not self.answer.approved

    def _execute(self) -> None:
        answer, said = self._asked(self.desk.execute)
        done = answer is not None and answer.executed
        if done:
            self.quantity.value = 0.0  # the same trade is not done twice by two clicks
        self.refresh()
        self.answer, self.verdict.value = answer, said
        self.execute_button.disabled = True

    def _asked(self, ask: Any) -> tuple[Ticket | None, str]:
        try:
            answer = ask(self.ticker.value, self.quantity.value, self.side.value)
        except InputError as problem:
            return None, boards.badge(f"REJECTED: {problem}", boards.RED, "ticket")
        return answer, boards.ticket(answer)

    # ------------------------------------------------------------------ breaker and alerts

    def _reset(self) -> None:
        self.desk.reset()
        self.refresh()

    def _list_alerts(self, change: Any = None) -> None:
        """Show the alerts that fit the filters, and offer those that nobody has acknowledged."""
        waiting = self.desk.history(open_only=True)
        offered = [
            (f"{one['severity']} {one['rule']}: {one['message'][:60]}", one["alert_id"])
            for one in waiting.iloc[::-1].to_dict("records")
        ]
        if list(self.open_alerts.options) != offered:
            chosen, ids = self.open_alerts.value, [one[1] for one in offered]
            self.open_alerts.options = offered
            self.open_alerts.value = chosen if chosen in ids else ids[0] if ids else None
        self.acknowledge_button.disabled = not offered
        self.alerts.value = boards.alerts(self.desk, self.severity.value, self.only_open.value)

    def _acknowledge(self) -> None:
        if self.open_alerts.value is not None:
            self.desk.acknowledge(self.open_alerts.value)
            self._list_alerts()

    # ------------------------------------------------------------------ where no widget can be shown

    def _title(self) -> str:
        return "A desk, live"

    def _rows(self) -> list[Row]:
        state = self.desk.state()
        rows: list[Row] = [("bars", self.desk.stream.count, ""), ("trades", self.desk.manager.approved, "executed")]
        rows += self.desk.metrics()._rows()
        return [*rows, *([("state", state, "")] if state else [])]
