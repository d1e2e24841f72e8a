"""Batches of any split, in every form, decide as their rows one by one."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from label_calls import calls
from proofs.test_proof import RULES
from streams import universe

from riskkit import InputError, Instrument, Rule, RuleSet
from riskkit.replay.live.column_door import COLUMNS
from riskkit.replay.live.session import Session
from riskkit.replay.run.replay_log import replay_log
from riskkit.rules import DuplicateOrder

ODD = {("side", None), ("side", 2.5), ("qty", None), ("qty", 2.5), ("price", None)}
KINDS = {"process_trade": "fill", "tick": "clock"}


def rows(seed: int, count: int, odd: float = 0.15, kinds: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    found = []
    for method, given in calls(seed, count, odd):
        kind = KINDS.get(method, method.removeprefix("process_"))
        if not kinds or kind in kinds:
            names = COLUMNS if kinds else [name for name in given if name != "now"]
            row = {name: given[name] for name in names if name in given}
            found.append({**row, "kind": kind, "ts": given.get("ts", given.get("now"))})
    return found


def outcome(session: Session, parts: list[Any]) -> tuple[Any, ...]:
    """What is said of all rows: which passed, the errors, and the actions but for what they observed in the past."""
    passed, errors, actions, at = [], {}, [], 0
    for part in parts:
        batch = session.process(part)
        passed += batch.passed.tolist()
        errors |= {at + row: text for row, text in batch.errors.items()}
        actions += [(a.seq, a.action, a.rule, a.key, a.account, a.instrument, a.ts, a.until) for a in batch.actions]
        at += len(batch.passed)
    return passed, errors, actions, session.digest, session.state.positions.tobytes()


@pytest.mark.xdist_group("proof")
@pytest.mark.parametrize(("odd", "kinds"), [(0.15, ()), (0.002, ("order", "fill", "price"))])
def test_batches_of_any_split_decide_as_single_events(odd, kinds, monkeypatch):
    taken, take = [], Session.take_stretch
    monkeypatch.setattr(Session, "take_stretch", lambda *args: taken.append(take(*args)) or taken[-1])
    for seed in range(2):
        stream = rows(seed, 300, odd, kinds)
        single = outcome(Session(RULES, universe(), compiled=False), [[row] for row in stream])
        cuts = np.sort(np.random.default_rng(seed).integers(0, len(stream), 3)).tolist()
        for ends in ([len(stream)], [*cuts, len(stream)]):
            session = Session(RULES, universe())
            parts = [stream[start:end] for start, end in zip([0, *ends], ends, strict=False)]
            assert outcome(session, parts) == single
        assert session.digest == replay_log(session.log(), RULES, compiled=False).digest
    if kinds and session.engine.make_step() is not None:  # there is none where numba is switched off
        assert sum(taken) > 200


def forms(stream: list[dict[str, Any]]) -> list[Any]:
    names = ["ts", "kind", "account", "instrument", "side", "qty", "price", "order_id"]
    frame = pd.DataFrame(stream)[names]
    Event = dataclasses.make_dataclass("Event", names)
    pa = pytest.importorskip("pyarrow")
    return [
        frame,
        frame.astype({"account": "string", "side": "category"}),
        frame.astype(dict.fromkeys(["kind", "account", "order_id"], "category")),
        pa.Table.from_pandas(frame),
        pa.RecordBatch.from_pandas(frame),
        [Event(**row) for row in stream],
        stream,
    ]


@pytest.mark.xdist_group("proof")
def test_every_form_of_a_batch_says_the_same():
    draw = np.random.default_rng(5)
    stream = [
        {
            "ts": 1_709_649_000_000_000_000 + 10**12 * number, "kind": "order", "account": f"A{draw.integers(3)}",
            "instrument": f"I{draw.integers(2)}", "side": "B", "qty": 1,
            "price": float(draw.integers(1, 9)), "order_id": f"o{number}",
        }
        for number in range(100)
    ]  # fmt: skip
    found = [outcome(Session(RULES, universe()), [form]) for form in forms(stream)]
    assert all(one == found[0] for one in found) and sum(found[0][0]) > 5


def test_actions_of_a_batch_are_a_frame():
    session = Session(RULES, universe(), compiled=False)
    order = {"ts": 1_709_649_000_000_000_000, "account": "A0", "instrument": "I0", "side": "B", "qty": 90, "price": 100}
    frame = session.process([order]).frame()
    assert frame[["action", "rule", "seq", "observed", "limit"]].values.tolist() == [["REJECT", "ordered", 0, 90, 60]]
    assert frame["reason"].str.startswith("the order is refused by ordered").all()
    assert session.process([]).frame().empty


@pytest.mark.xdist_group("proof")
@pytest.mark.parametrize("value", ["X", "", 1, None, 2.5])
@pytest.mark.parametrize("field", ["account", "instrument", "side", "qty", "price"])
def test_a_row_of_no_meaning_in_a_long_batch_is_refused_as_in_a_single_call(field, value):
    rows = [
        {"ts": number, "account": "A0", "instrument": "I0", "side": "S", "qty": 1, "price": 5.0} for number in range(60)
    ]
    session = Session(RULES, universe())
    session.process(rows[:20])
    rows[50][field] = value
    expected = {}
    try:
        Session(RULES, universe(), compiled=False).process_order(**rows[50])
    except InputError as refused:
        expected = {30: str(refused)}
    assert session.process(rows[20:]).errors == expected
    assert bool(expected) == (value in ("X", "") or (field, value) in ODD or field in ("account", "instrument"))


@pytest.mark.xdist_group("proof")
def test_sides_that_are_numbers_are_buys_and_sells():
    frame = pd.DataFrame({"ts": range(60), "account": "A0", "instrument": "I0", "qty": 1, "price": 5.0})
    session = Session(RULES, universe())
    session.process(frame.assign(side="B"))
    assert not session.process(frame.assign(ts=frame.ts + 60, side=[1, -1] * 30)).errors
    assert session.log().columns["side"].tolist() == [1] * 60 + [1, -1] * 30


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_a_batch_is_a_frame_of_any_library(kind):
    columns = {
        "ts": [0, 1],
        "account": ["A0"] * 2,
        "instrument": ["I0"] * 2,
        "side": ["B", "S"],
        "qty": [1, 2],
        "price": [5.0] * 2,
    }
    session, events = Session(RULES, universe(), compiled=False), pd.DataFrame(columns)
    if kind != "pandas":
        library = pytest.importorskip(kind)
        events = library.DataFrame(columns) if kind == "polars" else library.table(columns)
    batch = session.process(events)
    assert not batch.errors and session.log().columns["side"].tolist() == [1, -1]


GAPS = [
    {"kind": "price", "instrument": "I0", "price": 5.0},
    {"kind": "order", "account": "A0", "instrument": "I0", "side": "B", "qty": 1.0, "price": 5.0, "order_id": "o{}"},
    {"kind": "fill", "order_id": "o{}", "qty": 1.0, "price": 5.0, "trade_id": "t{}"},
    {"kind": "price", "instrument": "I1", "bid": 4.0, "ask": 5.0},
]


@pytest.mark.xdist_group("proof")
def test_a_frame_of_texts_with_gaps_is_one_stretch(monkeypatch):
    taken, take = [], Session.take_stretch
    monkeypatch.setattr(Session, "take_stretch", lambda *args: taken.append(take(*args)) or taken[-1])
    stream = [
        {name: value.format(k) if isinstance(value, str) else value for name, value in row.items()} | {"ts": 4 * k + at}
        for k in range(50)
        for at, row in enumerate(GAPS)
    ]
    session = Session(RULES, universe())
    session.process(pd.DataFrame(stream[:4]))
    assert not session.process(pd.DataFrame(stream[4:])).errors
    if session.engine.make_step() is not None:
        assert taken == [196]
    assert session.log().columns["trade_id"].max() == 49


@pytest.mark.xdist_group("proof")
@pytest.mark.parametrize("form", ["ns", "us", "America/New_York", "arrow"])
def test_times_with_a_zone_are_one_stretch(form, monkeypatch):
    taken, take = [], Session.take_stretch
    monkeypatch.setattr(Session, "take_stretch", lambda *args: taken.append(take(*args)) or taken[-1])
    start = 1_709_649_000_000_000_000
    frame = pd.DataFrame({"ts": start + 1_000 * np.arange(60), "account": "A0", "instrument": "I0", "side": "B"})
    frame = frame.assign(qty=1, price=5.0)
    times = pd.to_datetime(frame.ts, utc=True)
    changed = times.dt.tz_convert(form) if "/" in form else times.dt.as_unit(form) if form != "arrow" else times
    named: Any = frame.assign(ts=changed)
    named = pytest.importorskip("pyarrow").table(named) if form == "arrow" else named
    session, other = Session(RULES, universe()), Session(RULES, universe())
    for part in (slice(0, 20), slice(20, 60)):
        session.process(named.slice(part.start, part.stop - part.start) if form == "arrow" else named[part])
    other.process(frame)
    assert session.digest == other.digest and session.latest == start + 59_000
    if session.engine.make_step() is not None:
        assert 40 in taken
    late = named.slice(0, 1) if form == "arrow" else named[:1]
    assert "2024-03-05" in session.process(late).errors[0]


AGAIN = RuleSet([Rule("again", DuplicateOrder(limit=2, window_ns=8))])


@pytest.mark.xdist_group("generic")
def test_identical_orders_of_a_batch_are_found():
    draw = np.random.default_rng(3)
    stream = [
        {"ts": k, "account": "A0", "instrument": "I0", "side": "B", "qty": int(draw.integers(1, 4)), "price": 5}
        for k in range(300)
    ]
    single = outcome(Session(AGAIN, universe(), compiled=False), [[row] for row in stream])
    assert (
        outcome(Session(AGAIN, universe(), compiled="generic"), [stream[:20], stream[20:150], stream[150:]]) == single
    )
    assert 50 < sum(single[0]) < 250


@pytest.mark.xdist_group("generic")
def test_a_bid_below_zero_beside_an_ask_is_refused_in_a_batch():
    quotes = pd.DataFrame({"ts": range(40), "kind": "price", "instrument": "I0", "bid": 5, "ask": 6})
    session = Session.create(AGAIN, [Instrument("I0")], ["A0"], compiled="generic")
    session.process(quotes[:20])
    quotes.loc[30, "bid"] = -5
    assert list(session.process(quotes[20:]).errors) == [10]


@pytest.mark.parametrize("kind", ["price", "trade", "fill", "transfer", "control", "clock"])
def test_a_row_with_a_field_of_python_is_refused_and_the_others_are_taken(kind):
    session = Session.create(RuleSet([]), [Instrument("X")], ["A"], compiled=False)
    price = {"ts": 1, "kind": "price", "instrument": "X", "price": 5}
    rows = [price, {"ts": 1, "kind": kind, "self": 1, **({"cmd": "PAUSE"} if kind == "control" else {})}, price]
    found = session.process(rows)
    assert found.errors.keys() == ({1} if kind != "clock" else set()) and len(session) == 3 - len(found.errors)


NO_KINDS = [[1], {"a": 1}, 10**5_000, True, np.array([1, 2]), np.ma.masked, b"order", "order_list", "x"]


@pytest.mark.parametrize("at", range(len(NO_KINDS)))  # an integer of 5,000 digits has no text to name a case
def test_a_row_of_no_kind_is_refused_and_the_others_are_taken(at):
    session = Session.create(RuleSet([]), [Instrument("X")], ["A"], compiled=False)
    price = {"ts": 1, "kind": "price", "instrument": "X", "price": 5}
    found = session.process([price, {**price, "kind": NO_KINDS[at]}, price])
    assert list(found.errors) == [1] and found.errors[1].endswith("is not a kind of event of a batch")
    assert len(session) == 2
