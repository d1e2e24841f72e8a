"""The engine of integer codes: prepared events give what pushed ones give, and a step never writes half an event."""

from __future__ import annotations

import gc
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from proofs.test_proof import RULES
from streams import random_log

from riskkit import Account, EventLog, InputError, Instrument, Rule, RuleSet
from riskkit.replay import Engine
from riskkit.replay.ingest.rows import DTYPES
from riskkit.replay.live import engine_tables as module
from riskkit.replay.live.compiled_step import can_step
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag
from riskkit.replay.schema.universe import Universe
from riskkit.rules import OrderRate, PositionLimit

TWO = RuleSet([Rule("rate", OrderRate(limit=1, window_ns=10)), Rule("size", PositionLimit(limit=50))])
WORLD = Universe(
    (Instrument("X"), Instrument("Y")),
    (Account("A", {"USD": 1_000}), Account("B", {"USD": 1_000})),
    {"USD": Instrument("X").tick},
)
ORDER = {"account": 0, "instrument": 0, "side": 1, "qty": 1, "price": 1_000}


def submit_all(live: Engine, log: EventLog) -> None:
    """Every event prepared, all before the first is taken but for lists, which are pushed whole."""
    batch = log.columns["batch"]
    rows = [{name: int(log.columns[name][place]) for name in DTYPES} for place in range(len(log))]
    prepared = {}
    for place, row in enumerate(rows):
        if batch[place] < 0:
            fields = {name: value for name, value in row.items() if name not in ("ts", "kind", "pair")}
            named = fields["order"] == place
            prepared[place] = live.prepare(row["ts"], EventKind(row["kind"]), named=named, **fields)
    place = 0
    while place < len(rows):
        if batch[place] < 0:
            before = live.size
            count = live.submit(prepared[place])
            assert (live.last(count)["seq"] == before).all()
            place += 1
        else:
            members = [row for row in rows[place:] if row["batch"] == batch[place]]
            live.take(members)
            place += len(members)


@pytest.mark.lengthy
@pytest.mark.parametrize("seed", range(3))
def test_prepared_events_in_plain_python(seed):
    log = random_log(seed, 100)
    live = Engine(RULES, log.universe, compiled=False)
    submit_all(live, log)
    assert live.digest == replay_log(live.log(), RULES, compiled=False).digest
    assert live.result().rows["code"].tolist() == replay_log(log, RULES, compiled=False).rows["code"].tolist()


@pytest.mark.xdist_group("proof")  # the process that has compiled this loop
def test_prepared_events_through_the_compiled_step(monkeypatch):
    monkeypatch.setattr(module, "STEP_EVENTS", 32)  # so that the step often meets a full journal
    for seed in range(4):
        log = random_log(seed, 150)
        live = Engine(RULES, log.universe)
        submit_all(live, log)
        assert (live._quick is not None) == live._engine.compiled  # none where numba is switched off
        assert live.digest == replay_log(live.log(), RULES, compiled=False).digest, seed
        pushed = Engine(RULES, log.universe, compiled=False)
        pushed.feed(log)
        assert live.result().rows["code"].tolist() == pushed.result().rows["code"].tolist()
        again = Engine.restore(live.snapshot(), RULES)
        for one in (live, again):  # prepared, pushed, prepared
            ts = int(log.columns["ts"].max())
            order = {"account": 0, "instrument": 1, "side": 1, "qty": 1, "price": 100}
            first = one.prepare(ts, EventKind.ORDER, named=True, **order)
            for _ in range(3):
                one.submit(first)
            one.push(ts + 1, EventKind.ORDER, **order, order=one.size)
            one.submit(one.prepare(ts + 1, EventKind.CANCEL, account=0, instrument=1, order=one.size - 2))
            one.submit(one.prepare(ts + 2, EventKind.FILL, **order, order=one.size - 2, fee=1))
        assert live.digest == again.digest == replay_log(again.log(), RULES, compiled=False).digest


