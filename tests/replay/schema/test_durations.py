"""Every argument that is a duration takes the same texts, Timedeltas and integers, and has the same bounds."""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from refusing import refusal

import riskkit
from riskkit import (
    CircuitBreaker,
    Rule,
    RuleSet,
    calibrate,
    compare,
    desk,
    effectiveness,
    presets,
    replay,
    replay_log,
    sweep,
    worst_case,
)
from riskkit._check import InputError
from riskkit.desk import AlertSystem, MarketStream, PositionTracker, RiskManager, RiskState
from riskkit.incidents import detection, stop_report
from riskkit.replay.live.early_warning import EarlyWarning, early_warnings
from riskkit.replay.rules.rule import rule_types
from riskkit.replay.rules.tiered import Tier, TieredRule
from riskkit.replay.schema.durations import duration, duration_text
from riskkit.rules import DailyLoss, MaxOrderQty, OrderRate
from riskkit.sweeps import propose_limits

RULES = RuleSet([Rule("size", MaxOrderQty(limit=5))])
LOG = replay.tiny_log([9, 1], marks=[11, 12], spacing_ns="1d")
GRID = {"size.limit": [5, 9]}
PLAIN: dict[str, Any] = {"compiled": False}


def presets_doors() -> dict[tuple[str, str], Callable[[Any], Any]]:
    """The durations of the presets; what comes out is the hash of the rules."""
    names = {
        "nautilus": "window",
        "freqtrade": "candle",
        "stocksharp": "window",
        "gobreaker": "open_for",
        "cme": "window",
        "cme_prices": "window",
        "binance_mmp": "window",
        "hummingbot": "interval",
    }
    doors: dict[tuple[str, str], Callable[[Any], Any]] = {}
    for name, argument in [*names.items(), ("deribit", "window"), ("deribit", "frozen"), ("binance_mmp", "frozen")]:
        doors[name, argument] = lambda span, n=name, a=argument: getattr(presets, n)(**{a: span}).hash
    return doors


def warned(**changed: Any) -> str:
    """The alerts of early warnings over the log, with another duration."""
    return early_warnings(LOG, RULES, **{"window_ns": 1, "horizon": 1, "sample_ns": "1h", **changed}).to_csv()


DOORS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("tiny_log", "spacing_ns"): lambda span: replay.tiny_log([1, 1], spacing_ns=span).event_hash,
    ("replay_log", "sample_ns"): lambda span: replay_log(LOG, RULES, sample_ns=span, **PLAIN).profit_curve().tolist(),
    ("early_warnings", "window_ns"): lambda span: warned(window_ns=span),
    ("early_warnings", "horizon"): lambda span: warned(horizon=span),
    ("early_warnings", "sample_ns"): lambda span: warned(sample_ns=span),
    ("EarlyWarning", "window_ns"): lambda span: EarlyWarning(span, 1).window_ns,
    ("EarlyWarning", "horizon"): lambda span: EarlyWarning(1, span).horizon,
    ("compare", "sample_ns"): lambda span: repr(compare(LOG, RULES, ("shadow",), sample_ns=span, **PLAIN)),
    ("sweep", "horizon_ns"): lambda span: sweep(LOG, RULES, GRID, horizon_ns=span, **PLAIN).horizon_ns,
    ("calibrate", "horizon_ns"): lambda span: (
        calibrate(LOG, RULES, GRID, horizon_ns=span, resamples=0, **PLAIN).horizon_ns
    ),
    ("effectiveness", "horizon_ns"): lambda span: (
        effectiveness(replay_log(LOG, RULES, **PLAIN), horizon_ns=span, **PLAIN).horizon_ns
    ),
    ("stop_report", "lasting_ns"): lambda span: (
        stop_report(LOG, RULES, account=LOG.universe.accounts[0].id, lasting_ns=span, **PLAIN).lasting_ns
    ),
    ("propose_limits", "episode_ns"): lambda span: (
        propose_limits(LOG, RULES, episode_ns=span, **PLAIN).to_frame().to_csv()
    ),
    ("detection", "lasting_ns"): lambda span: (
        detection(
            LOG,
            RULES,
            ["knight"],
            GRID,
            rng=np.random.default_rng(1),
            moments=1,
            scales=[0.001],
            lasting_ns=span,
            **PLAIN,
        )
        .to_frame()
        .to_csv()
    ),
    ("worst_case", "horizon"): lambda span: worst_case(RULES, span, 0, "0.1").horizon,
    ("AlertSystem", "deduplicate"): lambda span: AlertSystem([print], deduplicate=span).close(),
    ("MarketStream", "bar"): lambda span: MarketStream([], bar=span).length,
    ("CircuitBreaker", "max_ahead"): lambda span: CircuitBreaker(max_ahead=span) and None,
    ("MarketStream", "max_ahead"): lambda span: MarketStream([], max_ahead=span) and None,
    ("PositionTracker", "max_ahead"): lambda span: PositionTracker({"A": 1}, max_ahead=span) and None,
    ("RiskManager", "max_ahead"): lambda span: RiskManager(10_000, max_ahead=span) and None,
    ("RiskState", "max_ahead"): lambda span: RiskState(max_ahead=span) and None,
    ("PositionTracker", "stale_after"): lambda span: PositionTracker({"A": 1}, stale_after=span) and None,
    ("PositionTracker.idle_positions", "idle"): lambda span: PositionTracker({"A": 1}).idle_positions(10**15, span),
    ("Rule", "hold"): lambda span: Rule("r", DailyLoss(limit=1), hold=span).hold_ns(),
    ("Tier", "hold"): lambda span: RuleSet([TieredRule("r", DailyLoss(limit=1), (Tier(1, "PAUSE", hold=span),))]).hash,
    **presets_doors(),
}
SPANS = ("3d", pd.Timedelta(days=3), datetime.timedelta(days=3), np.timedelta64(3, "D"), 3 * 86_400 * 10**9)
BAD = (
    "a while",
    "1000000d",
    -1,
    pd.Timedelta(days=-1),
    2**62,
    10**5000,
    True,
    1.5,
    pd.NaT,
    np.timedelta64("NaT"),
    "0.1ns",
)


