"""A probe says what the order would be told, and nothing has changed: not one word of the state, not the digest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from label_calls import answer, calls
from marks import needs_compiling
from proofs.test_proof import RULES as PROVEN
from random_scenarios import CONVERTING, PARAMETERS, in_currencies, scenario
from scenario_runner import log_of, rules_of
from streams import universe

import riskkit as rk
from riskkit.compat import Direction, Order, RiskEngine
from riskkit.compat.rules import OrderRateLimitRule
from riskkit.replay.ingest.rows import DEFAULTS
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.probe import _is_local, passing
from riskkit.replay.live.session import Session
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import EventKind

ENDS = "is ended by its time", "is ended with the day"


def picture(engine: Engine) -> tuple[dict[str, bytes], list[Any]]:
    """The words of the tables, and all else that an engine has."""
    journal = engine.journal
    known = [journal.pairs, journal.strays, journal.last_like, journal.latest, len(journal)]
    rows = {name: column[: len(journal)].tobytes() for name, column in journal.columns.items()}
    tables = {name: table.tobytes() for name, table in engine.state.arrays().items()}
    return tables, [rows, engine.reach.words.tobytes(), *map(repr, known)]


def same(engine: Engine, before: tuple[dict[str, bytes], list[Any]]) -> bool:
    """True if nothing has changed but for the room in the tables."""
    (tables, rest), (tables_before, rest_before) = picture(engine), before
    return rest == rest_before and all(tables[name].startswith(words) for name, words in tables_before.items())


def said(session: Session, call: str, given: dict[str, Any]) -> list[str]:
    return [text for text in answer(session, call, given) if not any(end in text for end in ENDS)]


SMALL = rk.RuleSet(
    [
        rk.Rule("size", rk.rules.MaxOrderQty(limit=5)),
        rk.Rule("rate", rk.rules.OrderRate(limit=3, window_ns="10s"), scope="account_instrument"),
        rk.Rule("desk", rk.rules.OrderRate(limit=20, window_ns="20s"), action="PAUSE", hold="30s"),
    ]
)


@pytest.mark.slow
@needs_compiling
def test_the_door_answers_a_probe_of_a_plain_order_and_changes_nothing(monkeypatch):
    random = np.random.default_rng(5)
    session = rk.Session.create(SMALL, [rk.Instrument("X"), rk.Instrument("Y")], ["A", "B"], order_ids="account")
    complete, asked = [], 0
    monkeypatch.setattr(Session, "_probed", counted(Session._probed, complete))
    for number in range(400):
        order = {"account": "AB"[number % 2], "instrument": "XY"[number // 2 % 2], "side": "B", "price": 100}
        order |= {"qty": int(random.integers(1, 7)), "ts": int(number * 10**9 * random.choice([1, 1, 1, 2]))}
        order["ts"] = max(order["ts"], session.latest)
        order |= {"order_id": f"o{number // 3}"} if number % 3 else {}
        before = picture(session.engine) if number else None
        arguments, digest = session.engine.arguments, session.digest
        probed = said(session, "probe", order)
        assert before is None or (same(session.engine, before) and session.engine.arguments is arguments)
        assert digest == session.digest and probed == said(session, "process_order", order)
        asked += probed != []
    assert asked > 50
    assert len(complete) < 150  # a first order of a pair, a used id, an end of a pause
    assert session.digest == replay_log(session.log(), SMALL, compiled=False).digest


def counted(call: Any, calls: list[Any]) -> Any:
    """A method that notes its calls."""
    return lambda *args: calls.append(args) or call(*args)


@pytest.mark.parametrize("mode", ["shadow", pytest.param("enforce", marks=pytest.mark.slow)])
def test_a_probe_says_what_the_order_is_told_and_changes_nothing(mode):
    options = {"compiled": False, "auto_register": rk.Instrument("any"), "mode": mode}
    session, alone = (Session(PROVEN, universe(), **options) for _ in range(2))
    asked = 0
    for method, given in calls(3, 250):
        if method == "process_order" and given["ts"] is not None:
            before = picture(session.engine) if len(session) else None
            probed = said(session, "probe", given)
            if before:
                assert same(session.engine, before)
            told = said(session, method, given)
            asked += probed != []
            assert probed == told
        else:
            answer(session, method, given)
        answer(alone, method, given)
    assert asked > 20
    assert session.digest == alone.digest


@pytest.mark.parametrize(
    "name",
    [name if turn % 6 == 0 else pytest.param(name, marks=pytest.mark.slow) for turn, name in enumerate(PARAMETERS)],
)
def test_an_order_of_any_rule_is_undone_word_by_word(name):
    given = scenario(sum(map(ord, name)), 50, types=[name])
    undone(given)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVERTING)
def test_an_order_of_a_rule_that_converts_is_undone_word_by_word(name):
    undone(in_currencies(sum(map(ord, name)), [name]))


def undone(given: dict[str, Any]) -> None:
    log, _ = log_of(given)
    engine = Engine(rules_of(given), log.universe, given["mode"], compiled=False)
    at = 0
    while at < len(log):
        row = {**DEFAULTS, **{name: int(column[at]) for name, column in log.columns.items()}}
        end = at + 1
        while end < len(log) and row["batch"] >= 0 and log.columns["batch"][end] == row["batch"]:
            end += 1
        if row["kind"] == EventKind.ORDER and engine.size and row["batch"] < 0:
            row["order"] = -1
            before = picture(engine)
            with passing(engine, [row]) as other:
                other.take([row])
            assert same(engine, before)
        engine.feed(log, at, end)
        at = end


def test_an_order_of_a_known_pair_is_taken_by_the_engine_itself():
    rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    session = Session.create(rules, [rk.Instrument("X")], ["A"], compiled=False)
    row = {
        **DEFAULTS,
        "ts": 1,
        "kind": int(EventKind.ORDER),
        "account": 0,
        "instrument": 0,
        "side": 1,
        "qty": 1,
        "order": -1,
    }
    assert not _is_local(session.engine, [row])
    session.process_order(ts=0, account="A", instrument="X", side="B", qty=1, price=100)
    assert _is_local(session.engine, [row])
    with passing(session.engine, [row]) as other:
        assert other is session.engine


def test_the_short_form_is_asked_too():
    engine = RiskEngine([OrderRateLimitRule(1, 1_000)], compiled=False)
    first, second = (Order(oid, "A", "T", Direction.BID, 100.5, 1, oid) for oid in (1, 2))
    assert engine.probe(first) == engine.process_order(first) == []
    before = engine.digest
    assert [action.action.name for action in engine.probe(second)] == ["REJECT"]
    assert engine.digest == before
