"""The reference as pages of reStructuredText: a page for each area, and for each theme of its docstring."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from public_names import PublicName, areas, description, themes

import riskkit
from riskkit.replay.rules.rule import rule_types

FEW = 12  # names that an area shows on its own page


def write_reference(folder: Path) -> None:
    """Write the pages of all areas, and the index with the names of the top level."""
    folder.mkdir(parents=True)
    known = {public.name: public for names in areas().values() for public in names}
    flat = [known[name] for name in riskkit.__all__ if name in known]
    (folder / "index.rst").write_text(_index(flat), encoding="utf-8")
    for area in areas():
        for name, text in _area(area).items():
            (folder / f"{name}.rst").write_text(text, encoding="utf-8")


def _index(flat: list[PublicName]) -> str:
    lines = [*_heading("Reference"), "``import riskkit as rk`` gives these names, and one module for each area.", ""]
    lines += [*_rows([(_link(public, f"rk.{public.name}"), _summary(public)) for public in flat])]
    lines += [".. toctree::", "   :hidden:", "", *(f"   {area}" for area in areas()), ""]
    lines += [*_heading("Areas", "-"), *_rows([(f":doc:`riskkit.{a} <{a}>`", _first(description(a))) for a in areas()])]
    return "\n".join(lines)


def _area(area: str) -> dict[str, str]:
    """The pages of an area by name: its own, and one for each theme where there are many names."""
    found = themes(area)
    title, _, text = description(area).partition("\n\n")
    lines = [*_heading(f"riskkit.{area}"), title.replace("\n", " "), "", *_prose(text)]
    count = sum(map(len, found.values()))
    if count <= FEW or list(found) == [""]:
        entries = [line for names in found.values() for public in names for line in _entry(public)]
        table = _rows([(_link(public, public.name), _summary(public)) for names in found.values() for public in names])
        return {area: "\n".join([*lines, *table, *entries])}
    pages, tree = {}, [".. toctree::", "   :hidden:", ""]
    for number, (theme, names) in enumerate(found.items(), 1):
        theme = theme or "Further names"
        page = f"{area}.{number}"
        tree.append(f"   {page}")
        lines += [*_heading(theme, "-"), *_rows([(_link(public, public.name), _summary(public)) for public in names])]
        entries = [line for public in names for line in _entry(public)]
        pages[page] = "\n".join([*_heading(theme), f"Of :doc:`riskkit.{area} <{area}>`.", "", *entries])
    return {area: "\n".join([*lines, *tree, ""]), **pages}


def _heading(text: str, line: str = "=") -> list[str]:
    return [text, line * len(text), ""]


def _prose(text: str) -> list[str]:
    """The paragraphs of a docstring that list no names; the lists are tables on the page."""
    parts = [part for part in text.split("\n\n") if part and not re.search(r"^(- |    )|^[A-Z][\w -]+: +`", part, re.M)]
    return [line for part in parts for line in (*part.splitlines(), "")]


def _rows(rows: list[tuple[str, str]]) -> list[str]:
    table = [".. list-table::", "   :widths: 35 65", "   :class: names", ""]
    return [*table, *(line for left, right in rows for line in (f"   * - {left}", f"     - {right}")), ""]


def _link(public: PublicName, text: str) -> str:
    return f":py:obj:`{text} <{public.module}.{public.name}>`"


def _object(public: PublicName) -> Any:
    return getattr(import_module(public.module), public.name)


def _first(text: str) -> str:
    """First sentence of a docstring, on one line."""
    return " ".join(text.partition("\n\n")[0].split())


def _summary(public: PublicName) -> str:
    found = _object(public)
    return _first(inspect.getdoc(found) or "") if callable(found) else "Data."


def _entry(public: PublicName) -> list[str]:
    """The directive of a name; of a rule with its type and its scopes."""
    found, full = _object(public), f"{public.module}.{public.name}"
    kind = "autoclass" if inspect.isclass(found) else "autofunction" if callable(found) else "autodata"
    if inspect.isclass(found) and issubclass(found, BaseException):
        kind = "autoexception"
    lines = [f".. {kind}:: {full}"]
    if kind == "autoclass":
        lines.append("   :members:")
    if kind == "autodata":
        lines.append("   :no-value:")
    rules = [kind for kind in rule_types() if kind.parameters is found]
    scopes = [f'   ``type = "{kind.name}"`` in a rule set; scopes: {", ".join(kind.scopes)}.' for kind in rules]
    return [*lines, "", *scopes, ""]
