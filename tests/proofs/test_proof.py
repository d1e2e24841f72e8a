"""The proof: one digest from every way of running the same rules over the same events."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marks import needs_compiling
from streams import random_log, whole_lists, with_every_column

from riskkit import InputError, datasets
from riskkit.demo import exchange, strategies
from riskkit.replay.engine.compiler import ReplayLoop, _compiled_run, fixed_arguments, shape_of
from riskkit.replay.engine.order_columns import assign_slots
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.state import calendars, new_state, opening
from riskkit.replay.live.engine import Engine
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules import catalogue
from riskkit.replay.rules.circuit_breaker import BreakerLimits
from riskkit.replay.rules.rule import Rule, RuleType
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.digest import Chain
from riskkit.rules import DailyLoss, DrawdownLimit, OrderRate, PositionLimit, VolumeCap

EVERY_KIND = ("order", "order_list", "modify", "cancel")
RULES = RuleSet(
    [
        Rule("rate", OrderRate(limit=3, window_ns="400s", kinds=EVERY_KIND), action="PAUSE", hold="10min"),
        Rule("attempts", OrderRate(limit=4, window_ns="10min", count="attempted"), action="ALERT"),
        Rule("ordered", VolumeCap(limit=60, measure="ordered"), scope="account_product"),
        Rule("traded", VolumeCap(limit=80, notional=5_000, tz="America/New_York", roll_hour=17), scope="global"),
        Rule("day", DailyLoss(limit=30)),
        Rule("fall", DrawdownLimit(pct="0.05")),
        Rule("size", PositionLimit(limit=25)),
        Rule("breaker", BreakerLimits(daily_loss=20, open_positions=2, consecutive_errors=2)),
    ]
)
FEW = RuleSet([RULES[name] for name in ("rate", "traded", "day", "fall")])  # windows, days, money and a fraction of it
ENFORCE, GENERIC = (
    pytest.mark.xdist_group("proof in enforce"),
    pytest.mark.xdist_group("generic"),
)  # one process has a loop
MODES = [("shadow", "keep"), ("enforce", "clip")]
WAYS = [
    pytest.param("shadow", "keep", "generic", marks=GENERIC),
    pytest.param("enforce", "clip", True, marks=ENFORCE),
]


def reference(log: EventLog, mode: str, orphans: str) -> str:
    return replay_log(log, RULES, mode, orphans=orphans, compiled=False).digest


@pytest.mark.parametrize(("mode", "orphans", "compiled"), WAYS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), opened=st.booleans(), data=st.data())
def test_every_way_of_running_gives_one_digest(mode, orphans, compiled, seed, opened, data):
    log = random_log(seed, 120, opened=opened, venue=True)
    digest = reference(log, mode, orphans)
    assert replay_log(log, RULES, mode, orphans=orphans, compiled=compiled).digest == digest, "compiled"
    chunk = data.draw(st.integers(1, len(log)), label="chunk")
    assert replay_log(log, RULES, mode, orphans=orphans, compiled=compiled, chunk=chunk).digest == digest, "in chunks"
    live = Engine(RULES, log.universe, mode, orphans=orphans, compiled=compiled)
    live.feed(log)
    assert live.digest == digest, "one at a time"
    journal = with_every_column(live.log())
    assert replay_log(journal, RULES, mode, orphans=orphans, compiled=compiled).digest == digest, "the journal replayed"
    stop = whole_lists(log, data.draw(st.integers(0, len(log)), label="snapshot at"))
    first = Engine(RULES, log.universe, mode, orphans=orphans, compiled=compiled)
    first.feed(log, 0, stop)
    second = Engine.restore(first.snapshot(), RULES, compiled=compiled)
    second.feed(log, stop)
    assert second.digest == digest, "snapshot and restore"


def test_all_random_logs_of_a_venue_share_one_loop():
    """Each other one would be compiled, for a minute."""
    options = {"enforce": True, "sampled": False, "cancels": True, "opened": True}
    logs = [random_log(seed, 120, opened=seed % 2 == 0, venue=True) for seed in range(40)]
    assert len({shape_of(RULES, log.columns, **options) for log in logs}) == 1


@pytest.mark.lengthy
@pytest.mark.parametrize(("mode", "orphans"), MODES)
def test_plain_python_one_at_a_time_gives_the_digest(mode, orphans):
    log = random_log(7, 150, venue=True)
    live = Engine(RULES, log.universe, mode, orphans=orphans, compiled=False)
    live.feed(log, 0, 60)
    live = Engine.restore(live.snapshot(), RULES, compiled=False)
    live.feed(log, 60)
    assert live.digest == reference(log, mode, orphans)


SCALED = {  # the same loop under limits that the real logs meet
    "strategies": {"rate": {"limit": 1, "window_ns": "200d"}, "attempts": {"limit": 1, "window_ns": "200d"},
                   "ordered": {"limit": 60_000, "measure": "ordered"}, "traded": {"limit": 15_000, "notional": 200_000},
                   "day": {"limit": 8_000}, "fall": {"pct": "0.05"}, "size": {"limit": 12_000},
                   "breaker": {"daily_loss": 20_000, "open_positions": 2, "consecutive_errors": 2}},
    "exchange": {"rate": {"limit": 20, "window_ns": "1s"}, "attempts": {"limit": 10, "window_ns": "100ms"},
                 "ordered": {"limit": 150, "measure": "ordered"}, "traded": {"limit": 2_000, "notional": 10**8},
                 "day": {"limit": 60}, "fall": {"money": 45, "pct": None}, "size": {"limit": 40},
                 "breaker": {"daily_loss": 500, "open_positions": 12, "consecutive_errors": 2}},
}  # fmt: skip


def scaled(act: str) -> RuleSet:
    return RuleSet([replace(rule, parameters=rule.kind.parameters(**SCALED[act][rule.id])) for rule in RULES])


def strategies_log() -> EventLog:
    """Ten years of two stocks, bought and sold by a trend-following portfolio."""
    pytest.importorskip("vectorbt", reason="vectorbt is not installed; it comes with riskkit[notebooks]")
    stocks = datasets.load_stocks()[["AAPL", "KO"]].iloc[:2_500]
    return EventLog.from_vectorbt(strategies.trend_portfolio(stocks), lot=1)


def exchange_log() -> EventLog:
    """Twenty seconds of the simulated exchange's tape and top of book."""
    start, end = pd.Timestamp("1970-01-05 00:01:50", tz="UTC"), pd.Timestamp("1970-01-05 00:02:10", tz="UTC")
    tape = datasets.load_tape(), datasets.load_top_of_book()
    trades, quotes = (frame[(frame["ts"] >= start) & (frame["ts"] < end)].reset_index(drop=True) for frame in tape)
    return EventLog.from_frame(exchange.exchange_frame(trades, quotes), exchange.exchange_instruments(quotes))


