"""A call that is interrupted at any line leaves journal, ids and books that agree."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from label_calls import answer, calls
from proofs.test_proof import RULES
from streams import universe

from riskkit import Instrument
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.session import Session
from riskkit.replay.schema.columns import EventKind

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
