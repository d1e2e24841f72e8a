"""Ratios of splits at both doors: which fit, the price steps that keep prices exact, and one digest."""

from __future__ import annotations

from fractions import Fraction

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import FILL, ORDER, X, column, load, refusal

from riskkit import Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.splits import NO_SPLIT, finer_steps
from riskkit.rules import PositionLimit

RULES = RuleSet([Rule("size", PositionLimit(limit=20))])
SPLIT = {"ts": 2, "kind": "split", "instrument": "X", "ratio": "3/2"}


@pytest.mark.parametrize(
    ("ratio", "new", "old"), [("3/2", 3, 2), ("6/4", 3, 2), (2, 2, 1), ("0.1", 1, 10), (1.5, 3, 2)]
)
def test_a_ratio_is_new_units_for_old_ones(ratio, new, old):
    log = load({**SPLIT, "ratio": ratio})
    assert (column(log, "qty"), column(log, "price"), column(log, "side")) == ([new], [old], [0])


@pytest.mark.parametrize("ratio", [0, 1, -2, "3/0", "x", "3/2/1", "1001", "1/1001", True])
def test_what_is_no_split_is_refused_at_both_doors(ratio):
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    assert refusal_of(session.process_split, ts=1, instrument="X", ratio=ratio).endswith(NO_SPLIT)
    assert refusal({**SPLIT, "ratio": ratio}).endswith(NO_SPLIT)


def test_an_unknown_way_with_orders_is_refused():
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    said = "orders='some' is not one of FINRA, ALL, CANCEL, NONE"
    assert refusal_of(session.process_split, ts=1, instrument="X", ratio=2, orders="some") == said
    assert refusal({**SPLIT, "orders": "some"}).endswith("'some' is not one of FINRA, ALL, CANCEL, NONE")


def test_prices_of_a_frame_are_exact_in_new_units():
    log = load({**FILL, "order_id": None}, SPLIT, {**SPLIT, "ratio": "7/1"}, {**ORDER, "ts": 3}, instruments=(X,))
    assert log.universe.instruments[0].price_step == Fraction("0.01") / 21
    assert finer_steps({0: Fraction(997), 1: Fraction(991), 2: Fraction(983)}, [0, 0, 0], 1) == [997 * 991]
    state = replay_log(log, RULES, compiled=False).state
    assert int(state.instruments["mark"][1]) * log.universe.instruments[0].price_step == Fraction("1.0")


def test_a_session_decides_as_a_replay_of_its_log():
    session = Session.create(RULES, [Instrument("X", price_step="0.005")], ["A"], compiled=False)
    submit(session, [{**FILL, "ts": 1, "order_id": None}, {**SPLIT, "orders": "all"}, {**ORDER, "ts": 3}])
    assert session.result().digest == replay_log(session.log(), RULES, compiled=False).digest
    assert session.status().positions()["qty"].tolist() == [3]
