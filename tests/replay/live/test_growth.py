"""Labels that come in while a session runs: it decides as a replay in which all were declared, and replays nothing."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import random_scenarios
import scenario_runner
from live_rows import submit

from riskkit import Account, InputError, Instrument, Rule, RuleSet
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.session import Session
from riskkit.replay.schema.universe import Universe
from riskkit.rules import MaxOrderQty

ANY = Instrument("any", tick="0.01", lot="0.1", negative_price=True)


def rows_of_newcomers(seed: int, name: str, events: int) -> list[list[dict[str, Any]]]:
    """Calls of a random stream in which every six events come from accounts of their own."""
    scenario = random_scenarios.scenario(seed, events, [name], without=("fx",))
    names, latest, found = scenario_runner._Names(), 0, []
    suffix: dict[Any, int] = {}
    for number, event in enumerate(scenario_runner.unroll(scenario), 1):
        if "account" in event:
            at = suffix.setdefault((event["account"], event.get("order_id", -number)), number // 6)
            event["account"] += f"-{at}"
        late, latest = event["ts"] < latest, max(latest, event["ts"])
        found.append(scenario_runner._rows(number, event, names, late))
    return found


@pytest.mark.parametrize("name", sorted(random_scenarios.PARAMETERS))
def test_newcomers_decide_as_those_declared(name, long, monkeypatch):
    replays, widened = [], Engine.widened
    monkeypatch.setattr(Engine, "widened", lambda engine, universe: replays.append(1) or widened(engine, universe))
    for seed in range(20 if long else 1):
        rules = RuleSet.from_dict({"rules": [random_scenarios.rule(random.Random(seed), name, 0)]})
        world = Universe.declare(
            [Instrument("X", lot="0.1")], [Account("A-0", {"USD": 500}, desk="D", firm="F")], like=ANY
        )
        session = Session(
            rules, world, on_bad_order="flag", unknown_orders="external", auto_register=ANY, ts_policy="reject",
            compiled=False,
        )  # fmt: skip
        taken = 0
        for number, rows in enumerate(rows_of_newcomers(seed, name, 50)):
            try:
                submit(session, rows)
                taken += 1
            except InputError:  # an id that names nothing any more
                continue
            if number == 25:
                session = Session.restore(session.snapshot(), rules, compiled=False)
        assert taken > 25 and len(session.universe.accounts) > 5
        declared = Engine(rules, session.universe, compiled=False)
        declared.feed(session.log())
        assert session.digest == declared.digest
        assert_same_books(session, declared.state)
        assert not replays


def assert_same_books(session: Session, expected: Any) -> None:
    """All that the records say, but where in the workspace it lies, and which pair came first."""
    state = session.state
    for mine, theirs in [(state.accounts, expected.accounts), *zip(state.rules, expected.rules, strict=True)]:
        assert len(mine) == len(theirs)
        for name in set(mine.dtype.names) - {"memory", "first_position"}:
            np.testing.assert_array_equal(mine[name][1:], theirs[name][1:], err_msg=name)


@pytest.mark.parametrize("scope", ["account", "account_instrument", "account_product"])
def test_limits_of_a_key_hold_for_its_label_and_not_for_a_refused_one_in_its_place(scope):
    one = {"account": "one"} if scope == "account" else {"account": "one", scope.partition("_")[2]: "X"}
    rule = Rule("size", MaxOrderQty(limit=5), scope=scope, overrides={"/".join(one.values()): {"limit": 9}})
    session = Session.create(RuleSet([rule]), [Instrument("X")], ["A"], auto_register=ANY, compiled=False)
    order = {"instrument": "X", "side": "B", "price": 100}
    session.process_order(ts=0, account="A", qty=1, **order)
    engine, universe = session.engine, session.engine.labels
    before = universe.sizes
    for label, version in (("other", 0), ("one", 1), ("last", 0)):  # each in the place of the one before it
        code = universe.add("accounts", label)
        pair = engine.journal.pair(code, 0)
        engine.make_room(1)
        key = code if scope == "account" else pair
        assert engine.tables.rules[0]["version"][key + 1] == version, label
        universe.shrink(before)
    answers = [session.process_order(ts=1, account=label, qty=7, **order) for label in ("last", "one", "one")]
    assert [len(found) for found in answers] == [1, 0, 0]


def test_a_refused_label_is_not_remembered_in_place_of_the_next_one():
    session = Session.create(RuleSet([]), [Instrument("X", lot="1e-9")], auto_register=ANY, compiled=False)
    order = {"instrument": "X", "side": "B", "price": 100}
    with pytest.raises(InputError, match="could overflow 64 bits"):
        session.process_order(ts=0, account="first", qty=300_000, **order)
    session.process_order(ts=0, account="second", qty=1, **order)
    assert [account.id for account in session.universe.accounts] == ["second"]
    assert [account.id for account in session.log().universe.accounts] == ["second"]
