"""Run the settings of a sweep over one log: on threads, or all thresholds of one rule from one pass."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeVar, cast

import numpy as np

from riskkit._jit import kernel, soonest
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.retuned import Setting, with_setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.trading_day import TradingDay
from riskkit.replay.run.pace import OnTrip, PlainPace
from riskkit.replay.run.replay_log import Stage, orphan_policy
from riskkit.replay.sweeps.many.days import REJECTIONS, Measured, days_of, measured, rejection_sums
from riskkit.replay.sweeps.many.figures import Record
from riskkit.replay.sweeps.many.metrics import (
    ON_REQUEST,
    Metrics,
    book_metrics,
    metric_names,
    metrics_of,
    with_rejections,
)
from riskkit.replay.sweeps.many.order_outcome import OrderOutcomes, order_outcomes
from riskkit.replay.sweeps.many.policies import Policy, under_policies
from riskkit.replay.sweeps.one_pass.curve import ThresholdCurve

Mode = Literal["shadow", "enforce"]
Orphans = Policy
Steps = Generator[tuple[int, Metrics], None, None]
T = TypeVar("T")


class Options(NamedTuple):
    """Options of a sweep; plain data, so that worker processes can rebuild them."""

    mode: str
    horizon_ns: int | None
    orphans: Policy
    on_trip: OnTrip
    flatten: PlainPace
    compiled: Tier
    tz: str
    roll_hour: int
    digests: bool = False
    account_drawdown: bool = False
    policies: bool = True
    settings: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics that are asked for."""
        return metric_names(**{option: getattr(self, option) for option in ON_REQUEST})


def checked_orphans(log: EventLog, orphans: Orphans | None) -> Orphans:
    """The policy for orphans, by default that of the log."""
    return cast(Orphans, orphan_policy(log, orphans))


class Replays:
    """Replays of one log under many rule sets, sampled at ends of days.

    Rule sets that differ only in parameters share one compiled loop.
    """

    def __init__(self, log: EventLog, mode: str, options: Options, sample_at: np.ndarray, *, replays: int = 1) -> None:
        self.log = log
        self.mode = mode
        self._options: dict[str, Any] = {name: getattr(options, name) for name in ("on_trip", "flatten", "compiled")}
        self._options |= {"total_only": not options.account_drawdown, "replays": replays}
        self._sample_at = sample_at
        self._stages: dict[tuple[Any, ...], Stage] = {}

    def stage(self, rules: RuleSet, policy: Policy) -> Stage:
        """The log prepared for rules of this shape."""
        key = (policy, *((rule.scope, rule.action) for rule in rules))
        if key not in self._stages:
            self._stages[key] = Stage(
                self.log, rules, self.mode, orphans=policy, sample_at=self._sample_at, **self._options
            )
        return self._stages[key]

    def replay(self, rules: RuleSet, policy: Policy) -> ReplayResult:
        """Replay the log under one rule set and one policy for orphan exits."""
        return self.stage(rules, policy).replay(rules)


class Measure:
    """Replays of one log, measured by trading day against the record; what all settings share is computed once."""

    def __init__(self, log: EventLog, options: Options) -> None:
        self.log = log
        self.options = options
        self.days = days_of(log, TradingDay(options.tz, options.roll_hour))
        self.replays = Replays(log, options.mode, options, self.days.ends, replays=options.settings)

    @cached_property
    def outcomes(self) -> OrderOutcomes:
        """Value of every order after the horizon."""
        return order_outcomes(self.log, self.options.horizon_ns, compiled=self.options.compiled)

    @cached_property
    def shadow(self) -> Replays:
        """Replays that remove nothing."""
        return Replays(self.log, "shadow", self.options, self.days.ends)

    @cached_property
    def record(self) -> Record:
        """The record by trading day."""
        without = self.shadow.replay(RuleSet([]), self.options.orphans)
        found = measured(without, self.days, self.outcomes)
        return Record.of(self.log, self.days, found, self.outcomes)

    def measured(self, result: ReplayResult) -> Measured:
        """A replay by trading day; in shadow mode profit and its path are those of the record."""
        return measured(result, self.days, self.outcomes)

    def by_policy(self, rules: RuleSet) -> tuple[ReplayResult, dict[Policy, Measured]]:
        """The replay under the chosen policy for orphan exits, and what it did under each policy that is asked for."""
        chosen = self.options.orphans
        result = self.replays.replay(rules, chosen)
        found = {chosen: self.measured(result)}
        if not self.options.policies:
            return result, found
        return result, under_policies(
            chosen, result, found[chosen], lambda policy: self.measured(self.replays.replay(rules, policy))
        )


class Runner:
    """Metrics of settings on one log."""

    def __init__(self, log: EventLog, rules: RuleSet, options: Options) -> None:
        self.log = log
        self.rules = rules
        self.options = options
        self.measure = Measure(log, options)

    def run(self, setting: Setting) -> Metrics:
        """Metrics of one setting."""
        result, found = self.measure.by_policy(with_setting(self.rules, setting))
        return metrics_of(result, found, self.measure.record, self.options.orphans, self.options.names)

    def run_at_once(self, curve: ThresholdCurve, thresholds: list[Any]) -> Steps:
        """Yield the metrics of all thresholds of one rule in shadow mode, from its curve and one replay of the rest."""
        others = RuleSet([rule for rule in self.rules if rule.id != curve.rule.id])
        rest = self.measure.replays.replay(others, self.options.orphans)
        rejected_by_others = rest.rejections()["seq"].astype(np.int64)
        observed, seq = curve.observed.seen, curve.observed.seq
        above = [int((observed > curve.to_integer(threshold)).sum()) for threshold in thresholds]
        if len(rejected_by_others):
            passed = ~np.isin(seq, rejected_by_others)
            observed, seq = observed[passed], seq[passed]
        limits = np.array([curve.to_integer(threshold) for threshold in thresholds], np.int64)
        order = np.argsort(limits, kind="stable")
        sums = np.zeros((len(limits) + 1, len(REJECTIONS)), np.int64)
        kinds = self.log.columns["kind"]
        tally = soonest(_tally, len(observed), self.options.compiled)
        tally(observed, limits[order], rejection_sums(kinds[seq], seq, self.measure.outcomes), sums)
        sums = np.cumsum(sums[::-1], axis=0)[::-1][1:]  # a message above a limit is above every smaller limit too
        sums += rejection_sums(kinds[rejected_by_others], rejected_by_others, self.measure.outcomes).sum(axis=0)
        record, policy, names = self.measure.record, self.options.orphans, self.options.names
        book = book_metrics(rest, self.measure.measured(rest), record, names)
        for i, row in zip(order.tolist(), sums.tolist(), strict=True):
            digest = curve.digest(thresholds[i]) if self.options.digests else ""
            silent = [r.id for r in self.rules if r.id in rest.silent() or (r.id == curve.rule.id and not above[i])]
            yield i, with_rejections({**book, "never_bound": ", ".join(silent)}, row, record, policy, names, digest)


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
