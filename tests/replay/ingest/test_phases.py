"""Phases of trading at both doors, and what each takes."""

from __future__ import annotations

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import ORDER, column, load, refusal

from riskkit import InputError, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.rules import SessionHours

RULES = RuleSet([Rule("hours", SessionHours(preopen=("limit",), auction=()))])
PHASE = {"ts": 1, "kind": "phase", "instrument": "X"}
WORDS = "is not one of CONTINUOUS, PREOPEN, AUCTION, CLOSED"


def test_a_word_is_a_phase():
    words = ["continuous", "PREOPEN", "Auction", "closed"]
    log = load(*[{**PHASE, "ts": ts, "phase": word} for ts, word in enumerate(words)])
    assert column(log, "side") == [0, 1, 2, 3]


@pytest.mark.parametrize("word", ["open", 1, None])
def test_another_word_is_refused_at_both_doors(word):
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    assert refusal_of(session.process_phase, ts=1, instrument="X", phase=word).endswith(WORDS)
    assert refusal({**PHASE, "phase": word}).endswith(WORDS)


@pytest.mark.parametrize(("phase", "refused"), [("continuous", 0), ("preopen", 1), ("auction", 2), ("closed", 2)])
def test_each_phase_takes_its_types_in_a_session_and_in_a_replay(phase, refused):
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    rows = [{**PHASE, "phase": phase}, {**ORDER, "ts": 2, "order_id": "a"}]
    rows += [{**ORDER, "ts": 3, "type": "market", "price": None, "order_id": "b"}]
    submit(session, rows)
    assert len(session.result().rejections()) == refused
    assert session.result().digest == replay_log(load(*rows), RULES, compiled=False).digest


def test_hours_of_phases_alone_cannot_be_judged_on_a_log_without_any():
    log, says = (
        load({**ORDER, "ts": 2}),
        "it needs phases of trading .* this log has none; name an exchange by calendar",
    )
    for hours in (SessionHours(), SessionHours(preopen=())):
        with pytest.raises(InputError, match=says):
            replay_log(log, RuleSet([Rule("hours", hours)]), compiled=False)
    hours = SessionHours(continuous=("market",))
    assert len(replay_log(log, RuleSet([Rule("hours", hours)]), compiled=False).rejections()) == 1


@pytest.mark.parametrize(
    ("phase", "types", "said"), [("preopen", ("iceberg",), "'iceberg'"), ("auction", "limit", "is a string")]
)
def test_what_is_no_type_of_an_order_is_refused(phase, types, said):
    assert said in refusal_of(Rule, "hours", SessionHours(**{phase: types}))