@pytest.mark.xdist_group("proof")
def test_what_a_step_cannot_take_is_refused_whole():
    live = Engine(RULES, WORLD)
    live.submit(live.prepare(5, EventKind.ORDER, named=True, **ORDER))
    live.submit(live.prepare(5, EventKind.ORDER, **ORDER))
    bad = [
        (live.prepare(4, EventKind.ORDER, **ORDER), "is earlier"),
        (live.prepare(6, EventKind.FILL, **ORDER, order=9), "is not the number of an event so far"),
        (live.prepare(6, EventKind.ORDER, **{**ORDER, "qty": 2**58}), "could overflow 64 bits"),
        (live.prepare(6, EventKind.ORDER, **{**ORDER, "price": 2**61}), "could overflow 64 bits"),
        (live.prepare(6, EventKind.CASH, account=0, qty=2**60), "its balance could reach"),
    ]
    before = live.digest, live.size, live.state.positions.tobytes(), live._reach.words.tobytes()
    for event, why in bad:
        with pytest.raises(InputError, match=why):
            live.submit(event)
        assert (live.digest, live.size, live.state.positions.tobytes(), live._reach.words.tobytes()) == before
    assert live.submit(live.prepare(6, EventKind.FILL, **ORDER, order=0)) == 0
    assert live.state.positions["qty"][1:].tolist() == [1]
    for fields, why in [
        ({"batch": 3}, "is taken in one call"),
        ({"account": 7}, "is not a code of this universe"),
        ({"size": 7}, "is not a field of an event"),
        ({"qty": -1}, "are not those of an order"),
    ]:
        with pytest.raises(InputError, match=why):
            live.prepare(9, EventKind.ORDER, **{**ORDER, **fields})


def test_a_list_of_orders_is_taken_whole_or_refused():
    log = random_log(3725, 120)
    batch = log.columns["batch"]
    (cut,) = [place for place in range(1, 20) if batch[place] >= 0 and batch[place] == batch[place - 1]]
    live = Engine(RULES, log.universe, compiled=False)
    for start, stop, name in [(0, cut, "stop"), (cut, None, "start")]:
        with pytest.raises(InputError, match=f"{name}={cut} splits the list of orders that begins at event {cut - 1}"):
            live.feed(log, start, stop)
        assert live.size == 0
    live.feed(log, 0, cut + 1)
    with pytest.raises(InputError, match=rf"batch={cut} is not an event of this call \({cut + 1} to {cut + 1}\)"):
        live.push(int(log.columns["ts"][cut]), EventKind.ORDER, **ORDER, batch=cut)
    assert live.size == cut + 1


@pytest.mark.xdist_group("proof")
def test_decision_rows_of_steps_are_all_kept(monkeypatch):
    monkeypatch.setattr(module, "STEP_ROWS", 64)
    live = Engine(RULES, WORLD)
    found = []
    for turn in range(300):
        count = live.submit(live.prepare(turn, EventKind.ORDER, **ORDER))
        if turn % 7 == 0:
            found.append(live.last(count).copy())
    rows = live.result().rows
    assert len(rows) > 250
    assert all((rows[rows["seq"] == 7 * place] == one).all() for place, one in enumerate(found))
    assert live.digest == replay_log(live.log(), RULES, compiled=False).digest


def test_stray_references_keep_a_record_of_their_own():
    """A fill may name an event that is no named order; every fill that names it shares one record."""
    live = Engine(TWO, WORLD, "enforce", compiled=False)
    live.push(0, EventKind.ORDER, **ORDER)
    live.push(1, EventKind.FILL, **ORDER, order=0)
    live.push(2, EventKind.FILL, **ORDER, order=0)
    live.push(20, EventKind.ORDER, **ORDER, order=3)
    live.push(20, EventKind.FILL, **ORDER, order=3)
    again = Engine.restore(live.snapshot(), TWO, compiled=False)
    for one in (
        live,
        again,
        live.widened(Universe((*WORLD.instruments, Instrument("Z")), WORLD.accounts, WORLD.quanta)),
    ):
        one.push(21, EventKind.FILL, **ORDER, order=0)
        assert one._journal.columns["slots"][: one.size].tolist() == [-1, 0, 0, 1, 1, 0]
    assert live.digest == again.digest == replay_log(live.log(), TWO, "enforce", compiled=False).digest


def test_a_wider_universe_changes_no_decision():
    log = random_log(4, 120)
    live = Engine(RULES, log.universe, compiled=False)
    live.feed(log, 0, 70)
    old = live.universe
    accounts, instruments = (
        (*old.accounts, Account("new", {"USD": 10})),
        (*old.instruments, Instrument("new", lot="0.5")),
    )
    wider = live.widened(
        Universe(instruments, accounts, old.quanta, (*old.strategies, "new/s"), (*old.connections, "c"))
    )
    assert wider.size == live.size
    for one in (live, wider):
        one.feed(log, 70)
    assert wider.result().rows["code"].tolist() == live.result().rows["code"].tolist()
    wider.push(int(log.columns["ts"].max()), EventKind.ORDER, account=3, instrument=3, side=1, qty=1, price=1)
    assert wider.digest == replay_log(wider.log(), RULES, compiled=False).digest


