"""One refusal, one answer: what a rule observed is the same live, in the frame, in the explanation and in the alert.

The numbers are worked out by hand from the rules' words, for one breach of every rule type.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from live_rows import submit
from proofs.test_edges import SHOWN, fill, order

import riskkit as rk
from riskkit import Account, Instrument, Rule
from riskkit.desk.alerts.from_decisions import AlertMaker
from riskkit.replay.results.decisions import Decision, DecisionKind
from riskkit.replay.results.present import Reading, present, verdict_of
from riskkit.replay.rules.rule import rule_type
from riskkit.replay.schema.columns import DecisionCode
from riskkit.rules import MaxOrderQty, SessionHours

NAMES = ("observed", "limit", "headroom", "unit")


def ruled(parameters: Any) -> Rule:
    """A rule that refuses, or alerts where only cancels breach it, which are never refused."""
    if isinstance(parameters, SessionHours):
        pytest.importorskip("exchange_calendars")
    if (one := Rule("r", parameters)).kind.action == "QUEUE":
        return one
    alerting = Rule("r", parameters, action="ALERT")
    return Rule("r", parameters, action="REJECT") if alerting.kind.refusable(parameters) else alerting


def replayed(parameters: Any, stream: list[dict[str, Any]], cash: Any = 1_000, tick: str = "0.01", lot: str = "1"):
    """The result, the rule's row of the last event, and what it shows; None where the rule does not object."""
    rules = rk.RuleSet([ruled(parameters)])
    things = [Instrument(label, tick=tick, lot=lot) for label in "XYVW"]
    accounts = [Account("A", {"USD": cash})]
    log = rk.EventLog.from_frame(pd.DataFrame(stream), things, accounts=accounts, on_bad_order="flag")
    result = rk.replay_log(log, rules, compiled=False)
    rows = result.rows[(result.rows["seq"] == len(log) - 1) & (result.rows["mask"] == 1)]
    if not len(rows):
        return None
    event = {name: int(log.columns[name][-1]) for name in ("instrument", "side", "price")}
    return result, rows[0], present(rules[0], verdict_of(rows[0]), log.universe, event)


def answers(parameters: Any, stream: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Observed, limit, headroom and unit of the last event's refusal, by where they are shown."""
    result, row, shown = replayed(parameters, stream)
    found = {"present": tuple(shown[:4])}
    things, accounts = result.log.universe.instruments, result.log.universe.accounts
    options = {"mode": "shadow", "on_bad_order": "flag", "compiled": False}
    session = rk.Session.create(result.rules, things, accounts, **options)
    submit(session, stream[:-1])
    shows = (DecisionKind.REJECT, DecisionKind.ALERT)
    live = [action for action in submit(session, stream[-1:]) if action.action in shows][-1]
    found["live"] = tuple(getattr(live, name) for name in NAMES)
    explanation = result.explain(int(row["seq"]))
    [objection] = explanation.objections
    found["explain"] = (objection.observed, objection.limit, objection.headroom, objection.reading.unit)
    frame = result.to_frame().loc[[int(row["seq"])]].iloc[-1]
    found["frame"] = tuple(_plain(frame[name]) for name in NAMES)
    found["alert"] = _alerted(session, live)
    for sentence in (live.reason, *str(explanation).split("\n")):
        assert str(shown) in sentence
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        return value.value
    return None if not isinstance(value, str) and pd.isna(value) else value


def _alerted(session: rk.Session, live: Decision) -> tuple[Any, ...]:
    engine = session.engine
    [alert] = AlertMaker(engine).alerts(engine, [live], {})
    return (*(alert.metrics.get(name) for name in NAMES[:3]), live.unit)


def others(name: str, parameters: Any, limit: int) -> Iterator[Any]:
    """The parameters with one other number set to what the verdict's limit is as an integer."""
    kind = rule_type(name)
    spoke = {one.limit for one in kind.observed}
    for parameter, unit in kind.units().items():
        if unit.name not in ("count", "quantity", "money", "duration") or (parameter in spoke and not kind.caps):
            continue
        changed = parameters._replace(**{parameter: str(limit / 100) if unit.name == "money" else limit})
        with contextlib.suppress(rk.InputError):  # a number that does not fit the others
            rk.RuleSet([ruled(changed)])
            yield changed


@pytest.mark.parametrize("name", SHOWN)
def test_one_refusal_has_one_answer(name):
    parameters, stream, expected = SHOWN[name]
    for where, found in answers(parameters, stream).items():
        assert found == pytest.approx(expected), where


@pytest.mark.parametrize("name", SHOWN)
def test_no_sentence_depends_on_how_the_loop_counts(name):
    """Ticks, lots and the unit of money are finer: the loop's integers are other ones, and people read the same."""
    parameters, stream, expected = SHOWN[name]
    told, tables = set(), []
    for world in ({}, {"tick": "0.0001"}, {"lot": "0.001"}):
        result, _, shown = replayed(parameters, stream, **world)
        told.add(str(shown))
        assert str(shown) in result.explain(len(result.log) - 1)
        tables.append(result.to_frame()[list(NAMES)].iloc[[-1]])
    assert len(told) == 1
    assert (str(expected[3]) in told.pop()) or expected[3] in ("quantity", "price", "count", "time", "fraction", "")
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0], check_index_type=False)


