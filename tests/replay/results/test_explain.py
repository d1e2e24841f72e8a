"""Every decision explains itself: what it says would have passed does pass, and one lot or one nanosecond off does not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from random_scenarios import scenario, with_prices
from rows import load
from scenario_runner import log_of, rules_of

import riskkit as rk
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.what_if import SAID, _list_of
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import EventKind, RowFlag

SEEDS = range(12)
MESSAGES = 8  # of each scenario, at most


def objects(log: EventLog, rules, mode: str, seq: int, k: int, **changed: int) -> bool:
    """Whether rule k objects to the message at `seq` in a replay of the record up to it, with a field changed."""
    first, stop = _list_of(log.columns.get("batch"), seq)
    columns = {name: column[:stop].copy() for name, column in log.columns.items()}
    if "qty" in changed and "flags" in columns:
        columns["flags"][seq] &= ~(RowFlag.OFF_LOT | RowFlag.BAD_QTY | RowFlag.CLOSE_POSITION)
    for name, value in changed.items():
        columns[name][seq if name == "qty" else slice(first, stop)] = value
    again = EventLog(columns, log.pair_account, log.pair_instrument, log.universe)
    rows = replay_log(again, rules, mode, compiled=False).rows
    rows = rows[(rows["seq"] == seq) & np.isin(rows["code"], SAID)]
    return bool(((rows["mask"] >> k) & 1).any())


@pytest.mark.lengthy
@pytest.mark.parametrize("seed", SEEDS)
def test_what_would_have_passed_passes_and_its_neighbour_does_not(seed):
    given = with_prices(scenario(seed, events=40), "close", "price")
    log, _ = log_of(given)
    rules, mode = rules_of(given), given["mode"]
    result = replay_log(log, rules, mode, compiled=False)
    rows = result.rows[np.isin(result.rows["code"], SAID)]
    for row in rows[:: max(1, len(rows) // MESSAGES)]:
        seq, mask = int(row["seq"]), int(row["mask"])
        objections = {one.rule: one for one in result.explain(seq).objections}
        assert list(objections) == [rule.id for k, rule in enumerate(rules) if (mask >> k) & 1]
        instrument = log.universe.instruments[int(log.columns["instrument"][seq])]
        lot = int(instrument.lot / instrument.qty_step)
        for k, rule in enumerate(rules):
            if rule.id not in objections:
                continue
            one = objections[rule.id]
            if one.next_quantity is not None:
                steps = int(Fraction(one.next_quantity) / instrument.qty_step)
                assert not objects(log, rules, mode, seq, k, qty=steps), "that quantity passes"
                asked = int(log.columns["qty"][seq])
                assert steps != asked
                closes = log.columns["flags"][seq] & RowFlag.CLOSE_POSITION  # of what is held, in place of its quantity
                if log.columns["kind"][seq] == EventKind.ORDER and not closes:
                    neighbour = min(steps + lot, asked) if steps < asked else max(steps - lot, asked)
                    assert objects(log, rules, mode, seq, k, qty=neighbour), "one lot nearer does not"
            if one.next_ts is not None:
                assert not objects(log, rules, mode, seq, k, ts=one.next_ts), "from that time on it passes"
                assert objects(log, rules, mode, seq, k, ts=one.next_ts - 1), "a nanosecond earlier it does not"
            else:
                late = int(log.columns["ts"][seq]) + 300 * 86_400_000_000_000
                assert objects(log, rules, mode, seq, k, ts=late), "time alone does not help"


ORDER = {"ts": 1_000, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 5, "price": 10.0}


def explained(rows, *rules, **options):
    return replay_log(load(*rows), rk.RuleSet(rules), compiled=False, **options)


def test_a_size_limit_names_the_limit_as_the_next_quantity():
    result = explained([ORDER], rk.Rule("size", rk.rules.MaxOrderQty(limit=3)))
    (one,) = result.explain(0).objections
    assert (one.observed, one.limit, one.next_quantity, one.next_ts) == (5, 3, "3", None)
    assert "size on A: a breach (observed 5, limit 3); a quantity of 3 would have been accepted." in result.explain(0)


def test_an_alert_is_said_to_be_none_beside_a_refusal_and_alone():
    size, warning = (
        rk.Rule("size", rk.rules.MaxOrderQty(limit=4)),
        rk.Rule("warn", rk.rules.MaxOrderQty(limit=3), action="ALERT"),
    )
    said = "warn on A: an alert (observed 5, limit 3); a quantity of 3 would have raised no alert."
    for rules in ([size, warning], [warning]):
        result = explained([{**ORDER, "order_id": "a"}], *rules)
        assert said in result.explain(0)
        assert ("a quantity of 3 would have raised no alert." in result.explain(order_id="a")) == (len(rules) > 1)
    assert "By size, a quantity of 4 would have been accepted." in explained(
        [{**ORDER, "order_id": "a"}], size, warning
    ).explain(order_id="a")


def test_a_least_size_names_a_larger_quantity():
    result = explained([ORDER], rk.Rule("least", rk.rules.MinOrderQty(limit=7)))
    assert result.explain(0).objections[0].next_quantity == "7"


def test_a_window_names_the_time_at_which_it_clears():
    rate = rk.Rule("rate", rk.rules.OrderRate(limit=2, window_ns=100))
    result = explained([ORDER, {**ORDER, "ts": 1_050}, {**ORDER, "ts": 1_060}], rate)
    (one,) = result.explain(2).objections
    assert (one.next_ts, one.next_quantity) == (1_100, None), "(t - w, t]: at 1,100 the first order is out"
    assert one.state["total"] == 2


def test_a_day_that_turns_is_named_to_the_nanosecond():
    cap = rk.Rule("cap", rk.rules.VolumeCap(limit=6, measure="ordered", tz="America/New_York", roll_hour=17))
    start = 1_709_649_000_000_000_000  # 2024-03-05 14:30 UTC
    result = explained([{**ORDER, "ts": start}, {**ORDER, "ts": start + 1}], cap)
    (one,) = result.explain(1).objections
    assert (one.next_quantity, one.next_ts) == ("1", 1_709_676_000_000_000_000), "17:00 in New York is 22:00 UTC"


def test_a_pause_names_its_end():
    rate = rk.Rule("rate", rk.rules.OrderRate(limit=1, window_ns=10), action="PAUSE", hold="1us")
    result = explained([ORDER, {**ORDER, "ts": 1_001}, {**ORDER, "ts": 1_002}], rate)
    (one,) = result.explain(2).objections
    assert (one.why, one.until, one.next_ts) == ("paused", 2_001, 2_001)


def test_every_rule_that_objects_is_explained_beside_the_named_cause():
    result = explained(
        [ORDER], rk.Rule("size", rk.rules.MaxOrderQty(limit=3)), rk.Rule("money", rk.rules.MaxOrderNotional(limit=45))
    )
    size, money = result.explain(0).objections
    assert (size.next_quantity, money.next_quantity) == ("3", "4")
    assert (money.observed, money.limit) == (50, 45)


def test_a_duplicate_passes_with_another_quantity_or_when_its_twin_is_out_of_the_window():
    twice = rk.Rule("twice", rk.rules.DuplicateOrder(limit=1, window_ns=100))
    result = explained([{**ORDER, "ts": 990, "qty": 4}, ORDER, {**ORDER, "ts": 1_010}], twice)
    (one,) = result.explain(2).objections
    assert (one.next_quantity, one.next_ts) == ("3", 1_100), "4 and 5 have a prev_duplicate in the window"


def test_every_scope_names_its_key():
    scopes = ("account", "instrument", "product", "account_instrument", "account_product", "desk", "firm", "global")
    rules = [rk.Rule(scope, rk.rules.OrderRate(limit=0, window_ns=1), scope=scope) for scope in scopes]
    log = load(ORDER, accounts=[rk.Account("A", desk="D", firm="F")])
    found = replay_log(log, rk.RuleSet(rules), compiled=False).explain(0).objections
    assert [one.key for one in found] == ["A", "X", "X", "A/X", "A/X", "D", "F", "everything"]
    assert all(one.state["total"] == 0 and one.state["position"] == 0.0 for one in found)


def test_a_modify_is_explained_with_the_quantity_of_its_order():
    named = {**ORDER, "order_id": "a"}
    change = {**named, "ts": 1_001, "kind": "modify", "qty": 0, "price": 20.0}
    result = explained([named, change], rk.Rule("money", rk.rules.MaxOrderNotional(limit=60)))
    (one,) = result.explain(1).objections
    assert (one.observed, one.next_quantity) == (100, "3")


def test_a_person_s_pause_has_no_objection_of_a_rule():
    pause = {"ts": 1_000, "kind": "control", "account": "A", "cmd": "PAUSE"}
    result = explained([pause, ORDER], rk.Rule("size", rk.rules.MaxOrderQty(limit=30)))
    assert result.explain(1).objections == ()
    assert "refused" in result.explain(1)


def test_it_shows_in_a_notebook_as_it_reads():
    found = explained([ORDER], rk.Rule("size", rk.rules.MaxOrderQty(limit=3))).explain(0)
    assert repr(found) == str(found) == found
    assert len(found.splitlines()) == 2


def test_what_passed_has_no_objection():
    result = explained([ORDER], rk.Rule("size", rk.rules.MaxOrderQty(limit=5)))
    assert result.explain(0).objections == ()
    assert result.explain(0).endswith("passed; no rule objected.")


def test_a_live_session_explains_as_the_replay_does():
    log = load(ORDER, {**ORDER, "ts": 1_001, "qty": 9})
    rules = rk.RuleSet([rk.Rule("size", rk.rules.PositionLimit(limit=3), scope="account_instrument")])
    live = rk.replay.Engine(rules, log.universe, compiled=False)
    live.feed(log)
    assert live.result().explain(1) == replay_log(log, rules, compiled=False).explain(1)
    assert live.result().explain(1).objections[0].key == "A/X"
