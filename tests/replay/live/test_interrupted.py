"""A call that is interrupted at any line leaves journal, ids and books that agree."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from interrupts import interruptions
from label_calls import answer, calls
from proofs.test_proof import RULES
from streams import universe

from riskkit import Instrument, Rule, RuleSet, replay_log
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.session import Session
from riskkit.replay.schema.columns import EventKind
from riskkit.rules import DailyLoss, MaxOrderQty, PositionLimit

ANY = Instrument("any", negative_price=True)


def interrupted(session: Session, method: str, given: dict[str, Any], lines: int) -> bool:
    """Make a call and interrupt it after so many lines of the package, if it has as many; return whether it was."""
    left = [lines]

    def trace(frame: Any, event: str, _: Any) -> Any:
        if "/riskkit/" not in frame.f_code.co_filename:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        answer(session, method, given)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.xdist_group("proof")
def test_what_an_interrupt_leaves_agrees():
    stops = 0
    for seed in range(2):
        draw = np.random.default_rng(seed)
        session = Session(RULES, universe(), auto_register=ANY)
        for method, given in calls(seed, 150, odd=0.05):
            given |= {"account": f"N{draw.integers(40)}"} if given.get("account") and draw.random() < 0.2 else {}
            if len(session) > 5 and draw.random() < 0.5:
                stops += interrupted(session, method, given, int(draw.integers(1, 160)))
            else:
                answer(session, method, given)
        answer(session, "tick", {})
        log = session.log()
        fresh = Engine(RULES, session.universe, compiled=False)
        fresh.feed(log)
        assert fresh.digest == session.digest
        for name in set(fresh.state.accounts.dtype.names) - {
            "first_position"
        }:  # of the first pair, which may have no event
            np.testing.assert_array_equal(fresh.state.accounts[name], session.state.accounts[name], name)
        orders = np.flatnonzero(
            (log.columns["kind"] == EventKind.ORDER) & (log.columns["order"] == np.arange(len(log)))
        )
        assert Counter(number for _, number in session._entries.orders.labels()) == Counter(orders.tolist())
    assert stops > 40 or session.engine.make_step() is None


PLAIN = RuleSet(
    [Rule("size", MaxOrderQty(limit=5)), Rule("loss", DailyLoss(limit=50)), Rule("held", PositionLimit(limit=9))]
)
ORDERS = [
    {"order_id": "o", "instrument": "X", "side": "B", "qty": 1, "price": 9},
    {"order_id": "n", "instrument": "Y", "side": "S", "qty": 2},
]
PLAIN_CALLS = {
    "order": lambda made: made.process_order(account="B", instrument="X", side="B", qty=1, price=9, order_id="p", ts=4),
    "list": lambda made: made.process_order_list(
        account="A", orders=[{**one, "order_id": f"l{n}", "price": 9} for n, one in enumerate(ORDERS)], ts=4
    ),
    "snapshot": lambda made: made.process_snapshot(account="A", positions={"X": 4, "Y": -2}, orders=ORDERS, ts=4),
    "dividend": lambda made: made.process_dividend(instrument="X", amount=1, ts=4),
    "funding": lambda made: made.process_funding(instrument="X", rate="0.01", ts=4),
    "adjust": lambda made: made.process_adjust(account="B", instrument="Y", side="S", qty=2, price=9, ts=4),
    "transfer": lambda made: made.process_transfer(**{"from": "A", "to": "B"}, instrument="X", qty=1, price=9, ts=4),
    "roll": lambda made: made.process_roll(**{"from": "X", "to": "Y"}, from_price=10, to_price=11, ts=4),
    "split": lambda made: made.process_split(instrument="X", ratio=2, ts=4),
    "multiplier": lambda made: made.process_multiplier(instrument="X", multiplier=2, ts=4),
    "phase": lambda made: made.process_phase(instrument="X", phase="auction", ts=4),
    "expiry": lambda made: made.process_expiry(instrument="X", price=10, ts=4),
    "newcomer": lambda made: made.process_adjust(account="N", instrument="Y", side="B", qty=1, ts=4),
    "halt": lambda made: made.halt(account="A", who="ann", why="a trial", ts=4),
    "limits": lambda made: made.set_limits({"size.limit": 2}, who="ann", why="a trial", ts=4),
}


def plain_session() -> Session:
    made = Session.create(
        PLAIN, [Instrument("X"), Instrument("Y")], ["A", "B"], auto_register=Instrument("any"), compiled=False
    )
    made.process_price(instrument="X", price=10, ts=1)
    made.process_order(account="A", instrument="X", side="B", qty=3, price=10, order_id="o", ts=2)
    made.process_trade(order_id="o", qty=1, price=10, trade_id="t", ts=3)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", PLAIN_CALLS)
def test_a_call_of_plain_rules_is_made_or_not(name, long):
    made = plain_session()
    before = made.digest
    PLAIN_CALLS[name](made)
    after = made.digest
    assert before != after
    for made in interruptions(plain_session, PLAIN_CALLS[name], 7 if long else 809):
        assert made.digest in (before, after)
        made.process_order(account="B", instrument="X", side="S", qty=1, price=10, order_id="after", ts=9)
        assert replay_log(made.log(), made.history, compiled=False).digest == made.digest
