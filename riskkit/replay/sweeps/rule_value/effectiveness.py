"""`effectiveness`: contribution of each rule of a set, from one shadow replay.

In shadow mode each rule is evaluated as if no other were on, so it stops the same messages in any rule set: rules can
be compared, and left out, without another replay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import Duration, InputError, instance
from riskkit._show import Row, Shown
from riskkit.replay.log.currencies import refuse_currencies
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import DecisionCode, EventKind, RowFlag
from riskkit.replay.schema.constants import DAY_NS
from riskkit.replay.schema.durations import duration_text
from riskkit.replay.sweeps.grid.keys import keys_of
from riskkit.replay.sweeps.many.metrics import rejection_metrics, rejection_sums
from riskkit.replay.sweeps.many.order_outcome import checked_horizon, order_outcomes
from riskkit.replay.sweeps.one_pass.observed import ALWAYS, parameter_of
from riskkit.replay.sweeps.rule_value.min_rule_set import min_rule_set
from riskkit.replay.sweeps.rule_value.utilization import utilization

if TYPE_CHECKING:
    import pandas as pd

JUDGED = (DecisionCode.OBJECT, DecisionCode.NO_PRICE, DecisionCode.HELD, DecisionCode.ALERTED)


@dataclass(frozen=True, eq=False, repr=False)
class Effectiveness(Shown):
    """Result of `effectiveness`.

    Attributes
    ----------
    frame : DataFrame
        One row per rule: ``limit``; ``limit_to_adv`` (of its busiest key, see `effectiveness`); ``observed_most``
        (largest observed value) and ``limit_to_most``; ``stops`` (number of messages); ``share`` of all messages;
        ``judged`` (the log has what the rule needs); ``never_binding``, ``always_binding``; ``named`` (refusals that
        name it); ``first`` (accounts in which it was the first to stop a message); ``only`` (messages that no other
        rule stops); ``redundant`` (all messages that it stops are stopped by others, too); ``minimal`` (in the
        minimal set); ``good_rejections``, ``bad_rejections``, ``loss_avoided``, ``profit_forgone`` and ``net`` (loss
        avoided less profit forgone) of the orders that it stops.
    overlap : DataFrame
        Fraction of the messages stopped by the row's rule that the column's rule also stops; NaN if it stops none.
    minimal : tuple of str
        The smallest set of rules that stops all messages that the full set stops.
    minimal_how : {"exact", "greedy"}
        Greedy: there may be a smaller set.
    horizon_ns : int or None
        Nanoseconds from an order to the valuation of its fills; None: the end of the log.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 9, 2], "price": 10})
    >>> log = rk.EventLog.from_frame(frame)
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    >>> found = effectiveness(rk.replay_log(log, rules, compiled=False), compiled=False)
    >>> found.minimal, found.minimal_how
    (('size',), 'exact')
    """

    frame: pd.DataFrame
    overlap: pd.DataFrame
    minimal: tuple[str, ...]
    minimal_how: str
    horizon_ns: int | None

    def to_frame(self) -> pd.DataFrame:
        """One row per rule."""
        return self.frame

    def plot(self, ax: Any = None) -> Any:
        """Plot the fraction of each rule's stopped messages that each other rule stops."""
        from riskkit import plot

        names = list(self.overlap.index)
        title = f"{len(self.minimal)} of {len(names)} rules stop everything ({self.minimal_how})"
        values = self.overlap.to_numpy(float)
        return plot.heat(values, names, names, names=("is stopped by", "what this rule stops"), title=title, ax=ax)

    def _title(self) -> str:
        return "Effectiveness of rules (shadow mode)"

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        for name, row in self.frame.iterrows():
            if not row["judged"]:
                rows.append((str(name), "cannot be judged on this log", "see not_judged of the result"))
                continue
            notes = "never binding" if row["never_binding"] else "always binding" if row["always_binding"] else ""
            notes = "redundant" if row["redundant"] and not notes else notes
            rows += [(str(name), int(row["stops"]), f"stopped{', ' + notes if notes else ''}")]
            rows += [("  loss avoided less profit forgone", row["net"], "")]
        rows.append(("enough to stop everything", ", ".join(self.minimal) or "no rule", self.minimal_how))
        until = "the end of the log" if self.horizon_ns is None else f"{duration_text(self.horizon_ns)} after the order"
        return [*rows, ("judged by prices at", until, "")]


