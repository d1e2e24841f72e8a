"""The documentation: every public name once, each with an example that runs (pytest runs every doctest), and no dead link.

``make docs`` builds the site and looks at all of it; here are the parts that need no Sphinx.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import zlib
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from house.test_names_in_text import exists
from public_names import areas, public_names, themes
from reference_pages import write_reference
from site_faults import faults

import riskkit
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit.replay.rules.rule import rule_types

AREAS = areas()
PUBLIC = {(public.area, public.name): getattr(import_module(public.module), public.name) for public in public_names()}


def _fields(public):
    """The fields of a named tuple or a dataclass that a user sees."""
    if issubclass(public, tuple):
        return getattr(public, "_fields", ())
    names = [field.name for field in dataclasses.fields(public)] if dataclasses.is_dataclass(public) else []
    return tuple(name for name in names if not name.startswith("_"))


PAGES = sorted((Path(__file__).parents[2] / "notebooks/docs").glob("*.md"))
NAMES = [key for key, value in PUBLIC.items() if callable(value)]
LIVE = ("riskkit.replay.live", "riskkit.compat", "riskkit.desk", "riskkit.service")
SHORT_STREAMS = {("replay", "worst_case")}  # of some orders: nothing to compile for


@pytest.mark.parametrize(("area", "name"), NAMES, ids=str)
def test_a_public_name_has_an_example(area, name):
    assert ">>> " in (inspect.getdoc(PUBLIC[area, name]) or "")


def test_every_public_name_is_of_one_area():
    listed = [(id(PUBLIC[key]), key[1]) for key in NAMES]
    assert len(set(listed)) == len(listed)
    plain = {name for name in riskkit.__all__ if not isinstance(getattr(riskkit, name), ModuleType)}
    assert plain <= {public.name for names in AREAS.values() for public in names}


def test_every_name_stands_on_one_page_of_the_reference(tmp_path):
    write_reference(tmp_path / "reference")
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "reference").glob("*.rst")}
    entries = [full for text in pages.values() for full in re.findall(r"^\.\. auto\w+:: (\S+)", text, re.M)]
    assert sorted(entries) == sorted(f"{public.module}.{public.name}" for public in public_names())
    assert all(f"   {area}\n" in pages["index"] for area in AREAS)  # its table of contents
    assert max(len(re.findall(r"^\.\. auto", text, re.M)) for text in pages.values()) < 50


def test_the_common_call_comes_first():
    first = {area: next(iter(themes(area).values()))[0].name for area in AREAS}
    wanted = {"var": "value_at_risk", "var_backtest": "backtest_var", "performance": "performance_summary"}
    wanted |= {"montecarlo": "simulate_risk", "sweeps": "sweep", "stress": "stress_test", "rules": "MaxOrderQty"}
    assert {area: first[area] for area in wanted} == wanted


def test_each_parameter_of_a_rule_has_unit_and_meaning():
    kinds = {kind.parameters: kind for kind in rule_types()}
    found = [public for public in map(PUBLIC.get, NAMES) if public in kinds]
    assert len(found) >= 36
    for public in found:
        described = re.findall(r"^(\w+) : \S.*\n    \S", public.__doc__, re.M)
        assert described == list(public._fields), public
        assert all(field.annotation is field.empty for field in inspect.signature(public).parameters.values())


RECORDS = {key: _fields(public) for key, public in PUBLIC.items() if inspect.isclass(public)}


@pytest.mark.parametrize("key", [key for key, names in RECORDS.items() if names], ids=str)
def test_each_field_of_a_record_has_a_meaning(key):
    """What Shift-Tab shows of a class, and of a field of a named tuple."""
    public, described = PUBLIC[key], {}
    for title in ("Parameters", "Attributes"):
        section = re.split(r"\n\w+\n---", inspect.getdoc(public).partition(f"\n{title}\n---")[2])[0]
        for entry in re.split(r"\n(?=\w)", section)[1:]:
            head, _, text = entry.partition("\n")
            described |= dict.fromkeys(re.split(", ?", re.split(" : |; ", head)[0]), text or head.partition(" : ")[2])
    assert {name: described.get(name) for name in RECORDS[key] if not described.get(name)} == {}
    if issubclass(public, tuple):
        assert [name for name in RECORDS[key] if "Alias for field" in getattr(public, name).__doc__] == []


def test_one_confidence_is_assumed_everywhere():
    """A forecast and its test; compat has those of what it replaces, frtb those of the rules, and a desk sets its limits at its own."""
    found = [
        (area, name, parameter.default)
        for area, name in NAMES
        if area not in ("compat", "desk", "frtb")
        for function in _callables(PUBLIC[area, name])
        for key, parameter in inspect.signature(function).parameters.items()
        if key == "confidence" and isinstance(parameter.default, float)
    ]
    assert len(found) > 50
    assert [entry for entry in found if entry[2] != DEFAULT_CONFIDENCE] == []


def test_no_public_call_waits_for_a_compiler_unless_it_is_asked_to():
    """ "auto" is the default of all: small is plain Python at once. Sessions and their like compile when they are made."""
    found = {
        (area, name): parameter.default
        for area, name in NAMES
        for function in _callables(PUBLIC[area, name])
        if not inspect.unwrap(function).__module__.startswith(LIVE)
        for key, parameter in inspect.signature(function).parameters.items()
        if key == "compiled" and parameter.default is not parameter.empty
    }
    assert len(found) > 12
    assert {default for entry, default in found.items() if entry not in SHORT_STREAMS} == {"auto"}
    assert {found[entry] for entry in SHORT_STREAMS} == {False}


def _callables(public):
    """The function; of a class its constructor and methods."""
    return (
        [method for _, method in inspect.getmembers(public, inspect.isfunction)]
        if inspect.isclass(public)
        else [public]
    )


def test_what_is_wrong_with_a_built_page_is_said(tmp_path):
    names = "\n".join(f"{public.module}.{public.name} py:function 1 x -" for public in public_names()[1:])
    (tmp_path / "objects.inv").write_bytes(b"# a\n# b\n# c\n# d\n" + zlib.compress(names.encode()))
    (tmp_path / "there.html").write_text('<p id="place"><img src="data:image/png;base64,">')
    (tmp_path / "index.html").write_text(
        '<a href="there.html#place"><a href="https://example.org"><a href="gone.html"><a href="there.html#nowhere">'
        '<script src="https://example.org/x.js"></script>'
    )
    first = public_names()[0]
    assert faults(tmp_path) == [
        "index.html links to gone.html, which is not there",
        "index.html links to there.html#nowhere, which has no such place",
        "index.html loads https://example.org/x.js",
        f"{first.module}.{first.name} stands on no page",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_call_on_a_page_is_one_that_exists(page):
    """Also without `rk`, where a cell of a table lists several of one module."""
    for text in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")):
        for name in re.findall(r"\brk((?:\.\w+)+)", text):
            assert exists(f"riskkit{name}"), text