def public_callables() -> Iterator[tuple[str, Any]]:
    """Functions, classes and their methods that have a public name."""
    for room in (riskkit, riskkit.sweeps, presets, desk, replay, riskkit.rules, riskkit.incidents, riskkit.vbt):
        for name in dir(room):
            found = getattr(room, name)
            if name.startswith("_") or inspect.ismodule(found) or not callable(found):
                continue
            yield name, found
            for method, function in inspect.getmembers(found, inspect.isfunction) if inspect.isclass(found) else ():
                if not method.startswith("_"):
                    yield f"{name}.{method}", function


def durations_of(function: Any) -> list[str]:
    """Its parameters that are annotated as durations, or named after nanoseconds."""
    if isinstance(function, type) and hasattr(function, "_fields"):
        return []  # parameters of a rule have a walk of their own
    try:
        given = inspect.signature(function).parameters.values()
    except ValueError:
        return []
    return [
        p.name for p in given if "Duration" in str(p.annotation) or p.name in ("sample_ns", "horizon_ns", "spacing_ns")
    ]


def test_every_public_duration_is_walked_here():
    results = {"SweepResult", "Calibration", "Effectiveness", "WorstCase"}  # made by the functions above, not by people
    found = {(name, p) for name, f in public_callables() if name not in results for p in durations_of(f)}
    assert found <= set(DOORS), "a public duration that no test puts through its door"
    assert len(found) >= 17


@pytest.mark.parametrize("door", DOORS, ids=".".join)
def test_a_duration_is_the_same_in_every_spelling(door):
    answers = [DOORS[door](span) for span in SPANS]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("door", DOORS, ids=".".join)
@pytest.mark.parametrize("bad", BAD, ids=lambda value: type(value).__name__)
def test_what_is_no_duration_is_refused_in_one_sentence(door, bad):
    with pytest.raises(InputError) as refused:
        DOORS[door](bad)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300


TOGETHER = {("mmp", "freeze_ns"): ("window_ns",), ("velocity", "long_window_ns"): ("long_max_move",)}
OF_RULES = [(kind, name) for kind in rule_types() for name, unit in kind.units().items() if unit.name == "duration"]


@pytest.mark.parametrize(("kind", "name"), OF_RULES, ids=lambda value: getattr(value, "name", value))
def test_durations_of_rules_are_the_same_in_every_spelling_and_bounded(kind, name):
    needed = {f: 1 for f in kind.parameters._fields if f not in kind.parameters._field_defaults} | {"limit": 1}
    given = {f: value for f, value in needed.items() if f in kind.parameters._fields}
    wanted = kind.one_of(kind.parameters(**given))  # without one of them, the rule limits nothing
    given |= dict.fromkeys([name] if name in wanted else wanted[:1], 1)
    given |= {needed: 1 for needed in TOGETHER.get((kind.name, name), ()) if needed not in given}
    given |= {"reference": "mean"} if name == "window_ns" and "reference" in kind.parameters._fields else {}
    given |= {"half_open": True, "open_ns": 1} if name == "probe_timeout_ns" else {}
    given |= {"arrays": {"X": [1]}, "as_of": 1} if "cell_limits" in kind.parameters._fields else {}
    make = partial(kind.parameters, **{f: value for f, value in given.items() if f != name})
    rules = [Rule("r", make(**{name: span})) for span in SPANS]
    assert len({RuleSet([rule]).hash for rule in rules}) == 1
    assert len({str(rule) for rule in rules}) == 1
    assert all(RuleSet.from_dict(RuleSet([rule]).to_dict()) == RuleSet([rule]) for rule in rules)
    for bad in BAD:
        with pytest.raises(InputError, match=name):
            Rule("r", make(**{name: bad}))


def test_the_length_of_a_window_given_as_its_mode_is_told_where_it_goes():
    assert refusal(Rule, "rate", OrderRate(limit=3, window="1min")) == (
        "rule 'rate': window='1min' is not one of 'sliding', 'fixed_from_first', 'calendar_day'; its length in time is "
        "window_ns, as '1min'"
    )


def test_durations_in_words_and_back():
    assert [duration_text(span) for span in (0, 1, 1_500, 60 * 10**9, "36h")] == [
        "0 ns",
        "1 ns",
        "1,500 ns",
        "1 min",
        "36 h",
    ]
    assert duration(pd.Timedelta(1, "ns"), "x") == 1 and duration(" 1.5 h ", "x") == 5_400 * 10**9
    with pytest.raises(InputError, match="x=0 is not above zero"):
        duration(0, "x", zero=False)
