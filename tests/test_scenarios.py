"""Every scenario file comes out as it says: plain, one event at a time, and compiled.

``python -m pytest tests/test_scenarios.py --scenarios DIR`` runs any folder of such files instead of the shipped ones;
their format is in tests/scenarios/README.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from naive.replay import interpret
from scenario_runner import WAYS, differences, expected, number_of, read, run

SHIPPED = Path(__file__).parent / "scenarios"


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


@pytest.mark.parametrize("way", WAYS)
def test_a_scenario_comes_out_as_it_says(path, way):
    scenario = read(path)
    assert differences(scenario, run(scenario, way)) == []


def test_the_naive_interpreter_agrees_with_the_file(path):
    scenario = read(path)
    must, twin = expected(scenario), interpret(scenario)
    assert twin.decisions == must.decisions
    assert {account: twin.states()[account] for account in must.states} == must.states
    for label, quantity in must.positions.items():
        assert twin.position(*label.split("|")) == number_of(quantity)
    if "fills_vanished" in scenario["expected"]:
        assert twin.fills_vanished == must.fills_vanished
