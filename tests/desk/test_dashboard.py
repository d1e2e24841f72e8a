"""The live desk and its page: what a person sees is what the book, the rules and the alerts say; hands are widgets' values."""

from __future__ import annotations

import dataclasses
import html
import threading

import pandas as pd
import pytest

from riskkit import Account, InputError, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.desk import AlertSystem, DeskLimits, LiveDashboard, LiveDesk, MarketStream, RecordedBars, RiskManager
from riskkit.desk.dashboard import panels
from riskkit.replay.results.decisions import DecisionKind
from riskkit.rules import BreakerLimits, DrawdownLimit, MaxOrderQty

MINUTE = 60_000_000_000
CLOSES = pd.DataFrame(
    {"A": [100.0, 101.0, 100.0, 99.0, 95.0, 96.0], "B": [50.0, 50.5, 50.0, 50.25, 50.0, 50.5], "C": [20.0, 20.2] * 3},
    index=[MINUTE * place for place in range(1, 7)],
)
RULES = RuleSet(
    [
        Rule("breaker", BreakerLimits(daily_loss=200, open_positions=2)),
        Rule("size", MaxOrderQty(limit=150)),
        Rule("fall", DrawdownLimit(money=15_000)),  # never reached; with it the session keeps the value of what is held
    ]
)


def session(rules: RuleSet = RULES, mode: str = "enforce") -> Session:
    things = [Instrument(ticker) for ticker in CLOSES]
    return Session.create(rules, things, [Account("desk", cash={"USD": 20_000})], mode=mode, compiled=False)


def parts(closes: pd.DataFrame = CLOSES, **options) -> tuple[RiskManager, MarketStream]:
    return RiskManager(20_000, bars_per_day=1, **options), MarketStream(RecordedBars(closes))


def live(bars: int = 3, **options) -> LiveDesk:
    desk = LiveDesk(*parts(), session=session(), **options)
    assert desk.step(bars) == bars
    return desk


def equal_books(desk: LiveDesk) -> bool:
    """Whether the manager and the session hold the same, and both earned the same."""
    state = desk.manager.get_portfolio_state()
    status = desk.session.status()
    held = {ticker: status.position("desk", ticker) for ticker in CLOSES}
    profit = float(status.accounts()["profit"].sum())
    return {ticker: one["quantity"] for ticker, one in state.holdings.items()} == {
        t: q for t, q in held.items() if q
    } and profit == pytest.approx(state.value - 20_000, abs=1e-9)


# ---------------------------------------------------------------------- the desk, without widgets


def test_a_trade_has_to_pass_the_manager_and_the_rules():
    desk = live()
    assert desk.check("A", 100, "buy").approved
    assert desk.check("A", 201, "buy").reason == "costs 20,100.00 and 20,000.00 is in cash"
    assert "refused by size" in desk.check("A", 151, "buy").reason
    assert "sells 1 and 0 is held" in desk.check("A", 1, "sell").reason
    assert desk.execute("A", 151, "buy").executed is False and desk.trades == 0
    done = desk.execute("A", 100, "buy")
    assert done.executed and done.approved and "executed" in repr(done)
    assert equal_books(desk)


def test_a_question_changes_nothing():
    desk = live()
    before = desk.session.digest, len(desk.session), repr(desk.manager), list(desk.actions)
    assert not desk.check("A", 151, "buy").approved and desk.check("B", 10, "buy").approved
    assert (desk.session.digest, len(desk.session), repr(desk.manager), list(desk.actions)) == before


def test_what_check_says_execute_does():
    desk = live()
    for ticker, qty, side in [
        ("A", 60, "buy"),
        ("B", 151, "buy"),
        ("B", 20, "buy"),
        ("C", 5, "buy"),
        ("A", 30, "sell"),
    ]:
        asked = desk.check(ticker, qty, side)
        done = desk.execute(ticker, qty, side)
        assert (asked.approved, asked.reason) == (done.executed, done.reason)
        assert equal_books(desk)


