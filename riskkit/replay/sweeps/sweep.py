"""`sweep`: one log under many settings of its rules -> a frame indexed by the settings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._bar import with_bar
from riskkit._check import InputError, one_of
from riskkit._show import Row, Shown
from riskkit.replay.events import EventLog
from riskkit.replay.parameters import duration_text
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.sweeps.cluster import processes_wanted, run_on_processes
from riskkit.replay.sweeps.curve import Curve
from riskkit.replay.sweeps.outcome import OUTCOMES
from riskkit.replay.sweeps.runner import Runner, Steps
from riskkit.replay.sweeps.settings import Sampler, Setting, index_of, settings_of, split_name, with_setting

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SweepResult", "sweep"]


class SweepResult(Shown):
    """The answer of `sweep`.

    Attributes
    ----------
    frame : DataFrame
        One row a setting that was finished, in the order of the grid, indexed by the settings; the columns are those
        of `riskkit.replay.sweeps.outcome.OUTCOMES`.
    partial : bool
        True where it was interrupted before every setting was finished.
    how : str
        "replays", or "one pass" where all thresholds came from one (`riskkit.replay.sweeps.observed`).

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [1, 9, 2], "price": 10})
    >>> log = rk.EventLog.from_frame(frame)
    >>> rules = rk.RuleSet([rk.Rule("size", rk.MaxOrderQty(limit=4))])
    >>> found = sweep(log, rules, {"size.limit": [1, 4, 9]}, compiled=False)
    >>> found.frame["orders_refused"].tolist(), found.partial
    ([2, 1, 0], False)
    >>> print(found.rules_of(0)[0].limits())
    one order of at most 1 in quantity
    """

    def __init__(
        self,
        log: EventLog,
        rules: RuleSet,
        mode: str,
        settings: list[Setting],
        outcomes: dict[int, dict[str, Any]],
        horizon_ns: int | None,
        how: str,
    ) -> None:
        self.log = log
        self.rules = rules
        self.mode = mode
        self.settings = [settings[place] for place in sorted(outcomes)]
        self.asked = len(settings)
        self.horizon_ns = horizon_ns
        self.how = how
        self.frame = _frame(settings, outcomes)

    @property
    def partial(self) -> bool:
        """Whether settings are missing."""
        return len(self.settings) < self.asked

    def to_frame(self) -> pd.DataFrame:
        """One row a setting."""
        return self.frame

    def rules_of(self, place: int) -> RuleSet:
        """The rule set of the setting in a row of the frame, to replay it alone."""
        return with_setting(self.rules, self.settings[place])

    def plot(self, ax: Any = None, *, outcome: str = "orders_refused") -> Any:
        """Draw one outcome: a curve over one threshold, a heat map over two.

        Raises
        ------
        InputError
            Where more than two were varied, or there is no such outcome.
        """
        from riskkit import plot

        one_of(outcome, tuple(name for name in OUTCOMES if name != "digest"), "outcome")
        names = list(self.settings[0]) if self.settings else []
        title = f"{outcome.replace('_', ' ').capitalize()} ({self.mode} mode)"
        if len(names) == 1:
            x = self.frame.index.get_level_values(0)
            order = np.argsort(x.to_numpy())
            return plot.threshold(
                x.to_numpy()[order], self.frame[outcome].to_numpy()[order], None, name=names[0], title=title, ax=ax
            )
        if len(names) == 2:
            table = self.frame[outcome].unstack(names[1])
            return plot.heat(
                table.to_numpy(float),
                list(table.columns),
                list(table.index),
                names=(names[1], names[0]),
                title=title,
                ax=ax,
            )
        raise InputError(f"{len(names)} parameters were varied; a picture shows one or two")

    def _title(self) -> str:
        return f"Sweep in {self.mode} mode" + (" (partial: it was interrupted)" if self.partial else "")

    def _rows(self) -> list[Row]:
        until = "the end of the log" if self.horizon_ns is None else f"{duration_text(self.horizon_ns)} after the order"
        rows: list[Row] = [("settings", len(self.settings), f"of {self.asked:,}" if self.partial else "")]
        rows += [("found by", self.how, ""), ("refusals judged by prices at", until, "")]
        for name in ("orders_refused", "trips", "profit_change", "drawdown_change", "loss_avoided", "profit_forgone"):
            found = self.frame[name].tolist()
            if found:
                said = name.replace("_", " ")
                rows += [(f"{said}, least", min(found), ""), (f"{said}, most", max(found), "")]
        return rows


def sweep(
    log: EventLog | str | Path,
    rules: RuleSet,
    grid: Mapping[str, Iterable[Any]] | Sequence[Setting] | Sampler,
    mode: str = "enforce",
    *,
    horizon_ns: int | None = None,
    orphans: str | None = None,
    on_trip: str = "leave",
    sample_ns: int | None = None,
    digests: bool = True,
    threads: int | None = None,
    compiled: bool = True,
    progress: bool = False,
) -> SweepResult:
    """Replay one log under many settings of its rules, and put what each did into one row.

    In shadow mode, where one limit is varied and what its rule sees does not depend on it, all settings come from one
    pass; else each is replayed, on threads, in memory for as many replays as there are threads. Inside
    ``joblib.parallel_config(backend="dask")`` (or another one of processes) the settings go to its workers, which map
    the log from disk: give a path that they see. The frame and the digests are the same.

    Parameters
    ----------
    log : EventLog, or path of one that `EventLog.save` or `EventLog.to_parquet` wrote
        The record.
    rules : RuleSet
        The limits.
    grid : mapping, list of settings, or Sampler
        ``{"rule_id.parameter": [values]}`` for every combination; a list of ``{"rule_id.parameter": value}``; or
        points drawn by a `Sampler`.
    mode : {"shadow", "enforce"}
        As in `replay_log`.
    horizon_ns : int, optional
        A refused order is judged by what its recorded fills were worth this long after it; by default at the end.
    orphans, on_trip, compiled
        As in `replay_log`.
    sample_ns : int, optional
        Spacing of the samples of profit in nanoseconds; by default one that suits the log.
    digests : bool
        Whether each setting's digest is found. Without them, many thresholds from one pass cost next to nothing.
    threads : int, optional
        How many replays run at once; by default as many as there are cores.
    progress : bool
        Show a bar (with tqdm, if it is installed).

    Returns
    -------
    SweepResult
        An interrupt (Ctrl-C) ends it early: the answer has the settings that were finished and is marked partial.

    Raises
    ------
    InputError
        Where the grid names no parameter of these rules, or a value does not fit.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.replay.rule import Rule
    >>> from riskkit.replay.rules import MaxOrderQty
    >>> frame = pd.DataFrame({"ts": range(5), "kind": ["order", "fill", "order", "fill", "price"],
    ...                       "account": ["A"] * 4 + [None], "instrument": "X", "side": ["B"] * 4 + [None],
    ...                       "qty": [5, 5, 2, 2, None], "price": [10, 10, 10, 10, 8],
    ...                       "order_id": ["a", "a", "b", "b", None]})
    >>> rules = RuleSet([Rule("size", MaxOrderQty(limit=9))])
    >>> found = sweep(EventLog.from_frame(frame), rules, {"size.limit": [1, 3, 9]}, compiled=False)
    >>> found.frame[["orders_refused", "profit", "right", "loss_avoided"]]
                orders_refused  profit  right  loss_avoided
    size.limit
    1                        2     0.0      2          14.0
    3                        1    -4.0      1          10.0
    9                        0   -14.0      0           0.0
    """
    one_of(mode, ("shadow", "enforce"), "mode")
    one_of(on_trip, ("leave", "cancel_working"), "on_trip")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise InputError(f"threads={threads!r} is not a number of threads above zero")
    settings = settings_of(grid)
    for setting in settings:  # what does not fit is refused before hours of work
        with_setting(rules, setting)
    path, log = (None, log) if isinstance(log, EventLog) else (Path(log), _opened(Path(log)))
    orphans = one_of(
        log.about.get("orphans", "keep") if orphans is None else orphans, ("keep", "clip", "drop"), "orphans"
    )
    options = {"orphans": orphans, "on_trip": on_trip, "sample_ns": sample_ns, "compiled": compiled}
    asked: dict[str, Any] = {"mode": mode, "horizon_ns": horizon_ns, "digests": digests, **options}
    curve = _curve(log, rules, settings, mode, digests, compiled)
    outcomes: dict[int, dict[str, Any]] = {}
    if curve is not None:
        thresholds = [next(iter(setting.values())) for setting in settings]
        steps: Steps = Runner(log, rules, **asked).run_at_once(curve, thresholds)
    elif processes_wanted():
        steps = run_on_processes(log, path, rules, settings, asked)
    else:
        steps = Runner(log, rules, **asked).run_on_threads(settings, threads or os.cpu_count() or 1)
    try:
        for place, outcome in with_bar(steps, "sweep", total=len(settings), unit="setting", wanted=progress):
            outcomes[place] = outcome
    except KeyboardInterrupt:
        steps.close()  # what is finished is the answer, marked partial
    return SweepResult(log, rules, mode, settings, outcomes, horizon_ns, "one pass" if curve is not None else "replays")


def _opened(path: Path) -> EventLog:
    return EventLog.open(path) if path.is_dir() else EventLog.from_parquet(path)


def _curve(
    log: EventLog, rules: RuleSet, settings: list[Setting], mode: str, digests: bool, compiled: bool
) -> Curve | None:
    """The curve that tells every setting, if there is one: one limit varied, in shadow mode.

    With other rules beside it the refusals are known too, but not the rows of all rules together, so no digest.
    """
    names = list(settings[0])
    if mode != "shadow" or len(names) != 1 or len(settings) < 2 or (digests and len(rules) > 1):
        return None
    rule, parameter = split_name(rules, names[0])
    if parameter not in rule.parameters._fields or any(setting[names[0]] is None for setting in settings):
        return None
    curve = Curve(log, rule, parameter, compiled=compiled)
    return curve if curve.exact else None


def _frame(settings: list[Setting], outcomes: dict[int, dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    done = sorted(outcomes)
    index = index_of([settings[place] for place in done], list(settings[0]))
    return pd.DataFrame({name: [outcomes[place][name] for place in done] for name in OUTCOMES}, index=index)