@ENFORCE
@pytest.mark.parametrize(("act", "load"), [("strategies", strategies_log), ("exchange", exchange_log)])
def test_real_logs_give_one_digest(act, load):
    log, rules = with_every_column(load()), scaled(act)
    whole = replay_log(log, rules, "enforce", orphans="clip", compiled=True)
    assert len(whole.rejections()) > 20 and len(whole.transitions()) > 5
    assert sum(count > 0 for count in whole.objections_by_rule().values()) >= 3
    assert replay_log(log, rules, "enforce", orphans="clip", compiled=False).digest == whole.digest, "plain"
    assert replay_log(log, rules, "enforce", orphans="clip", compiled=True, chunk=777).digest == whole.digest, (
        "in chunks"
    )
    live = Engine(rules, log.universe, "enforce", orphans="clip")
    live.feed(log, 0, 1_000)
    live = Engine.restore(live.snapshot(), rules)
    live.feed(log, 1_000)
    assert live.digest == whole.digest, "one at a time, snapshot and restore"
    journal = with_every_column(live.log())
    assert replay_log(journal, rules, "enforce", orphans="clip", compiled=True).digest == whole.digest, (
        "the journal replayed"
    )


@ENFORCE
def test_storage_keeps_the_digest(tmp_path):
    log = random_log(3, 150, venue=True)
    log.to_parquet(tmp_path / "log.parquet")
    log.save(tmp_path / "mapped")
    for again in (EventLog.from_parquet(tmp_path / "log.parquet"), EventLog.open(tmp_path / "mapped")):
        assert replay_log(again, RULES, "enforce", orphans="clip", compiled=True).digest == reference(
            log, "enforce", "clip"
        )


