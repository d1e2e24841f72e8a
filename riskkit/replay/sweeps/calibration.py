"""`calibrate`: choose limits from a record, and say how far the choice can be trusted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from riskkit._bar import with_bar
from riskkit._check import InputError, confidence_level, one_of, whole_number
from riskkit.replay.events import EventLog
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.sweeps.block_bootstrap import block_law, default_block
from riskkit.replay.sweeps.calibrated import Calibration
from riskkit.replay.sweeps.choice import Choice, Constraint, Objective
from riskkit.replay.sweeps.daily import COLUMNS, DailyRunner, daily_frame, days_of
from riskkit.replay.sweeps.judged import Figures, resample, walk
from riskkit.replay.sweeps.settings import Sampler, Setting, index_of, settings_of, with_setting
from riskkit.replay.sweeps.walk_forward import windows

__all__ = ["calibrate"]

BLOCKED = {"profit": "profit_forgone", "notional": "good_notional_refused"}
MOST_SUMS = 50_000_000  # 400 MB


def calibrate(
    log: EventLog,
    rules: RuleSet,
    grid: Mapping[str, Iterable[Any]] | Sequence[Setting] | Sampler,
    objective: Objective = 1.0,
    constraints: Mapping[str, Constraint] | None = None,
    *,
    blocked: str = "profit",
    horizon_ns: int | None = None,
    train_days: int | None = None,
    test_days: int | None = None,
    window: str = "expanding",
    rng: np.random.Generator | None = None,
    resamples: int = 500,
    block: float | None = None,
    kind: str = "stationary",
    coverage: float = 0.90,
    tz: str = "UTC",
    roll_hour: int = 0,
    orphans: str | None = None,
    on_trip: str = "leave",
    compiled: bool = True,
    threads: int | None = None,
    progress: bool = False,
) -> Calibration:
    """Choose a setting of limits by what it would have saved and spoiled, and test the choice.

    Each setting is replayed once, in enforce mode. A refused order counts on the trading day on which it came: with
    what its recorded fills went on to lose (loss avoided) or to earn (good flow blocked). In each window a setting's
    decisions are those of limits that were in force from the start of the log. Neither the market nor a strategy
    reacts.

    Parameters
    ----------
    log : EventLog
        The record.
    rules : RuleSet
        The limits.
    grid : mapping, list of settings, or Sampler
        As in `sweep`.
    objective : float, str or callable
        A price of blocked flow p, for loss avoided - p x good flow blocked; a column of the outcomes, as large as can
        be ("-column": as small); or a function of the outcomes, one score a setting. Of equal scores the setting that
        blocks less is chosen, then the one that avoids more, then the first.
    constraints : mapping, optional
        Column -> (low, high), None for no bound, or a function of the column; another name -> a function of the whole
        frame. Columns are per trading day (`Calibration.frame`); ``refused_share`` is of the orders that came.
    blocked : {"profit", "notional"}
        Good flow is counted as what refused orders went on to earn, or as the notional of those that earned.
    horizon_ns : int, optional
        A refused order is judged by what its recorded fills were worth this long after it; by default at the end.
    train_days, test_days : int, optional
        Trading days of the first training window and of each test window; without them there is no walk forward. It
        needs a horizon, since prices at the end of the log are not known in a training window.
    window : {"expanding", "rolling"}
        Of training.
    rng : numpy.random.Generator, optional
        Source of the resamples; needed unless ``resamples=0``.
    resamples : int
        Block-bootstrap resamples of the trading days; 0 for none.
    block : float, optional
        Days in a block; by default the cube root of the number of days, or the trading days of a horizon if more.
    kind : {"stationary", "circular"}
        Blocks of random or of one fixed length.
    coverage : float
        Of the percentile intervals.
    tz, roll_hour : str, int
        Where a trading day starts.
    orphans, on_trip, compiled, threads, progress
        As in `sweep`.

    Returns
    -------
    Calibration
        The same for the same Generator, whatever the number of threads.

    Raises
    ------
    InputError
        Where no setting fits a constraint (it says which), the log is empty, has one day and is to be resampled, or
        is too short for the windows; where a walk forward has no horizon; where an argument does not fit.

    References
    ----------
    Politis and Romano (1994), The stationary bootstrap, JASA 89, 1303-1313. Lopez de Prado (2018), Advances in
    Financial Machine Learning, section 7.4.1.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.replay.rule import Rule
    >>> from riskkit.replay.rules import MaxOrderQty
    >>> day = 86_400 * 10**9
    >>> frame = pd.DataFrame({"ts": [0, 1, 2, day, day + 1, day + 2], "kind": ["order", "fill", "price"] * 2,
    ...                       "account": ["A", "A", None] * 2, "instrument": "X", "side": ["B", "B", None] * 2,
    ...                       "qty": [9, 9, None, 4, 4, None], "price": [10, 10, 8, 8, 8, 9],
    ...                       "order_id": ["a", "a", None, "b", "b", None]})
    >>> rules = RuleSet([Rule("size", MaxOrderQty(limit=9))])
    >>> found = calibrate(EventLog.from_frame(frame), rules, {"size.limit": [2, 5, 9]}, horizon_ns=10,
    ...                   rng=np.random.default_rng(1), resamples=20, compiled=False)
    >>> found.chosen
    {'size.limit': 5}
    >>> found.frame[["loss_avoided", "profit_forgone", "on_front"]]
                loss_avoided  profit_forgone  on_front
    size.limit
    2                    9.0             2.0     False
    5                    9.0             0.0      True
    9                    0.0             0.0     False
    """
    choice = Choice(objective, dict(constraints or {}), BLOCKED[one_of(blocked, tuple(BLOCKED), "blocked")])
    resamples = whole_number(resamples, "resamples", at_least=0)
    confidence_level(coverage, "coverage")
    one_of(on_trip, ("leave", "cancel_working"), "on_trip")
    threads = whole_number(os.cpu_count() or 1 if threads is None else threads, "threads")
    if not len(log):
        raise InputError("the log is empty; there is nothing to choose from")
    if (train_days is None) != (test_days is None):
        raise InputError("train_days and test_days go together; give both or neither")
    if train_days is not None and horizon_ns is None:
        raise InputError("a walk forward needs horizon_ns: prices at the end of the log are not known before it")
    settings = settings_of(grid)
    for setting in settings:  # what does not fit is refused before hours of work
        with_setting(rules, setting)
    nothing = np.zeros((1, len(COLUMNS)), np.int64)
    choice.refuse_what_does_not_fit(daily_frame(nothing, 1, 0, 1.0))
    days = days_of(log, tz, roll_hour)
    n_days = len(days.starts)
    if len(settings) * n_days * len(COLUMNS) > MOST_SUMS:
        raise InputError(f"{len(settings):,} settings over {n_days:,} days are too many to hold; give fewer settings")
    over = 0 if horizon_ns is None else int(np.searchsorted(days.starts, days.starts[0] + horizon_ns, "right") - 1)
    block = default_block(n_days, over) if block is None else block
    if resamples:  # the arguments are judged before the replays
        block_law(n_days, rng, block, kind)
    split_at = []
    if train_days is not None and test_days is not None and horizon_ns is not None:
        split_at = windows(days.starts, days.ends, horizon_ns, train_days=train_days, test_days=test_days, kind=window)
    asked = {"orphans": log.about.get("orphans", "keep") if orphans is None else orphans, "on_trip": on_trip}
    one_of(asked["orphans"], ("keep", "clip", "drop"), "orphans")
    runner = DailyRunner(log, rules, days, horizon_ns=horizon_ns, compiled=compiled, **asked)
    sums = np.zeros((len(settings), n_days, len(COLUMNS)), np.int64)
    with closing(runner.run_on_threads(settings, threads)) as steps:  # an interrupt leaves no thread behind
        for place, outcome in with_bar(steps, "calibrate", total=len(settings), unit="setting", wanted=progress):
            sums[place] = outcome["sums"]
    figures = Figures(sums, days, float(log.universe.quantum), index_of(settings, list(settings[0])))
    choice.refuse_where_nothing_fits(figures.frame())
    place = choice.of(figures.frame())
    assert place is not None
    drawn = None
    if resamples and rng is not None:
        drawn = resample(figures, choice, rng, resamples, block=block, kind=kind)
    splits = walk(figures, choice, split_at)
    return Calibration(
        rules, settings, figures, choice, place, drawn, splits, coverage, block, horizon_ns, log.universe.currency
    )
