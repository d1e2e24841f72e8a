"""A utilization curve: what a rule would have refused under every threshold, at once where that is exact."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._show import Row, Shown
from riskkit.replay.columns import Decision
from riskkit.replay.digest import Chain
from riskkit.replay.events import EventLog
from riskkit.replay.result import Result, digest_of
from riskkit.replay.rule import Rule
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.run import Stage
from riskkit.replay.state import calendars
from riskkit.replay.steps import PROVEN, proven
from riskkit.replay.sweeps.observed import ALWAYS, Observed, observed_of
from riskkit.replay.sweeps.settings import with_setting

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Curve"]

MOST_STEPS = 2_000
LOGGED = 3  # entries beyond its limit that a sliding window tells apart, the message itself included
OPTIONS = {"orphans": "keep", "on_trip": "leave"}


class Curve(Shown):
    """The decisions of one rule, in shadow mode, for every value of its limit.

    Attributes
    ----------
    rule : Rule
        As it stands in the rule set.
    parameter : str
        What is varied.
    observed : Observed
        How the answer is found. ``observed.exact`` False: each threshold that is asked for is replayed.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 9, 2], "price": 10})
    >>> log = rk.EventLog.from_frame(frame)
    >>> curve = Curve(log, rk.Rule("size", rk.MaxOrderQty(limit=4)), "limit", compiled=False)
    >>> curve.refused(1).tolist(), curve.refused(2).tolist()
    ([1, 2], [1])
    """

    def __init__(self, log: EventLog, rule: Rule, parameter: str, *, compiled: bool = True) -> None:
        self.log = log
        self.rule = rule
        self.parameter = parameter
        self.compiled = compiled
        self.observed: Observed = observed_of(log, rule, parameter, compiled=compiled)
        self._options = {**OPTIONS, "orphans": log.about.get("orphans", "keep")}
        self._stage: Stage | None = None
        self._runs: dict[str, Result] = {}

    @property
    def exact(self) -> bool:
        """Whether one pass tells every threshold; otherwise each is run."""
        return self.observed.exact

    def with_threshold(self, threshold: Any) -> RuleSet:
        """The rule alone, with the threshold in place of its limit."""
        return with_setting(RuleSet([self.rule]), {f"{self.rule.id}.{self.parameter}": threshold})

    def whole(self, threshold: Any) -> int:
        """A threshold in whole units of the loop: the largest value that passes."""
        return getattr(self.with_threshold(threshold)[0].integers(self.log.universe), self.parameter)

    def refused(self, threshold: Any) -> np.ndarray:
        """Rows of the log that the rule refuses under a threshold, in their order; int64."""
        if self.exact:
            return self.observed.seq[self.observed.seen > self.whole(threshold)]
        return self.run(threshold).refused()["seq"].astype(np.int64)

    def counts(self, thresholds: Iterable[Any]) -> np.ndarray:
        """How many messages the rule refuses under each threshold; int64."""
        if not self.exact:
            return np.array([len(self.refused(threshold)) for threshold in thresholds], np.int64)
        limits = np.array([self.whole(threshold) for threshold in thresholds], np.int64)
        return len(self._sorted) - np.searchsorted(self._sorted, limits, "right")

    def rows(self, threshold: Any) -> np.ndarray:
        """The rows of `Result.rows` under a threshold, without running it where one pass tells them."""
        if not self.exact:
            return self.run(threshold).rows
        limit, template = self.whole(threshold), self._template
        objects = template["code"] == Decision.OBJECT
        keep = ~objects
        keep[objects] = self.observed.seen[self.observed.seen != ALWAYS] > limit
        rows = template[keep]
        judged = np.isin(rows["code"], (Decision.OBJECT, Decision.NO_PRICE, Decision.ALERTED))
        rows["limit"][judged] = limit
        if self._counts_accepted:  # the window of what stands is full, and one more
            rows["observed"][rows["code"] == Decision.OBJECT] = max(limit, 0) + 1
        elif self.observed.how != "replay":
            logged = limit + LOGGED  # the window's log is no longer, so the loop counts no more
            rows["observed"][rows["code"] == Decision.OBJECT] = np.minimum(self.observed.seen[keep[objects]], logged)
        return rows

    def digest(self, threshold: Any) -> str:
        """The digest of `replay_log` with this rule alone under a threshold, in shadow mode."""
        if not self.exact:
            return self.run(threshold).digest
        rules, log = self.with_threshold(threshold), self.log
        chain = Chain(PROVEN)
        chain.update(proven(self.rows(threshold)))
        days = calendars(rules, *self._span)
        return digest_of(log.universe_hash, log.event_hash, rules, "shadow", self._options, days, chain)

    def run(self, threshold: Any) -> Result:
        """Replay one threshold (and keep its answer)."""
        key = repr(threshold)
        if key not in self._runs:
            rules = self.with_threshold(threshold)
            if self._stage is None:
                options: dict[str, Any] = {**self._options, "sample_ns": None, "compiled": self.compiled}
                self._stage = Stage(self.log, rules, "shadow", **options)
            self._runs[key] = self._stage.replay(rules)
        return self._runs[key]

    # ------------------------------------------------------------------ looking at it

    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Every limit at which the number of refusals changes, in whole units, and that number from there on.

        Raises
        ------
        InputError
            Where no single pass tells them.
        """
        if not self.exact:
            raise InputError(
                f"the steps of {self.rule.id!r} are not known from one pass ({self.observed.why}); "
                "ask for the thresholds that matter: counts([...])"
            )
        found = self._sorted[self._sorted != ALWAYS]
        limits = np.unique(np.concatenate([[0], found]))
        return limits, len(self._sorted) - np.searchsorted(self._sorted, limits, "right")

    def to_frame(self, thresholds: Iterable[Any] | None = None) -> pd.DataFrame:
        """Refusals by threshold, in the units of the rule set; by default at every step, or 2,000 of them."""
        import pandas as pd

        if thresholds is not None:
            listed = list(thresholds)
            return pd.DataFrame({"refused": self.counts(listed)}, index=pd.Index(listed, name=self.parameter))
        limits, refused = self.steps()
        if len(limits) > MOST_STEPS:
            some = np.unique(np.linspace(0, len(limits) - 1, MOST_STEPS).round().astype(np.int64))
            limits, refused = limits[some], refused[some]
        return pd.DataFrame({"refused": refused}, index=pd.Index(limits * self.unit, name=self.parameter))

    @property
    def unit(self) -> float:
        """What one whole unit of the loop is in the units of the rule set."""
        units = self.rule.kind.units()[self.parameter].name
        universe = self.log.universe
        return float({"money": universe.quantum, "quantity": universe.quantity_unit}.get(units, 1))

    def plot(self, ax: Any = None, *, thresholds: Iterable[Any] | None = None) -> Any:
        """Draw the refusals under every threshold, with the rule's own limit marked."""
        from riskkit import plot

        frame = self.to_frame(thresholds)
        now = getattr(self.rule.parameters, self.parameter)
        found = int(self.counts([now])[0])
        title = f"{self.rule.id}: {found:,} refused at {self.parameter} = {now}"
        return plot.threshold(
            frame.index.to_numpy(float),
            frame["refused"].to_numpy(),
            float(now),
            name=self.parameter,
            title=title,
            ax=ax,
        )

    def _title(self) -> str:
        return f"Refusals of {self.rule.id} by {self.parameter}"

    def _rows(self) -> list[Row]:
        rows: list[Row] = [("found by", self.observed.how, ""), ("", self.observed.why, "")]
        if self.exact:
            limits, refused = self.steps()
            rows += [("refused at 0", int(refused[0]), ""), ("none refused from", float(limits[-1] * self.unit), "")]
            never = int((self.observed.seen == ALWAYS).sum())
            rows += [("refused at any limit (no price)", never, "")] if never else []
        return rows

    # ------------------------------------------------------------------ inside

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
        """The rows of a replay in which the rule objects to every message that some limit refuses."""
        change: dict[str, Any] = {f"{self.rule.id}.{self.parameter}": 0}
        if self.observed.how == "replay":
            change[f"{self.rule.id}.breach"] = "reach"
        rules = with_setting(RuleSet([self.rule]), change)
        options: dict[str, Any] = {**self._options, "sample_ns": None, "compiled": self.compiled}
        return Stage(self.log, rules, "shadow", **options).replay(rules).rows
