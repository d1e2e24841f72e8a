"""`utilization`: used fraction of each limit, by rule and key, and refusals under every other threshold."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError, instance
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.rules.judged import not_judged, refuse_unjudged
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.sweeps.grid.keys import keys_of, labels_of
from riskkit.replay.sweeps.one_pass.curve import ThresholdCurve
from riskkit.replay.sweeps.one_pass.observed import ALWAYS, Observed, parameter_of

if TYPE_CHECKING:
    import pandas as pd

LEVELS = {"median": 0.5, "p90": 0.9, "p99": 0.99, "most": 1.0}


class Utilization(Exported):
    """Used/limit of every rule in shadow mode.

    A share above 1 is a refusal. Rules whose observed value depends on their verdicts (pauses, batches, ...) have no
    distribution; `how` has the reason, and their `curve` replays each requested threshold.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 9, 2], "price": 10})
    >>> log = rk.EventLog.from_frame(frame)
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    >>> utilization(log, rules, compiled=False).shares("size").tolist()
    [0.25, 0.5, 2.25]
    """

    def __init__(self, log: EventLog, rules: RuleSet, *, compiled: Tier = "auto") -> None:
        self.log = log
        self.rules = rules
        self.compiled = compiled
        self._curves: dict[tuple[str, str], ThresholdCurve] = {}

    def curve(self, rule: str, parameter: str | None = None) -> ThresholdCurve:
        """The decisions of one rule for every threshold of its limit.

        Parameters
        ----------
        rule : str
            Its id.
        parameter : str, optional
            The varied parameter; by default the limit.

        Raises
        ------
        InputError
            If there is no such rule, or it has no such parameter.
        """
        if rule not in [known.id for known in self.rules]:
            raise InputError(f"rule={rule!r} is not in these rules; they are {', '.join(r.id for r in self.rules)}")
        found = self.rules[rule]
        parameter = (parameter_of(found) or "") if parameter is None else parameter
        if parameter not in found.parameters._fields:
            has = ", ".join(found.parameters._fields)
            raise InputError(f"rule {rule!r} needs a parameter to be varied; it has {has}")
        if (rule, parameter) not in self._curves:
            self._curves[rule, parameter] = ThresholdCurve(self.log, found, parameter, compiled=self.compiled)
        return self._curves[rule, parameter]

    @cached_property
    def not_judged(self) -> dict[str, str]:
        """The rules that cannot be judged on this log, by id, with the reason; they have no rows."""
        return not_judged(self.rules, self.log)

    @cached_property
    def how(self) -> dict[str, str]:
        """Method for the thresholds of each rule, with the reason."""
        found = {}
        for rule in self.rules:
            parameter = parameter_of(rule)
            if rule.id in self.not_judged:
                found[rule.id] = f"cannot be judged on this log: {self.not_judged[rule.id]}"
            elif parameter is None:
                found[rule.id] = "run: it has no single limit"
            else:
                observed = self.curve(rule.id, parameter).observed
                found[rule.id] = f"{observed.how}: {observed.why}"
        return found

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per rule and key: messages, refused ones, and used/limit at the median, 90 %, 99 % and maximum.

        Only messages that some limit, zero the lowest, would refuse are counted. A message without a price counts as refused and is in no
        quantile. The key is "(all)" if only the loop knows the keys.
        """
        import pandas as pd

        rows: list[tuple[Any, ...]] = []
        for rule in self.rules:
            parameter = parameter_of(rule)
            if parameter is None or rule.id in self.not_judged:
                continue
            curve = self.curve(rule.id, parameter)
            if curve.exact:
                rows += _by_key(
                    self.log, rule, _refusable(curve), curve.to_integer(getattr(rule.parameters, parameter))
                )
        columns = ["rule", "key", "messages", "refused", *LEVELS]
        return pd.DataFrame(rows, columns=columns).set_index(["rule", "key"])

    def to_frame(self) -> pd.DataFrame:
        """One row per rule and key."""
        return self.frame

    def shares(self, rule: str) -> np.ndarray:
        """Used/limit at every message that some limit would refuse, ascending; float64."""
        curve = self.curve(rule)
        if not curve.exact:
            raise InputError(f"the used share of {rule!r} is not known from one pass: {curve.observed.why}")
        limit = curve.to_integer(getattr(curve.rule.parameters, curve.parameter))
        seen = _refusable(curve).seen
        return np.sort(_shares(seen[seen != ALWAYS], limit))

    def path(self, rule: str) -> pd.DataFrame:
        """Used/limit at every message that some limit would refuse, in order of the log.

        Returns
        -------
        DataFrame
            ``ts`` (UTC), ``key`` ("(all)" if only the loop knows the keys) and ``share``, infinite for a message that no limit
            admits, as one without a price; indexed by the row of the log.
        """
        import pandas as pd

        curve = self.curve(rule)
        if not curve.exact:
            raise InputError(f"the used share of {rule!r} is not known from one pass: {curve.observed.why}")
        seen = _refusable(curve)
        keys = keys_of(self.log, curve.rule.scope, seen.seq)
        limit = curve.to_integer(getattr(curve.rule.parameters, curve.parameter))
        names = ["(all)"] * len(seen.seq) if keys is None else labels_of(self.log, curve.rule, keys.tolist())
        share = np.where(seen.seen == ALWAYS, np.inf, _shares(seen.seen, limit))
        ts = pd.to_datetime(self.log.columns["ts"][seen.seq], utc=True)
        return pd.DataFrame({"ts": ts, "key": names, "share": share}, index=pd.Index(seen.seq, name="row"))

    def plot(self, ax: Any = None) -> Any:
        """Plot, for each rule, the share of its messages that used at least a given fraction of its limit."""
        from riskkit import plot

        lines = {}
        for rule in self.rules:
            if self.how[rule.id].startswith("run") or rule.id in self.not_judged:
                continue
            shares = self.shares(rule.id)
            if len(shares):
                lines[rule.id] = shares
        if not lines:
            raise InputError("no rule has a used share that is known from one pass; see how")
        busiest = max(lines, key=lambda name: float(lines[name][-1]))
        title = f"{busiest} comes closest to its limit or goes furthest beyond: {lines[busiest][-1]:,.0%} used at most"
        return plot.exceedances(lines, label="used / limit", title=title, ax=ax)

    def _title(self) -> str:
        return "Utilization of limits"

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        for rule in self.rules:
            rows.append((rule.id, self.how[rule.id], ""))
            if rule.id in self.frame.index.get_level_values("rule"):
                part = self.frame.loc[rule.id]
                rows.append(("  most used", f"{part['most'].max():.1%}", f"by {part['most'].idxmax()}"))
                rows.append(("  refused", int(part["refused"].sum()), ""))
        return rows