def test_a_step_is_only_written_for_a_compiled_loop_of_whole_numbers():
    live = Engine(TWO, WORLD, compiled=False)
    live.push(0, EventKind.ORDER, **ORDER)
    assert not can_step(live._engine, live._values)
    run = SimpleNamespace(py_func=None)
    compiled = SimpleNamespace(compiled=True, run=run, shape=SimpleNamespace(duplicates=False))
    assert can_step(compiled, [np.zeros(1), (1, np.int64(2))])
    assert not can_step(compiled, [np.zeros(1), (1, 0.5)])
    assert not can_step(SimpleNamespace(compiled=True, run=object(), shape=compiled.shape), [])


@pytest.mark.parametrize("seed", range(3))
def test_what_is_held_is_worth_the_same_whether_a_rule_asks_for_it_or_not(seed):
    log = random_log(seed, 200)
    for mode in ("shadow", "enforce"):
        bare = replay_log(log, TWO, mode, compiled=False)
        asked = replay_log(log, TWO, mode, compiled=False, sample_ns=10**15)
        assert not bare.marked and asked.marked
        both = [result.accounts().drop(columns="drawdown") for result in (bare, asked)]
        pd.testing.assert_frame_equal(*both)
        pd.testing.assert_frame_equal(bare.positions(), asked.positions())
        assert both[0]["value"].any() and bare.accounts()["drawdown"].isna().all()
        live = Engine(TWO, log.universe, mode, compiled=False)
        live.feed(log)
        pd.testing.assert_frame_equal(live.result().accounts(), bare.accounts())


def test_the_latest_time_is_that_of_the_last_event_that_was_not_late():
    live = Engine(TWO, WORLD, compiled=False)
    assert live.latest == MISSING
    live.push(5, EventKind.ORDER, order=0, **ORDER)
    live.push(3, EventKind.ORDER, order=1, flags=RowFlag.BAD_TS, **ORDER)
    assert live.latest == 5 and live.size == 2


def calls_of_a_new_pair(count: int) -> int:
    """The functions called, Python's and those in C, for the first order of an account in the last instrument."""
    world = Universe(tuple(Instrument(f"X{i}") for i in range(count)), (Account("A"), Account("B")), WORLD.quanta)
    rules = RuleSet([*RULES, Rule("pair", OrderRate(limit=1, window_ns=10), scope="account_instrument")])
    live = Engine(rules, world, compiled=False)
    for instrument in (0, 1):
        live.push(5, EventKind.ORDER, **{**ORDER, "instrument": instrument})
    calls = []
    gc.disable()  # a collection calls functions of others
    sys.setprofile(lambda frame, what, _: calls.append(what) if what in ("call", "c_call") else None)
    try:
        live.push(6, EventKind.ORDER, **{**ORDER, "instrument": count - 1})
    finally:
        sys.setprofile(None)
        gc.enable()
    return len(calls)


def test_the_work_for_a_new_pair_does_not_grow_with_the_instruments():
    calls_of_a_new_pair(3)  # makes what is made once
    assert calls_of_a_new_pair(400) == calls_of_a_new_pair(3)


def test_pairs_that_come_late_decide_as_those_known_from_the_start():
    log = random_log(12, 150, opened=True)
    live = Engine(RULES, log.universe, compiled=False)
    live.feed(log)
    whole = replay_log(log, RULES, compiled=False)
    order = [
        live._journal.pairs[pair] + 1
        for pair in zip(log.pair_account.tolist(), log.pair_instrument.tolist(), strict=True)
    ]
    assert live.state.positions["qty"][order].tolist() == whole.state.positions["qty"][1:].tolist()
    assert live.digest == replay_log(live.log(), RULES, compiled=False).digest


def test_a_twin_goes_on_by_itself_and_events_are_read_from_any_number():
    log = random_log(5, 120)
    engine, whole = (Engine(RULES, log.universe, compiled=False) for _ in range(2))
    engine.feed(log, 0, 60)
    before = engine.digest
    twin = engine.twin()
    twin.feed(log, 60)
    engine.cover()
    assert engine.digest == before
    whole.feed(log)
    assert twin.digest == whole.digest
    columns, rows = twin.from_event(40)
    assert columns["ts"].tolist() == log.columns["ts"][40:].tolist()
    assert rows.tolist() == whole.since(40).tolist()
