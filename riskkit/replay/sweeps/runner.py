"""Runs the settings of a sweep over one log: on threads, one after the other, or all at once from one pass."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import Any

import numpy as np

from riskkit._jit import kernel, plain
from riskkit.replay.events import EventLog
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.run import Stage
from riskkit.replay.sweeps.curve import Curve
from riskkit.replay.sweeps.hindsight import Hindsight, hindsight_of
from riskkit.replay.sweeps.outcome import (
    Without,
    consequences_of,
    measures_of,
    outcome_of,
    refusals_of,
    without_limits,
)
from riskkit.replay.sweeps.settings import Setting, with_setting
from riskkit.replay.timeline import Timeline

__all__ = ["Runner", "Steps"]

Steps = Generator[tuple[int, dict[str, Any]], None, None]


class Runner:
    """One log and its rules, with what all settings share: the written loop, the record without limits, hindsight."""

    def __init__(
        self,
        log: EventLog,
        rules: RuleSet,
        *,
        mode: str,
        horizon_ns: int | None,
        digests: bool,
        orphans: str,
        on_trip: str,
        sample_ns: int | None,
        compiled: bool,
    ) -> None:
        self.log = log
        self.rules = rules
        self.mode = mode
        self.digests = digests
        self.horizon_ns = horizon_ns
        self.compiled = compiled
        self.spacing = Timeline.of(log.columns["ts"]).spacing if sample_ns is None else sample_ns
        self._options: dict[str, Any] = {"orphans": orphans, "on_trip": on_trip, "compiled": compiled}
        self._stages: dict[tuple[Any, ...], Stage] = {}

    @cached_property
    def hindsight(self) -> Hindsight:
        """What each order went on to earn."""
        return hindsight_of(self.log, self.horizon_ns, compiled=self.compiled)

    @cached_property
    def without(self) -> Without:
        """The record without limits."""
        stage = Stage(self.log, RuleSet([]), "shadow", sample_ns=self.spacing, **self._options)
        return without_limits(stage.replay(RuleSet([])))

    def run(self, setting: Setting) -> dict[str, Any]:
        """The outcomes of one setting."""
        rules = with_setting(self.rules, setting)
        result = self._stage(rules).replay(rules)
        return outcome_of(result, self.hindsight, self.without, digest=self.digests)

    def run_on_threads(self, settings: list[Setting], threads: int) -> Steps:
        """The outcomes as they come, with at most `threads` replays in memory; the loop releases the interpreter.

        Closing the iterator lets the replays that run come to their end and starts no other.
        """
        yield 0, self.run(settings[0])  # compiles the loop, and finds what all settings share
        if len(settings) == 1:
            return
        left = iter(range(1, len(settings)))
        running: dict[Future[dict[str, Any]], int] = {}
        pool = ThreadPoolExecutor(threads, thread_name_prefix="riskkit-sweep")
        try:
            while True:
                for place in left:
                    running[pool.submit(self.run, settings[place])] = place
                    if len(running) > threads:  # one waits, so that no thread does
                        break
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(done), done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def run_at_once(self, curve: Curve, thresholds: list[Any]) -> Steps:
        """The outcomes of all thresholds of one rule in shadow mode, from its curve and one replay of the others."""
        others = RuleSet([rule for rule in self.rules if rule.id != curve.rule.id])
        shared: dict[str, Any] = {"sample_ns": None, **self._options}
        rest = Stage(self.log, others, "shadow", **shared).replay(others)
        anyway = rest.refused()["seq"].astype(np.int64)
        seen, seq = curve.observed.seen, curve.observed.seq
        if len(anyway):
            own = ~np.isin(seq, anyway)
            seen, seq = seen[own], seq[own]
        limits = np.array([curve.whole(threshold) for threshold in thresholds], np.int64)
        order = np.argsort(limits, kind="stable")
        sums = np.zeros((len(limits) + 1, 7), np.int64)
        (_tally if self.compiled else plain(_tally))(
            seen, limits[order], measures_of(self.log, seq, self.hindsight), sums
        )
        sums = np.cumsum(sums[::-1], axis=0)[::-1][1:]  # a limit refuses what is above it and above every larger one
        sums += measures_of(self.log, anyway, self.hindsight).sum(axis=0)
        consequences = consequences_of(rest, self.without)
        for place, row in zip(order.tolist(), sums.tolist(), strict=True):
            digest = curve.digest(thresholds[place]) if self.digests else ""
            yield place, {**refusals_of(row, self.log), **consequences, "digest": digest}

    def _stage(self, rules: RuleSet) -> Stage:
        """Rules that differ in parameters only share a loop and the records of orders."""
        key = tuple((rule.scope, rule.action) for rule in rules)
        if key not in self._stages:
            spacing = self.spacing if self.mode == "enforce" else None
            self._stages[key] = Stage(self.log, rules, self.mode, sample_ns=spacing, **self._options)
        return self._stages[key]


@kernel
def _tally(seen, limits, measures, sums):
    """Add each message's measures to the number of rising `limits` that refuse it (those below what was seen)."""
    for i in range(len(seen)):
        low = 0
        high = len(limits)
        while low < high:
            middle = (low + high) // 2
            if limits[middle] < seen[i]:
                low = middle + 1
            else:
                high = middle
        for j in range(measures.shape[1]):
            sums[low, j] += measures[i, j]
