"""The public names of riskkit by area, and the themes that an area's docstring lists them under."""

from __future__ import annotations

import re
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import riskkit

LISTED = re.compile(r"- (?P<theme>[^`]+?): +(?P<names>.*)|(?P<label>[A-Z][\w -]+): +(?P<more>(?:`|the module).*)")


class PublicName(NamedTuple):
    """A public name: its area, and the module that has it."""

    area: str
    name: str
    module: str


def public_names() -> list[PublicName]:
    """Public names of riskkit: those of its modules and their sub-modules, then those at top level only."""
    names = [public for area, module in _modules(riskkit) for public in _listed(area, module)]
    known = {public.name for public in names}
    for name in sorted(set(dir(riskkit)) - known):
        home = getattr(getattr(riskkit, name), "__module__", None)
        if home is not None:
            names.append(PublicName("errors" if home == "riskkit._check" else home.split(".")[1], name, "riskkit"))
    return names


def _listed(area: str, module: ModuleType) -> list[PublicName]:
    """Public names of a module and of its public sub-modules."""
    inner = _modules(module)
    names = [PublicName(area, name, module.__name__) for name in module.__all__ if name not in dict(inner)]
    return names + [public for name, part in inner for public in _listed(f"{area}.{name}", part)]


def _modules(package: ModuleType) -> list[tuple[str, ModuleType]]:
    """Public modules of a package by name."""
    found = [(name, getattr(package, name)) for name in package.__all__]
    return [(name, value) for name, value in found if isinstance(value, ModuleType)]


def areas() -> dict[str, list[PublicName]]:
    """Public names by area. A name in two areas (as `compare`) is two objects."""
    found: dict[str, list[PublicName]] = {}
    for public in public_names():
        found.setdefault(public.area, []).append(public)
    return found


def description(area: str) -> str:
    """Docstring of the module of an area."""
    return import_module("riskkit._check" if area == "errors" else f"riskkit.{area}").__doc__ or ""


def themes(area: str) -> dict[str, list[PublicName]]:
    """Names of an area by theme, in the order in which its docstring lists them; those that it does not list under "".

    A theme is an item ("- Theme: names"), a label ("Theme:  `names`") or a line before indented ones.
    """
    left = {public.name: public for public in areas()[area]}
    found: dict[str, list[PublicName]] = {}
    lines, theme = description(area).splitlines(), ""
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        match, text = LISTED.fullmatch(line), ""
        if match:
            theme, text = match["theme"] or match["label"], match["names"] or match["more"]
        elif line.startswith(" "):
            text = line if theme else ""
        else:
            theme = line.strip() if line.strip() and after.startswith("    ") else ""
        for word in re.findall(r"\w+", text):
            if word in left:
                found.setdefault(theme, []).append(left.pop(word))
    return found | ({"": list(left.values())} if left else {})