def test_one_position_too_many_trips_the_breaker_until_it_is_reset():
    desk = live()
    assert desk.execute("A", 10, "buy").executed and desk.execute("B", 10, "buy").executed
    assert desk.trading_state() == "ACTIVE" and not desk.halts()
    refused = desk.execute("C", 10, "buy")
    assert not refused.executed and "breaker" in refused.reason
    assert desk.trading_state() == "HALTED" and desk.halts()[0].action == DecisionKind.HALT
    assert not desk.check("A", 1, "buy").approved and not desk.check("A", 1, "sell").approved  # a halt stops all
    desk.reset()
    assert desk.trading_state() == "ACTIVE" and desk.check("A", 1, "buy").approved and equal_books(desk)


def test_a_loss_that_is_realized_trips_the_breaker():
    desk = live()
    assert desk.execute("A", 50, "buy").executed  # at 100
    desk.step(2)  # A falls to 95
    assert desk.trading_state() == "ACTIVE"
    assert desk.execute("A", 40, "sell").executed  # 40 x 5 lost
    used = desk.utilization().set_index("rule")
    assert used.loc["breaker: daily loss"].tolist() == ["desk", 200.0, 200.0, 0.0, "USD", True]
    assert used.loc["breaker: open positions", "observed"] == 1 and desk.trading_state() == "HALTED"
    assert desk.messages()["action"].tolist() == ["HALT"] and equal_books(desk)


def test_a_replay_of_what_the_desk_did_decides_the_same():
    desk = live()
    for ticker, qty, side in [("A", 60, "buy"), ("B", 20, "buy"), ("C", 5, "buy"), ("A", 60, "sell")]:
        desk.execute(ticker, qty, side)
        desk.step()
    replayed = replay_log(desk.session.log(), RULES, "enforce", compiled=False)
    assert replayed.digest == desk.session.digest and len(replayed.rejections()) == 2  # the third position; then halted


def test_prices_are_rounded_to_the_ticks_of_the_session_for_both():
    closes = CLOSES / 3.0
    desk = LiveDesk(*parts(closes), session=session())
    desk.step(3)
    assert desk.execute("A", 7, "buy").price == 33.33
    desk.step(3)
    assert equal_books(desk)


def test_a_desk_without_rules_asks_the_manager_alone():
    desk = LiveDesk(*parts(limits=DeskLimits(max_position_size=0.5)))
    assert desk.step(2) == 2 and desk.trading_state() == "" and desk.utilization().empty
    assert "more than 50 %" in desk.execute("A", 100, "buy").reason
    assert desk.execute("A", 50, "buy").executed and desk.messages().empty
    desk.reset()  # nothing to reset
    assert desk.step(10) == 4 and desk.ended


def test_what_the_rules_cannot_judge_is_refused():
    closes = CLOSES.assign(D=10.0)
    desk = LiveDesk(*parts(closes), session=session())
    desk.step(2)
    assert "not an instrument of the session" in desk.check("D", 1, "buy").reason
    assert not desk.execute("D", 1, "buy").executed and len(desk.session) == 6


def test_a_trade_that_somebody_else_was_quicker_with_is_cancelled(monkeypatch):
    desk = live()
    manager, execute = desk.manager, desk.manager.execute_trade

    def too_late(*trade, **options):
        execute("B", 390, "buy")  # another thread has spent the cash
        return execute(*trade, **options)

    monkeypatch.setattr(manager, "execute_trade", too_late)
    answer = desk.execute("A", 100, "buy")
    assert not answer.executed and "is in cash" in answer.reason
    assert desk.session.log().counts()["CANCEL"] == 1 and desk.session.status().position("desk", "A") == 0


def test_trades_of_many_threads_and_bars_between_them_leave_equal_books():
    desk = LiveDesk(*parts(), session=session(RuleSet(RULES[1:])))
    desk.step(2)

    def trade() -> None:
        for _ in range(8):
            desk.execute("A", 3, "buy")
            desk.execute("A", 1, "sell")

    people = [threading.Thread(target=trade) for _ in range(4)]
    for one in people:
        one.start()
    desk.step(3)
    for one in people:
        one.join()
    assert desk.trades == 64 and equal_books(desk)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: session(mode="shadow"), "shadow mode"),
        (lambda: Session.create(RULES, [Instrument("A")], ["other"], mode="enforce", compiled=False), "'desk'"),
    ],
)
def test_a_session_that_would_not_stop_the_book_is_refused(made, message):
    with pytest.raises(InputError, match=message):
        LiveDesk(*parts(), session=made())


