"""Sweeps over one real log: all thresholds of a limit at once, and many settings on all cores.

The log is the exchange's floorsheet of a month (1.66 million trades as orders and fills) where it is there, else a
synthetic twin of its size; `TRADES` in the environment takes fewer. Answers are asserted equal before they are timed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._bench import Bound, Row
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.floorsheet import log_from_trades, synthetic_floorsheet
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.sweeps.many.sweep import sweep
from riskkit.replay.sweeps.one_pass.curve import ThresholdCurve
from riskkit.rules import MaxOrderQty, OrderRate, VolumeCap

REAL = Path(__file__).parents[1].parent / "shared" / "data" / "local" / "nepse_floorsheet_2024-06-16_07-17.parquet"
TRADES = int(os.environ.get("TRADES", 1_658_484))
THRESHOLDS = 1_000
CHECKED = 7  # of them, each against its own replay
SETTINGS = 200
SIZE = Rule("size", MaxOrderQty(limit=1_000))
RATE = Rule("rate", OrderRate(limit=50, window_ns="1s"))
CAP = Rule("cap", VolumeCap(limit=1_000_000))


def record() -> EventLog:
    """The floorsheet as a log, or its twin."""
    if REAL.exists():
        trades = pd.read_parquet(REAL).head(TRADES)
        names = {"ts": "time", "buyer": "buyer_broker", "seller": "seller_broker", "quantity": "qty"}
        return log_from_trades(trades, **names)
    return log_from_trades(synthetic_floorsheet(1, trades=TRADES))


def rows(only: str = "") -> Iterator[Row | Bound]:
    """``--only thresholds``, ``setting``, ``threads`` or ``dask``; all where nothing is said."""
    log = record()
    parts: dict[str, Callable[[EventLog], Iterator[Row | Bound]]] = {
        "thresholds": thresholds,
        "setting": setting,
        "threads": threads,
        "dask": dask,
    }
    for name, part in parts.items():
        if only in ("", name):
            yield from part(log)


def thresholds(log: EventLog) -> Iterator[Row | Bound]:
    """1,000 shadow thresholds from one pass, against one replay of the same rule."""
    for rule, most, aim in ((SIZE, 20_000, 2.0), (CAP, 5_000_000, 2.0), (RATE, 1_000, 25.0)):
        limits = np.unique(np.linspace(1, most, THRESHOLDS).round().astype(int)).tolist()
        curve = ThresholdCurve(log, rule, "limit")
        for limit in limits[:: len(limits) // CHECKED]:
            result = replay_log(log, curve.with_threshold(limit))
            assert (curve.rejections(limit) == result.rejections()["seq"]).all()
            assert curve.digest(limit) == result.digest

        def at_once(rule: Rule = rule, limits: list[int] = limits) -> None:
            ThresholdCurve(log, rule, "limit").counts(limits)

        def once(rule: Rule = rule) -> None:
            replay_log(log, RuleSet([rule]))

        ours, other = _least(at_once, once)
        yield Row(f"{len(limits):,} thresholds of {rule.type}", ours, other, "one replay", aim, at_least=False)


def setting(log: EventLog) -> Iterator[Row | Bound]:
    """A setting of an enforce sweep with its metrics, on one thread, against one enforce replay."""
    rules, settings = _enforced()
    settings, first = settings[: SETTINGS // 10], settings[:1]
    chosen = with_setting(rules, settings[-1])

    def once() -> None:
        replay_log(log, chosen, "enforce", compiled=True)

    for policies, aim in (("chosen", 1.3), ("all", 3.9)):

        def swept(given: list[dict[str, Any]], policies: Any = policies) -> None:
            sweep(log, rules, given, policies=policies, threads=1)

        swept(first)  # compiles
        many, shared, other = _least(lambda: swept(settings), lambda: swept(first), once)
        ours = (many - shared) / (len(settings) - 1)
        yield Row(f"a setting of an enforce sweep, policies={policies!r}", ours, other, "one replay", aim, False)


def threads(log: EventLog) -> Iterator[Row | Bound]:
    """An enforce sweep on one core and on two, each setting's digest that of its own replay."""
    rules, settings = _enforced()
    found: dict[int, Any] = {}

    def on(cores: int) -> None:
        found[cores] = sweep(log, rules, settings, threads=cores, digests=True).frame

    sweep(log, rules, settings[:2])  # compiles
    two, one = _least(lambda: on(2), lambda: on(1), repeat=1)
    pd.testing.assert_frame_equal(found[1], found[2])
    for place in range(0, SETTINGS, SETTINGS // 4):
        again = replay_log(log, with_setting(rules, settings[place]), "enforce")
        assert again.digest == found[2]["digest"].iloc[place]
    yield Row(f"enforce sweep of {SETTINGS} settings, two threads", two, one, "one thread", 1.7)


def dask(log: EventLog) -> Iterator[Row | Bound]:
    """The same sweep under two worker processes of dask: the same frame."""
    try:
        import joblib
        from dask.distributed import Client, LocalCluster
    except ImportError:
        return
    rules, settings = _enforced()
    here = sweep(log, rules, settings).frame
    local = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(host="127.0.0.1", **local) as cluster, Client(cluster):
        with joblib.parallel_config(backend="dask"):
            start = time.perf_counter()
            there = sweep(log, rules, settings).frame
            taken = time.perf_counter() - start
    pd.testing.assert_frame_equal(there, here)
    yield Bound(f"enforce sweep of {SETTINGS} settings, two dask workers", taken, 600, "s")


def _enforced() -> tuple[RuleSet, list[dict[str, Any]]]:
    settings = [{"size.limit": 100 * k, "rate.limit": 20 + k % 50} for k in range(1, SETTINGS + 1)]
    return RuleSet([SIZE, RATE]), settings


def _least(*functions: Callable[[], Any], repeat: int = 3) -> list[float]:
    """Least time of each, in turn."""
    times = [float("inf")] * len(functions)
    for _ in range(repeat):
        for place, function in enumerate(functions):
            start = time.perf_counter()
            function()
            times[place] = min(times[place], time.perf_counter() - start)
    return times
