"""`compare`: one log without limits and with them, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from riskkit._check import one_of
from riskkit.replay.comparison import WITHOUT, Comparison
from riskkit.replay.events import EventLog
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.run import replay_log
from riskkit.replay.timeline import Timeline

__all__ = ["compare"]


def compare(
    log: EventLog,
    rules: RuleSet,
    modes: Sequence[str] = ("shadow", "enforce"),
    *,
    orphans: str | None = None,
    on_trip: str = "leave",
    sample_ns: int | None = None,
    compiled: bool = True,
    progress: bool = False,
) -> Comparison:
    """Replay a log without limits and with them, and put the answers side by side.

    Parameters
    ----------
    log : EventLog
        The record.
    rules : RuleSet
        The limits.
    modes : sequence of {"shadow", "enforce"}
        What to run beside the replay without limits.
    orphans, on_trip, compiled
        As in `replay_log`.
    sample_ns : int, optional
        Spacing of the samples of profit in nanoseconds; by default one that suits the log, at most a UTC day.
    progress : bool
        Show a bar (with tqdm, if it is installed).

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        Where a mode is not one of the two, or none is given.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.replay.rule import Rule
    >>> from riskkit.replay.rules import PositionLimit
    >>> frame = pd.DataFrame({"ts": range(4), "kind": ["order", "fill", "price", "price"], "account": ["A", "A", None, None],
    ...                       "instrument": "X", "side": ["B", "B", None, None], "qty": [5, 5, None, None],
    ...                       "price": [10, 10, 12, 9], "order_id": ["a", "a", None, None]})
    >>> found = compare(EventLog.from_frame(frame), RuleSet([Rule("size", PositionLimit(limit=4))]), compiled=False)
    >>> found.to_frame().loc[["refused", "profit"], ["without limits", "shadow", "enforce"]]
            without limits shadow enforce
    measure
    refused              0      1       1
    profit            -5.0   -5.0     0.0
    """
    for mode in modes:
        one_of(mode, ("shadow", "enforce"), "modes")
    spacing = Timeline.of(log.columns["ts"]).spacing if sample_ns is None else sample_ns
    replays = {}
    names = [WITHOUT, *dict.fromkeys(modes)]
    for name in _steps(names, progress):
        replays[name] = replay_log(
            log,
            RuleSet([]) if name == WITHOUT else rules,
            "shadow" if name == WITHOUT else name,
            orphans=orphans,
            on_trip=on_trip,
            sample_ns=spacing,
            compiled=compiled,
            progress=progress,
        )
    return Comparison(replays[WITHOUT], replays.get("shadow"), replays.get("enforce"))


def _steps(names: list[str], progress: bool) -> Iterator[str]:
    """The replays one after the other, with a bar on a terminal: a first run compiles, which takes seconds each."""
    bar = None
    if progress:
        try:
            from tqdm.auto import tqdm

            bar = tqdm(total=len(names), leave=False, disable=None)
        except ImportError:
            bar = None
    for name in names:
        if bar is not None:
            bar.set_description(f"compile and replay: {name}")
        yield name
        if bar is not None:
            bar.update()
    if bar is not None:
        bar.close()
