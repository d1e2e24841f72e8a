"""Comparison of rule sets: one log replayed under each of them, and the first event on which two of them differ."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from riskkit._check import InputError
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import Cause

if TYPE_CHECKING:
    import pandas as pd


@needs_a_log
def compare_presets(
    log: EventLog,
    presets: Mapping[str, RuleSet],
    mode: Literal["shadow", "enforce"] = "shadow",
    *,
    compiled: Tier = "auto",
) -> pd.DataFrame:
    """Replay one log under several rule sets and explain where they differ.

    Parameters
    ----------
    log : EventLog
        Recorded events.
    presets : mapping of str to RuleSet
        At least two rule sets, by name.
    mode : {"shadow", "enforce"}
        As in `replay_log`.
    compiled : bool or str
        As in `riskkit.replay_log`.

    Returns
    -------
    DataFrame
        One row per pair (`first`, `second`): `rejected_first` and `rejected_second` (orders and modifies), `both`,
        `only_first`, `only_second`, `first_difference` (the first event on which they differ, -1 if none) and `why`,
        an explanation. ``attrs["presets"]`` is a frame with one row per preset: rejections, event and rule of the
        first one, and the rules.

    Raises
    ------
    InputError
        If there are fewer than two rule sets, or a value is not a RuleSet.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.presets import nautilus, stocksharp
    >>> frame = pd.DataFrame({"ts": [0, 0, 0, 999], "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": 1, "price": 10.0})
    >>> log = EventLog.from_frame(frame)
    >>> pair = {"nautilus": nautilus(submit=2, window=999), "stocksharp": stocksharp(orders=2, window=999)}
    >>> found = compare_presets(log, pair, compiled=False)
    >>> found.loc[0, ["both", "only_first", "only_second", "first_difference"]].to_list()
    [0, 1, 1, 1]
    """
    if len(presets) < 2:
        raise InputError(f"presets={list(presets)!r} has fewer than two rule sets; there is nothing to compare")
    for name, rules in presets.items():
        if not isinstance(rules, RuleSet):
            raise InputError(f"presets[{name!r}]={rules!r} is not a RuleSet; use presets.nautilus() or your own")
    import pandas as pd

    results = {name: replay_log(log, rules, mode, compiled=compiled) for name, rules in presets.items()}
    frame = pd.DataFrame([_difference(*pair) for pair in itertools.combinations(results.items(), 2)])
    frame.attrs["presets"] = pd.DataFrame.from_dict(
        {name: _summary(result) for name, result in results.items()}, orient="index"
    ).rename_axis("preset")
    return frame


def _difference(first: tuple[str, ReplayResult], second: tuple[str, ReplayResult]) -> dict[str, Any]:
    """One pair of presets: rejections of each, of both and of one only, and the first difference."""
    one, other = (np.unique(result.rejections()["seq"]) for _, result in (first, second))
    differing = np.setxor1d(one, other)
    why = "they never differ"
    if len(differing):
        why = _explanation(*((first, second) if differing[0] in one else (second, first)), int(differing[0]))
    return {
        "first": first[0],
        "second": second[0],
        "rejected_first": len(one),
        "rejected_second": len(other),
        "both": len(np.intersect1d(one, other)),
        "only_first": len(np.setdiff1d(one, other)),
        "only_second": len(np.setdiff1d(other, one)),
        "first_difference": int(differing[0]) if len(differing) else -1,
        "why": why,
    }


def _summary(result: ReplayResult) -> dict[str, Any]:
    """One preset: number of rejections, event and rule of the first one, and the rules."""
    rejected = result.rejections()
    named = len(rejected) and rejected["cause"][0] != Cause.COMMAND
    rule = result.rules[int(rejected["cause"][0])].id if named else ""
    first = int(rejected["seq"][0]) if len(rejected) else -1
    return {"rejected": len(rejected), "first_seq": first, "first_rule": rule, "rules": str(result.rules)}


def _explanation(strict: tuple[str, ReplayResult], lenient: tuple[str, ReplayResult], seq: int) -> str:
    """The rule that rejects the event, and the rules of the same type in the preset that passes it."""
    rejected = strict[1].rejections()
    cause = int(rejected["cause"][rejected["seq"] == seq][0])
    if cause == Cause.COMMAND:
        return f"event {seq} is rejected by {strict[0]} (paused manually) and passes {lenient[0]} (it has no such rule)"
    rule = strict[1].rules[cause]
    others = [str(other) for other in lenient[1].rules if other.type == rule.type]
    passes = " ".join(others).rstrip(".") or "it has no such rule"
    return f"event {seq} is rejected by {strict[0]} ({str(rule).rstrip('.')}) and passes {lenient[0]} ({passes})"