@ENFORCE
def test_threads_keep_the_digest():
    logs = [random_log(seed, 150, venue=True) for seed in range(8)]
    expected = [reference(log, "enforce", "clip") for log in logs]
    for workers in (1, 2, 5):
        with ThreadPoolExecutor(workers) as pool:
            found = pool.map(lambda log: replay_log(log, RULES, "enforce", compiled=True).digest, logs)
            assert list(found) == expected


def test_another_processor_gives_the_digest(tmp_path):
    """Machine code for a generic processor, in a process and a cache of its own."""
    program = (
        "import streams, proofs.test_proof as test_proof\n"
        "log = streams.random_log(11, 150)\n"
        "print(test_proof.replay_log(log, test_proof.FEW, 'enforce', compiled=True).digest)"
    )
    tests = Path(__file__).parents[1]
    env = {**os.environ, "NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "RISKKIT_CACHE": str(tmp_path)}
    env |= {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == replay_log(random_log(11, 150), FEW, "enforce", compiled=False).digest


def test_a_digest_tells_apart_what_differs():
    log = random_log(5, 150, venue=True)
    looser = RuleSet([Rule("size", PositionLimit(limit=26)), *list(RULES)[:6], RULES["breaker"]])
    digests = {
        reference(log, "shadow", "keep"),
        reference(log, "enforce", "keep"),
        reference(log, "enforce", "clip"),
        reference(random_log(6, 150, venue=True), "shadow", "keep"),
        replay_log(log, looser, compiled=False).digest,
    }
    assert len(digests) == 5


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 200_000), max_size=6))
def test_a_chain_does_not_depend_on_the_cuts(cuts):
    rows = np.arange(150_000, dtype="<i8").tobytes()
    whole, split = Chain(8), Chain(8)
    whole.update(rows)
    places = sorted({min(8 * cut, len(rows)) for cut in cuts} | {0, len(rows)})
    for start, stop in zip(places, places[1:], strict=False):
        split.update(rows[start:stop])
        split = Chain(8, split.state, split.open_block)  # as a snapshot would carry it
    assert split.hexdigest() == whole.hexdigest()


VARIED = {
    "rate": [
        OrderRate(limit=limit, window_ns=window, window=kind, count=count, kinds=kinds, bucket_ns=bucket, reset_on_trip=reset,
                  tz=tz, roll_hour=hour, breach=breach)
        for limit, window, kind, count, kinds, bucket, reset, tz, hour, breach in [
            (1, "1s", "sliding", "accepted", ("order",), 0, False, "UTC", 0, "exceed"),
            (50, "10min", "fixed_from_first", "attempted", EVERY_KIND, 0, True, "Asia/Tokyo", 17, "reach"),
            (7, "10s", "calendar_day", "accepted", ("modify",), 0, False, "America/New_York", 3, "exceed"),
            (9, "10s", "sliding", "attempted", ("cancel",), "100ms", False, "UTC", 5, "exceed"),
        ]
    ],
    "attempts": [OrderRate(limit=2, window_ns=5), OrderRate(limit=200, window_ns="1h")],
    "ordered": [
        VolumeCap(limit=3, measure="ordered"),
        VolumeCap(notional="12.5", measure="traded", working=False, on_missing_price="allow", tz="Europe/London",
                  roll_hour=8, breach="reach"),
    ],
    "traded": [VolumeCap(limit=1), VolumeCap(notional=1, on_missing_price="alert")],
    "day": [DailyLoss(limit=1), DailyLoss(limit="7.5", measure="realised", tz="Asia/Tokyo", roll_hour=6, breach="exceed")],
    "fall": [DrawdownLimit(money=3, trailing=False), DrawdownLimit(pct="0.5", money=9, breach="reach")],
    "size": [PositionLimit(limit=1, include_open=False, measure="gross"),
             PositionLimit(notional=9, on_missing_price="allow", breach="reach")],
    "breaker": [BreakerLimits(open_positions=9),
                BreakerLimits(daily_loss=1, open_positions=1, consecutive_errors=9, tz="Asia/Tokyo", roll_hour=1,
                              working=False)],
}  # fmt: skip


