"""Every scenario file comes out as it says: plain, one event at a time, and by the generic loop.

By the loop of its own rules too with ``--scenarios DIR``, which runs any folder of such files instead of the shipped ones, and in
`make fuzz`; in `make test` test_fused.py has the few loops that hold all that those of the files do. The format is in
tests/scenarios/README.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example
from hypothesis import given as over
from hypothesis import strategies as st
from naive.replay import interpret
from random_scenarios import KINDS, PARAMETERS, scenario
from scenario_runner import WAYS, differences, expected, number_of, read, run

from riskkit.replay.rules.rule import _TYPES

SHIPPED = Path(__file__).parents[1] / "scenarios"


def files(config) -> list[Path]:
    folders = [Path(folder) for folder in config.getoption("--scenarios") or [SHIPPED]]
    found = [path for folder in folders for path in sorted(folder.glob("*.json"))]
    if not found:
        raise pytest.UsageError(f"no scenario files in {', '.join(map(str, folders))}")
    return found


def pytest_generate_tests(metafunc):
    if "path" in metafunc.fixturenames:
        paths = files(metafunc.config)
        metafunc.parametrize("path", paths, ids=[path.stem for path in paths])
    if "way" in metafunc.fixturenames:
        option = metafunc.config.getoption
        ways = WAYS if option("extent") == "long" or option("--scenarios") else WAYS[:-1]
        metafunc.parametrize("way", [GENERIC if way == "generic" else way for way in ways])


GENERIC = pytest.param("generic", marks=pytest.mark.xdist_group("generic"))  # one process compiles it


def given(path):
    """The scenario of a file; of hours of an exchange only with the package that knows them."""
    scenario = read(path)
    if any(rule["type"] == "session_hours" for rule in scenario["rules"]):
        pytest.importorskip("exchange_calendars")
    return scenario


def test_a_scenario_comes_out_as_it_says(path, way):
    scenario = given(path)
    assert differences(scenario, run(scenario, way)) == []


def test_the_naive_interpreter_agrees_with_the_file(path):
    scenario = given(path)
    must, twin = expected(scenario), interpret(scenario)
    assert twin.decisions == must.decisions
    assert {account: twin.states()[account] for account in must.states} == must.states
    for label, quantity in must.positions.items():
        assert twin.position(*label.split("|")) == number_of(quantity)
    if "fills_vanished" in scenario["expected"]:
        assert twin.fills_vanished == must.fills_vanished
    for number, labels in scenario["expected"].get("cancelled", {}).items():
        assert twin.cancelled.get(int(number), []) == labels
    if "alerts" in scenario["expected"]:
        assert {str(number): rules for number, rules in twin.alerts.items()} == scenario["expected"]["alerts"]
    if "release" in scenario["expected"]:
        assert {str(number): ts for number, ts in twin.releases.items()} == scenario["expected"]["release"]
    for label, rest in scenario["expected"].get("working", {}).items():
        assert sum(order.rest for order in twin.every_order if order.label == label) == number_of(rest)
    for label, price in scenario["expected"].get("prices", {}).items():
        assert [order.price for order in twin.every_order if order.label == label and order.working] == [
            number_of(price)
        ]


# ---------------------------------------------------------------------- random scenarios against the naive interpreter

ELSEWHERE = {"var_limit"}  # in floats: it has a twin of its own


def test_no_rule_type_is_left_out_of_the_random_scenarios():
    home = ("riskkit.replay.rules.", "riskkit.replay.rules.circuit_breaker")
    catalogue = {name for name, kind in _TYPES.items() if (kind.check or kind.update).__module__.startswith(home)}
    assert PARAMETERS.keys() == catalogue - ELSEWHERE


def agree(given):
    """Decision by decision, and the books at the end; what came out."""
    found, twin = run(given, "plain"), interpret(given)
    assert found.decisions == twin.decisions
    assert found.cancelled == twin.cancelled
    assert found.releases == twin.releases
    assert found.alerts == twin.alerts
    assert {label: found.states.get(label, "ACTIVE") for label in twin.accounts} == twin.states()
    assert found.fills_vanished == twin.fills_vanished
    for label, quantity in found.positions.items():
        assert number_of(quantity) == twin.position(*label.split("|"))
    return found


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_rule_alone_decides_as_the_naive_interpreter(name):
    for seed in range(2):
        agree(scenario(1000 * seed + len(name), types=[name]))


@pytest.mark.lengthy
@pytest.mark.parametrize("first", range(0, 60, 10))
def test_rules_together_decide_as_the_naive_interpreter(first):
    for seed in range(first, first + 10):
        agree(scenario(seed))


OTHER_KINDS = sorted(KINDS.keys() - {"order"})


@pytest.mark.lengthy
@over(st.integers(0, 10**6), st.sets(st.sampled_from(OTHER_KINDS), max_size=3), st.sampled_from(sorted(PARAMETERS)))
@example(62, {"price", "closed_trade", "cmd"}, "known_instrument")
def test_what_is_tracked_does_not_depend_on_the_kinds_of_event_that_happen_to_be_there(seed, kept, name):
    """A log tells the loop what it need not track; a session, which cannot know, tracks everything."""
    given = scenario(seed, 40, types=[name], without=set(OTHER_KINDS) - kept, narrow=True)
    assert run(given, "live") == agree(given)


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_rules_decide_as_the_naive_interpreter_without_a_kind_of_event(kind):
    for seed in range(4):
        agree(scenario(seed, without=[kind]))


def test_a_pause_by_command_counts_working_orders_whatever_the_rules_need():
    """Four are held: of two sells, the first works in the pause, and the second would sell what it sells already."""
    order = {"kind": "order", "account": "A", "instrument": "X", "side": "S", "price": "10"}
    given = {
        "accounts": [{"id": "A", "positions": {"X": "4"}}],
        "rules": [{"id": "size", "type": "max_order_qty", "params": {"limit": "100"}}],
        "events": [
            {**order, "ts": 1, "qty": "4", "order_id": "o"},
            {"ts": 2, "kind": "cmd", "cmd": "PAUSE", "account": "A"},
            {**order, "ts": 3, "qty": "1"},
        ],
    }
    assert agree(given).decisions == {1: ("ALLOW", None), 3: ("REJECT", "PAUSED")}


def test_a_fill_counts_for_the_connection_of_its_order_whatever_the_log_has_besides():
    """Whether orders are tracked decides nothing: an unrelated modify, or a session, gives the same answer."""
    order = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "price": "10", "qty": "5", "session": "S"}
    fill = {**order, "kind": "fill", "order_id": "o"}
    del fill["session"]
    events = [{**order, "ts": 1, "order_id": "o"}, {**fill, "ts": 2}, {**order, "ts": 3, "order_id": "p"}]
    rule = {"id": "cap", "type": "volume_cap", "scope": "session", "params": {"limit": "8"}}
    given = {"rules": [rule], "events": events}
    found = agree(given)
    assert found.decisions[3] == ("REJECT", "cap")
    assert run(given, "live") == found
