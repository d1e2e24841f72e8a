"""The pages of public names: every name once, each with an example that runs (pytest runs every doctest)."""

from __future__ import annotations

import builtins
import inspect
import re
from importlib import import_module
from types import ModuleType

import pytest

import riskkit
from riskkit.__main__ import main
from riskkit._check import InputError
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit.api import areas, public_names, write_api

AREAS = areas()
PUBLIC = {(public.area, public.name): getattr(import_module(public.module), public.name) for public in public_names()}
NAMES = [key for key, value in PUBLIC.items() if callable(value)]


@pytest.mark.parametrize(("area", "name"), NAMES, ids=str)
def test_a_public_name_has_an_example(area, name):
    assert ">>> " in (inspect.getdoc(PUBLIC[area, name]) or "")


def test_every_public_name_is_of_one_area():
    listed = [(id(PUBLIC[key]), key[1]) for key in NAMES]
    assert len(set(listed)) == len(listed)
    plain = {name for name in riskkit.__all__ if not isinstance(getattr(riskkit, name), ModuleType)}
    assert plain <= {name for names in AREAS.values() for name in names}


@pytest.mark.slow
def test_every_name_stands_on_the_page_of_its_area_once(tmp_path, capsys):
    pytest.importorskip("pdoc", reason="pdoc is not installed; it comes with riskkit[notebooks]")
    assert main(["api", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip().endswith("index.html")
    assert (tmp_path / "riskkit.html").exists()
    for area, names in AREAS.items():
        text = (tmp_path / "riskkit" / f"{area.replace('.', '/')}.html").read_text(encoding="utf-8")
        anchors = re.findall(r'<section id="(\w+)">', text)
        assert sorted(anchors) == names
        assert not re.search(r"at 0x[0-9a-f]{6}|ForwardRef|href=\"https?://(?!pdoc)", text)


def test_without_pdoc_a_sentence_says_what_to_install(monkeypatch, tmp_path):
    whole = builtins.__import__
    monkeypatch.setattr(
        builtins, "__import__", lambda name, *rest: _refuse() if name[:4] == "pdoc" else whole(name, *rest)
    )
    with pytest.raises(InputError, match=r"riskkit\[notebooks\]"):
        write_api(tmp_path)


def _refuse():
    raise ImportError


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


def _callables(public):
    """The function; of a class its constructor and methods."""
    return (
        [method for _, method in inspect.getmembers(public, inspect.isfunction)]
        if inspect.isclass(public)
        else [public]
    )
