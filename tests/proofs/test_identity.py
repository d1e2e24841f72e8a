"""Money is conserved: the accounting identity holds exactly for every account after every event."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import log_of_rows, random_log, universe, whole_lists

from riskkit.replay.live.engine import Engine
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import MISSING, EventKind
from riskkit.rules import DrawdownLimit

MARKED = RuleSet([Rule("fall", DrawdownLimit(pct="0.5"), action="ALERT")])


def gap(state) -> np.ndarray:
    """What is left of the identity, by account."""
    a = state.accounts[1:]
    left = a["cash"] + a["value"] - a["net_deposits"]
    return left - (a["realised"] + (a["value"] - a["cost"]) - a["fees"] + a["funding"])


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000), opened=st.booleans())
def test_the_identity_holds_after_every_event(mode, seed, opened):
    log = random_log(seed, 80, opened=opened)
    live = Engine(MARKED, log.universe, mode, compiled=False)
    while live.size < len(log):
        live.feed(log, live.size, whole_lists(log, live.size + 1))
        assert not gap(live._state).any(), live.size


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_positions_add_up_to_the_accounts(mode):
    for seed in range(10):
        state = replay_log(random_log(seed, 150), MARKED, mode, compiled=False).state
        positions, accounts = state.positions[1:], state.accounts[1:]
        for name in ("value", "cost", "realised"):
            total = np.bincount(positions["account"], positions[name], minlength=len(accounts))
            assert (total == accounts[name]).all()


def test_the_deepest_fall_is_of_profit_not_of_deposits():
    def cash(amount):
        return {"kind": EventKind.CASH, "account": 0, "side": 0, "qty": amount}

    def price(ticks):
        return {"kind": EventKind.PRICE, "account": -1, "instrument": 0, "price": ticks}

    buy = {"kind": EventKind.FILL, "account": 0, "instrument": 0, "side": 1, "qty": 10, "price": 100, "order": -1}
    order = {**buy, "kind": EventKind.ORDER, "qty": 1, "price": 1}  # without one, the rule has nothing to judge
    rows = [order, buy, price(110), cash(-500), price(90), price(130), cash(5_000)]
    log = log_of_rows([{"instrument": -1, "price": MISSING, "ts": t, **row} for t, row in enumerate(rows)], universe())
    result = replay_log(log, MARKED, compiled=False)
    assert result.accounts()["drawdown"]["A0"] == 2.0  # 10 x (110 - 90) cents
    assert result.accounts()["profit"]["A0"] == 3.0


def test_equity_is_sampled_before_the_events_of_its_instant():
    log = random_log(4, 120)
    spacing = 3_600_000_000_000
    result = replay_log(log, RuleSet([]), sample_ns=spacing, compiled=False)
    frame = result.equity()
    ts = log.columns["ts"]
    assert (np.diff(frame.index.as_unit("ns").asi8) == spacing).all()
    for at, row in zip(frame.index.as_unit("ns").asi8, frame.to_numpy(), strict=True):
        live = Engine(MARKED, log.universe, compiled=False)
        live.feed(log, 0, int(np.searchsorted(np.maximum.accumulate(ts), at)))
        accounts = live._state.accounts[1:]
        equity = np.where(
            accounts["has_external_equity"] != 0, accounts["external_equity"], accounts["cash"] + accounts["value"]
        )
        assert np.allclose(row, equity * 0.01)
