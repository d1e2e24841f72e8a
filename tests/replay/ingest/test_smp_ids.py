"""Self-match prevention ids at both doors: numbers as they are, texts by their digest, and none."""

from __future__ import annotations

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import ORDER, column, load, refusal

from riskkit import InputError, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.smp_ids import smp_number
from riskkit.rules import OrderRate, SelfMatchPrevention, SelfTradePrevention

RULES = RuleSet([Rule("smp", SelfTradePrevention(), scope="smp_id")])
FIELDS = {name: value for name, value in ORDER.items() if name not in ("ts", "kind")}
OTHER = {**ORDER, "account": "B", "side": "S", "ts": 1}


@pytest.mark.parametrize(
    ("label", "other", "same"),
    [
        ("7", 7, True),
        (" 7", 7.0, True),
        ("007", "7", False),
        ("ab", "ab ", True),
        ("ab", "AB", False),
        ("7a", "7", False),
    ],
)
def test_two_spellings_of_an_id_are_one_and_two_ids_are_two(label, other, same):
    assert (smp_number(label) == smp_number(other)) is same
    assert 0 <= smp_number(label) < 2**63


def test_a_frame_and_a_session_have_the_same_numbers_and_refuse_the_same_order():
    rows = [
        {**ORDER, "order_id": "a", "smp_id": "team"},
        {**OTHER, "order_id": "b", "smp_id": "7"},
        {**OTHER, "ts": 2, "order_id": "c"},
        {**OTHER, "ts": 3, "smp_id": "team"},
    ]
    log = load(*rows)
    assert column(log, "smp_id") == [smp_number("team"), 7, -1, smp_number("team")]
    replayed = replay_log(log, RULES, "enforce", compiled=False)
    assert replayed.rejections()["seq"].tolist() == [3]
    session = Session(RULES, log.universe, mode="enforce", compiled=False)
    submit(session, rows)
    assert session.digest == replayed.digest


def test_what_is_no_name_is_refused_at_both_doors():
    assert "smp_id" in refusal({**ORDER, "smp_id": True})
    session = Session(RULES, load(ORDER).universe, compiled=False)
    assert "smp_id" in refusal_of(session.process_order, ts=1, **{**FIELDS, "smp_id": True})


def test_only_rules_on_working_orders_have_the_scope_and_nobody_is_paused_by_it():
    with pytest.raises(InputError, match="does not fit the type 'order_rate'"):
        Rule("rate", OrderRate(1, "1s"), scope="smp_id")
    for action in ("PAUSE", "HALT", "REDUCE_ONLY"):
        with pytest.raises(InputError, match="use REJECT or ALERT"):
            Rule("smp", SelfMatchPrevention(), scope="smp_id", action=action)


def test_a_log_without_ids_is_not_judged_by_them():
    with pytest.raises(InputError, match="smp_id"):
        replay_log(load({**ORDER, "order_id": "a"}), RULES, compiled=False)


def test_orders_of_one_list_do_not_meet_each_other_by_their_id():
    listed = [{**ORDER, "batch": "l", "order_id": "a", "smp_id": 1}, {**ORDER, "batch": "l", "side": "S", "smp_id": 1}]
    assert not len(replay_log(load(*listed), RULES, compiled=False).rejections())
    assert len(replay_log(load(*listed), RuleSet([Rule("own", SelfTradePrevention())]), compiled=False).rejections())
