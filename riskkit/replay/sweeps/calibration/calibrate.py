"""`calibrate`: select limits from recorded events, with bootstrap intervals and walk-forward evaluation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Literal

import numpy as np

from riskkit._bar import with_bar
from riskkit._check import Duration, InputError, confidence_level, instance, one_of, whole_number
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.sweeps.calibration.block_bootstrap import (
    BlockKind,
    automatic_block,
    day_bootstrap,
    resample,
)
from riskkit.replay.sweeps.calibration.calibration_result import Calibration
from riskkit.replay.sweeps.calibration.evidence import evidence_for
from riskkit.replay.sweeps.calibration.objective import Constraint, Objective, Selection
from riskkit.replay.sweeps.calibration.walk_forward import Window, WindowKind, walk, windows
from riskkit.replay.sweeps.grid.settings import Grid, checked_settings, index_of
from riskkit.replay.sweeps.many.daily import COLUMNS, DailyFigures, DailyRunner, Days, daily_frame, days_of
from riskkit.replay.sweeps.many.order_outcome import checked_horizon
from riskkit.replay.sweeps.many.runner import OnTrip, Options, Orphans, checked_orphans, run_on_threads

COST = {"profit": "profit_forgone", "notional": "good_notional_rejected"}
MAX_SUMS = 50_000_000  # 400 MB


def calibrate(
    log: EventLog,
    rules: RuleSet,
    grid: Grid,
    objective: Objective = 1.0,
    constraints: Mapping[str, Constraint] | None = None,
    *,
    cost: Literal["profit", "notional"] = "profit",
    horizon_ns: Duration | None = None,
    train_days: int | None = None,
    test_days: int | None = None,
    window: WindowKind = "expanding",
    embargo_days: int = 0,
    rng: np.random.Generator | None = None,
    resamples: int = 500,
    block: float | None = None,
    kind: BlockKind = "stationary",
    coverage: float = 0.90,
    tz: str = "UTC",
    roll_hour: int = 0,
    orphans: Orphans | None = None,
    on_trip: OnTrip = "leave",
    compiled: bool = True,
    threads: int | None = None,
    progress: bool = False,
) -> Calibration:
    """Select limits by loss avoided against cost, and evaluate the selection.

    Each setting is replayed once, in enforce mode. A rejected order counts on the trading day of the order: with the
    loss (loss avoided) or the profit (cost) that its recorded fills then made, which is hindsight, order by order, and
    does not add up to profit. In each window the decisions of a setting are those of limits in force since the start
    of the log. Neither the market nor a strategy reacts.

    Parameters
    ----------
    log : EventLog
        Recorded events.
    rules : RuleSet
        The limits.
    grid : mapping, list of settings, or Sampler
        As in `sweep`.
    objective : float, str or callable
        A price p: maximise loss avoided - p x cost. A column of the metrics: maximise it ("-column": minimise). Or a
        function of the frame of metrics that returns one score per setting. Ties are broken by lower cost, then by
        more loss avoided, then by grid order.
    constraints : mapping, optional
        Column -> (low, high), None for no bound, or a function of the column; another name -> a function of the full
        frame. Columns are per trading day (`Calibration.frame`); ``rejected_share`` is a fraction of the orders.
    cost : {"profit", "notional"}
        Cost of rejecting good orders: the profit that they then made, or the notional of the profitable ones.
    horizon_ns : str, Timedelta or int, optional
        Nanoseconds after an order at which its recorded fills are valued; by default the end of the log.
    train_days, test_days : int, optional
        Trading days of the first training window and of each test window; without them there is no walk-forward
        evaluation. It needs a horizon, since prices at the end of the log are not known in a training window.
    window : {"expanding", "rolling"}
        Kind of training window. A training day of which an order is valued in the test window is purged.
    embargo_days : int
        Trading days before each test window that are left out of its training window as well, so that what lasts from
        one day to the next is not seen on both sides.
    rng : numpy.random.Generator, optional
        Source of the resamples; needed unless ``resamples=0``.
    resamples : int
        Number of block-bootstrap resamples of the trading days; 0 for none.
    block : float, optional
        Block length of the resampled days, in days; by default the length that Politis and White's rule gives for the
        scores, at least the horizon.
    kind : {"stationary", "circular"}
        Blocks of random or of fixed length.
    coverage : float
        Probability that an interval of a daily mean encloses it, a fraction. Intervals are studentised, and hold for
        skewed and dependent days (figures: `riskkit.replay.sweeps.calibration.mean_interval`); that of the score is
        corrected for choosing among the settings, others are not and say so. An objective that is not a sum over days
        (a function, ``rejected_share``) has none.
    tz, roll_hour : str, int
        Time zone and hour at which a trading day starts.
    orphans, on_trip, compiled, threads, progress
        As in `sweep`.

    Returns
    -------
    Calibration
        Reproducible for the same Generator state, with any number of threads.

    Raises
    ------
    InputError
        If no setting satisfies a constraint (the message names it); if the log is empty, has one day and is to be
        resampled, or is too short for the windows; or if walk-forward evaluation has no horizon.

    References
    ----------
    Politis and Romano (1994), The stationary bootstrap, JASA 89, 1303-1313. White (2000), A reality check for data
    snooping, Econometrica 68, 1097-1126. Hansen (2005), A test for superior predictive ability, JBES 23, 365-380.
    Bailey, Borwein, Lopez de Prado and Zhu (2017), The probability of backtest overfitting, Journal of Computational
    Finance 20(4), 39-69. Lopez de Prado (2018), Advances in Financial Machine Learning, sections 7.4.1 and 7.4.2.

    Examples
    --------
    >>> import riskkit as rk
    >>> log = rk.replay.tiny_log([9, 4], price=[10, 8], marks=[8, 9], spacing_ns=86_400 * 10**9)
    >>> rules = RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=9))])
    >>> found = calibrate(log, rules, {"size.limit": [2, 5, 9]}, horizon_ns=10,
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
    instance(log, EventLog, "log")
    instance(rules, RuleSet, "rules")
    selection = Selection(objective, dict(constraints or {}), COST[one_of(cost, tuple(COST), "cost")])
    selection.check(daily_frame(np.zeros((1, len(COLUMNS)), np.int64), 1, 0, 1.0))
    resamples = whole_number(resamples, "resamples", at_least=0)
    confidence_level(coverage, "coverage")
    threads = whole_number(os.cpu_count() or 1 if threads is None else threads, "threads")
    if not len(log):
        raise InputError("the log is empty; there is nothing to calibrate on")
    settings, horizon_ns = checked_settings(rules, grid, log), checked_horizon(horizon_ns)
    days = days_of(log, tz, roll_hour)
    n_days = len(days.starts)
    if len(settings) * n_days * len(COLUMNS) > MAX_SUMS:
        raise InputError(f"{len(settings):,} settings over {n_days:,} days do not fit in memory; give fewer settings")
    if resamples:
        day_bootstrap(n_days, rng, 1.0 if block is None else block, kind)  # checks its arguments before the replays
    splits = _windows(days, horizon_ns, train_days, test_days, window, embargo_days)
    orphans = checked_orphans(log, orphans, on_trip)
    runner = DailyRunner(log, rules, days, Options("enforce", horizon_ns, False, orphans, on_trip, None, compiled))
    sums = np.zeros((len(settings), n_days, len(COLUMNS)), np.int64)
    with closing(run_on_threads(runner.run, settings, threads)) as steps:  # an interrupt leaves no thread behind
        for i, daily in with_bar(steps, "calibrate", total=len(settings), unit="setting", wanted=progress):
            sums[i] = daily
    figures = DailyFigures(sums, days, float(log.universe.quantum), index_of(settings, list(settings[0])))
    selection.check_feasible(figures.frame())
    row = selection.best(figures.frame())
    assert row is not None
    by_day = {name: figures.daily(name) for name in ("loss_avoided", selection.cost)}
    scores = selection.daily_scores(figures)
    if block is None:
        series = by_day["loss_avoided"] if scores is None else scores
        block = automatic_block(series, kind, at_least=_horizon_days(days, horizon_ns))
    drawn = None
    if resamples and rng is not None:
        drawn = resample(figures, selection, rng, resamples, block=block, kind=kind)
    walked = walk(figures, selection, splits)
    sampling: Any = {"resamples": resamples, "coverage": coverage, "block": block, "kind": kind}
    return Calibration(
        base=rules,
        settings=settings,
        figures=figures,
        selection=selection,
        row=row,
        resamples=drawn,
        splits=walked,
        evidence=evidence_for(by_day, scores, selection.feasible(figures.frame()), walked, rng, **sampling),
        block=block,
        horizon_ns=horizon_ns,
        currency=log.universe.currency,
    )


def _horizon_days(days: Days, horizon_ns: int | None) -> int:
    """Trading days that start within a horizon of the first one."""
    if horizon_ns is None:
        return 0
    return int(np.searchsorted(days.starts, days.starts[0] + horizon_ns, "right") - 1)


def _windows(
    days: Days,
    horizon_ns: int | None,
    train_days: int | None,
    test_days: int | None,
    kind: WindowKind,
    embargo_days: int,
) -> list[Window]:
    """Walk-forward windows; none if neither length is given."""
    embargo_days = whole_number(embargo_days, "embargo_days", at_least=0)
    if train_days is None and test_days is None:
        if embargo_days:
            raise InputError(f"embargo_days={embargo_days} is for a walk-forward; give train_days and test_days")
        return []
    if train_days is None or test_days is None:
        raise InputError("train_days and test_days go together; give both or neither")
    if horizon_ns is None:
        raise InputError(
            "walk-forward evaluation needs horizon_ns: prices at the end of the log are not known before it"
        )
    lengths = {"train_days": train_days, "test_days": test_days, "embargo_days": embargo_days}
    return windows(days.starts, days.ends, horizon_ns, **lengths, kind=kind)
