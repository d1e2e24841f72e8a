"""Threshold curve: the rejections of one rule under every value of its limit, from one pass if that is exact."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import Amount, InputError
from riskkit._show import Row, Shown
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.engine.state import calendars
from riskkit.replay.kernels.runtime import PROVEN, proven
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.results.result_digest import digest_of
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import Stage, orphan_policy
from riskkit.replay.schema.columns import DecisionCode
from riskkit.replay.schema.digest import Chain
from riskkit.replay.sweeps.grid.axes import axis_label
from riskkit.replay.sweeps.one_pass.observed import ALWAYS, Observed, observed_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MAX_STEPS = 2_000
LOGGED = 3  # entries beyond its limit that a sliding window counts, the message itself included


class ThresholdCurve(Shown):
    """The decisions of one rule, in shadow mode, for every value of its limit.

    Attributes
    ----------
    rule : Rule
        The rule with its current limit.
    parameter : str
        Name of the limit that varies.
    observed : Observed
        Observed value of each message. If ``observed.exact`` is False, each requested threshold is replayed.

    Examples
    --------
    >>> import riskkit as rk
    >>> log = rk.replay.tiny_log([1, 9, 2])
    >>> curve = ThresholdCurve(log, rk.Rule("size", rk.rules.MaxOrderQty(limit=4)), "limit", compiled=False)
    >>> curve.rejections(1).tolist(), curve.rejections(2).tolist()
    ([1, 2], [1])
    """

    def __init__(self, log: EventLog, rule: Rule, parameter: str, *, compiled: Tier = "auto") -> None:
        self.log = log
        self.rule = rule
        self.parameter = parameter
        self.compiled = compiled
        self.observed: Observed = observed_of(log, rule, parameter, compiled=compiled)
        self._options = {"orphans": orphan_policy(log), "on_trip": "leave"}
        self._stage: Stage | None = None
        self._runs: dict[str, ReplayResult] = {}

    @property
    def exact(self) -> bool:
        """True if one pass gives every threshold; otherwise each threshold is replayed."""
        return self.observed.exact

    def with_threshold(self, threshold: Amount) -> RuleSet:
        """Rule set of this rule alone, with the threshold as its limit."""
        return with_setting(RuleSet([self.rule]), {f"{self.rule.id}.{self.parameter}": threshold})

    def to_integer(self, threshold: Amount) -> int:
        """The threshold in integer units of the loop: the largest observed value that passes."""
        return int(getattr(self.with_threshold(threshold)[0].to_integers(self.log.universe), self.parameter))

    def rejections(self, threshold: Amount) -> np.ndarray:
        """Rows of the log that the rule rejects under a threshold, ascending; int64."""
        if self.exact:
            return self.observed.seq[self.observed.seen > self.to_integer(threshold)]
        return self.run(threshold).rejections()["seq"].astype(np.int64)

    def counts(self, thresholds: Iterable[Amount]) -> np.ndarray:
        """Number of messages that the rule rejects under each threshold; int64."""
        if not self.exact:
            return np.array([len(self.rejections(threshold)) for threshold in thresholds], np.int64)
        limits = np.array([self.to_integer(threshold) for threshold in thresholds], np.int64)
        return len(self._sorted) - np.searchsorted(self._sorted, limits, "right")

    def rows(self, threshold: Amount) -> np.ndarray:
        """The rows of `ReplayResult.rows` under a threshold; from the one pass if it is exact."""
        if not self.exact:
            return self.run(threshold).rows
        limit, template = self.to_integer(threshold), self._template
        objects = template["code"] == DecisionCode.OBJECT
        keep = ~objects
        keep[objects] = self.observed.seen[self.observed.seen != ALWAYS] > limit
        rows: np.ndarray = template[keep]
        refused = np.isin(rows["code"], (DecisionCode.OBJECT, DecisionCode.NO_PRICE, DecisionCode.ALERTED))
        rows["limit"][refused] = limit
        if self._counts_accepted:  # the window of accepted messages is full, plus the rejected one
            rows["observed"][rows["code"] == DecisionCode.OBJECT] = max(limit, 0) + 1
        elif self.observed.how != "replay":
            logged = limit + LOGGED  # length of the window's log, up to which the loop counts
            rows["observed"][rows["code"] == DecisionCode.OBJECT] = np.minimum(
                self.observed.seen[keep[objects]], logged
            )
        return rows

    def digest(self, threshold: Amount) -> str:
        """Digest of a shadow replay of this rule alone under a threshold."""
        if not self.exact:
            return self.run(threshold).digest
        rules, log = self.with_threshold(threshold), self.log
        chain = Chain(PROVEN)
        chain.update(proven(self.rows(threshold)))
        days = calendars(rules, *self._span)
        return digest_of(log.universe_hash, log.event_hash, rules, "shadow", self._options, days, chain)

    def run(self, threshold: Amount) -> ReplayResult:
        """Replay one threshold; results are cached."""
        key = repr(threshold)
        if key not in self._runs:
            rules = self.with_threshold(threshold)
            if self._stage is None:
                self._stage = self._stage_of(rules)
            self._runs[key] = self._stage.replay(rules)
        return self._runs[key]

    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Limits at which the number of rejections changes, in integer units, and the number from each of them on.

        Raises
        ------
        InputError
            If one pass does not give them.
        """
        if not self.exact:
            raise InputError(
                f"the steps of {self.rule.id!r} are not known from one pass ({self.observed.why}); "
                "name the thresholds: counts([...])"
            )
        found = self._sorted[self._sorted != ALWAYS]
        limits = np.unique(np.concatenate([[0], found]))
        return limits, len(self._sorted) - np.searchsorted(self._sorted, limits, "right")

    def to_frame(self, thresholds: Iterable[Amount] | None = None) -> pd.DataFrame:
        """Rejections by threshold, in the units of the rule set; by default at each step, at most 2,000 of them."""
        import pandas as pd

        if thresholds is not None:
            listed = list(thresholds)
            return pd.DataFrame({"rejected": self.counts(listed)}, index=pd.Index(listed, name=self.parameter))
        limits, rejected = self.steps()
        if len(limits) > MAX_STEPS:
            some = np.unique(np.linspace(0, len(limits) - 1, MAX_STEPS).round().astype(np.int64))
            limits, rejected = limits[some], rejected[some]
        return pd.DataFrame({"rejected": rejected}, index=pd.Index(limits * self.unit, name=self.parameter))

    @property
    def unit(self) -> float:
        """Size of one integer unit of the loop, in the units of the rule set."""
        units = self.rule.kind.units()[self.parameter].name
        universe = self.log.universe
        return float({"money": universe.quantum, "quantity": universe.quantity_unit}.get(units, 1))

    def plot(self, ax: Axes | None = None, *, thresholds: Iterable[Amount] | None = None) -> Axes:
        """Plot rejections against the threshold, with the rule's current limit marked."""
        from riskkit import plot

        frame = self.to_frame(thresholds)
        now = getattr(self.rule.parameters, self.parameter)
        title = f"{self.rule.id}: {int(self.counts([now])[0]):,} rejected at {self.parameter} = {now}"
        x, y = frame.index.to_numpy(float), frame["rejected"].to_numpy()
        name = axis_label(self.rule, self.parameter, self.log.universe.currency)
        tried = thresholds is not None or not self.exact
        return plot.threshold(x, y, float(now), name=name, title=title, label="messages rejected", tried=tried, ax=ax)

    def _title(self) -> str:
        return f"Rejections of {self.rule.id} by {self.parameter}"

    def _rows(self) -> list[Row]:
        rows: list[Row] = [("found by", self.observed.how, ""), ("", self.observed.why, "")]
        if self.exact:
            limits, rejected = self.steps()
            rows += [("rejected at 0", int(rejected[0]), ""), ("none rejected from", float(limits[-1] * self.unit), "")]
            always = int((self.observed.seen == ALWAYS).sum())
            rows += [("rejected at any limit (no price)", always, "")] if always else []
        return rows

    @cached_property
    def _sorted(self) -> np.ndarray:
        return np.sort(self.observed.seen)

    @cached_property
    def _span(self) -> tuple[int, int]:
        ts = self.log.columns["ts"]
        return (int(ts.min()), int(ts.max())) if len(ts) else (0, 0)

    @property
    def _counts_accepted(self) -> bool:
        return self.rule.type == "order_rate" and self.rule.parameters.count == "accepted"

    @cached_property
    def _template(self) -> np.ndarray:
        """Rows of a replay in which the rule rejects every message that any limit rejects."""
        change: dict[str, Any] = {f"{self.rule.id}.{self.parameter}": 0}
        if self.observed.how == "replay":
            change[f"{self.rule.id}.breach"] = "reach"
        rules = with_setting(RuleSet([self.rule]), change)
        return self._stage_of(rules).replay(rules).rows

    def _stage_of(self, rules: RuleSet) -> Stage:
        options: dict[str, Any] = {**self._options, "sample_ns": None, "compiled": self.compiled}
        return Stage(self.log, rules, "shadow", **options)
