"""Run parts of a benchmark as plain Python at a small size: that their answers agree, whatever the time.

NUMBA_DISABLE_JIT=1 python tests/small_benchmarks.py replay speed
"""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import _bench

SIZES: dict[str, dict[str, Any]] = {
    "desk": {"TRADES": 500, "ASSETS": (4, 5, 6), "USERS": 5, "DAYS": 3},
    "growth": {"FEW": 50, "MANY": 100, "ASKED": 2},
    "journal": {"EVENTS": 1_000, "BATCH": 100, "THREADS": 4, "TASKS": 10, "EACH": 2},
    "latency": {"EVENTS": 200, "FEW": 5, "MANY": 20, "BATCHES": (1, 10)},
    "live": {"ORDERS": 200, "EVENTS": 600, "MANY": 50, "TURNS": 2},
    "models.attribution": {"ASSETS": 30},
    "models.portfolios": {"DAYS": 300},
    "models.cube": {"SCENARIOS": 500, "POSITIONS": 100},
    "models.dynamics": {"ASSETS": 100},
    "models.montecarlo": {"SCENARIOS": 20_000},
    "models.var": {"PORTFOLIOS": 20, "ROLLING_DAYS": 1_000, "SERIES": 3},
    "replay": {"EVENTS": 30_000},
    "rules": {"EVENTS": 30_000, "PART": 300, "PREFIX": 500},
    "service": {"SECONDS": 0.1, "SOCKETS": 20, "ALERTS": 5},
    "service_stores": {"EVENTS": 1_000, "BATCH": 100, "USERS": 5, "TRADES": 500, "TOGETHER": 50, "QUERIES": 20},
    "service_stream": {"MESSAGES": 2_000},
    "sweep": {"TRADES": 2_000, "THRESHOLDS": 20, "SETTINGS": 20},
}


def once(*functions: Callable[[], Any], **_: Any) -> list[float]:
    """Call each function once; the times are of no use, but differ."""
    for function in functions:
        function()
    return [1.0 + place for place in range(len(functions))]


def run(name: str, *parts: str) -> None:
    """Print the rows of a benchmark, or of some of its parts."""
    timed = _bench.calls
    _bench.best = once
    _bench.calls = lambda name, function, count: timed(name, function, min(count, 20))
    module = importlib.import_module(f"benchmarks.{name}")
    vars(module).update(SIZES.get(name, {}))
    for rows in [module.rows(part) for part in parts] or [module.rows()]:
        for row in rows:
            print(row)


if __name__ == "__main__":
    os.environ["RISKKIT_QUIET"] = "1"
    run(*sys.argv[1:])
