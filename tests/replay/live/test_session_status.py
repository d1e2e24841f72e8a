"""A status by account says what its tables say."""

import numpy as np
import pytest

import riskkit as rk
from riskkit.replay.live.state_copies import StateCopies
from riskkit.replay.results import decisions

INSTRUMENTS = [
    rk.Instrument("ES", tick="0.25", multiplier=50),
    rk.Instrument("BTC", tick="0.01", lot="0.0001"),
    rk.Instrument("DAX", tick="0.5", multiplier=25, currency="EUR"),
]
ACCOUNTS = [rk.Account("A", {"USD": 1000}), rk.Account("B", {"EUR": 500}), rk.Account("C", positions={"BTC": 2})]
RULES = rk.RuleSet([rk.Rule("limit", rk.rules.MaxOrderQty(limit=10**6))])


@pytest.mark.parametrize("accounts", [ACCOUNTS[:2], ACCOUNTS], ids=["valued when read", "valued at every price"])
def test_the_holdings_and_the_drawdown_of_an_account_are_those_of_the_tables(accounts):
    draw = np.random.default_rng(3)
    session = rk.Session.create(RULES, INSTRUMENTS, accounts, currencies="many", compiled=False)
    for ts in range(60):
        instrument = ("ES", "BTC", "DAX")[draw.integers(3)]
        price = int(draw.integers(90, 110))
        if draw.random() < 0.3:
            session.process_price(ts=ts, instrument=instrument, price=price)
            continue
        account = accounts[draw.integers(2)].id if instrument != "DAX" else "B"
        session.process_trade(ts=ts, account=account, instrument=instrument, side="BS"[ts % 2], qty=3, price=price)
    status = session.status()
    positions, drawdowns = status.positions(), status.accounts()["drawdown"]
    for account in [one.id for one in accounts]:
        rows = positions.loc[[account]] if account in positions.index.get_level_values(0) else positions[:0]
        held = status.holdings(account)
        assert [line[0] for line in held] == rows.index.get_level_values("instrument").tolist()
        assert [line[1:] for line in held] == pytest.approx(list(zip(rows["qty"], rows["value"], strict=True)))
        expected = None if np.isnan(drawdowns[account]) else pytest.approx(drawdowns[account])
        assert status.drawdown(account) == expected
    assert (status.holdings("nobody"), status.drawdown("nobody")) == ([], None)


def test_a_view_is_made_once_an_event(monkeypatch):
    def forbidden(*given):
        raise AssertionError

    copies = []
    take = StateCopies.take
    monkeypatch.setattr(StateCopies, "take", lambda self, live: copies.append(1) or take(self, live))
    monkeypatch.setattr(decisions, "day_starts", forbidden)  # of rules that do not ask for the day
    rules = [
        rk.Rule("rate", rk.rules.OrderRate(limit=2, window_ns=5)),
        rk.Rule("held", rk.rules.PositionLimit(limit=9), scope="account_instrument"),
        rk.Rule("loss", rk.rules.DailyLoss(limit=9)),
    ]
    session = rk.Session.create(rk.RuleSet(rules), INSTRUMENTS[:1], ["A"], compiled=False)
    order = {"account": "A", "instrument": "ES", "side": "B", "price": 10}
    session.process_order(**order, qty=1, ts=1)
    first = session.status()
    asked = [session.status() for _ in range(5)]
    assert all(one is first for one in asked) and len(copies) == 1
    before, state = first.utilization(), first.state.rules[0].tobytes()
    assert first.utilization().equals(before) and first.state.rules[0].tobytes() == state
    session.process_order(**order, qty=1, ts=20)
    second = session.status()
    assert len(copies) == 2 and second.size == 2 and first.utilization().equals(before)
    assert second.utilization()["observed"].tolist() == [1, 0]  # the window has moved on
    session.set_limits({"rate.limit": 7}, who="ann", why="more", ts=21)
    assert session.status().utilization()["limit"].tolist()[0] == 7
