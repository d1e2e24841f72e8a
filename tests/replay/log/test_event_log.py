"""The event log as a person meets it: what it shows, and that a replay and a live session see what the door made."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from streams import random_log

from riskkit import Account, EventLog, Instrument, Rule, RuleSet, replay_log
from riskkit.replay.live.engine import Engine
from riskkit.replay.schema.columns import EventKind
from riskkit.rules import PositionLimit

DAY = 86_400_000_000_000
X = Instrument("X", tick="0.25", lot="0.1", multiplier=50)
ORDER = {"ts": 1, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10.5}
NAMED = {**ORDER, "order_id": "a"}


def load(*rows: dict, instruments=(X,), **options) -> EventLog:
    return EventLog.from_frame(pd.DataFrame(rows), instruments, **options)


@pytest.fixture
def log() -> EventLog:
    return load(
        NAMED,
        {**NAMED, "kind": "fill", "ts": 2, "qty": 0.5, "fee": 0.5},
        {**NAMED, "kind": "modify", "ts": 3, "qty": 2, "price": None},
        {**ORDER, "ts": 4, "type": "market", "price": None, "side": "S"},
        {"ts": 5, "kind": "price", "instrument": "X", "price": 11},
        {"ts": 6, "kind": "cancel", "account": "A", "instrument": "X", "order_id": "a"},
        {"ts": 7, "kind": "cash", "account": "A", "amount": -1.5},
        {"ts": 8, "kind": "trade", "account": "A", "instrument": "X", "side": "long", "pnl": 3, "ret": 0.1},
        {"ts": 9, "kind": "control", "cmd": "PAUSE"},
        {**NAMED, "kind": "modify", "ts": 10, "qty": 0, "price": 11},
        about={"title": "A day", "kind": "synthetic", "defects": ["one", "two"], "rights": "long " * 40},
    )


# ---------------------------------------------------------------------- looking at one


def test_events_in_words(log):
    lines = [log.to_frame_row(seq).split("UTC ")[-1].split("+00:00 ")[-1] for seq in range(len(log))]
    assert lines == [
        "ORDER A X buy 1 at 10.5",
        "FILL A X buy 0.5 at 10.5",
        "MODIFY A X buy 2",
        "ORDER A X sell 1 at market",
        "PRICE X at 11",
        "CANCEL A X",
        "CASH A -1.5",
        "TRADE A X 3",
        "CONTROL",
        "MODIFY A X buy at 11",
    ]
    assert log.to_frame_row(0).startswith("event 0 1970-01-01 00:00:00.000000001")


def test_the_frame_has_labels_and_numbers_as_written(log):
    frame = log.to_frame()
    assert frame["kind"].tolist()[:3] == ["ORDER", "FILL", "MODIFY"]
    assert frame["qty"].tolist()[:4] == [1.0, 0.5, 2.0, 1.0]
    assert frame["price"].tolist()[:2] == [10.5, 10.5] and np.isnan(frame["price"][3])
    assert frame["account"].isna().tolist() == [kind in ("PRICE", "CONTROL") for kind in frame["kind"]]
    assert frame["order"].tolist() == [0, 0, 0, -1, -1, 0, -1, -1, -1, 0]
    assert frame.index.name == "seq"


def test_it_shows_what_it_holds(log):
    lines = [" ".join(line.split()) for line in repr(log).splitlines()]
    assert lines[0] == "A day"
    assert {"events 10", "order 2", "accounts 1", "instruments 1", "kind synthetic", "defects 2 noted"} <= set(lines)
    assert "money in units of 0.05 USD" in lines
    assert max(map(len, repr(log).splitlines())) < 120, "what is long is cut; `about` has it whole"
    assert "<caption" in log._repr_html_()


def test_flags_are_counted_when_it_is_shown():
    late = load({**ORDER, "ts": 5}, ORDER, {**ORDER, "ts": 6, "price": 10.6}, ts_policy="reject", on_bad_order="flag")
    lines = [" ".join(line.split()) for line in repr(late).splitlines()]
    assert {"flagged BAD_TS 1", "flagged OFF_TICK 1"} <= set(lines)


def test_counts_and_length(log):
    assert log.counts() == {
        "ORDER": 2, "MODIFY": 2, "CANCEL": 1, "FILL": 1, "PRICE": 1, "CASH": 1, "TRADE": 1, "CONTROL": 1,
    }  # fmt: skip
    assert len(log) == 10 and log.source_rows.tolist() == list(range(10))


def test_hashes_tell_logs_apart(log):
    more = load(NAMED, {**NAMED, "kind": "fill", "ts": 2, "qty": 0.5, "fee": 0.6})
    less = load(NAMED, {**NAMED, "kind": "fill", "ts": 2, "qty": 0.5, "fee": 0.5})
    assert len({log.event_hash, more.event_hash, less.event_hash}) == 3
    same = load(NAMED, {**NAMED, "kind": "fill", "ts": 2, "qty": 0.5, "fee": 0.5}, about={"title": "else"})
    assert (same.event_hash, same.universe_hash) == (less.event_hash, less.universe_hash)
    named = load({**NAMED, "account": "B"}, {**NAMED, "account": "B", "kind": "fill", "ts": 2, "qty": 0.5, "fee": 0.5})
    assert named.event_hash == less.event_hash and named.universe_hash != less.universe_hash


# ---------------------------------------------------------------------- what a replay makes of it


LIMIT = RuleSet([Rule("size", PositionLimit(limit=10))])


def refused(log: EventLog, mode: str = "shadow") -> list[int]:
    return replay_log(log, LIMIT, mode, compiled=False).rejections()["seq"].tolist()


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_an_order_works_up_to_its_expiry_and_no_longer(mode):
    """Eight working and five more are too many for ten, until the eight have lapsed: at 5, not a moment later."""
    rows = [{**NAMED, "qty": 8, "expires": 5}, {**ORDER, "ts": 4, "qty": 5}, {**ORDER, "ts": 5, "qty": 5}]
    log = load(*rows)
    kept = [int(log.source_rows[seq]) for seq in refused(log, mode)]
    assert kept == [1]
    without = load(*({k: v for k, v in row.items() if k != "expires"} for row in rows))
    assert refused(without, mode) == [1, 2]


def test_an_expiry_after_the_fill_or_the_cancel_changes_nothing():
    rows = [
        {**NAMED, "qty": 8, "expires": 5},
        {**NAMED, "ts": 2, "kind": "fill", "qty": 8},
        {**ORDER, "ts": 6, "qty": 3},
    ]
    log = load(*rows)
    assert [int(log.source_rows[seq]) for seq in refused(log)] == [2], "the position stays"


def test_off_grid_orders_count_as_they_are_written():
    """A limit of ten in quantity: 10.04 is too many though 10 lots of 0.1 would round to it."""
    log = load({**ORDER, "qty": "10.04"}, {**ORDER, "qty": "9.96"}, {**ORDER, "qty": 10}, on_bad_order="flag")
    assert refused(log) == [0]


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_opening_positions_that_nothing_touches_are_valued(mode):
    accounts = [Account("A", {"USD": 1_000}, {"X": 2}), Account("B", {"USD": 1_000}, {"X": -1})]
    prices = [
        {"ts": ts, "kind": "price", "instrument": "X", "price": price} for ts, price in ((1, 10), (2, 11), (3, 9.5))
    ]
    log = load(*prices, accounts=accounts)
    result = replay_log(log, RuleSet([]), mode, sample_ns=DAY, compiled=False)
    assert result.accounts()["equity"].tolist() == [1_000 + 2 * 9.5 * 50, 1_000 - 9.5 * 50]
    assert result.accounts()["profit"].tolist() == [2 * -0.5 * 50, 0.5 * 50]
    assert result.positions()["qty"].to_dict() == {("A", "X"): 2.0, ("B", "X"): -1.0}


def test_a_live_session_sees_the_same_openings_expiries_and_steps():
    rows = [
        {**NAMED, "qty": "8.05", "expires": 5, "account": "B"},
        {**ORDER, "ts": 4, "qty": 5, "account": "B"},
        {"ts": 5, "kind": "price", "instrument": "X", "price": 10},
        {**ORDER, "ts": 6, "qty": 9, "account": "A"},
    ]
    log = load(*rows, accounts=[Account("A", {"USD": 10}, {"X": 2})], on_bad_order="flag")
    for mode in ("shadow", "enforce"):
        live = Engine(LIMIT, log.universe, mode, compiled=False)
        live.feed(log)
        assert live.digest == replay_log(log, LIMIT, mode, compiled=False).digest
        assert live.log().pair_account.tolist() == log.pair_account.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_openings_give_one_digest_live_and_replayed(seed):
    log = random_log(seed, 80, opened=True)
    rules = RuleSet([Rule("size", PositionLimit(limit=25), scope="account_instrument", action="PAUSE")])
    live = Engine(rules, log.universe, compiled=False)
    live.feed(log)
    assert live.digest == replay_log(log, rules, compiled=False).digest


def test_one_log_from_every_form_of_its_frame():
    """Strings, Decimals, floats and integers; categories and objects; a day's digest does not see the difference."""
    rows = [NAMED, {**NAMED, "ts": 2, "kind": "fill", "qty": 0.5, "fee": 0.5}, {**ORDER, "ts": 3}]
    frame = pd.DataFrame(rows)
    forms = [
        frame,
        frame.astype({"qty": str, "price": str}),
        frame.astype({"kind": "category", "account": "category", "side": "category"}),
        frame.astype(object),
        frame.convert_dtypes(),
        frame.assign(ts=pd.to_datetime(frame["ts"], utc=True)),
        frame.set_index(pd.Index(["x", "y", "z"])),
    ]
    digests = {replay_log(EventLog.from_frame(form, [X]), LIMIT, compiled=False).digest for form in forms}
    assert len(digests) == 1


def test_the_kinds_of_a_log_are_those_of_its_frame(log):
    assert set(np.unique(log.columns["kind"]).tolist()) <= {int(kind) for kind in EventKind}
    assert EventKind.MARK not in log.columns["kind"]


def test_inferred_instruments_fit_their_frame():
    frame = pd.DataFrame([{**ORDER, "qty": 0.25}, {**ORDER, "ts": 2, "price": 10.25}])
    (inferred,) = EventLog.infer_instruments(frame)
    assert (inferred.id, inferred.tick, inferred.lot) == ("X", Fraction(1, 100), Fraction(1, 100))
    assert len(EventLog.from_frame(frame, [inferred])) == 2


def test_overfills_and_events_of_finished_orders_are_counted():
    fill = {**NAMED, "kind": "fill", "ts": 2}
    cancel = {"ts": 4, "kind": "cancel", "account": "A", "instrument": "X", "order_id": "a"}
    assert not any(load(NAMED, fill).order_faults.values())
    assert load(NAMED, {**fill, "qty": 2}).order_faults["overfills"] == 1
    assert load(NAMED, fill, cancel).order_faults["cancels_of_done_orders"] == 1