@pytest.mark.parametrize(("action", "word"), [("PAUSE", "paused"), ("HALT", "halted"), ("REDUCE_ONLY", "paused")])
def test_a_halt_is_called_a_halt_everywhere(action, word):
    rules = rk.RuleSet([Rule("r", MaxOrderQty(limit=5), action=action)])
    stream = [order(qty=9), order(qty=1)]
    log = rk.EventLog.from_frame(pd.DataFrame(stream), [Instrument("X")])
    result = rk.replay_log(log, rules, compiled=False)
    assert result.states() == {"A": word.upper()}
    assert f"refused: {word} by r" in result.explain(1)
    assert f"r on A: {word}" in result.explain(1)
    assert result.to_frame()["decision"].iloc[-1] == f"refused: {word}"
    session = rk.Session.create(rules, [Instrument("X")], ["A"], compiled=False)
    decided = submit(session, stream)
    assert session.status().states() == {"A": word.upper()}
    assert f"A is {word} by r" in decided[-1].reason


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_neither_tick_nor_cash_nor_another_parameter_moves_it(name):
    """The other parameters are set to what the limit is as an integer, in whatever unit: no coincidence tells a unit."""
    parameters, stream, expected = SHOWN[name]
    worlds = [{"tick": "0.0001"}, {"lot": "0.001"}]
    worlds += (
        [{"cash": 2_000}] if name not in ("cash", "leverage", "drawdown", "dd_equity", "initial_margin") else []
    )  # which are about cash
    for world in worlds:
        assert replayed(parameters, stream, **world)[2][:4] == pytest.approx(expected), world
    _, row, _ = replayed(parameters, stream)
    compared = 0
    for changed in others(name.split()[0], parameters, int(row["limit"])):
        found = replayed(changed, stream)
        if found is not None and all(found[1][one] == row[one] for one in ("code", "cap", "observed", "limit")):
            assert found[2][:4] == pytest.approx(expected), changed
            compared += 1
    assert compared or not rule_type(name.split()[0]).caps


def test_what_the_loop_cuts_is_a_quantity():
    stream = [order(qty=4, order_id="a"), fill(1, qty=4, order_id="a"), order(2, side="S", qty=4, order_id="b")]
    stream += [fill(3, "S", qty=4, order_id="b")]
    rules = rk.RuleSet([Rule("size", MaxOrderQty(3), scope="account")])
    log = rk.EventLog.from_frame(pd.DataFrame(stream), [Instrument("X", lot="0.5")])
    result = rk.replay_log(log, rules, "enforce", orphans="drop", compiled=False)
    frame = result.to_frame()
    raw = result.rows[result.rows["code"] == DecisionCode.ORPHAN]
    if len(raw):
        assert frame.loc[raw["seq"][0], "unit"] == "quantity"
    vanished = frame[frame["decision"].str.contains("vanished")]
    assert len(vanished) and vanished["unit"].eq("").all() and np.isnan(vanished["observed"].astype(float)).all()


def test_a_text_says_the_unit():
    assert str(Reading(1_000, 500, -500, "USD", "notional")) == "observed 1,000 USD, notional 500 USD"
    assert str(Reading(2, None, None, "count")) == "observed 2"
    assert str(Reading(0, 293 * 10**9, -293 * 10**9, "time")).endswith("1970-01-01T00:04:53Z, 4 min 53 s too early")
    assert (
        str(Reading(0, 1, -1, "time"))
        == "observed 1970-01-01T00:00:00Z, limit 1970-01-01T00:00:00.000000001Z, 1 ns too early"
    )
    assert str(Reading()) == ""