def effectiveness(result: ReplayResult, *, horizon_ns: Duration | None = None, compiled: bool = True) -> Effectiveness:
    """Measure how often each rule binds, alone or with others, and the loss avoided and profit forgone.

    Parameters
    ----------
    result : ReplayResult
        Of `replay_log` in shadow mode.
    horizon_ns : str, Timedelta or int, optional
        Nanoseconds after a stopped order at which its recorded fills are valued; by default the end of the log.
    compiled : bool
        False runs additional replays (for observed maxima and rules that pause) as plain Python.

    Returns
    -------
    Effectiveness
        ``limit_to_adv`` is a limit of quantity or money divided by the daily traded quantity or money (mean over the
        UTC days with a fill) of the busiest key of the rule's scope; NaN for other limits.

    Raises
    ------
    InputError
        If the result is of enforce mode, where other rules have already removed orders, or accounts have several
        currencies.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.replay.log.event_log import EventLog
    >>> from riskkit.rules import MaxOrderNotional, MaxOrderQty
    >>> from riskkit import RuleSet
    >>> from riskkit.replay.run.replay_log import replay_log
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 5, 2], "price": 10})
    >>> rules = RuleSet([Rule("size", MaxOrderQty(limit=1)), Rule("money", MaxOrderNotional(limit=40))])
    >>> result = replay_log(EventLog.from_frame(frame), rules, compiled=False)
    >>> found = effectiveness(result, compiled=False)
    >>> found.frame[["stops", "only", "redundant", "minimal"]]
           stops  only  redundant  minimal
    rule
    size       2     1      False     True
    money      1     0       True    False
    """
    instance(result, ReplayResult, "result")
    import pandas as pd

    if result.mode != "shadow":
        raise InputError(
            f"the result is of {result.mode} mode; replay the log in shadow mode, where each rule is evaluated alone"
        )
    log, rules = result.log, result.rules
    seq, masks = stops_of(result)
    refuse_currencies(log, "the effectiveness of rules")
    horizon_ns = checked_horizon(horizon_ns)
    outcomes = order_outcomes(log, horizon_ns, compiled=compiled)
    chosen, how = min_rule_set(np.unique(masks).tolist())
    observed = _most_observed(result, compiled)
    messages = int(np.isin(log.columns["kind"], (EventKind.ORDER, EventKind.MODIFY)).sum())
    named, first = result.refusals_by_rule(), _first(result, seq, masks)
    rows = []
    for k, rule in enumerate(rules):
        stopped = masks >> k & 1 != 0
        stops, only = int(stopped.sum()), int((masks == 1 << k).sum())
        money = rejection_metrics(rejection_sums(log, seq[stopped], outcomes).sum(axis=0).tolist(), log)
        limit, largest = observed[k]
        rows.append(
            {
                "limit": limit,
                "limit_to_adv": _limit_to_daily(result, rule, limit),
                "observed_most": largest,
                "limit_to_most": limit / largest if largest > 0 else np.nan,
                "stops": stops,
                "share": stops / messages if messages else 0.0,
                "judged": rule.id not in result.not_judged,
                "never_binding": stops == 0 and rule.id not in result.not_judged,
                "always_binding": 0 < messages == stops,
                "named": named.get(rule.id, 0),
                "first": first[k],
                "only": only,
                "redundant": stops > 0 and only == 0,
                "minimal": k in chosen,
                **{
                    name: money[name]
                    for name in ("good_rejections", "bad_rejections", "loss_avoided", "profit_forgone")
                },
                "net": money["loss_avoided"] - money["profit_forgone"],
            }
        )
    names = pd.Index([rule.id for rule in rules], name="rule")
    minimal = tuple(rules[k].id for k in chosen)
    return Effectiveness(pd.DataFrame(rows, index=names), _overlap(masks, names), minimal, how, horizon_ns)


def stops_of(result: ReplayResult) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the log of the messages that some rule stops, and masks of these rules; int64, shape (n_stopped,).

    An alert stops nothing.
    """
    rows = result.rows[np.isin(result.rows["code"], JUDGED)]
    masks = np.zeros(len(rows), np.int64)
    for k, rule in enumerate(result.rules):
        if rule.action != "ALERT":
            masks |= rows["mask"] & 1 << k
    stopped = masks != 0
    return rows["seq"][stopped].astype(np.int64), masks[stopped]


def _first(result: ReplayResult, seq: np.ndarray, masks: np.ndarray) -> list[int]:
    """Number of accounts in which each rule was the first to stop a message; all rules that stop the first message count."""
    _, first = np.unique(result.log.columns["account"][seq], return_index=True)
    return [int((masks[first] >> k & 1).sum()) for k in range(len(result.rules))]


def _most_observed(result: ReplayResult, compiled: bool) -> list[tuple[float, float]]:
    """Each rule's limit and largest observed value, in the units of the rule set; NaN if there is none or it is not known."""
    used = utilization(result.log, result.rules, compiled=compiled)
    found = []
    for rule in result.rules:
        parameter = parameter_of(rule)
        value = getattr(rule.parameters, parameter) if parameter else None
        limit = float(value) if value is not None else np.nan
        largest = np.nan
        if parameter and value is not None:
            curve = used.curve(rule.id, parameter)
            if curve.exact:
                values = curve.observed.seen[curve.observed.seen != ALWAYS]
                largest = float(values.max(initial=0) * curve.unit)
        found.append((limit, largest))
    return found


def _limit_to_daily(result: ReplayResult, rule: Rule, limit: float) -> float:
    parameter = parameter_of(rule)
    unit = rule.kind.units()[parameter].name if parameter else ""
    if unit not in ("quantity", "money"):
        return float("nan")
    log, columns = result.log, result.log.columns
    fills = columns["kind"] == EventKind.FILL
    if "flags" in columns:
        fills &= columns["flags"] & int(RowFlag.BAD_TS | RowFlag.DUPLICATE) == 0
    rows = np.flatnonzero(fills)
    keys = keys_of(log, rule.scope, rows)
    if keys is None or not len(rows) or (keys < 0).all():
        return float("nan")
    codes = columns["instrument"][rows]
    traded = log.universe.quantities(columns["qty"][rows], codes)
    if unit == "money":
        multipliers = np.array([float(instrument.multiplier) for instrument in log.universe.instruments])
        traded = np.abs(traded * log.universe.prices(columns["price"][rows], codes)) * multipliers[codes]
    days = len(np.unique(columns["ts"][rows] // DAY_NS))
    busiest = float(np.bincount(keys[keys >= 0], weights=traded[keys >= 0]).max()) / days
    return limit / busiest if busiest > 0 else float("nan")


def _overlap(masks: np.ndarray, names: Any) -> pd.DataFrame:
    import pandas as pd

    stopped = [(masks >> k & 1) != 0 for k in range(len(names))]
    shares = [[float((a & b).sum() / a.sum()) if a.any() else np.nan for b in stopped] for a in stopped]
    return pd.DataFrame(shares, index=names, columns=names)