@pytest.mark.parametrize(("qty", "side"), [(0, "buy"), (1.5, "buy"), (float("nan"), "buy"), (1, "hold")])
def test_a_trade_that_does_not_fit_is_refused_with_a_sentence(qty, side):
    desk = live()
    for ask in (desk.check, desk.execute):
        with pytest.raises(InputError):
            ask("A", qty, side)
    assert desk.trades == 0 and len(desk.session) == 9


# ---------------------------------------------------------------------- alerts


def watched(**options) -> tuple[AlertSystem, LiveDesk]:
    alerts = AlertSystem()
    desk = LiveDesk(*parts(), session=alerts.watch(session()), alerts=alerts, **options)
    desk.step(3)
    return alerts, desk


def test_what_the_rules_do_becomes_alerts_and_questions_do_not():
    alerts, desk = watched()
    assert not desk.check("A", 151, "buy").approved and not len(desk.history())
    assert not desk.execute("A", 151, "buy").executed
    found = desk.history()
    assert found[["rule", "severity", "acknowledged"]].to_numpy().tolist() == [["size", "WARN", False]]
    assert desk.history("CRITICAL").empty
    desk.acknowledge(found["alert_id"][0])
    assert desk.history(open_only=True).empty
    assert alerts.history()["acknowledged_by"].tolist() == ["desk"]
    assert alerts.history()["acknowledged_at"].tolist() == [3 * MINUTE]  # the last bar: no clock is read


def test_a_desk_without_alerts_has_none():
    desk = live()
    desk.execute("A", 151, "buy")
    desk.acknowledge("nothing")
    assert desk.history().empty and desk.messages()["action"].tolist() == ["REJECT"]


# ---------------------------------------------------------------------- the page


@pytest.fixture
def page() -> LiveDashboard:
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed; it comes with the extra 'notebooks'")
    shown = LiveDashboard(*parts(), session=session())
    assert shown.step(3) == 3
    return shown


def ask(page: LiveDashboard, ticker: str, qty: float, side: str = "buy") -> str:
    """Fill the ticket in and read it."""
    page.ticker.value, page.side.value, page.quantity.value = ticker, side, qty
    return html.unescape(page.verdict.value)


def test_the_ticket_is_green_or_red_and_says_which_and_why(page):
    green = ask(page, "A", 100)
    assert panels.GREEN in green and "APPROVED: buy 100 A. within all limits. VaR" in green
    assert not page.execute_button.disabled
    red = ask(page, "A", 151)
    assert panels.RED in red and "REJECTED: buy 151 A." in red and "refused by size" in red
    assert page.execute_button.disabled
    assert "costs 20,100.00" in ask(page, "A", 201)
    assert "not a whole number" in ask(page, "A", 1.5) and panels.RED in page.verdict.value
    assert "no trade entered" in ask(page, "A", 0) and page.execute_button.disabled


def test_execute_does_it_once_and_shows_it(page):
    assert "no holdings" in page.exposures.value
    ask(page, "A", 100)
    page.execute_button.click()
    assert "EXECUTED: buy 100 A." in page.verdict.value and page.answer.executed
    assert page.quantity.value == 0 and page.execute_button.disabled
    held = page.desk.metrics().holdings
    assert held["quantity"].to_dict() == {"A": 100.0} and "10,000.00" in page.exposures.value
    before = bytes(page.components.value)
    page.step()
    assert "9,900.00" in page.exposures.value  # A fell from 100 to 99
    assert bytes(page.components.value) != before and bytes(page.prices.value).startswith(b"\x89PNG")


def test_a_trade_in_the_ticket_is_checked_again_with_every_bar(page):
    ask(page, "A", 120)
    assert page.answer.approved
    page.desk.manager.set_limits("tests", "to see it", max_position_size=0.5)
    page.step()
    assert not page.answer.approved and page.execute_button.disabled and "more than 50 %" in page.verdict.value


