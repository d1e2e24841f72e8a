"""A sweep that cannot end before it is interrupted, for a test that interrupts it."""

from __future__ import annotations

import itertools
import signal
import threading

from streams import random_log

from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.sweeps.many import runner
from riskkit.replay.sweeps.many import sweep as sweeps
from riskkit.rules import MaxOrderQty

FREE = 3  # replays that do not wait for the interrupt
STEPS, RUN = runner.run_on_threads, runner.Runner.run
interrupted, started = threading.Event(), itertools.count()


def run(self, setting):
    """One replay; all but the first few wait until the sweep is interrupted."""
    if next(started) >= FREE:
        interrupted.wait()
    return RUN(self, setting)


def run_on_threads(replay, settings, threads):
    """The steps, and a line after the second."""
    for count, step in enumerate(STEPS(replay, settings, threads), 1):
        if count == FREE:
            print("two settings are done", flush=True)
        yield step


def interrupt(number, frame):
    """Let the waiting replays end, and interrupt the main thread as Python does."""
    interrupted.set()
    signal.default_int_handler(number, frame)


def main() -> None:
    """Run 500 settings, and say how many came back, whether they are all, and how many threads are left."""
    signal.signal(signal.SIGINT, interrupt)
    sweeps.run_on_threads, runner.Runner.run = run_on_threads, run
    rules = RuleSet([Rule("size", MaxOrderQty(limit=5))])
    found = sweeps.sweep(random_log(1, 300), rules, {"size.limit": list(range(1, 501))}, compiled=False, threads=2)
    print(len(found.frame), found.partial, threading.active_count())


if __name__ == "__main__":
    main()
