"""Run the settings of a sweep over one log: on threads, or all thresholds of one rule from one pass."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeVar, cast, get_args

import numpy as np

from riskkit._check import Duration, one_of
from riskkit._jit import kernel, plain
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.results.timeline import Timeline
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import Stage, orphan_policy
from riskkit.replay.sweeps.grid.settings import Setting, with_setting
from riskkit.replay.sweeps.many.metrics import Baseline, book_metrics, metrics_of, rejection_metrics, rejection_sums
from riskkit.replay.sweeps.many.order_outcome import OrderOutcomes, order_outcomes
from riskkit.replay.sweeps.one_pass.curve import ThresholdCurve

Mode = Literal["shadow", "enforce"]
Orphans = Literal["keep", "clip", "drop"]
OnTrip = Literal["leave", "cancel_working"]
Metrics = dict[str, Any]
Steps = Generator[tuple[int, Metrics], None, None]
T = TypeVar("T")


class Options(NamedTuple):
    """Options of a sweep; plain data, so that worker processes can rebuild them."""

    mode: str
    horizon_ns: int | None
    digests: bool
    orphans: str
    on_trip: str
    sample_ns: Duration | None
    compiled: bool


def checked_orphans(log: EventLog, orphans: Orphans | None, on_trip: OnTrip) -> Orphans:
    """The policy for orphans, by default that of the log; checks `on_trip` as well."""
    one_of(on_trip, get_args(OnTrip), "on_trip")
    return cast(Orphans, orphan_policy(log, orphans))


class Replays:
    """Replays of one log under many rule sets; rule sets that differ only in parameters share one compiled loop."""

    def __init__(self, log: EventLog, mode: str, options: Options, sample_ns: Duration | None = None) -> None:
        self.log = log
        self.mode = mode
        self._options: dict[str, Any] = {name: getattr(options, name) for name in ("orphans", "on_trip", "compiled")}
        self._options["sample_ns"] = sample_ns
        self._stages: dict[tuple[Any, ...], Stage] = {}

    def replay(self, rules: RuleSet) -> ReplayResult:
        """Replay the log under one rule set."""
        key = tuple((rule.scope, rule.action) for rule in rules)
        if key not in self._stages:
            self._stages[key] = Stage(self.log, rules, self.mode, **self._options)
        return self._stages[key].replay(rules)


class Runner:
    """Metrics of settings on one log; computes once what all settings share: order outcomes and the baseline."""

    def __init__(self, log: EventLog, rules: RuleSet, options: Options) -> None:
        self.log = log
        self.rules = rules
        self.options = options
        spacing = Timeline.of(log.columns["ts"]).spacing if options.sample_ns is None else options.sample_ns
        self.sample_ns = spacing
        self._replays = Replays(log, options.mode, options, spacing if options.mode == "enforce" else None)

    @cached_property
    def outcomes(self) -> OrderOutcomes:
        """Value of every order after the horizon."""
        return order_outcomes(self.log, self.options.horizon_ns, compiled=self.options.compiled)

    @cached_property
    def baseline(self) -> Baseline:
        """The replay without limits."""
        return Baseline.of(Replays(self.log, "shadow", self.options, self.sample_ns).replay(RuleSet([])))

    def run(self, setting: Setting) -> Metrics:
        """Metrics of one setting."""
        result = self._replays.replay(with_setting(self.rules, setting))
        return metrics_of(result, self.outcomes, self.baseline, digest=self.options.digests)

    def run_at_once(self, curve: ThresholdCurve, thresholds: list[Any]) -> Steps:
        """Yield the metrics of all thresholds of one rule in shadow mode, from its curve and one replay of the rest."""
        others = RuleSet([rule for rule in self.rules if rule.id != curve.rule.id])
        rest = self._replays.replay(others)
        rejected_by_others = rest.rejections()["seq"].astype(np.int64)
        observed, seq = curve.observed.seen, curve.observed.seq
        if len(rejected_by_others):
            passed = ~np.isin(seq, rejected_by_others)
            observed, seq = observed[passed], seq[passed]
        limits = np.array([curve.to_integer(threshold) for threshold in thresholds], np.int64)
        order = np.argsort(limits, kind="stable")
        sums = np.zeros((len(limits) + 1, 7), np.int64)
        tally = _tally if self.options.compiled else plain(_tally)
        tally(observed, limits[order], rejection_sums(self.log, seq, self.outcomes), sums)
        sums = np.cumsum(sums[::-1], axis=0)[::-1][1:]  # a message above a limit is above every smaller limit too
        sums += rejection_sums(self.log, rejected_by_others, self.outcomes).sum(axis=0)
        book = book_metrics(rest, self.baseline)
        for i, row in zip(order.tolist(), sums.tolist(), strict=True):
            digest = curve.digest(thresholds[i]) if self.options.digests else ""
            yield i, {**rejection_metrics(row, self.log), **book, "digest": digest}


def run_on_threads(
    run: Callable[[Setting], T], settings: list[Setting], threads: int
) -> Generator[tuple[int, T], None, None]:
    """Yield (index, result) of each setting as it completes, with at most `threads` replays in memory.

    The loop releases the interpreter lock. Closing the generator lets running replays finish and starts no other.
    """
    yield 0, run(settings[0])  # compiles the loop, and computes what all settings share
    if len(settings) == 1:
        return
    waiting = iter(range(1, len(settings)))
    running: dict[Future[T], int] = {}
    pool = ThreadPoolExecutor(threads, thread_name_prefix="riskkit-sweep")
    try:
        while True:
            for i in waiting:
                running[pool.submit(run, settings[i])] = i
                if len(running) > threads:  # one queued task, so that no thread is idle
                    break
            if not running:
                return
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(done), done.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@kernel
def _tally(observed: np.ndarray, limits: np.ndarray, measures: np.ndarray, sums: np.ndarray) -> None:
    """Add each message's measures at the number of ascending `limits` below its observed value."""
    for i in range(len(observed)):
        low = 0
        high = len(limits)
        while low < high:
            middle = (low + high) // 2
            if limits[middle] < observed[i]:
                low = middle + 1
            else:
                high = middle
        for j in range(measures.shape[1]):
            sums[low, j] += measures[i, j]