def test_the_breaker_is_shown_and_reset(page):
    assert "ACTIVE: orders are accepted" in page.breaker.value and page.reset_button.disabled
    for ticker in ("A", "B", "C"):
        ask(page, ticker, 10)
        if not page.execute_button.disabled:
            page.execute_button.click()
    assert "REJECTED" in page.verdict.value and page.desk.trading_state() == "ACTIVE"  # a red ticket cannot be sent
    page.desk.execute("C", 10, "buy")  # somebody else does, and the breaker trips
    page.refresh()
    assert panels.RED in page.breaker.value and not page.reset_button.disabled
    assert "HALTED: desk is halted by breaker" in html.unescape(page.breaker.value)
    assert "HALT" in page.alerts.value and "REJECT" in page.alerts.value
    page.reset_button.click()
    assert "ACTIVE: orders are accepted" in page.breaker.value and page.reset_button.disabled


def test_the_play_button_takes_bars_until_the_stream_ends(page):
    page.play.value = 2
    assert page.desk.bars == 5
    page.play.value = 0  # set back: nothing is taken
    assert page.desk.bars == 5
    page.play.value = 1
    assert page.desk.bars == 6 and not page.desk.ended
    page.step_button.click()
    assert page.desk.bars == 6 and page.desk.ended and page.step_button.disabled and page.play.disabled
    page.play.value = 2
    assert page.desk.bars == 6


def test_the_figures_are_those_of_the_book(page):
    ask(page, "A", 100)
    page.execute_button.click()
    now = page.desk.metrics()
    for text in (f"{now.value:,.2f}", f"{now.var:,.2f}", f"{now.drawdown:.2f} %", "1970-01-01 00:03 UTC"):
        assert text in page.figures.value


def test_labels_cannot_write_into_the_page():
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed; it comes with the extra 'notebooks'")
    name = "<script>alert(1)</script>"
    closes = CLOSES.rename(columns={"A": name})
    page = LiveDashboard(*parts(closes))
    page.step(3)
    ask(page, name, 10)
    page.execute_button.click()
    shown = "".join(
        part.value for part in (page.exposures, page.verdict, page.figures, page.alerts, page.breaker, page.limits)
    )
    assert page.answer.executed and "<script" not in shown and html.escape(name) in shown


def test_a_page_before_its_first_bar_and_what_a_stored_notebook_keeps():
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed; it comes with the extra 'notebooks'")
    page = LiveDashboard(*parts())
    assert page.ticker.value is None and page.execute_button.disabled and "no rules connected" in page.breaker.value
    page.step()
    assert page.ticker.options == ("A", "B", "C") and page.ticker.value == "A"
    bundle = page._repr_mimebundle_()
    assert bundle["text/plain"] == repr(page) and "A desk, live" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_alerts_are_filtered_and_acknowledged_on_the_page():
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed; it comes with the extra 'notebooks'")
    alerts = AlertSystem()
    rules = RuleSet(
        [Rule("size", MaxOrderQty(limit=150), severity="INFO"), Rule("breaker", BreakerLimits(open_positions=1))]
    )
    page = LiveDashboard(*parts(), session=alerts.watch(session(rules)), alerts=alerts)
    page.step(3)
    assert page.acknowledge_button.disabled and "0 shown" in page.alerts.value
    for ticker, qty in (("A", 151), ("A", 10), ("B", 10)):
        page.desk.execute(ticker, qty, "buy")
    page.refresh()
    assert page.desk.trading_state() == "HALTED"
    everything = alerts.history()
    assert len(everything) == len(page.open_alerts.options) and f"{len(everything)} shown" in page.alerts.value
    assert {"size", "breaker"} == set(everything["rule"])
    page.severity.value = "WARN"
    assert "size" not in page.alerts.value and "breaker" in page.alerts.value
    page.severity.value = "INFO"
    page.open_alerts.value = everything["alert_id"][0]
    page.acknowledge_button.click()
    assert alerts.history(acknowledged=True)["rule"].tolist() == ["size"]
    assert "size" in page.alerts.value and everything["alert_id"][0] not in [one[1] for one in page.open_alerts.options]
    page.only_open.value = True
    assert "size" not in page.alerts.value and "breaker" in page.alerts.value


