"""Challengers: other rules judged on the events of a session, as a replay of its log judges them, without any effect on it."""

from __future__ import annotations

import pytest
from label_calls import answer, calls
from live_folders import RULES, leave, no_threads, opened
from proofs.test_proof import RULES as PROVEN
from streams import universe

import riskkit as rk
from riskkit.replay.live.session import Session
from riskkit.rules import DailyLoss, MaxOrderQty, OrderRate, PositionLimit

__all__ = ["no_threads"]

TIGHTER = rk.RuleSet(
    [
        rk.Rule("rate", OrderRate(limit=2, window_ns="1min"), action="PAUSE", hold="1min"),
        rk.Rule("size", PositionLimit(limit=5)),
        rk.Rule("day", DailyLoss(limit=9)),
    ]
)
NOBODY = rk.RuleSet([rk.Rule("one", MaxOrderQty(limit=1))])
SHADOW = {"tighter": TIGHTER, "nobody": NOBODY}
ANN = {"who": "Ann", "why": "a test"}


def refused(log, rules, mode):
    rows = rk.replay_log(log, rules, mode, compiled=False).rejections()
    return dict(zip(rows["seq"].tolist(), [list(rules)[cause].id for cause in rows["cause"].tolist()], strict=True))


def check(session, rules=RULES):
    """Digest, counts and differences of the challengers are those of replays of the session's log."""
    log, mode = session.log(), session.result().mode
    ours = refused(log, session.history.first, mode)
    for name, other in SHADOW.items():
        challenger, theirs = session.challengers[name], refused(log, other, mode)
        assert challenger.digest == rk.replay_log(log, other, mode, compiled=False).digest
        alone = sorted(ours.keys() ^ theirs.keys())
        assert challenger.count == len(alone)
        assert challenger.counts()["refused_by_both"] == len(ours.keys() & theirs.keys())
        frame = challenger.differences()
        assert frame["seq"].tolist() == alone
        assert frame["session"].fillna("").tolist() == [ours.get(seq, "") for seq in alone]
        assert frame["challenger"].fillna("").tolist() == [theirs.get(seq, "") for seq in alone]
        assert frame["ts"].astype("int64").tolist() == log.columns["ts"][alone].tolist()


@pytest.mark.parametrize("mode", ["shadow", pytest.param("enforce", marks=pytest.mark.slow)])
def test_challengers_judge_as_replays_of_the_log_and_change_nothing(mode):
    options = {"mode": mode, "compiled": False, "auto_register": rk.Instrument("any")}
    session, alone = Session(RULES, universe(), shadow=SHADOW, **options), Session(RULES, universe(), **options)
    for number, (method, given) in enumerate(calls(3, 200)):
        assert answer(session, method, given) == answer(alone, method, given)
        if number == 99:
            check(session)
    assert session.challengers["tighter"].count > 5
    assert session.digest == alone.digest
    late = session.challenge("late", TIGHTER)
    assert late.digest == session.challengers["tighter"].digest
    again = Session.restore(session.snapshot(), RULES, shadow=SHADOW, compiled=False)
    check(again)


@pytest.mark.xdist_group("proof")
@pytest.mark.slow
def test_challengers_of_a_compiled_session_judge_alike():
    session = Session(PROVEN, universe(), shadow={"same": PROVEN})
    for method, given in calls(5, 400, 0.02):
        answer(session, method, given)
    assert session.challengers["same"].digest == session.digest
    assert session.challengers["same"].count == 0


@pytest.mark.lengthy
def test_challengers_of_a_folder_go_on_through_rolls_and_after_a_kill(tmp_path):
    more = {"auto_register": rk.Instrument("any"), "horizon": "1min"}
    session = opened(tmp_path, shadow=SHADOW, **more)
    for number, (method, given) in enumerate(calls(3, 160)):
        answer(session, method, given)
        if number % 37 == 36:
            session.commit()
            leave(session)
            session = opened(tmp_path, shadow=SHADOW, horizon="1min")
            if number % 74 == 36:
                check(session)
    assert session.engine.journal.begins_late
    check(session)
    session.challenge("new", TIGHTER)
    assert session.challengers["new"].digest == session.challengers["tighter"].digest
    session.close()
    kept = len(session.challengers["tighter"]._engine.journal)
    assert kept < len(session) / 2
    reopened = opened(tmp_path, shadow={"tighter": NOBODY, "nobody": TIGHTER}, horizon="1min")
    assert reopened.challengers["nobody"].digest == session.challengers["tighter"].digest
    reopened.close()


def test_a_promoted_challenger_is_a_change_of_rules():
    session, twin = (Session(RULES, universe(), compiled=False, shadow=SHADOW) for _ in range(2))
    for number, (method, given) in enumerate(calls(7, 120)):
        if number == 60:
            session.promote("nobody", **ANN)
            twin.set_rules(NOBODY, **ANN)
        assert answer(session, method, given) == answer(twin, method, given)
    assert session.digest == twin.digest == rk.replay_log(session.log(), session.history, compiled=False).digest
    assert list(session.challengers) == ["tighter"]


def test_a_challenger_that_cannot_go_on_stops_and_the_session_does_not():
    adding = rk.RuleSet([rk.Rule("day", DailyLoss(limit=9), scope="global")])
    session = rk.Session.create(
        NOBODY, [rk.Instrument("X")], ["A"], currencies="many", compiled=False, shadow={"adding": adding}
    )
    order = {"account": "A", "instrument": "X", "side": "B", "qty": 2, "price": 100}
    session.process_order(ts=0, **order)
    assert session.challengers["adding"].counts()["refused_by_session"] == 1
    session.process_fx(ts=1, pair="EURUSD", price=1.1)
    assert session.challengers["adding"].stopped == ""
    session.process_cash(ts=1, account="A", amount=5, currency="EUR")
    session.process_order(ts=2, **order)
    challenger = session.challengers["adding"]
    assert "and this session has EUR and USD" in challenger.stopped and challenger.count == 1
    assert "stopped" in repr(challenger)
    with pytest.raises(rk.InputError, match="has stopped: rule 'day'"):
        _ = challenger.digest
    assert len(session) == 4


@pytest.mark.lengthy
def test_what_is_no_challenger_is_refused():
    session = Session(RULES, universe(), compiled=False)
    for call, says in (
        (lambda: session.challenge("", NOBODY), "name='' is no name of a challenger"),
        (lambda: session.challenge("x", [1]), "rules"),
        (lambda: session.promote("x", **ANN), "name='x' is no challenger of this session; it has none"),
        (lambda: Session(RULES, universe(), compiled=False, shadow=NOBODY), "is not a mapping as"),
    ):
        with pytest.raises(rk.InputError, match=says):
            call()
    assert not session.challengers
