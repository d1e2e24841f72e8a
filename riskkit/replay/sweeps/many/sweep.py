"""`sweep`: replay one log under many settings of its rules; one row of metrics per setting."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from riskkit._bar import with_bar
from riskkit._check import Duration, InputError, instance, one_of, whole_number
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log_or_its_file
from riskkit.replay.results.result import ORPHANS_ARE
from riskkit.replay.rules.retuned import Setting, split_name, with_setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.trading_day import TradingDay
from riskkit.replay.run.pace import TOUCH, OnTrip, Pace, plain_pace
from riskkit.replay.sweeps.grid.axes import axis_label, axis_values
from riskkit.replay.sweeps.grid.settings import Grid, checked_settings, index_of
from riskkit.replay.sweeps.many.cluster import opened, processes_wanted, run_on_processes
from riskkit.replay.sweeps.many.figures import HINDSIGHT, SUMS_IN_HINDSIGHT, hindsight_rows, with_notes
from riskkit.replay.sweeps.many.metrics import METRICS, TEXTS, Metrics
from riskkit.replay.sweeps.many.order_outcome import checked_horizon, horizon_text
from riskkit.replay.sweeps.many.policies import POLICIES
from riskkit.replay.sweeps.many.runner import (
    Mode,
    Options,
    Orphans,
    Runner,
    Steps,
    checked_orphans,
    run_on_threads,
)
from riskkit.replay.sweeps.one_pass.curve import ThresholdCurve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Policies = Literal["all", "chosen"]


class SweepResult(Exported):
    """Result of `sweep`.

    Attributes
    ----------
    frame : DataFrame
        One row per finished setting, in grid order, indexed by the settings; the columns are those of
        `riskkit.replay.sweeps.many.metrics.METRICS`, without those of `ON_REQUEST` that were not asked for.
    partial : bool
        True if the sweep was interrupted before every setting was finished.
    how : str
        "replays", or "one pass" if one pass gave all thresholds (`riskkit.replay.sweeps.one_pass.observed`).

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=4))])
    >>> found = sweep(rk.replay.tiny_log(), rules, {"size.limit": [1, 4, 9]}, compiled=False)
    >>> found.frame["orders_rejected"].tolist(), found.partial
    ([2, 1, 0], False)
    >>> print(found.rules_of(0)[0].limit_text())
    one order of at most 1 in quantity
    """

    def __init__(
        self,
        log: EventLog,
        rules: RuleSet,
        mode: str,
        settings: list[Setting],
        metrics: dict[int, Metrics],
        horizon_ns: int | None,
        how: str,
        names: Sequence[str],
    ) -> None:
        import pandas as pd

        finished = sorted(metrics)
        self.log = log
        self.rules = rules
        self.mode = mode
        self.settings = [settings[i] for i in finished]
        self.n_requested = len(settings)
        self.horizon_ns = horizon_ns
        self.how = how
        index = index_of(self.settings, list(settings[0]))
        columns = {name: [metrics[i][name] for i in finished] for name in names}
        self.frame = with_notes(pd.DataFrame(columns, index=index))

    @property
    def partial(self) -> bool:
        """True if settings are missing."""
        return len(self.settings) < self.n_requested

    def to_frame(self) -> pd.DataFrame:
        """One row per setting."""
        return self.frame

    def rules_of(self, row: int) -> RuleSet:
        """Rule set of the setting in a row of the frame, to replay it alone."""
        return with_setting(self.rules, self.settings[row])

    def plot(self, ax: Axes | None = None, *, metric: str = "orders_rejected") -> Axes:
        """Plot one metric: markers over one parameter, with its value in the rules marked; a heat map over two.

        Raises
        ------
        InputError
            If more than two parameters vary, or the metric is unknown.
        """
        from riskkit import plot

        one_of(metric, tuple(str(name) for name in self.frame if name not in TEXTS), "metric")
        names = list(self.settings[0]) if self.settings else []
        title = f"{metric.replace('_', ' ').capitalize()} ({self.mode} mode{self._policy(', ')})"
        title += f"\n{HINDSIGHT}" if SUMS_IN_HINDSIGHT.search(metric) else ""
        values = self.frame[metric]
        unit = METRICS[metric].split(";")[0]
        money, fractions = unit.endswith("money"), "fraction" in unit
        label = metric.replace("_", " ") + (f", {self.log.universe.currency}" if money else "")
        if len(names) == 1:
            rule, parameter = split_name(self.rules, names[0])
            places = axis_values(rule, parameter, values.index.tolist())
            if places is None:
                return plot.bars({label: values.to_numpy(float)}, list(values.index), label=label, title=title, ax=ax)
            order = np.argsort(places, kind="stable")
            given = getattr(rule.parameters, parameter)
            now = None if given is None else next(iter(axis_values(rule, parameter, [given]) or ()), None)
            return plot.threshold(
                np.array(places)[order], values.to_numpy(float)[order], now, title=title, label=label, tried=True,
                name=axis_label(rule, parameter, self.log.universe.currency, name=names[0]), fractions=fractions, ax=ax,
            )  # fmt: skip
        if len(names) == 2:
            table = values.unstack(names[1])
            x, y = list(table.columns), list(table.index)
            return plot.heat(table.to_numpy(float), x, y, names=(names[1], names[0]), title=title, ax=ax)
        raise InputError(f"{len(names)} parameters vary; a plot shows one or two")

    def _title(self) -> str:
        return f"Sweep in {self.mode} mode{self._policy(', ')}" + (" (partial: interrupted)" if self.partial else "")

    def _rows(self) -> list[Row]:
        rows: list[Row] = [("settings", len(self.settings), f"of {self.n_requested:,}" if self.partial else "")]
        rows += [("computed by", self.how, ""), ("orders valued at", horizon_text(self.horizon_ns), "")]
        if self.frame.empty:
            return rows
        rows += self._range("orders_rejected", "trips", "profit_change", "drawdown", "drawdown_change")
        rows += self._range("hours_halted_calendar", "hours_halted_trading")
        if self.frame["orphan_exits"].any():
            rows += self._orphan_rows()
        rows += [("never bound in any setting", ", ".join(idle), "")] if (idle := self.never_bound) else []
        return rows + hindsight_rows(self._range("loss_avoided", "profit_forgone"))

    def _orphan_rows(self) -> list[Row]:
        if "policies_agree" not in self.frame:
            exits = int((self.frame["orphan_exits"] > 0).sum())
            return [("settings with orphan exits", exits, "under one policy; policies='all' compares them")]
        differ = int((~self.frame["policies_agree"]).sum())
        rows = self._range(*(f"profit_change_{policy}" for policy in POLICIES))
        return [*rows, ("settings whose sign of profit change depends on the policy", differ, "")]

    @property
    def never_bound(self) -> list[str]:
        """Ids of the rules that neither objected nor tripped in any setting."""
        sets = [set(text.split(", ")) for text in self.frame["never_bound"]]
        return [rule.id for rule in self.rules if sets and all(rule.id in idle for idle in sets)]

    def _policy(self, before: str) -> str:
        """The policy for orphan exits, if the replays have any."""
        if not len(self.frame) or not self.frame["orphan_exits"].any():
            return ""
        return f"{before}orphan exits {ORPHANS_ARE[self.frame['orphans'].iloc[0]]}"

    def _range(self, *names: str) -> list[Row]:
        """The lowest and the highest value of each of these metrics."""
        ends = [(name.replace("_", " "), end, act) for name in names for end, act in (("min", min), ("max", max))]
        return [(f"{label}, {end}", act(self.frame[label.replace(" ", "_")].tolist()), "") for label, end, act in ends]


@needs_a_log_or_its_file
def sweep(
    log: EventLog | str | Path,
    rules: RuleSet,
    grid: Grid,
    mode: Mode = "enforce",
    *,
    horizon_ns: Duration | None = None,
    orphans: Orphans | None = None,
    on_trip: OnTrip = "leave",
    flatten: Pace = TOUCH,
    policies: Policies = "all",
    digests: bool = False,
    account_drawdown: bool = False,
    threads: int | None = None,
    compiled: Tier = "auto",
    progress: bool | None = None,
) -> SweepResult:
    """Replay one log under many settings of its rules; one row of metrics per setting.

    In shadow mode, if one limit varies and the rule's observed values do not depend on it, one pass gives all settings.
    Otherwise each setting is replayed on a thread, with at most `threads` replays in memory. Inside
    ``joblib.parallel_config(backend="dask")`` (or another backend of processes) the settings go to its workers, which
    map the log from disk: give a path that they can read. Frame and digests are the same in every case.

    Parameters
    ----------
    log : EventLog, or path of a log that `EventLog.save` or `EventLog.to_parquet` wrote
        Recorded events.
    rules : RuleSet
        The limits.
    grid : mapping, list of settings, or Sampler
        ``{"rule_id.parameter": [values]}`` for all combinations; a list of ``{"rule_id.parameter": value}``; or
        points of a `Sampler`.
    mode : {"shadow", "enforce"}
        As in `replay_log`.
    horizon_ns : str, Timedelta or int, optional
        Nanoseconds after an order at which its recorded fills are valued; by default the end of the log.
    orphans, on_trip, flatten, compiled
        As in `replay_log`.
    policies : {"all", "chosen"}
        "all": a setting with orphan exits is replayed under every policy for them, which makes three replays of one;
        "chosen": under the policy `orphans` alone, without the columns that compare policies.
    digests : bool
        Add the digest of each setting. Without digests, many thresholds from one pass are almost free.
    account_drawdown : bool
        Add the largest drawdown of one account. It values every account at every price; the total needs no more than
        the net position in each instrument.
    threads : int, optional
        Number of concurrent replays; by default the number of cores.
    progress : bool, optional
        Show a progress bar with an estimate of the time left (needs tqdm): True always, False never, None after a second
        on a terminal and in a notebook.

    Returns
    -------
    SweepResult
        What a setting is worth is what its replay did: profit, drawdowns after every event, trading days of the rules'
        own zone. Loss avoided and profit forgone are
        hindsight, order by order: each refused order is valued as if it were the only one, so they exceed the book and
        do not add up to profit; ``profit_change`` does.
        An interrupt (Ctrl-C) ends the sweep early: the result has the finished settings and is marked partial.

    Raises
    ------
    InputError
        If the grid names no parameter of these rules, a value does not fit, or the accounts have several currencies.

    Examples
    --------
    >>> import riskkit as rk
    >>> log = rk.replay.tiny_log([5, 2], price=10, marks=8)
    >>> rules = RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=9))])
    >>> found = sweep(log, rules, {"size.limit": [1, 3, 9]}, compiled=False)
    >>> found.frame[["orders_rejected", "profit", "good_rejections", "loss_avoided"]]
                orders_rejected  profit  good_rejections  loss_avoided
    size.limit
    1                         2     0.0                2          14.0
    3                         1    -4.0                1          10.0
    9                         0   -14.0                0           0.0
    """
    instance(rules, RuleSet, "rules")
    one_of(mode, get_args(Mode), "mode")
    n_threads = whole_number(os.cpu_count() or 1 if threads is None else threads, "threads")
    path, log = (None, log) if isinstance(log, EventLog) else (Path(log), opened(Path(log), check=True))
    settings = checked_settings(rules, grid, log)
    orphans = checked_orphans(log, orphans)
    horizon_ns = checked_horizon(horizon_ns)
    one_of(policies, get_args(Policies), "policies")
    days, asked = TradingDay.of(rules), (digests, account_drawdown, policies == "all")
    options = Options(mode, horizon_ns, orphans, on_trip, plain_pace(flatten), compiled, *days, *asked, len(settings))
    curve = _curve(log, rules, settings, options)
    steps: Steps
    if curve is not None:
        thresholds = [next(iter(setting.values())) for setting in settings]
        steps = Runner(log, rules, options).run_at_once(curve, thresholds)
    elif processes_wanted():
        steps = run_on_processes(log, path, rules, settings, options)
    else:
        steps = run_on_threads(Runner(log, rules, options).run, settings, n_threads)
    metrics: dict[int, Metrics] = {}
    try:
        for i, row in with_bar(steps, "sweep", total=len(settings), unit="setting", wanted=progress):
            metrics[i] = row
    except KeyboardInterrupt:
        steps.close()  # finished settings are returned, marked partial
    return SweepResult(
        log, rules, mode, settings, metrics, horizon_ns, "one pass" if curve is not None else "replays", options.names
    )


def _curve(log: EventLog, rules: RuleSet, settings: list[Setting], options: Options) -> ThresholdCurve | None:
    """Threshold curve that gives every setting, or None: needs shadow mode and one varied limit.

    With several rules the rejections are known too, but not the rows of all rules together, so there is no digest.
    """
    names = list(settings[0])
    if options.mode != "shadow" or len(names) != 1 or len(settings) < 2 or (options.digests and len(rules) > 1):
        return None
    rule, parameter = split_name(rules, names[0])
    if parameter not in rule.parameters._fields or any(setting[names[0]] is None for setting in settings):
        return None
    curve = ThresholdCurve(log, rule, parameter, compiled=options.compiled)
    return curve if curve.exact else None
