"""The one writer of a service: its answers, its commits, and followers that never hold it up."""

import threading

import pytest

import riskkit as rk
from riskkit.service import EngineService
from riskkit.service.engine import EVENTS

RULES = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
ORDER = {"account": "A", "instrument": "ES", "side": "B", "price": 100}


@pytest.fixture
def folder(tmp_path):
    session = rk.Session.open(
        tmp_path / "state", RULES, [rk.Instrument("ES")], ["A"], durability="none", compiled=False
    )
    with session:
        yield EngineService(session)


def test_a_follower_gets_every_event_once_in_order_after_it_is_on_disk(folder):
    follower = folder.follow("store")
    for ts, qty in enumerate([1, 9, 2]):
        answer = folder.decide("order", {**ORDER, "ts": ts, "qty": qty})
        assert (answer.seq, answer.passed) == (ts, qty < 5)
        if ts:
            folder.commit({"offset": ts})
    folder.commit()
    items = follower.take(0)
    assert [(item.first, item.stop, item.notes) for item in items] == [(0, 2, {"offset": 1}), (2, 3, {"offset": 2})]
    assert [action.seq for item in items for action in item.actions] == [1]
    assert [ts for item in items for ts in item.events["ts"].tolist()] == [0, 1, 2]
    assert follower.take(0) == []


def test_a_follower_that_is_too_slow_loses_the_oldest_and_is_told_how_many(folder):
    slow, quick = folder.follow("slow", 2), folder.follow("quick")
    for ts in range(5):
        folder.decide("order", {**ORDER, "ts": ts, "qty": 1})
        folder.commit()
    assert [(item.first, item.stop) for item in slow.take(0)] == [(3, 4), (4, 5)]
    assert (slow.dropped, quick.dropped, quick.behind) == (3, 0, 5)


def test_a_follower_that_waits_is_woken_by_a_commit_and_by_the_end(folder):
    follower, got = folder.follow("waits"), []
    reader = threading.Thread(target=lambda: got.extend([follower.take(), follower.take()]))
    reader.start()
    folder.decide("order", {**ORDER, "ts": 0, "qty": 1})
    folder.commit()
    while follower.behind:  # taken by the thread
        threading.Event().wait(0.001)
    folder.close()
    reader.join()
    assert [len(items) for items in got] == [1, 0]
    assert follower.is_closed


def test_a_batch_is_begun_in_one_thread_and_waited_for_in_another(folder, tmp_path):
    follower = folder.follow("store")
    folder.decide("order", {**ORDER, "ts": 0, "qty": 1})
    finish = folder.begin_commit()
    folder.decide("order", {**ORDER, "ts": 1, "qty": 1})
    assert follower.behind == 0
    thread = threading.Thread(target=finish)
    thread.start()
    thread.join()
    assert [(item.first, item.stop) for item in follower.take(0)] == [(0, 1)]
    assert len(rk.open_journal(tmp_path / "state").log) == 1


def test_notes_come_back_with_the_events_that_they_are_of(tmp_path):
    for offset in range(2):
        session = rk.Session.open(tmp_path, RULES, [rk.Instrument("ES")], ["A"], durability="none", compiled=False)
        engine = EngineService(session)
        assert engine.notes == ({"offset": offset} if offset else {})
        engine.decide("order", {**ORDER, "ts": offset, "qty": 1})
        engine.commit({"offset": offset + 1})
        engine.close()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda engine: engine.decide("swap", {}), "kind='swap' is not a kind of event"),
        (lambda engine: engine.decide("order", {**ORDER, "ts": 0, "qty": -1}), "qty=-1 is not a quantity"),
        (lambda engine: engine.command("close"), "command 'close' is not known"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_taken(folder, call, words):
    with pytest.raises(rk.InputError, match=words):
        call(folder)
    assert len(folder.session) == 0


def test_a_command_is_an_event_and_its_actions_are_published(folder):
    follower = folder.follow("store")
    folder.command("set_limits", {"size.limit": 3}, who="Ann", why="quiet market", ts=0)
    assert not folder.decide("order", {**ORDER, "ts": 1, "qty": 4}).passed
    assert folder.command("halt", who="Ann", why="wrong prices") == []
    folder.commit()
    (item,) = follower.take(0)
    assert (item.first, item.stop, item.actions[0].limit) == (0, 3, 3)


def test_a_status_is_of_one_event_and_soon_a_newer_one(folder):
    before = folder.status()
    folder.decide("order", {**ORDER, "ts": 0, "qty": 1})
    while folder.status().size == 0:
        threading.Event().wait(0.005)
    assert (before.size, folder.status().states()) == (0, {"A": "ACTIVE"})


def test_the_step_of_single_events_is_compiled_before_the_service_is_ready(tmp_path, monkeypatch):
    from riskkit.service.serve import create_app
    from riskkit.service.settings import Settings

    made = []
    monkeypatch.setattr("riskkit.replay.live.engine.Engine.make_step", lambda engine: made.append(engine))
    app = create_app(RULES, tmp_path, Settings(), compiled=False)
    opened = app._open_engine()
    assert made and opened.session.engine not in made  # on a copy
    opened.close()
    app.audit.close()


@pytest.mark.parametrize("kind", EVENTS)
def test_fields_that_a_call_of_python_would_not_take_are_refused(folder, kind):
    for fields in ({}, {"ts": 1, "self": 1}, {"self": 1}, {"ts": 1, "\x1b[2J": 1}, {"ts": 1, "x" * 5_000: 1}):
        with pytest.raises(rk.InputError, match="field .* is (not known|missing)") as refused:
            folder.decide(kind, fields)
        assert str(refused.value).isprintable() and len(str(refused.value)) < 600
    assert len(folder.session) == 0
