"""Observed values of a rule that do not depend on its limit, so that one pass gives every threshold.

In shadow mode the book is that of the record, so a rule whose observed value does not depend on its verdicts observes
the same under every limit. Three methods, each exact:

- *one replay*: with a limit below every value, so that the rule objects to each message and reports its value;
- *levels*: accepted messages of a sliding window, one at a time (`riskkit.replay.sweeps.one_pass.levels`);
- *attempts*: attempted messages of a sliding window, counted without the bound of a limit on the window's log.

Otherwise each threshold is replayed, with the reason in `Observed.why`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import Stage, orphan_policy
from riskkit.replay.schema.columns import DecisionCode, EventKind, RowFlag
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.sweeps.grid.keys import keys_of
from riskkit.replay.sweeps.one_pass.levels import attempts_in_window, window_levels

ALWAYS = LARGEST  # an observed value beyond every limit: no price is known


class Observed(NamedTuple):
    """Observed values of a rule at messages that some limit may refuse, in integer units of the loop, by row of the log.

    A message is refused by a limit L if and only if its value is above L. ``how`` is "replay", "levels", "attempts",
    or "run" (each threshold must be replayed), ``why`` a sentence.
    """

    how: str
    why: str
    seq: np.ndarray
    seen: np.ndarray

    @property
    def exact(self) -> bool:
        """True if one pass gives every threshold."""
        return self.how != "run"


def parameter_of(rule: Rule) -> str | None:
    """The first given parameter of a rule that is a limit; None if there is none, or keys have limits of their own."""
    if rule.overrides:
        return None
    limits = [one.limit for one in rule.kind.observed if one.limit] or list(rule.kind.limits)
    return next((name for name in limits if getattr(rule.parameters, name) is not None), None)


def observed_of(log: EventLog, rule: Rule, parameter: str, *, compiled: Tier = "auto") -> Observed:
    """Observe the values of `rule` in shadow mode, if they do not depend on `parameter`."""
    why = _obstacle(log, rule, parameter)
    if why:
        return Observed("run", why, np.zeros(0, np.int64), np.zeros(0, np.int64))
    if rule.type == "order_rate" and _is_sliding(rule):
        return _counted(log, rule, compiled)
    return _replayed(log, rule, parameter, compiled)


def _obstacle(log: EventLog, rule: Rule, parameter: str) -> str:
    """Reason why one pass is not enough, as the end of a sentence; empty if it is."""
    columns, params, kind = log.columns, rule.parameters, log.columns["kind"]
    if rule.action != "REJECT":
        return f"an action of {rule.action} is not a refusal of single messages"
    limits = [one.limit for one in rule.kind.observed] if rule.kind.one_pass else []
    if parameter not in limits:
        return f"the observed value of {rule.type} may depend on its parameter {parameter!r}"
    others = [name for name in limits if name != parameter and getattr(params, name) is not None]
    if others:
        return f"{rule.type} has a second cap ({others[0]})"
    if "batch" in columns and (columns["batch"] >= 0).any():
        return "lists of orders are refused together"
    if (kind == EventKind.CONTROL).any():
        return "commands pause and reset keys"
    if rule.type == "volume_cap" and params.measure == "ordered":
        return "an order that is refused does not count towards the cap"
    if rule.type != "order_rate":
        return ""
    if params.bucket_ns:
        return "buckets forget early"
    if params.reset_on_trip:
        return "a refused message closes the window"
    if params.window == "sliding" or params.count == "accepted":
        return _obstacle_of_window(log, rule)
    return ""


def _obstacle_of_window(log: EventLog, rule: Rule) -> str:
    rows = _messages(log, rule)
    if "cancel" in rule.parameters.kinds and (log.columns["kind"] == EventKind.CANCEL).any():
        return "cancels count and cannot be refused"
    if "weight" in log.columns and (log.columns["weight"][rows] != 1).any():
        return "a message counts more than one"
    if keys_of(log, rule.scope, rows[:1]) is None or keys_of(log, rule.scope, rows) is None:
        return f"only the loop knows the key of a scope of {rule.scope}"
    return ""


def _is_sliding(rule: Rule) -> bool:
    return rule.parameters.window == "sliding"


def _messages(log: EventLog, rule: Rule) -> np.ndarray:
    """Rows of the single messages that an order rate counts."""
    kind = log.columns["kind"]
    listens = np.zeros(kind.shape, bool)
    for name, code in (("order", EventKind.ORDER), ("modify", EventKind.MODIFY)):
        if name in rule.parameters.kinds:
            listens |= kind == code
    if "flags" in log.columns:
        listens &= log.columns["flags"] & int(RowFlag.BAD_TS | RowFlag.EXTERNAL) == 0
    return np.flatnonzero(listens)


def _counted(log: EventLog, rule: Rule, compiled: Tier) -> Observed:
    rows = _messages(log, rule)
    keys = keys_of(log, rule.scope, rows)
    assert keys is not None
    if (keys < 0).any():
        rows, keys = rows[keys >= 0], keys[keys >= 0]
    window_ns = rule.to_integers(log.universe).window_ns
    accepted = rule.parameters.count == "accepted"
    count = window_levels if accepted else attempts_in_window
    values = count(log.columns["ts"][rows], keys, window_ns, compiled=compiled)
    why = "the level of each message in its window" if accepted else "the messages in each window, refused ones too"
    return Observed("levels" if accepted else "attempts", why, rows, values)


def _replayed(log: EventLog, rule: Rule, parameter: str, compiled: Tier) -> Observed:
    change: dict[str, Any] = {f"{rule.id}.{parameter}": 0, f"{rule.id}.breach": "reach"}  # -1 in integer units
    if rule.type == "order_rate" and rule.parameters.count == "accepted":
        change[f"{rule.id}.count"] = "attempted"  # the n-th message of a day or fixed window passes if n fits
    rules = with_setting(RuleSet([rule]), change)
    options: dict[str, Any] = {"orphans": orphan_policy(log), "on_trip": "leave", "sample_ns": None}
    stage = Stage(log, rules, "shadow", compiled=compiled, **options)
    parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64)), *map(_seen, stage.blocks(rules))]
    seq, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Observed("replay", "one replay with a limit below everything", seq, values)


def _seen(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row of the log and observed value of each refusal of a block."""
    code, seq, values = rows["code"], rows["seq"].copy(), rows["observed"].copy()
    unpriced = code == DecisionCode.NO_PRICE
    refused = unpriced | (code == DecisionCode.OBJECT)
    values[unpriced] = ALWAYS
    return (seq, values) if refused.all() else (seq[refused], values[refused])
