"""Risk limits you can set, replay and defend.

Public names are listed here once and loaded when they are first used, so that ``import riskkit`` stays cheap.
"""

import importlib
import logging
from typing import Any

__version__ = "0.1.0"

# module -> its public names, in the order of the house (see README.md)
_EXPORTS: dict[str, tuple[str, ...]] = {
    "_check": ("InputError",),
}

_REPLAY: dict[str, tuple[str, ...]] = {
    "replay.breaker": ("Breaker", "CircuitBreaker"),
    "replay.columns": ("Event", "Kind"),
    "replay.events": ("EventLog",),
    "replay.result": ("Result",),
    "replay.rule": ("Rule", "RuleType", "Verdict"),
    "replay.rules": ("DailyLoss", "Drawdown", "OrderRate", "PositionLimit", "VolumeCap"),
    "replay.ruleset": ("RuleSet",),
    "replay.run": ("replay_log",),
    "replay.universe": ("Account", "Instrument"),
}
_EXPORTS |= _REPLAY

_HOME = {name: module for module, names in _EXPORTS.items() for name in names}
_MODULES = ("datasets", "plot")

__all__ = sorted([*_HOME, *_MODULES])

logging.getLogger("riskkit").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"riskkit.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"riskkit.{name}")
    else:
        raise AttributeError(f"riskkit has no public name {name!r}; see riskkit.__all__")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
