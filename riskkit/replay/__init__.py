"""Replay of recorded orders, fills and prices through rules and a circuit breaker.

The names of the short form (`riskkit.replay.short`) can be imported from here, and are loaded when they are used.
"""

from __future__ import annotations

import importlib
from typing import Any

_SHORT = {"RiskEngine": "short", "Action": "action", "ActionEvent": "action"}
_SHORT |= dict.fromkeys(("BaseRule", "Direction", "Order", "RuleContext", "Trade", "build_config"), "short_rules")


def __getattr__(name: str) -> Any:
    if name not in _SHORT:
        raise AttributeError(f"riskkit.replay has no name {name!r}; the short form has {', '.join(_SHORT)}")
    return getattr(importlib.import_module(f"riskkit.replay.{_SHORT[name]}"), name)