@ENFORCE
@needs_compiling
def test_a_sweep_over_every_parameter_compiles_once():
    log = random_log(2, 150, venue=True)
    base = shape_of(RULES, log.columns, enforce=True, sampled=False, cancels=False, opened=False)
    _compiled_run.cache_clear()  # count from here, whatever other tests have run
    engine = ReplayLoop(RULES, base)
    varied = {name: set() for name in VARIED}
    for name, settings_of in VARIED.items():
        for parameters in settings_of:
            rules = RuleSet(
                [
                    Rule(r.id, parameters if r.id == name else r.parameters, r.scope, r.action, r.severity, r.hold)
                    for r in RULES
                ]
            )
            assert shape_of(rules, log.columns, enforce=True, sampled=False, cancels=False, opened=False) == base
            _run(engine, rules, log)
            varied[name] |= {
                field
                for field in parameters._fields
                if getattr(parameters, field) != parameters._field_defaults.get(field)
            }
    assert engine.signatures == 1
    for name, fields in varied.items():
        assert fields == set(RULES[name].parameters._fields) or name in ("attempts", "traded"), name


SAMPLES = {
    "count": (3, 70), "duration": ("5s", "2h"), "quantity": (2, "7.5"), "money": (4, "9000.25"), "fraction": ("0.1", 0.7),
    "ratio": ("0.5", 4),     "return": ("-0.01", "0.02"), "flag": (False, True), "zone": ("UTC", "Asia/Tokyo"), "hour": (0, 17),
    "price": ("0.01", 3), "label": ("X", "Y"), "calendar": ("24/7",),
    "day_time": ("09:30", "16:00"), "labels": (("X",), ("X", "Y")), "kinds": (("order",), EVERY_KIND),
    "breach": ("exceed", "reach"), "confidence": (0.95, 0.99), "multiple": ("1.65", 3), "decay": (0.94, "0.97"),
    "table": ([[1000, "0.1"]], {"X": [[1000, "0.1"]]}), "arrays": ({"X": [1, -1]}, {"X": [1, -1], "Y": [0, 2]}),
    "amounts": ([1, -1], ["0.5"]), "ratios": ({"s": {"X": 1}}, {"s": {"X": "0.5", "Y": -1}}),
    "spreads": (), "ranges": ({"X": ["-0.15", "0.15"]}, {"*": [-1, 2]}),
    "label_sets": ({"a": ["X"]}, {"a": ["X"], "b": ["Y"]}), "amounts_of": ({"X": 1}, {"X": 2, "Y": "0.5"}),
    "time": ("2026-01-05", 10**18), "types": (("limit",), ("limit", "market")),
}  # fmt: skip


CATALOGUE = {
    kind.name: kind
    for parameters in (BreakerLimits, *(getattr(catalogue, name) for name in catalogue.__all__))
    for kind in vars(sys.modules[parameters.__module__]).values()
    if isinstance(kind, RuleType)
}


