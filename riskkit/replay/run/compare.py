"""`compare`: replay one log without limits and with them, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from riskkit._bar import with_bar
from riskkit._check import Duration, instance, one_of
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.timeline import Timeline
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.comparison import WITHOUT, ReplayComparison
from riskkit.replay.run.replay_log import replay_log


def compare(
    log: EventLog,
    rules: RuleSet,
    modes: Sequence[Literal["shadow", "enforce"]] = ("shadow", "enforce"),
    *,
    orphans: Literal["keep", "clip", "drop"] | None = None,
    on_trip: Literal["leave", "cancel_working"] = "leave",
    sample_ns: Duration | None = None,
    compiled: bool = True,
    progress: bool = False,
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
    orphans, on_trip, compiled
        As in `replay_log`.
    sample_ns : str, Timedelta or int, optional
        Nanoseconds between samples of profit; by default chosen from the length of the log, at most a UTC day.
    progress : bool
        Show a progress bar on a terminal (needs tqdm).

    Returns
    -------
    Comparison

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
    instance(log, EventLog, "log")
    instance(rules, RuleSet, "rules")
    for mode in modes:
        one_of(mode, ("shadow", "enforce"), "modes")
    spacing = Timeline.of(log.columns["ts"]).spacing if sample_ns is None else sample_ns
    options: dict[str, Any] = {"orphans": orphans, "on_trip": on_trip, "sample_ns": spacing, "compiled": compiled}
    names = [WITHOUT, *dict.fromkeys(modes)]
    replays = {}
    for name in with_bar(names, "compile and replay", unit="replay", wanted=None if progress else False):
        chosen, run_mode = (RuleSet([]), "shadow") if name == WITHOUT else (rules, name)
        replays[name] = replay_log(log, chosen, run_mode, progress=progress, **options)
    return ReplayComparison(replays[WITHOUT], replays.get("shadow"), replays.get("enforce"))
