"""A sweep that says when its first settings are done, for a test that interrupts it."""

from __future__ import annotations

import threading

from streams import random_log

from riskkit.replay.rule import Rule
from riskkit.replay.rules import MaxOrderQty
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.sweeps import runner
from riskkit.replay.sweeps.sweep import sweep

STEPS = runner.Runner.run_on_threads


def run_on_threads(self, settings, threads):
    """The steps, and a line after the second."""
    for count, step in enumerate(STEPS(self, settings, threads), 1):
        if count == 3:
            print("two settings are done", flush=True)
        yield step


def main() -> None:
    """Run 500 settings, and say how many came back, whether they are all, and how many threads are left."""
    runner.Runner.run_on_threads = run_on_threads
    rules = RuleSet([Rule("size", MaxOrderQty(limit=5))])
    found = sweep(random_log(1, 300), rules, {"size.limit": list(range(1, 501))}, compiled=False, threads=2)
    print(len(found.frame), found.partial, threading.active_count())


if __name__ == "__main__":
    main()
