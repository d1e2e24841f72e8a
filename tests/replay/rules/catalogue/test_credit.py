"""Limits of credit: rules that fit together, what a rule that comes later counts, and what people read of a refusal."""

from __future__ import annotations

import pytest
from refusing import refusal
from rows import ORDER, load
from scenario_runner import run

from riskkit import Instrument, Rule, RuleSet, Session, replay_log
from riskkit.rules import CreditLimit, MaxOrderQty


def step(name: str, ts: int, label: str, **more: object) -> dict:
    return {"ts": ts, "kind": "credit", "account": "A", "reserve_id": label, "step": name, **more}


LIMITS = {"first": "10000", "second": "1000"}
ROWS = [step("reserve", 0, "r", amount=600), step("reserve", 1, "s", amount="500.5"), step("commit", 2, "r")]


def line(limit: object = 1_000, name: str = "line", **more: object) -> Rule:
    own = {field: more.pop(field) for field in ("ttl_ns",) if field in more}
    return Rule(name, CreditLimit(limit, **own), **more)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"ttl_ns": "1s"}, "ttl_ns is 0 and 1000000000"),
        ({"currency": "EUR"}, "currency is '' and 'EUR'"),
        ({"currency": "USD", "via": "EUR"}, "currency is '' and 'USD'"),
    ],
)
def test_a_reservation_is_one_for_all_limits(other, why):
    said = refusal(RuleSet, [line(), line(name="firm", **other)])
    assert said.startswith(f"rules 'line' and 'firm': {why}; a reservation is one for all limits of credit")
    RuleSet([line(**other), line(name="firm", **other)])


def test_it_judges_no_order_and_others_judge_no_reservation():
    rules = RuleSet([line(), Rule("size", MaxOrderQty(1))])
    result = replay_log(load({**ORDER, "ts": 0}, *ROWS), rules, mode="enforce", compiled=False)
    assert result.rows["seq"].tolist() == [0, 2]
    assert result.rows["cause"].tolist() == [1, 0]


def test_a_refusal_says_what_would_have_passed():
    result = replay_log(
        load(*ROWS, step("commit", 3, "r"), instruments=()),
        RuleSet([line(ttl_ns="5s")]),
        mode="enforce",
        compiled=False,
    )
    said = str(result.explain(1))
    assert "observed 1,100.5 USD, limit 1,000 USD" in said
    assert "400 or the same from 1970-01-01T00:00:05Z on would have been accepted" in said
    assert str(result.explain(3)).endswith("CREDIT A commit: no such reservation, or it is finished.")
    refused = result.refused()
    assert refused["order_id"].tolist() == ["reservation s of A"]
    assert refused["sentence"].iloc[0].startswith("Reserve of reservation s of A (500.5, ")
    assert refused[["quantity", "price"]].isna().all(axis=None)
    assert "by line" in repr(result)


def test_the_use_of_a_line_is_what_is_reserved_and_used():
    live = Session.create(RuleSet([line(ttl_ns="5s")]), [Instrument("X")], ["A"], mode="enforce", compiled=False)
    for row in ROWS:
        live.process_credit(**{name: value for name, value in row.items() if name != "kind"})
    assert live.status().utilization().loc[0, ["observed", "limit", "headroom"]].tolist() == [600, 1000, 400]
    live.process_credit(ts=3, account="A", reserve_id="t", step="reserve", amount=400)
    assert live.status().utilization().loc[0, "observed"] == 1000
    live.tick(5_000_000_003)
    assert live.status().utilization().loc[0, "observed"] == 600


@pytest.mark.parametrize("way", ["plain", "live"])
def test_a_limit_that_comes_later_counts_what_is_reserved_by_then(way):
    def at(ts: int, kind: str, label: str, **more: object) -> dict:
        return {"ts": ts, "kind": kind, "account": "A", "reserve_id": label, **more}

    first, second = ({"id": name, "type": "credit", "params": {"limit": limit}} for name, limit in LIMITS.items())
    events = [at(0, "reserve", "r", amount="600"), at(0, "reserve", "u", amount="300")]
    events += [{"ts": 1, "kind": "rules", "rules": [second]}, at(2, "commit", "r")]
    events += [at(3, "reserve", "s", amount="100.01"), at(4, "reserve", "t", amount="100")]
    events += [
        at(5, "release", "r", amount="600"),
        at(6, "reserve", "v", amount="600.01"),
        at(6, "reserve", "w", amount="600"),
    ]
    found = run({"id": "later", "mode": "enforce", "rules": [first], "events": events}, way).decisions
    refused = [number for number, decision in found.items() if decision == ("REJECT", "second")]
    assert (refused, len(found)) == ([5, 8], 7)


def test_a_pause_holds_reservations_and_no_step_after_them():
    rules = RuleSet([line(action="PAUSE")])
    rows = [*ROWS[:2], step("reserve", 3, "t", amount=1), step("commit", 4, "r")]
    result = replay_log(load(*rows), rules, mode="enforce", compiled=False)
    frame = result.to_frame()
    assert frame["decision"].tolist() == ["refused", "trip", "refused: paused"]


def test_what_is_reserved_or_used_outlives_the_memory_of_a_session():
    live = Session.create(RuleSet([line()]), [Instrument("X")], ["A"], mode="enforce", compiled=False)
    for row in (
        *ROWS[::2],
        step("reserve", 3, "s", amount=300),
        step("reserve", 4, "t", amount=50),
        step("rollback", 5, "t"),
    ):
        live.process_credit(**{name: value for name, value in row.items() if name != "kind"})
    live.tick(10)
    live.engine.compact(1)
    assert live.engine.journal.carried.tolist() == [0, 2], "the one that was given back is forgotten"
    live._entries.orders.forget(set(live.engine.journal.named), set())
    late = [step("commit", 11, "s"), step("release", 12, "r", amount=600), step("commit", 13, "t")]
    late += [step("reserve", 14, "u", amount=700), step("reserve", 15, "v", amount=1)]
    passed = [not live.process_credit(**{name: one for name, one in row.items() if name != "kind"}) for row in late]
    assert passed == [True, True, False, True, False]