# ---------------------------------------------------------------------- limits of the book, beside those of the rules

LIMITED = {  # field of DeskLimits -> name of its row, and values at which it is ok, near and breached
    "max_position_size": ("largest position", (0.6, 0.53, 0.4)),
    "max_drawdown": ("drawdown", (0.05, 0.0262, 0.01)),
    "var_limit": ("VaR", (5_000.0, 0.0, 1.0)),
}
NOT_LIMITS = {"confidence"}


def held(**options) -> LiveDesk:
    """A book of which half is in A, which fell from 100 to 95."""
    desk = LiveDesk(*parts(min_bars=0), **options)
    desk.step(3)
    assert desk.execute("A", 100, "buy").executed
    desk.step(2)
    return desk


def state_cells(shown: str) -> list[str]:
    """The last cell of each row of a table, with its style."""
    return [row.rsplit("<td", 1)[1] for row in shown.split("<tr>")[2:]]


def test_every_limit_of_the_book_has_a_row_and_its_state_follows_the_value():
    names = {field.name for field in dataclasses.fields(DeskLimits)}
    assert names == set(LIMITED) | NOT_LIMITS
    desk = held()
    assert desk.limits()["rule"].tolist() == ["cash"]
    var = desk.metrics().var
    for field, (name, values) in LIMITED.items():
        for state, value in zip(("ok", "near", "breached"), values, strict=True):
            value = value or var / 0.95
            desk.manager.set_limits("tests", "to see it", **{field: value})
            row = desk.limits().set_index("rule").iloc[-1]
            assert row.name.startswith(name) and row["state"] == state, (field, value)
            assert row["observed"] + row["headroom"] == pytest.approx(row["limit"])
            cell = state_cells(panels.limits(desk))[-1]
            assert state in cell and (panels.RED in cell) == (state == "breached")
            assert desk.check("A", 1, "buy").approved == (state != "breached")
        desk.manager.set_limits("tests", "seen", **{field: None})


def test_a_value_equal_to_its_limit_is_not_a_breach():
    desk = held()
    row = desk.limits().set_index("rule").loc["cash"]
    assert row[["observed", "limit", "headroom", "state"]].tolist() == [9_500.0, 19_500.0, 10_000.0, "ok"]
    desk.manager.set_limits("tests", "what it is", var_limit=desk.metrics().var)
    assert desk.limits()["state"].tolist() == ["ok", "near"]


def test_cash_that_is_spent_is_near_its_limit():
    desk = LiveDesk(*parts())
    desk.step(1)
    assert desk.execute("A", 190, "buy").executed
    assert desk.limits()[["rule", "headroom", "state"]].to_numpy().tolist() == [["cash", 1_000.0, "near"]]


def test_the_limits_of_the_rules_stand_beside_those_of_the_book():
    desk = held(session=session())
    rows = desk.limits().set_index("rule")
    assert list(rows.index) == ["cash", "fall", "breaker: daily loss", "breaker: open positions"]
    assert set(rows["state"]) == {"ok"} and rows.loc["fall", "unit"] == "USD"
    desk.execute("A", 40, "sell")  # 40 x 5 lost, and the breaker trips
    assert desk.limits().set_index("rule").loc["breaker: daily loss", "state"] == "paused"
    assert panels.RED in panels.limits(desk) and "paused" in panels.limits(desk)


def test_the_page_shows_the_limits_of_a_book_without_rules():
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed; it comes with the extra 'notebooks'")
    page = LiveDashboard(*parts(limits=DeskLimits(max_position_size=0.5)))
    page.step(3)
    ask(page, "A", 100)
    page.execute_button.click()
    assert "largest position, 50 % of the value (A)" in page.limits.value and "near" in page.limits.value
    assert panels.RED not in page.limits.value
    page.desk.manager.set_limits("tests", "to see it", max_position_size=0.4)
    page.step()
    assert panels.RED in page.limits.value and "breached" in page.limits.value
