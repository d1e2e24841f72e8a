"""Sweeps: each setting equals its own replay, on threads, from one pass and in other processes; interrupts are whole."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from naive.sweep import earned
from replay.sweeps.test_utilization import single
from streams import random_log

from riskkit import EventLog, InputError, Rule, RuleSet, replay_log
from riskkit.replay.engine.compiler import cache_folder
from riskkit.replay.rules.retuned import with_setting
from riskkit.replay.run.replay_log import Stage
from riskkit.replay.schema.columns import DecisionCode, EventKind
from riskkit.replay.sweeps.grid.settings import Sampler, settings_of
from riskkit.replay.sweeps.many import runner as runners
from riskkit.replay.sweeps.many.metrics import METRICS, ON_REQUEST
from riskkit.replay.sweeps.many.order_outcome import order_outcomes
from riskkit.replay.sweeps.many.sweep import sweep
from riskkit.rules import DrawdownLimit, MaxOrderQty, OrderRate, PositionLimit

RULES = RuleSet(
    [
        Rule("size", PositionLimit(limit=8)),
        Rule("rate", OrderRate(limit=3, window_ns="800s")),
        Rule("fall", DrawdownLimit(money=50)),
    ]
)
GRID = {"size.limit": [2, 9], "fall.money": [10, 200]}
SPACING = 3_600_000_000_000


def log_of(seed: int = 3, events: int = 240) -> EventLog:
    return single(random_log(seed, events))


# ---------------------------------------------------------------------- settings


def test_a_grid_a_list_and_a_sampler():
    grid = settings_of(GRID)
    assert [tuple(setting.values()) for setting in grid] == [(2, 10), (2, 200), (9, 10), (9, 200)]
    assert settings_of(grid) == grid
    assert settings_of({"size.limit": np.array([2, 9])}) == [{"size.limit": 2}, {"size.limit": 9}]
    for method in ("sobol", "halton", "latin_hypercube"):
        sampler = Sampler({"size.limit": (1, 9), "fall.money": (0.5, 2.0)}, 20, seed=4, method=method)
        points = settings_of(sampler)
        assert points == settings_of(sampler) and 15 <= len(points) <= 20
        assert points != settings_of(Sampler(sampler.ranges, 20, seed=5, method=method))
        assert {type(point["size.limit"]) for point in points} == {int}
        assert all(1 <= point["size.limit"] <= 9 and 0.5 <= point["fall.money"] <= 2 for point in points)
        assert {point["size.limit"] for point in points} >= set(range(2, 9))
    assert len(settings_of(Sampler({"size.limit": (1, 2)}, 50))) == 2


@pytest.mark.parametrize(
    ("grid", "sentence"),
    [
        ({}, "grid is empty"),
        ([], "grid is empty"),
        ({"size.limit": []}, "is empty"),
        ({"size.limit": 5}, "not a list of values"),
        ({"size.limit": [5, 5]}, "is listed twice"),
        ([{"size.limit": 5}, {"fall.money": 5}], "must name the same parameters"),
        ({"sizes.limit": [5]}, "their ids are size, rate, fall"),
        ({"size.limits": [5]}, "has no parameter 'limits'"),
        ({"size.limit": [-5]}, "negative"),
    ],
)
def test_grids_that_are_refused(grid, sentence):
    with pytest.raises(InputError, match=sentence):
        sweep(log_of(), RULES, grid, compiled=False)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"ranges": {}}, "ranges is empty"),
        ({"ranges": {"a.b": (2, 1)}}, "low below high"),
        ({"ranges": {"a.b": (1, 2)}, "size": 0}, "number of points"),
        ({"ranges": {"a.b": (1, 2)}, "method": "dice"}, "method"),
    ],
)
def test_samplers_that_are_refused(fields, sentence):
    with pytest.raises(InputError, match=sentence):
        Sampler(**{"size": 4, **fields})


def test_a_setting_may_change_the_action_too():
    rules = with_setting(RULES, {"rate.action": "PAUSE", "rate.hold": "1h", "rate.limit": 2})
    assert (rules["rate"].action, rules["rate"].hold_ns(), rules["rate"].parameters.limit) == ("PAUSE", SPACING, 2)
    found = sweep(log_of(), RuleSet([RULES["rate"]]), {"rate.action": ["REJECT", "PAUSE"]}, compiled=False)
    assert found.frame.loc["PAUSE", "trips"] > found.frame.loc["REJECT", "trips"]


# ---------------------------------------------------------------------- outcomes


def naive_outcome(log: EventLog, rules: RuleSet, mode: str, horizon: int | None) -> dict[str, Any]:
    """The outcomes of one setting, worked out from its own replay; money is in tests/replay/sweeps/test_enforced.py."""
    result = replay_log(log, rules, mode, sample_ns=SPACING, compiled=False)
    without = replay_log(log, RuleSet([]), sample_ns=SPACING, compiled=False)
    went = earned(log, horizon)
    refused = result.rejections()["seq"].tolist()
    orders = [seq for seq in refused if log.columns["kind"][seq] == EventKind.ORDER]
    book = result if mode == "enforce" else without
    transitions = result.transitions()
    trips = transitions[transitions["code"] == DecisionCode.TRIP]
    losses = [float(went[seq]) for seq in orders if went.get(seq, 0) < 0]
    gains = [float(went[seq]) for seq in orders if went.get(seq, 0) > 0]
    end = {name: float(one.accounts()["profit"].sum()) for name, one in (("own", book), ("without", without))}
    return {
        "orders_rejected": len(orders),
        "modifies_rejected": len(refused) - len(orders),
        "rejected_share": len(orders) / log.counts()["ORDER"],
        "trips": len(trips),
        "accounts_paused": len(set(trips["key"].tolist())),
        "hours_halted_calendar": sum(result.halted_time().values()) / 3.6e12,
        "hours_halted_trading": sum(result.halted_time(trading=True).values()) / 3.6e12,
        "profit": end["own"],
        "profit_change": end["own"] - end["without"],
        "drawdown": book.drawdown(),
        "drawdown_change": book.drawdown() - without.drawdown(),
        "account_drawdown": result.accounts()["drawdown"].max(),
        "orphans": "clip",
        "never_bound": ", ".join(name for name, n in heard(result).items() if not n),
        "good_rejections": len(losses),
        "bad_rejections": len(gains),
        "loss_avoided": -sum(losses),
        "profit_forgone": sum(gains),
        "digest": result.digest,
    }


def heard(result) -> dict[str, int]:
    """Objections and trips of each rule."""
    counts = result.objections_by_rule()
    for row in result.transitions():
        counts[result.rules[int(row["cause"])].id] += 1
    return counts


@pytest.mark.parametrize(("mode", "horizon"), [("enforce", None), ("enforce", 500_000_000_000), ("shadow", None)])
def test_each_row_is_what_its_own_replay_says(mode, horizon):
    log = log_of()
    found = sweep(log, RULES, GRID, mode, horizon_ns=horizon, digests=True, account_drawdown=True, compiled=False)
    assert list(found.frame.columns) == list(METRICS) and found.frame.index.names == ["size.limit", "fall.money"]
    assert not found.partial and found.how == "replays"
    for place, setting in enumerate(found.settings):
        row = found.frame.loc[tuple(setting.values())].to_dict()
        expected = naive_outcome(log, found.rules_of(place), mode, horizon)
        assert {name: row[name] for name in expected} == pytest.approx(expected)
        assert row["notional_rejected"] > 0
    assert found.frame["digest"].nunique() == 4 and found.frame["trips"].max() > 0


def test_policies_for_orphans_are_side_by_side():
    log = log_of()
    found = sweep(log, RULES, GRID, compiled=False)
    assert found.frame["orphan_exits"].gt(0).any() and "orphan exits clipped to flat" in repr(found)
    for place in range(len(found.settings)):
        row = found.frame.iloc[place]
        own = replay_log(log, found.rules_of(place), "enforce", compiled=False)
        for policy, profit in own.profit_by_orphan_policy.items():
            without = row["profit"] - row["profit_change"]
            assert row[f"profit_change_{policy}"] == pytest.approx(profit - without)
        signs = {np.sign(row[f"profit_change_{policy}"]) for policy in ("keep", "clip", "drop")}
        assert row["policies_agree"] == (len(signs) == 1)
    kept = sweep(log, RULES, GRID, orphans="keep", compiled=False).frame
    assert kept["profit_change"].tolist() == found.frame["profit_change_keep"].tolist()
    assert kept["drawdown"].tolist() == found.frame["drawdown_keep"].tolist()


@pytest.mark.parametrize("mode", ["enforce", "shadow"])
@pytest.mark.parametrize("option", ON_REQUEST)
def test_what_is_not_asked_for_is_left_out_and_changes_nothing_else(option, mode):
    log, rules, everything = log_of(3, 80), RuleSet([RULES["size"]]), dict.fromkeys(ON_REQUEST, True)

    def frame(policies: bool, **asked: bool) -> pd.DataFrame:
        policy = "all" if policies else "chosen"
        return sweep(log, rules, {"size.limit": [1, 4]}, mode, policies=policy, **asked, compiled=False).frame

    without = frame(**{**everything, option: False})
    pd.testing.assert_frame_equal(without, frame(**everything).drop(columns=list(ON_REQUEST[option])))


def test_a_sweep_under_one_policy_says_how_to_compare_them():
    found = sweep(log_of(3, 80), RULES, {"size.limit": [1, 4]}, policies="chosen", compiled=False)
    exits = int((found.frame["orphan_exits"] > 0).sum())
    assert exits and re.search(rf"settings with orphan exits +{exits} under one policy; policies='all'", repr(found))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mode", ["enforce", "shadow"])
def test_a_total_that_is_sampled_alone_has_the_path_of_the_accounts(seed, mode):
    """Half of the streams also give equity from outside or amend fills, and are followed account by account."""
    log, rules = log_of(seed), RuleSet([RULES["size"], RULES["rate"]])
    times = np.linspace(log.columns["ts"].min(), log.columns["ts"].max() + 1, 7).astype(np.int64)
    options = {"orphans": "clip", "on_trip": "leave", "compiled": False, "sample_at": times}
    alone, accounts = (Stage(log, rules, mode, total_only=total, **options) for total in (True, False))
    found, expected = alone.replay(rules), accounts.replay(rules)
    given = {EventKind.EQUITY, EventKind.BUST, EventKind.CORRECT} & set(log.columns["kind"].tolist())
    assert alone.shape.netted != bool(given) and not accounts.shape.netted
    assert found.paths().tolist() == expected.paths().tolist() and found.digest == expected.digest
    row = len(log) // 2
    start = alone.start_at(rules, row) if mode == "shadow" else None
    if start is not None:
        later = [stage.replay(rules, start=start).paths()[-1, 0] for stage in (alone, accounts)]
        assert later[0] == later[1]


def test_rules_that_never_bind_are_named():
    rules = RuleSet([*RULES, Rule("far", MaxOrderQty(limit=10**6))])
    found = sweep(log_of(), rules, {"size.limit": [1, 2]}, compiled=False)
    assert {"far"} <= set(found.never_bound) <= {"far", "rate"} and "never bound in any setting" in repr(found)


@pytest.mark.parametrize("horizon", [None, 0, 500_000_000_000])
@pytest.mark.parametrize("compiled", [False, True])
def test_order_outcomes(horizon, compiled):
    log = log_of(5, 150)
    if compiled:  # the columns as they are mapped are the ones that compile
        assert (
            order_outcomes(log, horizon).profit.tolist() == order_outcomes(log, horizon, compiled=False).profit.tolist()
        )
        return
    found = order_outcomes(log, horizon, compiled=False)
    expected = earned(log, horizon)
    quantum = log.universe.quantum
    assert {row: int(found.profit[row]) * quantum for row in expected} == expected
    assert np.count_nonzero(found.profit) > 4 or horizon == 0
    others = np.setdiff1d(np.arange(len(log)), list(expected))
    assert not found.profit[others].any() and not found.notional[others].any()


@pytest.mark.parametrize("horizon", [-1, 1.5, True])
def test_horizons_that_are_refused(horizon):
    with pytest.raises(InputError, match="horizon_ns"):
        order_outcomes(log_of(), horizon, compiled=False)


# ---------------------------------------------------------------------- one pass, threads, processes


@pytest.mark.lengthy
def test_one_pass_is_used_where_it_is_exact_and_gives_the_same_frame(monkeypatch):
    log = log_of(4)
    grid = {"size.limit": [0, 1, 3, 6, 12, 1_000]}
    alone = RuleSet([RULES["size"]])
    for rules, digests in ((alone, True), (RULES, False)):
        at_once = sweep(log, rules, grid, "shadow", digests=digests, compiled=False)
        assert at_once.how == "one pass"
        listed = [
            sweep(log, rules, [setting], "shadow", digests=digests, compiled=False) for setting in at_once.settings
        ]
        assert {one.how for one in listed} == {"replays"}
        pd.testing.assert_frame_equal(at_once.frame, pd.concat([one.frame for one in listed]))
    assert (
        sweep(log, RULES, grid, "shadow", digests=True, compiled=False).how == "replays"
    )  # the digest needs the rows of all rules
    assert sweep(log, alone, grid, "enforce", compiled=False).how == "replays"
    assert sweep(log, RULES, {"fall.money": [1, 2]}, "shadow", digests=False, compiled=False).how == "replays"


def plain_log(orders: int = 120) -> EventLog:
    """Orders with fills and prices, and no other column, so that the loop is small."""
    draw = np.random.default_rng(1)
    rows = []
    for k in range(orders):
        shared = {"account": f"A{k % 3}", "instrument": "X", "side": str(draw.choice(["B", "S"])), "order_id": str(k)}
        shared |= {"qty": int(draw.integers(1, 9)), "price": int(draw.integers(90, 110))}
        rows += [{"kind": "order", **shared}, {"kind": "fill", **shared}]
        rows += [{"kind": "price", "instrument": "X", "price": int(draw.integers(90, 110))}]
    return EventLog.from_frame(pd.DataFrame(rows).assign(ts=np.arange(len(rows)) * 60_000_000_000))


@pytest.mark.lengthy
def test_compiled_threads_equal_plain_ones_and_compile_once():
    def loops() -> int:
        return len(list(cache_folder().glob("riskkit_loop_*.py")))

    log, rules, before = plain_log(), RuleSet([RULES["size"], Rule("big", MaxOrderQty(limit=5))]), loops()
    grid = {"size.limit": [1, 4, 9, 20], "big.limit": [2, 5, 8]}
    many = sweep(log, rules, grid, digests=True, threads=3)
    assert loops() - before <= 2  # the rules' loop, and the one without rules
    pd.testing.assert_frame_equal(many.frame, sweep(log, rules, grid, digests=True, compiled=False, threads=1).frame)
    assert many.frame["digest"].nunique() == 12


@pytest.mark.lengthy
def test_an_interrupt_returns_what_is_finished_and_leaves_nothing(monkeypatch, tmp_path):
    real, calls = runners.Runner.run, itertools.count()

    def run(self, setting):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return real(self, setting)

    monkeypatch.setattr(runners.Runner, "run", run)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    grid = {"size.limit": list(range(1, 40))}
    found = sweep(log_of(), RULES, grid, compiled=False, threads=2)
    assert found.partial and 1 <= len(found.frame) < 39 and "partial" in repr(found)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("riskkit-sweep")]
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    whole = sweep(log_of(), RULES, grid, compiled=False, threads=2)
    pd.testing.assert_frame_equal(found.frame, whole.frame.loc[found.frame.index])


def test_no_more_replays_than_threads_are_alive(monkeypatch):
    lock, alive, most = threading.Lock(), 0, 0
    real = runners.Runner.run

    def run(self, setting):
        nonlocal alive, most
        with lock:
            alive += 1
            most = max(most, alive)
        try:
            return real(self, setting)
        finally:
            with lock:
                alive -= 1

    monkeypatch.setattr(runners.Runner, "run", run)
    sweep(log_of(3, 60), RULES, {"size.limit": list(range(1, 12))}, compiled=False, threads=2)
    assert most == 2


def test_paths_and_a_mapped_log(tmp_path):
    log = log_of(3, 80)
    log.save(tmp_path / "log")
    log.to_parquet(tmp_path / "log.parquet")
    frame = sweep(log, RULES, GRID, compiled=False).frame
    for path in (tmp_path / "log", str(tmp_path / "log.parquet")):
        pd.testing.assert_frame_equal(sweep(path, RULES, GRID, compiled=False).frame, frame)


def test_processes_get_data_and_a_path_only(tmp_path):
    """What a worker does, here: it opens the log itself, and refuses another one than was meant."""
    import json

    from riskkit.replay.sweeps.many import cluster

    log, found = log_of(3, 80), tmp_path / "log"
    log.save(found)
    options = {"mode": "enforce", "horizon_ns": None, "digests": True, "orphans": "clip", "on_trip": "leave"}
    options |= {"flatten": "touch", "compiled": False, "tz": "UTC", "roll_hour": 0}
    shared = {"rules": RULES.to_dict(), "options": options, "events": log.event_hash.hex()}
    outcome = cluster._work(str(found), json.dumps(shared), {"size.limit": 2})
    expected = sweep(log, RULES, {"size.limit": [2]}, digests=True, compiled=False).frame.iloc[0].to_dict()
    assert outcome == expected
    with pytest.raises(InputError, match="is not the log"):
        cluster._work(str(found), json.dumps({**shared, "events": "00"}), {"size.limit": 2})
    cluster._runner.cache_clear()


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_frame_and_digests(tmp_path):
    pytest.importorskip("distributed", reason="dask[distributed] is not installed (extra 'cluster')")
    joblib = pytest.importorskip("joblib", reason="joblib is not installed (extra 'cluster')")
    import warnings

    log = log_of(3, 100)
    log.save(tmp_path / "log")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of dask's own start and end
        from dask.distributed import Client, LocalCluster

        local = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
        with LocalCluster(host="127.0.0.1", **local) as cluster, Client(cluster) as client:
            pids = client.run(_pid)
            with joblib.parallel_config(backend="dask"):
                there = sweep(log, RULES, GRID, digests=True, compiled=False)
                mapped = sweep(tmp_path / "log", RULES, GRID, digests=True, compiled=False)
    assert len(set(pids.values())) == 2
    here = sweep(log, RULES, GRID, digests=True, compiled=False)
    pd.testing.assert_frame_equal(there.frame, here.frame)
    pd.testing.assert_frame_equal(mapped.frame, here.frame)


def _pid() -> int:
    import os

    return os.getpid()


# ---------------------------------------------------------------------- showing


def test_pictures_and_text():
    import matplotlib

    matplotlib.use("Agg")
    found = sweep(log_of(3, 80), RULES, GRID, compiled=False)
    assert "Sweep in enforce mode" in repr(found) and "end of the log" in repr(found)
    ax = found.plot(metric="profit_change")
    assert len(ax.images) == 1 and len(ax.texts) == 4
    one = sweep(log_of(3, 80), RULES, {"size.limit": [9, 2, 5]}, compiled=False)
    line = one.plot().get_lines()[0]
    assert line.get_xdata().tolist() == [2, 5, 9]
    assert line.get_ydata().tolist() == one.frame["orders_rejected"].sort_index().tolist()
    assert one.plot().get_xlabel() == "size.limit, quantity" and one.plot().get_ylabel() == "orders rejected"
    assert one.plot(metric="profit").get_ylabel() == "profit, USD"
    assert one.plot(metric="rejected_share").yaxis.get_major_formatter()(0.25, None) == "25%"
    spans = sweep(log_of(3, 80), RULES, {"rate.window_ns": ["1s", "1min"]}, compiled=False).plot()
    assert spans.lines[0].get_xdata().tolist() == [1.0, 60.0] and spans.get_xlabel() == "rate.window_ns, seconds"
    words = sweep(log_of(3, 80), RULES, {"rate.count": ["attempted", "accepted"]}, compiled=False).plot()
    assert [tick.get_text() for tick in words.get_yticklabels()] == ["attempted", "accepted"]
    with pytest.raises(InputError, match="metric"):
        one.plot(metric="digest")
    three = sweep(log_of(3, 40), RULES, [{"size.limit": 1, "rate.limit": 1, "fall.money": 1}], compiled=False)
    with pytest.raises(InputError, match="shows one or two"):
        three.plot()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"threads": 0}, "threads"), ({"on_trip": "shout"}, "on_trip"), ({"orphans": "sell"}, "orphans")],
)
def test_options_that_are_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        sweep(log_of(3, 20), RULES, GRID, compiled=False, **options)


def test_an_empty_log_and_one_setting():
    log = log_of(3, 20)
    empty = EventLog({n: c[:0] for n, c in log.columns.items()}, log.pair_account, log.pair_instrument, log.universe)
    found = sweep(empty, RuleSet([Rule("size", MaxOrderQty(limit=4))]), {"size.limit": [1]}, compiled=False)
    assert found.frame["orders_rejected"].tolist() == [0] and found.frame["drawdown"].tolist() == [0.0]


def test_source_has_no_pickle():
    folder = Path(runners.__file__).parent
    assert not [path.name for path in folder.glob("*.py") if "pickle" in path.read_text(encoding="utf-8")]


def test_ctrl_c_in_a_real_process_leaves_no_thread_and_no_file(tmp_path):
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).parents[2].joinpath("interrupted_sweep.py"))],
        stdout=subprocess.PIPE, text=True, cwd=tmp_path, env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert child.stdout.readline() == "two settings are done\n"
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=120)[0]
    assert child.returncode == 0
    settings, partial, threads = said.split()
    assert 2 <= int(settings) <= 3 and partial == "True" and threads == "1"
    assert not list(tmp_path.iterdir())
