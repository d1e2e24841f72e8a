"""`compare`: replay one log without limits and with them, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from riskkit._bar import with_bar
from riskkit._check import Duration, instance, one_of
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.engine.samples import spaced_times
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.results.timeline import Timeline
from riskkit.replay.rules.judged import refuse_unjudged
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.trading_day import TradingDay
from riskkit.replay.run.comparison import WITHOUT, ReplayComparison
from riskkit.replay.run.pace import TOUCH, OnTrip, Pace
from riskkit.replay.run.replay_log import Stage, orphan_policy
from riskkit.replay.schema.durations import duration


@needs_a_log
def compare(
    log: EventLog,
    rules: RuleSet,
    modes: Sequence[Literal["shadow", "enforce"]] = ("shadow", "enforce"),
    *,
    orphans: Literal["keep", "clip", "drop"] | None = None,
    on_trip: OnTrip = "leave",
    flatten: Pace = TOUCH,
    sample_ns: Duration | None = None,
    compiled: Tier = "auto",
    progress: bool | None = None,
) -> ReplayComparison:
    """Replay a log without limits and with them, side by side.

    Parameters
    ----------
    log : EventLog
        Recorded events.
    rules : RuleSet
        The limits.
    modes : sequence of {"shadow", "enforce"}
        Modes to replay with limits.
    orphans, on_trip, flatten, compiled
        As in `replay_log`.
    sample_ns : str, Timedelta or int, optional
        Nanoseconds between samples of profit, for the plots; by default chosen from the length of the log. Ends of the
        rules' trading days are sampled too.
    progress : bool, optional
        As in `riskkit.sweep`.

    Returns
    -------
    ReplayComparison

    Raises
    ------
    InputError
        If a mode is unknown, or none is given.

    Examples
    --------
    >>> import riskkit as rk
    >>> log = rk.replay.tiny_log([5], marks=9)
    >>> found = compare(log, RuleSet([rk.Rule("size", rk.rules.PositionLimit(limit=4))]), compiled=False)
    >>> found.to_frame().loc[["refused", "profit"], ["without limits", "shadow", "enforce"]]
            without limits shadow enforce
    measure
    refused              0      1       1
    profit            -5.0   -5.0     0.0
    """
    instance(rules, RuleSet, "rules")
    for mode in modes:
        one_of(mode, ("shadow", "enforce"), "modes")
    ts = log.columns["ts"]
    spacing = Timeline.of(ts).spacing if sample_ns is None else duration(sample_ns, "sample_ns", zero=False)
    day = TradingDay.of(rules)
    options: dict[str, Any] = {"orphans": orphan_policy(log, orphans), "compiled": compiled}
    options |= {"on_trip": on_trip, "flatten": flatten}
    refuse_unjudged(rules, log)
    sample_at = np.union1d(spaced_times(ts, spacing), day.starts(ts)[1:])
    names = [WITHOUT, *dict.fromkeys(modes)]
    replays = {}
    for name in with_bar(names, "compile and replay", unit="replay", wanted=progress):
        chosen, run_mode = (RuleSet([]), "shadow") if name == WITHOUT else (rules, name)
        stage = Stage(log, chosen, run_mode, sample_at=sample_at, **options)
        replays[name] = stage.replay(chosen, progress=bool(progress))
    return ReplayComparison(replays[WITHOUT], replays.get("shadow"), replays.get("enforce"))
