"""A name that users of other packages type is answered with the call that does it, at the top level and in each module."""

import re
from itertools import groupby
from pathlib import Path
from types import ModuleType

import pytest

import riskkit
from riskkit._names import _ELSEWHERE

MODULES = {name: value for name in riskkit.__all__ if isinstance(value := getattr(riskkit, name), ModuleType)}
SHEETS = (Path(__file__).parents[1] / "notebooks/docs/cheat_sheets.md").read_text(encoding="utf-8")
DECLARED = [
    (module, call, name)
    for module, calls in _ELSEWHERE.items()
    for call, names in calls.items()
    for name in names.split()
]


def answer(name: str, module: object = riskkit) -> str:
    with pytest.raises(AttributeError) as refused:
        getattr(module, name)
    return str(refused.value)


def in_the_sheets():
    """(name of theirs, the names of ours beside it), of each row of the cheat sheets that names a call of a package."""
    for theirs, ours in re.findall(r"^\| (?!---)(.*) \| (.*`.*) \|$", SHEETS, re.M):
        for code in re.findall(r"`(?:qs\.\w+\.|vbt\.\w+\.|pf = vbt\.\w+\.)?([A-Za-z_]\w*)(?:[(=].*?)?`", theirs):
            yield code, re.findall(r"\w+", " ".join(re.findall(r"`(.*?)`", ours)))


OF_RESULTS = {"summary", "estimate"}  # methods of what their call returned
ROWS = [row for row in in_the_sheets() if row[0] not in OF_RESULTS and row[0] not in dir(riskkit)]


@pytest.mark.parametrize(("name", "ours"), [pytest.param(*row, id=row[0]) for row in ROWS])
def test_a_name_of_the_cheat_sheets_leads_to_the_call_beside_it(name, ours):
    suggested = re.findall(r"\w+", answer(name).partition("did you mean")[2])
    assert set(suggested) & {*ours, name} - {"riskkit", "rk"}, answer(name)


def test_the_sheets_are_read():
    assert (
        len(ROWS) > 40
        and {"varbacktest", "from_signals", "StoplossGuard", "max_order_submit_rate"} <= dict(ROWS).keys()
    )


@pytest.mark.parametrize(
    ("wrong", "right"),
    {
        "VaR": "riskkit.value_at_risk", "CVaR": "riskkit.value_at_risk(...).es", "ewma": "riskkit.ewma_volatility",
        "expected_shortfall": "riskkit.value_at_risk(...).es", "historical_var": "riskkit.value_at_risk",
        "component_var": "riskkit.attribution.component", "maxDrawdown": "riskkit.performance.max_drawdown",
        "var_student_t": "riskkit.var.student_t", "position_limit": "riskkit.rules.PositionLimit",
        "MaxDrawdown": "riskkit.rules.TradeDrawdownLock or riskkit.rules.DrawdownLimit",
        "sharpe": "riskkit.performance.sharpe_ratio", "read_fix": "riskkit.read.fix", "readLog": "riskkit.read_log",
    }.items(),
)  # fmt: skip
def test_words_in_another_spelling_or_order(wrong, right):
    assert answer(wrong) == f"riskkit has no public name {wrong!r}; did you mean {right}?"


def test_a_module_names_its_own_call_before_one_of_another():
    assert answer("VaR", riskkit.var).endswith("did you mean riskkit.var.value_at_risk?")
    assert answer("sharpe", riskkit.var).endswith("did you mean riskkit.performance.sharpe_ratio?")
    assert answer("sharpe", riskkit.performance).endswith("did you mean riskkit.performance.sharpe_ratio?")


@pytest.mark.parametrize("wrong", ["kelly", "xyzzyx", "a", "qqq1"])
def test_a_name_like_none_is_not_answered_with_any(wrong):
    assert answer(wrong) == f"riskkit has no public name {wrong!r}; see riskkit.__all__"


def test_each_declared_call_exists_and_each_name_is_of_others():
    for module, call, name in DECLARED:
        owner, path = (MODULES[module.split(".")[1]], call.partition("(")[0].split("."))
        found = owner if hasattr(owner, path[0]) else riskkit
        for part in path:
            found = getattr(found, part)
        assert name not in owner.__all__ and name not in riskkit.__all__, name
    said = sorted(name for _, _, name in DECLARED)
    assert {name for name, same in groupby(said) if len(list(same)) > 1} == {"MaxDrawdown", "from_signals"}
