"""The short way into a session and the complete one say, keep and decide the same."""

from __future__ import annotations

from types import BuiltinFunctionType

import pytest
from label_calls import answer, calls
from marks import needs_compiling
from proofs.test_proof import RULES
from streams import universe

from riskkit import InputError, Instrument
from riskkit.replay.live import journal
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.session import Session
from riskkit.replay.run.replay_log import replay_log

POLICIES = [
    {},
    {"order_ids": "account", "ts_policy": "reject", "unknown_orders": "external"},
    {"order_ids": "account_day", "ts_policy": "clamp", "on_bad_order": "flag", "rounding": "nearest"},
]


@pytest.mark.xdist_group("proof")  # the process that has compiled this loop
@pytest.mark.parametrize("options", POLICIES)
def test_plain_and_odd_calls_are_answered_alike(options, monkeypatch):
    taken, take = [], Engine.take
    monkeypatch.setattr(Engine, "take", lambda engine, rows: taken.append(engine.compiled) or take(engine, rows))
    for seed in range(3):
        short = Session(RULES, universe(), **options)
        complete = Session(RULES, universe(), **options, compiled=False)
        for number, (method, given) in enumerate(calls(seed, 300)):
            assert answer(short, method, given) == answer(complete, method, given), (seed, number, method, given)
            if number == 150:
                short = Session.restore(short.snapshot(), RULES)
        assert short.digest == complete.digest == replay_log(short.log(), RULES, compiled=False).digest
        assert short.state.positions.tobytes() == complete.state.positions.tobytes()
        extra = [session._entries.orders.labels() for session in (short, complete)]
        assert list(extra[0]) == list(extra[1])
    if short.engine.make_step() is not None:  # there is none where numba is switched off
        assert taken.count(True) < 0.7 * taken.count(False)  # the short way was gone


@pytest.mark.xdist_group("proof")
@needs_compiling
def test_an_account_and_an_instrument_that_meet_have_one_pair_and_a_record_of_it():
    session = Session(RULES, universe())
    session.process_order(ts=0, account="A0", instrument="I0", side="B", qty=1, price=100)
    engine = session.engine
    assert isinstance(engine.make_step().step, BuiltinFunctionType)  # it is compiled when it is made
    code = session.universe.account_codes["A1"]
    pair = engine.meet(code, 1)
    assert engine.meet(code, 1) == pair and engine.meet(0, 0) == 0
    record = engine.tables.positions[pair + 1]
    assert (record["account"], record["instrument"], record["code"]) == (code, 1, pair)


@pytest.mark.xdist_group("proof")
@needs_compiling
def test_an_instrument_that_is_not_known_is_refused_or_registered_also_for_an_account_that_trades():
    order = {"account": "A0", "side": "B", "qty": 1, "price": 100}
    strict, open_ = Session(RULES, universe()), Session(RULES, universe(), auto_register=Instrument("any"))
    for session in (strict, open_):
        session.process_order(ts=0, instrument="I0", **order)
        assert session.engine.make_step() is not None
    with pytest.raises(InputError, match="instrument='new' is not declared"):
        strict.process_order(ts=1, instrument="new", **order)
    open_.process_order(ts=1, instrument="new", **order)
    assert (len(strict), len(open_)) == (1, 2)
    assert [open_.universe.instruments[code].id for code in open_.log().columns["instrument"]] == ["I0", "new"]


@pytest.mark.xdist_group("proof")
@needs_compiling
def test_a_late_event_that_gets_the_time_of_the_last_one_takes_the_short_way(monkeypatch):
    order = {"account": "A0", "instrument": "I0", "side": "B", "qty": 1, "price": 100}
    short, complete = (Session(RULES, universe(), ts_policy="clamp", compiled=how) for how in (True, False))
    for session in (short, complete):
        session.process_order(ts=100, order_id="a", **order)
    assert short.engine.make_step() is not None
    calls = [("process_order", order), ("process_trade", {"order_id": "a", "qty": 1, "price": 100})]
    calls += [("process_price", {"instrument": "I0", "price": 101}), ("process_cancel", {"order_id": "a"})]
    with monkeypatch.context() as patch:
        patch.setattr(short, "_submit", None)
        for ts, (method, fields) in enumerate(calls, 90):
            assert answer(short, method, {"ts": ts, **fields}) == answer(complete, method, {"ts": ts, **fields})
        frames = [{"ts": 99, "kind": "order", **order}] * 20
        assert short.process(frames).passed.tolist() == complete.process(frames).passed.tolist()
    assert short.log().columns["ts"].tolist() == [100] * 25
    assert short.digest == complete.digest


@pytest.mark.xdist_group("proof")
@needs_compiling
def test_messages_find_their_orders_once_the_columns_of_the_journal_have_moved(monkeypatch):
    monkeypatch.setattr(journal, "STEP_EVENTS", 64)
    short, complete = Session(RULES, universe()), Session(RULES, universe(), compiled=False)
    taken, take = [], Engine.take
    monkeypatch.setattr(Engine, "take", lambda engine, rows: taken.append(engine.compiled) or take(engine, rows))
    order = {"account": "A0", "instrument": "I0", "side": "B", "qty": 3, "price": 100}
    for n in range(400):
        old = n // 2  # the columns have moved since this one came
        for session in (short, complete):
            session.process_order(ts=n * 10, **order, order_id=n, strategy="s")
            session.process_trade(ts=n * 10 + 1, order_id=old, qty=1, price=100, trade_id=n)
            session.process_modify(ts=n * 10 + 2, order_id=str(n), qty=2)
            session.process_cancel(ts=n * 10 + 3, order_id=n, account="A0", instrument="I0")
    assert taken.count(True) < 0.2 * taken.count(False)
    assert short.digest == complete.digest
    again = {"order_id": 150, "qty": 1, "price": 100, "trade_id": 301}
    told = [session.process_trade(ts=5_000, **again) for session in (short, complete)]
    assert told[0] == told[1] and told[0][0].reason == "fill: duplicate fill."
    with pytest.raises(InputError, match="another quantity, price"):
        short.process_trade(ts=5_000, **again | {"qty": 2})
