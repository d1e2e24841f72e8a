"""A wrong public name is answered with the right one, at the top level and in each public module."""

from __future__ import annotations

import difflib
import sys
from types import ModuleType
from typing import Any


def suggest_names(module: str) -> None:
    """Let a public module answer a wrong name with the nearest right one: its own, else that of another module.

    Set on the module itself, so that type checkers do not take every name of it for known.
    """
    namespace = vars(sys.modules[module])
    load, public = namespace.get("__getattr__"), namespace["__all__"]

    def __getattr__(name: str) -> Any:
        if load and name in public:
            return load(name)
        near = difflib.get_close_matches(name, public, 1)
        hint = f"; did you mean {module}.{near[0]}?" if near else nearest_name(name)
        raise AttributeError(f"{module} has no public name {name!r}{hint}")

    namespace["__getattr__"] = __getattr__


def nearest_name(name: str) -> str:
    """The public name of the whole package that is nearest to a wrong one, as the end of a sentence."""
    if name.startswith("_"):
        return ""
    package = sys.modules["riskkit"]
    values = {public: getattr(package, public) for public in package.__all__}
    modules = {public: value for public, value in values.items() if isinstance(value, ModuleType)}
    found = {
        public: f"{module}.{public}" for module, value in modules.items() for public in getattr(value, "__all__", ())
    }
    found |= {public: public for public in values}
    near = difflib.get_close_matches(name, found, 1)
    return f"; did you mean riskkit.{found[near[0]]}?" if near else "; see riskkit.__all__"
