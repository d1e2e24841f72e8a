"""A session in a folder: it answers as one in memory, forgets nothing that it answered, and reads as one journal."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from label_calls import answer, calls
from live_folders import RULES, WHOLE, leave, no_threads, opened
from proofs.test_proof import RULES as PROVEN_RULES
from streams import universe

from riskkit import InputError, Instrument, Rule, RuleSet, Session
from riskkit.replay.live import journaled_session, write_ahead_log
from riskkit.replay.live.journal_folder import COLUMNS, EVENTS, STATE, close_segments, file_of, firsts
from riskkit.replay.live.journaled_session import JournaledSession
from riskkit.rules import OrderRate

__all__ = ["no_threads"]


@pytest.mark.parametrize(
    "options", [{}, {"order_ids": "account_day", "unknown_orders": "external", "ts_policy": "reject"}]
)
def test_it_answers_as_one_in_memory_opened_again_at_any_call(tmp_path, options):
    made = [*calls(3, 160), *[(name, given) for name, given in calls(4, 60) if name == "tick"]]
    twin = Session(RULES, universe(), compiled=False, auto_register=Instrument("any"), **options)
    session = opened(tmp_path, auto_register=Instrument("any"), **options)
    for number, (method, given) in enumerate(made):
        assert answer(session, method, given) == answer(twin, method, given)
        if number % 23 == 22:
            session.commit({"offset": number})
            leave(session)
            session = opened(tmp_path)
            assert session.notes == {"offset": number}
        if number % 40 == 39:
            assert session.digest == twin.digest
            assert session.result().digest == twin.digest
    assert session.log().columns.keys() == twin.log().columns.keys()
    assert session.result().accounts().equals(twin.result().accounts())
    named = [given["order_id"] for method, given in made if method == "process_order" and given.get("order_id") == "o7"]
    assert session.answer_of(*named[:1] or ["x"]) if named else True
    session.close()
    again = opened(tmp_path)
    assert again.digest == twin.digest
    again.close()


def test_the_first_answer_is_given_again(tmp_path):
    session = opened(tmp_path)
    order = {"account": "A0", "instrument": "I0", "side": "B", "price": 100}
    first = {}
    for number, qty in enumerate([2, 30, 2, 2, 2, 2]):
        first[number] = session.process_order(ts=number, order_id=number, qty=qty, **order)
    assert [len(said) for said in first.values()] == [0, 2, 1, 1, 1, 1]
    for _ in range(3):
        assert [list(map(str, session.answer_of(n))) for n in first] == [
            list(map(str, said)) for said in first.values()
        ]
        session.close()
        session = opened(tmp_path)
    with pytest.raises(InputError, match="order_id=9 does not name an earlier order"):
        session.answer_of(9)
    session.close()


def test_the_end_of_a_pause_is_told_once_also_by_a_session_that_is_opened_again(tmp_path):
    minute = 60 * 10**9
    order = {"account": "A0", "instrument": "I0", "side": "B", "price": 100}
    session = opened(tmp_path)
    assert session.process_order(ts=0, qty=30, **order)[-1].action.name == "PAUSE"
    assert session.process_order(ts=6 * minute, qty=1, **order)[0].action.name == "RESUME"
    assert session.process_order(ts=7 * minute, qty=30, **order)[-1].action.name == "PAUSE"
    session.commit()
    leave(session)
    again = opened(tmp_path)
    assert again.process_order(ts=8 * minute, qty=1, **order)[0].action.name == "REJECT"
    assert again.process_order(ts=13 * minute, qty=1, **order)[0].action.name == "RESUME"
    again.commit()
    leave(again)
    last = opened(tmp_path)
    assert last.process_order(ts=14 * minute, qty=1, **order) == []
    last.close()


@pytest.mark.parametrize("ends", [leave, JournaledSession.close])
def test_events_and_the_offset_of_a_consumer_are_kept_together_or_not_at_all(tmp_path, ends):
    order = {"account": "A0", "instrument": "I0", "side": "B", "qty": 1, "price": 100}
    hour = 3600 * 10**9
    session = opened(tmp_path, durability="commit", segment_events=5)
    for number in range(300):  # with days and files that begin in between
        session.process_order(ts=number * hour, **order)
        if number in (99, 199):
            session.commit({"offset": number + 1})
        if number == 250:
            session.process([{"ts": number * hour, **order}])
    ends(session)
    again = opened(tmp_path, durability="commit")
    assert (len(again), again.notes) == (200, {"offset": 200})
    again.close()


class Killed(BaseException):
    """The end of the process."""


def killed_at(count: int, patch: pytest.MonkeyPatch) -> None:
    """Let the process end within its `count`-th write, flush or rename: a write is half done."""
    calls = itertools.count()

    def wrapped(real: Callable[..., Any], half: bool = False) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if next(calls) < count:
                return real(*args)
            if half:
                real(args[0], args[1][: len(args[1]) // 2])
            raise Killed

        return call

    patch.setattr(os, "write", wrapped(os.write, half=True))
    patch.setattr(os, "fsync", wrapped(os.fsync))
    patch.setattr(os, "replace", wrapped(os.replace))
    patch.setattr(write_ahead_log, "flush", wrapped(write_ahead_log.flush))
    patch.setattr(journaled_session, "close_segments", wrapped(close_segments))
    patch.setattr(journaled_session, "tidy", wrapped(journaled_session.tidy))


@pytest.mark.lengthy
@pytest.mark.parametrize("durability", ["group", "each"])
def test_nothing_that_was_answered_is_lost_wherever_the_process_ends(tmp_path, durability, monkeypatch):
    made = [(method, given) for method, given in calls(11, 44, odd=0)]
    twin = Session(RULES, universe(), compiled=False)
    digests = [twin.digest]
    for method, given in made:
        answer(twin, method, given)
        digests += [twin.digest] * (len(twin) + 1 - len(digests))
    ended = 0
    for count in range(0, 150, 3 if durability == "group" else 7):
        folder = tmp_path / str(count)
        session = opened(folder, durability=durability)
        answered = 0
        with monkeypatch.context() as patch:
            killed_at(count, patch)
            try:
                for method, given in made:
                    answer(session, method, given)
                    answered = len(session)
            except Killed:
                ended += 1
        leave(session)
        again = opened(folder)
        assert len(again) >= answered
        assert again.digest == digests[len(again)]
        again.close()
    assert ended >= 10


def test_what_cannot_be_written_is_written_by_the_next_call(tmp_path, monkeypatch):
    session = opened(tmp_path, durability="each")

    def full(handle: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    order = {"account": "A0", "instrument": "I0", "side": "B", "qty": 2, "price": 100}
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(InputError, match="cannot be written: No space left on device"):
            session.process_order(ts=1, order_id="a", **order)
    assert session.answer_of("a") == []
    session.commit()
    leave(session)
    again = opened(tmp_path)
    assert len(again) == 1
    again.close()
    with pytest.raises(InputError, match="this session is closed; open the folder again"):
        again.tick(5)


def test_a_snapshot_that_cannot_be_written_leaves_the_log(tmp_path, monkeypatch, caplog):
    session = opened(tmp_path, durability="each")

    def broken(*names: Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", broken)
        for ts in range(40):
            session.process_price(ts=ts, instrument="I0", price=100 + ts % 2)
    assert "cannot be written: Input/output error" in caplog.text
    assert session.result().digest == session.digest
    digest = session.digest
    leave(session)
    again = opened(tmp_path)
    assert (len(again), again.digest) == (40, digest)
    again.close()


def test_a_folder_that_is_not_whole_is_refused(tmp_path):
    session = opened(tmp_path)
    for ts in range(40):
        session.process_price(ts=ts, instrument="I0", price=100 + ts % 2)
    with pytest.raises(InputError, match="is held by process"):
        opened(tmp_path)
    session.close()
    with pytest.raises(InputError, match="taken under other rules"):
        Session.open(tmp_path, RuleSet([]), compiled=False)
    newest = file_of(tmp_path, firsts(tmp_path, STATE)[-1], STATE)
    data = newest.read_bytes()
    newest.write_bytes(data[:-1])
    with opened(tmp_path) as again:  # from the one before, and the log after that
        assert len(again) == 40
    for path in tmp_path.glob(f"*.{STATE}"):
        path.write_bytes(b"x" * 40)
    with pytest.raises(InputError, match="none of its snapshots is whole; restore the files"):
        opened(tmp_path)
    for path in tmp_path.glob(f"*.{STATE}"):
        path.unlink()
    with pytest.raises(InputError, match="is incomplete: it has events but no snapshot"):
        opened(tmp_path)
    with pytest.raises(InputError, match="cannot be used: "):
        opened(next(tmp_path.glob(f"*.{EVENTS}")) / "folder")


def test_the_calls_of_a_block_share_a_flush_and_so_do_threads(tmp_path, monkeypatch):
    flushes = []
    monkeypatch.setattr(write_ahead_log, "flush", flushes.append)
    session = opened(tmp_path, durability="group", segment_events=1000)
    with session.together():
        for ts in range(100):
            session.process_price(ts=ts, instrument="I0", price=100)
    assert len(flushes) == 1
    session.process_price(ts=100, instrument="I0", price=100)
    assert len(flushes) == 2
    leave(session)
    with opened(tmp_path) as again:
        assert len(again) == 101


@pytest.mark.lengthy
def test_memory_and_snapshots_do_not_grow_with_history(tmp_path):
    session = opened(tmp_path, horizon="1s", segment_events=100)
    order = {"account": "A0", "instrument": "I0", "side": "B", "qty": 1, "price": 100}
    sizes = []
    for n in range(1200):
        ts = 10_000_000 * n
        if n % 3:
            session.process_trade(
                ts=ts, order_id=n - n % 3, qty=1, price=100, trade_id=n
            ) if n % 3 == 1 else session.tick(ts)
        else:
            session.process_order(ts=ts, order_id=n, **{**order, "side": "BS"[n % 2]})
        if n % 100 == 99:
            kept = session._entries
            sizes.append([len(session.engine.journal), len(kept.orders._orders), len(kept.fills.codes)])
            sizes[-1].append(len(session.engine.tables.fills))
    assert (np.max(sizes[6:], axis=0) <= np.max(sizes[:6], axis=0)).all()
    assert sizes[-1][1] < 120
    with pytest.raises(InputError, match="order_id=0 does not name an earlier order"):
        session.process_cancel(ts=ts, order_id=0)
    whole = session.digest
    session.close()
    states = [file_of(tmp_path, first, STATE).stat().st_size for first in firsts(tmp_path, STATE)]
    assert max(states) < 400_000
    again = opened(tmp_path)
    assert again.digest == whole
    again.close()


@pytest.mark.xdist_group("proof")  # the process that has compiled this loop
def test_the_short_way_and_batches_go_on_after_the_memory_is_reduced(tmp_path):
    twin = Session(PROVEN_RULES, universe(), compiled=False)
    session = Session.open(tmp_path, PROVEN_RULES, universe=universe(), durability="none", horizon=WHOLE)
    made = list(calls(5, 360, odd=0.05))
    for number, (method, given) in enumerate(made[:260]):
        assert answer(session, method, given) == answer(twin, method, given)
        if number % 50 == 49:
            session.roll()
    orders = [{"kind": method.removeprefix("process_"), **given} for method, given in made[260:] if "ts" in given]
    orders = [row | {"kind": "fill"} if row["kind"] == "trade" else row for row in orders]
    for start in range(0, len(orders), 30):
        ours, theirs = (one.process(orders[start : start + 30]) for one in (session, twin))
        assert (ours.passed.tolist(), ours.seq.tolist(), ours.errors) == (
            theirs.passed.tolist(),
            theirs.seq.tolist(),
            theirs.errors,
        )
        session.roll()
    assert session.engine.journal.shift > 0
    for method, given in calls(6, 120, odd=0.05):
        given |= {name: given[name] + 10**15 for name in ("ts", "now", "expires") if isinstance(given.get(name), int)}
        assert answer(session, method, given) == answer(twin, method, given)
    session.commit()
    assert session.digest == session.result().digest == twin.digest
    leave(session)
    with Session.open(tmp_path, PROVEN_RULES) as again:
        assert again.digest == twin.digest


@pytest.mark.parametrize("known", ["first", "now"])
def test_rules_that_came_into_force_after_the_last_snapshot_are_in_force_after_a_kill(tmp_path, known):
    session = opened(tmp_path, segment_events=1000, durability="group")
    for method, given in calls(5, 20, 0):
        answer(session, method, given)
    session.set_limits({"rate.limit": 1}, who="Ann", why="a test")
    session.set_rules(RuleSet([RULES["day"], Rule("two", OrderRate(limit=2, window_ns="1h"))]), who="Ann", why="a test")
    leave(session)
    again = Session.open(tmp_path, RULES if known == "first" else session.rules, compiled=False)
    assert again.rules == session.rules and again.history == session.history
    assert again.digest == session.digest
    leave(again)
    with pytest.raises(InputError, match="taken under other rules"):
        Session.open(tmp_path, RuleSet([RULES["day"]]), compiled=False)


def test_a_snapshot_is_written_after_a_time_of_events(tmp_path):
    session = opened(tmp_path, segment_events=1000, snapshot_every="10s", durability="group")
    for second in range(0, 60, 4):
        session.process_price(ts=second * 10**9, instrument="I0", price=100 + second)
    session.close()
    assert firsts(tmp_path, COLUMNS) == [0, 4, 7, 10, 13]
    with pytest.raises(InputError, match=r"snapshot_every=0 is not above zero"):
        opened(tmp_path, snapshot_every=0)
