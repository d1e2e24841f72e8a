"""A fact about a rule type is declared on it and nowhere else, so that a new rule touches at most six places.

Beside its own file a rule of the catalogue is named in `riskkit/replay/rules/__init__.py`, in the public names, and in
three files of tests that fail without it: its edges and one refusal (`test_edges.py`), its random parameters
(`random_scenarios.py`) and its slow twin (`naive/rules`).
"""

from __future__ import annotations

import ast
import random
import re
from pathlib import Path

import pytest
from proofs.test_edges import CATALOGUE, ELSEWHERE, SHOWN, TABLE
from random_scenarios import PARAMETERS

import riskkit
from riskkit import InputError, Rule
from riskkit.replay.rules import catalogue
from riskkit.replay.rules.rule import rule_type
from riskkit.replay.rules.verdict import Measure

PACKAGE = Path(riskkit.__file__).parent
NAMES = {*CATALOGUE, *ELSEWHERE}
SETS = ("presets", "demo", "incidents")  # rule sets, whose rules are named as any user names them
KINDS = [rule_type(name) for name in sorted(NAMES)]


def tables(path: Path) -> list[str]:
    """The lines of a file that hold a collection, or a text, of several names of rule types."""
    found = []
    name = path.stem.removeprefix("circuit_")  # the file of the rule type "breaker"
    ordinary = {"cash", "duplicate", "mmp", *(rule_type(name).parameters._fields if name in NAMES else ())}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            parts = list(node.elts)
        elif isinstance(node, ast.Dict):
            parts = [key for key in node.keys if key is not None]
        texts = [part.value for part in parts if isinstance(part, ast.Constant)]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
            texts = list(node.value.split())
        if len(NAMES.intersection(text for text in texts if isinstance(text, str)) - ordinary) > 1:
            found.append(f"{path.name}:{getattr(node, 'lineno', 0)}")
    return found


@pytest.mark.slow
def test_no_table_of_rule_types_is_left():
    files = [path for path in PACKAGE.rglob("*.py") if not any(part in SETS for part in path.parts)]
    assert len(files) > 200
    assert [line for path in files for line in tables(path)] == []


def test_the_search_finds_such_a_table(tmp_path):
    path = tmp_path / "table.py"
    path.write_text('A = ("leverage", "var_limit")\nB = {"luld": 1, "drawdown": 2}\nC = "long_only leverage".split()\n')
    assert sorted(tables(path)) == ["table.py:1", "table.py:2", "table.py:3"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_rule_type_says_what_it_observes(kind):
    assert kind.observed, "declare observes=: the name of the limit, or a Measure (Measure.NOTHING for none)"
    for one in kind.observed:
        assert isinstance(one.measure, Measure) and (not one.limit or one.limit in kind.limits)
    assert not kind.standing or kind.check is not None
    assert kind.looks_at <= {"positions", "cash"}
    assert kind.bounds in ("", "orders", "solvency", "losses", "nothing")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_limit_that_breach_governs_is_annotated(kind):
    """A parameter that a check compares is a limit; `breach` without one is refused where a type is declared."""
    named = {"limit", "notional", "qty_limit", "trade_limit", "pct", "money", "ticks", "max_dd"}
    assert named.intersection(kind.parameters._fields) <= set(kind.limits)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_help_describes_each_parameter_with_its_unit(kind):
    for name in kind.parameters._fields:
        unit, _, meaning = getattr(kind.parameters, name).__doc__.partition("\n")
        assert unit and meaning and "Alias" not in unit, name


def test_a_rule_type_is_in_every_place_that_is_needed():
    exported = {kind.parameters.__name__ for kind in KINDS}
    assert exported == {*catalogue.__all__, "BreakerLimits"} and exported <= set(riskkit.rules.__all__)
    edges = {(edge.rule if isinstance(edge.rule, Rule) else Rule("r", edge.rule)).type for edge in TABLE.values()}
    assert edges == NAMES - ELSEWHERE and {name.split()[0] for name in SHOWN} == NAMES
    from naive.rules import TYPES
    from random_scenarios import PARAMETERS

    assert NAMES <= set(TYPES) and NAMES - {"var_limit"} == set(PARAMETERS)


UNKNOWN = [
    (kind, field) for kind in KINDS for field in kind.parameters._fields if field in ("on_missing_price", "on_warmup")
]


@pytest.mark.parametrize(("kind", "field"), UNKNOWN)
def test_a_sentence_says_what_happens_without_a_price(kind, field):
    """A rule that lets pass what it cannot check is not signed as one that refuses it."""
    given = SHOWN[kind.name][0]._asdict() if kind.name in SHOWN else {"limit": 5, "bar_ns": "1d"}
    given |= {"notional": 5} if "notional" in given else {}
    answers = ("reject", "alert", "allow")
    texts = [Rule("r", kind.make({**given, field: answer})).limit_text() for answer in answers]
    assert "only an alert" in texts[1] and "allowed" in texts[2] and "known" in texts[1] and "known" in texts[2]
    assert len(set(texts)) == 3


@pytest.mark.parametrize("name", PARAMETERS)
def test_one_of_a_thing_is_said_in_the_singular(name):
    """Each count and ratio of each rule type is 1, whatever the other parameters are."""
    draw, units = random.Random(name), rule_type(name).units()
    for _ in range(20):
        given = {
            key: 1 if units[key].name in ("count", "ratio", "ticks") else value
            for key, value in PARAMETERS[name](draw).items()
        }
        try:
            said = " ".join(str(Rule("r", rule_type(name).parameters(**given))).split())
        except InputError:  # two parameters that may not be equal
            continue
        several = re.findall(
            r"\b1(?:\.0)? (?:(?:working|child|trial|losing|automated|identical|closed) )?([a-z]+s)\b", said
        )
        assert not set(several) - {"ns", "us", "ms", "times"}, said