@needs_a_log
def utilization(log: EventLog, rules: RuleSet, *, compiled: Tier = "auto") -> Utilization:
    """Compute the used fraction of each limit, and the decisions under every other threshold.

    Parameters
    ----------
    log : EventLog
        Recorded events; the book is the recorded one (shadow mode).
    rules : RuleSet
        The limits.
    compiled : bool or str
        As in `riskkit.replay_log`.

    Returns
    -------
    Utilization

    Raises
    ------
    InputError
        If no rule can be judged on the log, or the log would misjudge one (see `replay_log`).

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.rules import MaxOrderQty, OrderRate
    >>> frame = pd.DataFrame({"ts": range(4), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 5, 2, 4], "price": 10})
    >>> rules = RuleSet([Rule("size", MaxOrderQty(limit=4)), Rule("rate", OrderRate(limit=3, window_ns="1s"))])
    >>> found = utilization(EventLog.from_frame(frame), rules, compiled=False)
    >>> found.frame[["messages", "refused", "median", "most"]]
              messages  refused  median      most
    rule key
    size A           4        1     0.5      1.25
    rate A           4        1     0.67     1.33
    >>> found.curve("size").counts([0, 1, 2, 3, 4, 5]).tolist()
    [4, 3, 2, 2, 1, 0]
    >>> found.curve("rate").rejections(2).tolist()
    [2, 3]
    """
    instance(rules, RuleSet, "rules")
    refuse_unjudged(rules, log)
    return Utilization(log, rules, compiled=compiled)


def _refusable(curve: ThresholdCurve) -> Observed:
    """The observed values that a limit of zero refuses; an order that ends flat uses nothing of a position limit."""
    observed = curve.observed
    least = -1 if getattr(curve.rule.parameters, "breach", "exceed") == "reach" else 0
    above = observed.seen > least
    return observed._replace(seq=observed.seq[above], seen=observed.seen[above])


def _by_key(log: EventLog, rule: Rule, observed: Observed, limit: int) -> list[tuple[Any, ...]]:
    """The rows of one rule, in order of keys."""
    key = keys_of(log, rule.scope, observed.seq)
    if key is None:
        return [(rule.id, "(all)", *_described(observed.seen, limit))]
    order = np.argsort(key, kind="stable")
    keys, starts = np.unique(key[order], return_index=True)
    parts = np.split(observed.seen[order], starts[1:]) if len(keys) else []
    labels = labels_of(log, rule, keys.tolist())
    return [(rule.id, label, *_described(part, limit)) for label, part in zip(labels, parts, strict=True)]


def _described(values: np.ndarray, limit: int) -> tuple[Any, ...]:
    """Messages, refusals, and used/limit at the levels (quantiles that are values of the sample)."""
    shares = _shares(values[values != ALWAYS], limit)
    levels = np.quantile(shares, list(LEVELS.values()), method="inverted_cdf") if len(shares) else np.zeros(len(LEVELS))
    return len(values), int((values > limit).sum()), *levels.tolist()


def _shares(values: np.ndarray, limit: int) -> np.ndarray:
    """Used/limit; infinite for any use of a limit of zero."""
    return values / limit if limit > 0 else np.where(values > limit, np.inf, 0.0)
