"""`calibrate`: select limits from recorded events, with bootstrap intervals and walk-forward evaluation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from riskkit._bar import with_bar
from riskkit._check import Duration, InputError, instance, one_of, probability, whole_number
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.rules.retuned import Setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.trading_day import TradingDay
from riskkit.replay.run.pace import TOUCH, OnTrip, Pace, plain_pace
from riskkit.replay.sweeps.calibration.block_bootstrap import BlockKind, automatic_block, day_bootstrap, resample
from riskkit.replay.sweeps.calibration.calibration_result import Calibration
from riskkit.replay.sweeps.calibration.evidence import evidence_for
from riskkit.replay.sweeps.calibration.objective import Constraint, Objective, Selection
from riskkit.replay.sweeps.calibration.walk_forward import Evaluated, State, Window, WindowKind, walk, windows
from riskkit.replay.sweeps.grid.settings import Grid, checked_settings, index_of
from riskkit.replay.sweeps.many.daily import DailyFigures, DailyRunner, daily_frame
from riskkit.replay.sweeps.many.days import SUMS, Days, Measured
from riskkit.replay.sweeps.many.figures import FIGURES
from riskkit.replay.sweeps.many.order_outcome import checked_horizon
from riskkit.replay.sweeps.many.policies import POLICIES, Policy
from riskkit.replay.sweeps.many.runner import Measure, Options, Orphans, checked_orphans, run_on_threads

if TYPE_CHECKING:
    import pandas as pd

MAX_SUMS = 50_000_000  # 400 MB


@needs_a_log
def calibrate(
    log: EventLog,
    rules: RuleSet,
    grid: Grid,
    objective: Objective = "profit_change",
    constraints: Mapping[str, Constraint] | None = None,
    *,
    horizon_ns: Duration | None = None,
    train_days: int | None = None,
    test_days: int | None = None,
    window: WindowKind = "expanding",
    embargo_days: int = 0,
    state: State = "carried",
    rng: np.random.Generator | None = None,
    resamples: int = 500,
    block: float | None = None,
    kind: BlockKind = "stationary",
    coverage: float = 0.90,
    tz: str | None = None,
    roll_hour: int | None = None,
    orphans: Orphans | None = None,
    on_trip: OnTrip = "leave",
    flatten: Pace = TOUCH,
    compiled: Tier = "auto",
    threads: int | None = None,
    progress: bool | None = None,
) -> Calibration:
    """Select limits by what their enforced replays did, and evaluate the selection.

    Each setting is replayed once in enforce mode, and under every policy for orphan exits if it has any. What it is worth
    is what that replay did, by trading day: profit, drawdown, worst day, expected shortfall of days, halted time. Neither
    the market nor a strategy reacts. What the recorded fills of the rejected orders then earned or lost is given beside,
    as an explanation: it is hindsight, order by order, and does not add up to profit.

    Parameters
    ----------
    log : EventLog
        Recorded events.
    rules : RuleSet
        The limits.
    grid : mapping, list of settings, or Sampler
        As in `sweep`.
    objective : str or callable
        A figure of the enforced replays (`riskkit.replay.sweeps.many.figures.ENFORCED`): a gain, to be maximised
        ("profit"), or a loss or a cost, to be minimised ("-drawdown"); the other way round is refused. Or a function of
        the frame of figures that returns one score per setting. Ties are broken by a smaller drawdown, then by fewer
        rejected orders, then by grid order.
    constraints : mapping, optional
        Column -> (low, high), None for no bound, or a function of the column; another name -> a function of the full
        frame. Amounts and counts are per trading day, drawdowns and the worst days are not (`Calibration.frame`);
        ``rejected_share`` is a fraction of the orders, ``good_flow_blocked`` of the notional of the orders whose
        recorded fills then earned money.
    horizon_ns : str, Timedelta or int, optional
        Nanoseconds after an order at which its recorded fills are valued for hindsight; by default the end of the log.
    train_days, test_days : int, optional
        Trading days of the first training window and of each test window; without them there is no walk-forward
        evaluation. With a constraint or a function that reads hindsight it needs a horizon, since prices at the end of
        the log are not known in a training window.
    window : {"expanding", "rolling"}
        Kind of training window. A training day of which an order is valued in the test window is purged.
    embargo_days : int
        Trading days before each test window that are left out of its training window as well, so that what lasts from
        one day to the next is not seen on both sides.
    state : {"carried", "fresh"}
        What a limit knows at the start of a window of the walk-forward evaluation. Carried: limits are in force since the
        start of the log, so a latch that tripped before refuses in the window. Fresh: in each window the limits come into
        force with the recorded book, and remember nothing.
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
    tz, roll_hour : str, int, optional
        Time zone and hour at which a trading day starts; by default those of the rules.
    orphans, on_trip, flatten, compiled, threads, progress
        As in `sweep`. The selection is made under the policy `orphans`. Positions are not flattened in windows with
        fresh state.

    Returns
    -------
    Calibration
        Reproducible for the same Generator state, with any number of threads.

    Raises
    ------
    InputError
        If the objective is a price or hindsight; if no setting satisfies a constraint (the message names it); if the log
        is empty, has one day and is to be resampled, or is too short for the windows; or if a walk-forward evaluation
        that reads hindsight has no horizon.

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
    >>> found = calibrate(log, rules, {"size.limit": [2, 5, 9]}, rng=np.random.default_rng(1), resamples=20,
    ...                   compiled=False)
    >>> found.chosen
    {'size.limit': 5}
    >>> found.frame[["profit_change", "drawdown", "loss_avoided", "on_front"]]
                profit_change  drawdown  loss_avoided  on_front
    size.limit
    2                     2.5       0.0           4.5     False
    5                     4.5       0.0           4.5      True
    9                     0.0      18.0           0.0     False
    """
    instance(rules, RuleSet, "rules")
    selection = Selection(objective, dict(constraints or {}))
    selection.check(_no_figures())
    one_of(state, get_args(State), "state")
    if state == "fresh" and on_trip == "flatten":
        raise InputError(
            "state='fresh' begins windows in the middle of the log, where on_trip='flatten' is not known; use 'carried'"
        )
    resamples = whole_number(resamples, "resamples", at_least=0)
    probability(coverage, "coverage")
    threads = whole_number(os.cpu_count() or 1 if threads is None else threads, "threads")
    if not len(log):
        raise InputError("the log is empty; there is nothing to calibrate on")
    settings, horizon_ns = checked_settings(rules, grid, log), checked_horizon(horizon_ns)
    orphans = checked_orphans(log, orphans)
    day = TradingDay.of(rules, tz, roll_hour)
    options = Options(
        "enforce", horizon_ns, orphans, on_trip, plain_pace(flatten), compiled, *day, settings=len(settings)
    )
    measure = Measure(log, options)
    days = measure.days
    n_days = len(days.starts)
    if len(settings) * n_days * len(SUMS) > MAX_SUMS:
        raise InputError(f"{len(settings):,} settings over {n_days:,} days do not fit in memory; give fewer settings")
    if resamples:
        day_bootstrap(n_days, rng, 1.0 if block is None else block, kind)  # checks its arguments before the replays
    if horizon_ns is None and selection.needs_hindsight and train_days is not None and test_days is not None:
        raise InputError(
            "walk-forward evaluation with a constraint or function that may read hindsight needs horizon_ns: prices at "
            "the end of the log are not known before it"
        )
    parts = _windows(days, horizon_ns, train_days, test_days, window, embargo_days)
    runner = DailyRunner(measure, rules)
    found: dict[int, tuple[dict[Policy, Measured], int]] = {}
    with closing(run_on_threads(runner.run, settings, threads)) as steps:  # an interrupt leaves no thread behind
        for i, one in with_bar(steps, "calibrate", total=len(settings), unit="setting", wanted=progress):
            found[i] = one
    labels = index_of(settings, list(settings[0]))
    by_policy = {
        policy: DailyFigures(*_stacked(found[i][0][policy] for i in range(len(settings))), measure.record, labels)
        for policy in POLICIES
    }
    figures = by_policy[orphans]
    selection.check_feasible(figures.frame())
    row = selection.best(figures.frame())
    assert row is not None
    evaluated = (_evaluated(one, figures, runner, settings, state) for one in parts)
    daily = {"profit_change": figures.daily("profit_change")}
    scores = selection.daily_scores(figures)
    if block is None:
        series = daily["profit_change"] if scores is None else scores
        block = automatic_block(series, kind, at_least=_horizon_days(days, horizon_ns))
    drawn = None
    if resamples and rng is not None:
        drawn = resample(figures, selection, rng, resamples, block=block, kind=kind)
    walked = walk(evaluated, figures.record_frame, selection)
    sampling: Any = {"resamples": resamples, "coverage": coverage, "block": block, "kind": kind}
    return Calibration(
        log=log,
        base=rules,
        settings=settings,
        by_policy=by_policy,
        orphan_exits=tuple(found[i][1] for i in range(len(settings))),
        orphans=orphans,
        on_trip=on_trip,
        flatten=flatten,
        selection=selection,
        row=row,
        resamples=drawn,
        splits=walked,
        evidence=evidence_for(daily, scores, selection.feasible(figures.frame()), walked, rng, **sampling),
        state=state,
        block=block,
        horizon_ns=horizon_ns,
        day=day,
        compiled=compiled,
    )


def _no_figures() -> pd.DataFrame:
    """A frame of the right columns."""
    import pandas as pd

    return pd.DataFrame(dict.fromkeys(FIGURES, [0.0]))


def _stacked(found: Iterable[Measured]) -> tuple[np.ndarray, np.ndarray]:
    """The sums and paths of all settings."""
    sums, paths = zip(*found, strict=True)
    return np.stack(sums), np.stack(paths)


def _evaluated(
    window: Window, figures: DailyFigures, runner: DailyRunner, settings: list[Setting], state: State
) -> Evaluated:
    """Figures of all settings over the windows of a split, from limits with carried or fresh state."""
    frames = []
    for first, last in ((window.train_from, window.known_to), (window.test_from, window.test_to)):
        frame = figures.frame(first, last)
        if state == "fresh" and first > 0:
            start = runner.start(first)
            found = Measured(*_stacked(runner.run_from(setting, start, first, last) for setting in settings))
            frame = daily_frame(figures.record.over(first, last), found, np.arange(last - first), figures.labels)
        frames.append(frame)
    return Evaluated(window, *frames)


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
    lengths = {"train_days": train_days, "test_days": test_days, "embargo_days": embargo_days}
    return windows(days.starts, days.ends, horizon_ns or 0, **lengths, kind=kind)
