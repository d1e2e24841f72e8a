"""The rules of a scenario in plain Python, with dicts, lists and fractions.

Written from tests/scenarios/README.md and, for the types that it leaves out, from the words of the rule catalogue;
nothing of riskkit is imported. A `Rule` is told of every event by `naive.replay.Replay`, which keeps the books.
"""

from __future__ import annotations

import re

from naive.rules import credit, gauges, locks, losses, margins, market, orders, positions, rates, surveillance
from naive.rules.base import BAD, Rule

__all__ = ["BAD", "TYPES"]

FILES = (credit, gauges, locks, losses, margins, market, orders, positions, rates, surveillance)
TYPES = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): one
    for file in FILES
    for name, one in vars(file).items()
    if isinstance(one, type) and issubclass(one, Rule)
}
