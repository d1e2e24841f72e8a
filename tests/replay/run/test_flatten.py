"""Flattening after a trip: equal to a pass that closes as it goes, and to what the documents say case by case."""

from __future__ import annotations

import numpy as np
import pytest
from flattening import EVEN, LOSS, PACES, RUNAWAY, SECOND, flat, log_of, rules, stream
from hypothesis import given, settings
from hypothesis import strategies as st
from naive.flatten import naive_flatten

from riskkit import InputError
from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.specialise import specialise
from riskkit.replay.live.engine import Engine
from riskkit.replay.log.tiny_log import tiny_log
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.rules import MaxOrderQty


@pytest.mark.parametrize("pace", PACES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_repeated_replays_end_where_one_pass_does(pace, seed):
    events = stream(seed)
    how, naive = PACES[pace]
    result = flat(log_of(events), rules(), how)
    fills, held, left = naive_flatten(events, 6, 60 * SECOND, naive)
    found = result.log.columns
    mine = np.flatnonzero(found["flags"] != 0)
    made = sorted(
        zip(
            *(found[name][mine].tolist() for name in ("ts", "account", "instrument")),
            (found["side"][mine] * found["qty"][mine]).tolist(),
            found["price"][mine].tolist(),
            strict=True,
        )
    )
    assert made == sorted(fills)
    assert result.flattening.left == left and len(result.flattening.fills) == len(fills)
    assert (result.log.source_rows == -1).sum() == len(fills)
    table, log = result.state.positions[1:], result.log
    pairs = zip(log.pair_account.tolist(), log.pair_instrument.tolist(), table["qty"].tolist(), strict=True)
    assert {(account, instrument): lots for account, instrument, lots in pairs if lots} == held


@pytest.mark.lengthy
def test_the_streams_of_the_property_have_trips_closings_and_remains():
    totals = np.zeros(4, int)
    for seed in range(10):
        for pace in PACES:
            one = flat(log_of(stream(seed)), rules(), PACES[pace][0]).flattening
            totals += [one.positions, one.left, len(one.fills), (one.fills["side"] > 0).sum()]
    assert (totals > 5).all()


@pytest.mark.slow
def test_compiled_plain_and_in_chunks_give_one_digest():
    digest, options = flat(RUNAWAY, LOSS).digest, {"on_trip": "flatten", "compiled": True}
    assert replay_log(RUNAWAY, LOSS, "enforce", **options).digest == digest
    assert replay_log(RUNAWAY, LOSS, "enforce", chunk=7, **options).digest == digest


def test_the_pace_is_in_the_digest():
    log = log_of(stream(3))
    assert len({flat(log, rules(), how).digest for how in ("touch", 0.3, 0.5, EVEN)}) == 4


def test_a_loss_limit_that_flattens_ends_near_its_limit():
    stays = replay_log(RUNAWAY, LOSS, "enforce", on_trip="cancel_working", compiled=False)
    closed = flat(RUNAWAY, LOSS)
    lost, at_end = -closed.accounts()["profit"].item(), -stays.accounts()["profit"].item()
    assert 10_000 <= lost < 13_000 and at_end > 50_000
    cost = closed.flattening.costs["USD"]
    assert closed.flattening.fills["cost"].sum() == pytest.approx(cost)
    assert not closed.positions()["qty"].any() and stays.positions()["qty"].any()
    text = repr(closed)
    refusal = closed.rejections()["seq"][0]
    assert "paused by loss" in closed.explain(refusal)
    assert "positions at trips" in text and "at the touch" in text and "cost against marks at trips" in text


def test_an_exit_of_the_record_opens_nothing_after_a_flattening():
    """The record sells its 4 later; they are sold already, and the exit is an orphan."""
    events = [
        {"kind": "ORDER", "side": 1, "qty": 4, "price": 100, "order": 0},
        {"kind": "FILL", "side": 1, "qty": 4, "price": 100, "order": 0},
        {"kind": "ORDER", "side": 1, "qty": 9, "price": 100, "order": 2},
        {"kind": "PRICE", "account": -1, "side": 0, "qty": 0, "price": 99, "bid": 98, "ask": 100, "order": -1},
        {"kind": "ORDER", "side": -1, "qty": 4, "price": 99, "order": 4},
        {"kind": "FILL", "side": -1, "qty": 4, "price": 99, "order": 4},
    ]
    log = log_of([{"ts": SECOND * n, "account": 0, "instrument": 0, **event} for n, event in enumerate(events)])
    result = flat(log, rules())
    assert result.flattening.fills[["side", "qty", "price", "cost"]].values.tolist() == [[-1, 4, 0.98, 0.08]]
    assert result.counts()["orphans_dropped"] == 1 and not result.positions()["qty"].any()
    assert result.counts()["unnamed_fills"] == 0
    assert {policy: round(profit, 2) for policy, profit in result.profit_by_orphan_policy.items()} == {
        "keep": -0.08, "clip": -0.08, "drop": -0.08}  # fmt: skip


def test_a_log_without_closing_fills_has_a_loop_without_a_word_of_them():
    log, options = log_of(stream(1)), {"enforce": True, "sampled": False, "cancels": True, "opened": False}
    plain = specialise(shape_of(rules(), log.columns, **options)).text
    closed = specialise(shape_of(rules(), flat(log, rules()).log.columns, **options)).text
    assert "256" not in plain and closed.count("256") == 2


@pytest.mark.parametrize(
    ("chosen", "how", "says"),
    [
        (RuleSet([Rule("size", MaxOrderQty(limit=6))]), "touch", "needs a rule that trips; give one the action PAUSE"),
        (RuleSet([Rule("size", MaxOrderQty(limit=6), scope="strategy", action="PAUSE")]), "touch",
         "rule 'size' trips for each strategy of an account, and positions are of accounts"),
        (rules(), "slowly", "flatten='slowly' is not 'touch', a share of the market volume such as 0.1, or"),
        (rules(), 1.5, "flatten=1.5 is not above 0 and at most 1; 0.1 is a tenth of the market volume"),
    ],
)  # fmt: skip
def test_what_cannot_be_flattened_is_refused(chosen, how, says):
    with pytest.raises(InputError, match=says):
        flat(log_of(stream(1)), chosen, how)


def test_a_live_engine_refuses_the_fills_of_a_flattening():
    closed = flat(log_of(stream(1)), rules())
    assert closed.flattening.positions
    live = Engine(rules(), closed.log.universe, "enforce", compiled=False)
    with pytest.raises(InputError, match="a fill that on_trip='flatten' made, which a live engine does not know"):
        live.feed(closed.log)


def test_in_shadow_mode_and_without_a_trip_nothing_is_closed():
    log = tiny_log([1, 2], marks=9)
    assert replay_log(log, rules(), on_trip="flatten", compiled=False).flattening is None
    calm = flat(log, rules())
    assert calm.flattening.positions == 0 and calm.log is log