# parameters beside which the others fit
FITTING = {
    "open_ns": "1s",
    "half_open": True,
    "stop_ns": "1s",
    "window_ns": "1s",
    "long_max_move": 5,
    "long_window_ns": "9h",
}
LEGS = {"legs": {"X": 1, "Y": -1}}
OF_FIELD: dict[str, Any] = {
    "intra_spread": ([{**LEGS, "charge": 5}], [{**LEGS, "charge": 7}, {**LEGS, "charge": 1}]),
    "inter_spread": ([{**LEGS, "credit": "0.5"}], [{**LEGS, "credit": 1}] * 2),
    "tier": (1, 2),
    "sensitivities": ({"X": [1, 0, 0]},),
}
LADDER = {"sensitivities": {"X": [1, 0, 0]}, "spot_moves": [1], "vol_moves": [1]}
OF_MODEL: list[dict[str, Any]] = [
    {"model": "linear_tier", "base": "0.1", "per_unit": "0.1"},
    {"model": "brackets", "table": [[1000, "0.1"]]},
    {"model": "scan", "arrays": {"X": [1]}, "sign": "gain"},
    {
        "model": "scan",
        "arrays": {"X": [1], "Y": [-1]},
        "commodities": None,
        "intra_spread": None,
        "inter_spread": None,
        "short_option_minimum": None,
    },
    {"model": "portfolio", "ranges": None},
    {"model": "portfolio", "method": "var", "arrays": {"X": [1] * 10}},
    {
        "model": "portfolio",
        "method": "es",
        "arrays": {"X": [1]},
        "confidence": None,
        "factor": None,
        "rate": None,
        "above": None,
        "x": None,
        "adv": {"X": 1},
        "half_spread": {"X": 1},
    },
]


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_no_parameter_of_any_rule_changes_the_loop_or_the_types_that_it_is_compiled_for(name):
    kind = CATALOGUE[name]
    log = random_log(2, 30)
    units = kind.units()
    samples = {name: unit.choices if unit.name == "choice" else SAMPLES[unit.name] for name, unit in units.items()}
    samples |= {name: values for name, values in OF_FIELD.items() if name in units}
    needed = {name: samples[name][0] for name in units if name not in kind.parameters._field_defaults}
    needed |= {name: samples[name][0] for name in kind.limits[:1]}  # `breach` without a limit is refused
    needed |= {name: value for name, value in FITTING.items() if name in units}
    shapes, types = set(), set()
    for field, values in samples.items():
        for value in values:
            try:
                fitting = next(
                    (one for one in OF_MODEL if one.get(field, "") == value or field in one.keys() - {"model"}), {}
                )
                fitting = fitting if "model" in units else {}
                action = "QUEUE" if kind.action == "QUEUE" else "PAUSE"
                without = {"window_ns": 0} if field == "refill_ns" else {}
                if {"reference", "window_ns"} <= units.keys():  # a window is that of the mean
                    plain = field == "max_age_ns" or (field == "reference" and value not in ("mean", "vwap"))
                    without = {"reference": "last", "window_ns": None} if plain else {"reference": "mean"}
                    without |= {"sides": "by_side"} if field.startswith("ask_") else {}
                if "cell_limits" in units:  # data are arrays or a ladder, and have an age
                    without = {
                        **(LADDER if field in LADDER else {"arrays": {"X": [1]}}),
                        "as_of": 0,
                        "max_age_ns": 1,
                    }
                rule = kind("one", action=action, **{**needed, **fitting, **without, field: value})
            except InputError:  # a value that does not fit the others
                assert value is not values[-1] or (name == "pace" and "cancel" in value)  # which never waits
                continue
            rules = RuleSet([rule])
            shapes.add(shape_of(rules, log.columns, enforce=True, sampled=False, cancels=False, opened=False))
            types.add(tuple(type(number) for number in rule.to_integers(log.universe)))
    # times of marks are kept only for a rule that asks for their age, and tags of orders for one that looks at tagged ones alone
    more = 1 if {"max_mark_age_ns", "tagged"} & units.keys() else 0
    assert len(shapes | {None}) <= 2 + more and types <= {(int,) * len(units)}


def _run(engine: ReplayLoop, rules: RuleSet, log: EventLog) -> None:
    ts = log.columns["ts"]
    found = calendars(rules, int(ts.min()), int(ts.max()))
    params = [rule.to_integers(log.universe) for rule in rules]
    slots, count = assign_slots(log.columns, engine.shape)
    opened = opening(log.universe, log.pair_account, log.pair_instrument)
    state = new_state(log.universe, opened, rules, params, found, count)
    fixed = fixed_arguments(rules, params, found, Samples.none(len(log.universe.accounts)), log.universe)
    list(engine.feed(state, {**log.columns, "slots": slots}, fixed, 0, len(log)))
