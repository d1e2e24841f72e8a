"""The first answer: what a person waits for in a fresh process, beside the import of pandas and numba.

Each job runs in a process of its own, with the machine code that ``python -m riskkit warm`` keeps, and none of the rule set
that it asks for; the time is taken after the imports.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._bench import Row

IMPORT = "import time; start = time.perf_counter(); import pandas, numba; print(time.perf_counter() - start)"
WORLD = """
import time
import pandas, numba
import riskkit as rk
from benchmarks.replay import columns, log_of
from riskkit.rules import *
RULES = [OrderRate(limit=9, window_ns="1s"), VolumeCap(limit=6_400_000), DailyLoss(limit=12_000), MaxOrderQty(limit=90),
         PositionLimit(limit=900), MaxActiveOrders(limit=9), PriceCollar(pct="0.2"), DrawdownLimit(money=20_000)]
def rules(count):
    return rk.RuleSet([rk.Rule(f"r{k}", parameters) for k, parameters in enumerate(RULES[:count])])
"""
REPLAY = """
log = log_of(columns({events}))
start = time.perf_counter()
result = rk.replay_log(log, rules({rules}))
print(time.perf_counter() - start)
assert len(result.rows)
"""
DECISION = """
start = time.perf_counter()
session = rk.Session.create(rules(3), [rk.Instrument("X")], ["A"])
session.process_price(instrument="X", price=10, ts=0)
session.process_order(account="A", instrument="X", side="B", qty=1, price=10, ts=1)
print(time.perf_counter() - start)
"""
JOBS = (
    *(
        (f"never seen: {count} rules, 10,000 events", REPLAY.format(events=10_000, rules=count), 1)
        for count in (1, 3, 8)
    ),
    ("never seen: 3 rules, 1,000,000 events", REPLAY.format(events=1_000_000, rules=3), 3),
    ("first decision of a session", DECISION, 0.5),
)


def rows(only: str = "") -> Iterator[Any]:
    """One row for each job."""
    folder = Path(tempfile.mkdtemp(prefix="riskkit-"))
    environment = {**os.environ, "RISKKIT_CACHE": str(folder / "warm"), "RISKKIT_QUIET": "1"}
    try:
        _run([sys.executable, "-m", "riskkit", "warm"], environment)
        for name, program, aim in JOBS:
            if only in name:
                ours, imports = [], []
                for turn in range(3):
                    copy = folder / f"{len(name)}-{turn}"  # machine code of the generic loop, none of the rule set
                    shutil.copytree(folder / "warm", copy)
                    here = {**environment, "RISKKIT_CACHE": str(copy)}
                    ours.append(float(_run([sys.executable, "-c", WORLD + program], here)))
                    imports.append(float(_run([sys.executable, "-c", IMPORT], here)))
                    shutil.rmtree(copy)
                yield Row(f"first: {name}", min(ours), min(imports), "import pandas, numba", aim, False)
    finally:
        shutil.rmtree(folder)


def _run(command: list[str], environment: dict[str, str]) -> str:
    """The last line that a process prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines()[-1]
