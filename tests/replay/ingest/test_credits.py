"""Credit at both doors: names of reservations, amounts and currencies that fit a step, and one digest."""

from __future__ import annotations

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import ORDER, column, load, refusal

from riskkit import Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.credits import NO_AMOUNT, NO_CURRENCY, NO_ID, NO_PART, reservation_text
from riskkit.replay.schema.columns import CreditStep
from riskkit.rules import CreditLimit

RULES = RuleSet([Rule("line", CreditLimit(limit=1_000, ttl_ns="1s"))])


def step(name: str, ts: int = 1, label: object = "r", **more: object) -> dict:
    return {"ts": ts, "kind": "credit", "account": "A", "reserve_id": label, "step": name, **more}


def session() -> Session:
    return Session.create(RULES, [Instrument("X")], ["A", "B"], compiled=False)


def call(row: dict) -> str:
    return refusal_of(session().process_credit, **{name: value for name, value in row.items() if name != "kind"})


def test_a_step_names_the_reservation_of_its_account():
    rows = [step("reserve", amount=5), step("commit"), {**step("commit"), "account": "B"}, step("rollback", label="s")]
    log = load(*rows, step("release", amount=2))
    assert column(log, "order") == [0, 0, -1, -1, 0]
    assert column(log, "side") == [CreditStep[name] for name in ("RESERVE", "COMMIT", "COMMIT", "ROLLBACK", "RELEASE")]
    assert log.order_labels.by_row == {0: reservation_text("A", "r")}


def test_a_step_before_its_reservation_names_none():
    assert column(load(step("commit"), step("reserve", amount=5)), "order") == [-1, 1]


def test_an_order_and_a_reservation_may_have_one_id():
    log = load({**ORDER, "order_id": "r"}, step("reserve", amount=5), step("commit"))
    assert column(log, "order") == [0, 1, 1]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (step("reserve", label=None, amount=5), NO_ID),
        (step("reserve"), NO_AMOUNT),
        (step("reserve", amount=0), NO_AMOUNT),
        (step("release", amount=-1), NO_AMOUNT),
        (step("commit", amount=5), NO_PART),
        (step("rollback", amount=5), NO_PART),
        (step("release", amount=5, currency="USD"), NO_CURRENCY),
        (step("reserves", amount=5), "is not one of RESERVE, COMMIT, ROLLBACK, RELEASE"),
    ],
)
def test_what_does_not_fit_a_step_is_refused_at_both_doors(row, why):
    assert refusal(row).endswith(why)
    assert call(row).endswith(why)


def test_an_id_is_used_once():
    first = step("reserve", amount=5)
    assert "is used already by the order of row 0" in refusal(first, first)
    live = session()
    submit(live, [first])
    assert "is used already by the order of event 0" in refusal_of(submit, live, [first])
    submit(live, [{**first, "account": "B"}])
    assert len(live) == 2


def test_a_late_reservation_is_none():
    log = load(
        step("reserve", 5, amount=5), step("reserve", 4, "s", amount=5), step("commit", 6, "s"), ts_policy="reject"
    )
    assert [row["code"].item() for row in replay_log(log, RULES, compiled=False).rows] == [10, 19]


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_a_session_decides_as_a_replay_of_its_log_and_from_its_snapshot(mode):
    rows = [step("reserve", k, f"r{k}", amount=300) for k in range(5)]
    rows += [step("commit", 6, "r0"), step("rollback", 7, "r4"), step("rollback", 8, "r1"), step("commit", 9, "r1")]
    rest = [
        step("release", 10, "r0", amount="100.5"),
        step("reserve", 11, "t", amount=400),
        step("reserve", 10**9 + 4, "u", amount=1),
    ]
    live = Session.create(RULES, [Instrument("X")], ["A"], mode=mode, compiled=False)
    submit(live, rows)
    other = Session.restore(live.snapshot(), RULES, compiled=False)
    for one in (live, other):
        submit(one, rest)
        assert one.result().digest == replay_log(one.log(), RULES, mode=mode, compiled=False).digest
    assert live.digest == other.digest


def test_a_step_of_no_reservation_is_refused_and_kept():
    live = session()
    (decision,) = submit(live, [step("commit")])
    assert str(decision) == "REJECT A: credit: no such reservation, or it is finished."
    assert len(live) == 1
