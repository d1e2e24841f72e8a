"""The scenario limit: its words, data that are old or missing, and data that no 64 bits hold."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from refusing import refusal
from rows import load

import riskkit as rk
from riskkit import Account, InputError, Instrument, Rule, RuleSet, replay_log
from riskkit.rules import InitialMargin, ScenarioLimit

AS_OF = 1_709_649_000_000_000_000  # 14:30 UTC on 5 March 2024
LADDER = {"sensitivities": {"X": ["0.5", "0.1", "4"]}, "spot_moves": [-5, 5], "vol_moves": [-2, 2]}


def orders(*terms):
    common = {"kind": "order", "account": "A", "price": 10}
    rows = [
        {**common, "ts": ts, "order_id": str(ts), "instrument": label, "side": side, "qty": qty}
        for ts, (label, side, qty) in enumerate(terms)
    ]
    traded, rich = [Instrument("X", multiplier=100), Instrument("Y")], Account("A", {"USD": 10**6})
    return load(*rows, instruments=traded, accounts=[rich], unit="ns")


def refused(rule, log):
    return replay_log(log, RuleSet([rule]), "enforce", compiled=False).rejections()["seq"].tolist()


def test_the_multiplier_of_an_instrument_counts():
    """One long of 100 loses 925 at -5, -2."""
    log = orders(("X", "B", 1), ("X", "B", 1))
    assert refused(Rule("r", ScenarioLimit(limit=925, **LADDER)), log) == [1]
    assert refused(Rule("r", ScenarioLimit(limit="924.99", **LADDER)), log) == [0, 1]


def test_arrays_are_of_one_long_as_they_stand():
    log = orders(("X", "B", 1), ("X", "B", 1))
    assert refused(Rule("r", ScenarioLimit(limit=925, arrays={"X": [-925, 3]})), log) == [1]


def test_a_ladder_counts_as_the_arrays_that_follow_from_it():
    arrays = {"X": ["-925", "675", "-425", "1175"]}
    log = orders(*(("X", "BS"[k % 3 == 2], 1 + k % 4) for k in range(30)))
    for limit in (925, 2_000, "4625.5"):
        rules = [Rule("r", ScenarioLimit(limit=limit, **more)) for more in (LADDER, {"arrays": arrays})]
        assert [] != refused(rules[0], log) == refused(rules[1], log)


def test_what_was_refused_for_old_data_says_so():
    log = orders(("X", "B", 1), ("X", "B", 1), ("Y", "B", 1))
    rule = Rule("r", ScenarioLimit(limit=9_000, as_of=0, max_age_ns=0, **LADDER))
    result = replay_log(log, RuleSet([rule]), compiled=False)
    assert result.rejections()["seq"].tolist() == [1, 2]
    assert "no price or no fresh data of the instrument is known by r" in str(result.explain(1))


def test_a_session_says_the_limit_and_the_loss():
    rule = Rule("r", ScenarioLimit(limit=1_500, **LADDER))
    session = rk.Session.create(RuleSet([rule]), [Instrument("X", multiplier=100)], ["A"], compiled=False)
    (found,) = session.process_order(ts=0, account="A", instrument="X", side="B", qty=2, price=10)
    assert "a loss of at most 1,500 in the worst of 4 scenarios" in found.reason
    assert (found.observed, found.limit, found.unit) == (1850, 1500, "USD")


@pytest.mark.parametrize(
    "parameters",
    [
        ScenarioLimit(limit=5, arrays={"X": ["1e30"]}),
        ScenarioLimit(limit=5, arrays={"X": ["1e-30"]}),
        InitialMargin("scan", arrays={"X": [1, "1e30"]}),
        InitialMargin("brackets", table=[["1e30", "0.1"]]),
    ],
)
def test_data_beyond_64_bits_are_refused_in_a_sentence(parameters):
    says = refusal(replay_log, orders(("X", "B", 1)), RuleSet([Rule("r", parameters)]))
    assert "its data are beyond 64 bits in units of this log; give amounts that are smaller" in says


def test_a_node_may_have_any_large_limit():
    log = orders(("X", "B", 1))
    assert refused(Rule("r", ScenarioLimit(cell_limits=["1e40", 3], arrays={"X": [-5, 3]})), log) == []


@pytest.mark.parametrize(
    "time", ["2024-03-05T14:30:00Z", "2024-03-05 14:30", pd.Timestamp("2024-03-05 15:30", tz="Europe/Berlin")]
)
def test_the_time_of_the_data_is_any_time(time):
    made = [
        RuleSet([Rule("r", ScenarioLimit(limit=9, as_of=one, max_age_ns="1min", **LADDER))]) for one in (time, AS_OF)
    ]
    assert (
        made[0].hash == made[1].hash == RuleSet.from_dict(json.loads(json.dumps(made[0].to_dict(), default=str))).hash
    )


NESTED: list = []
NESTED.append(NESTED)
NO_TIMES = ["x", "2024-13-01", 1.5, float("nan"), pd.NaT, True, {}, NESTED, "9" * 5000, 10**5000, b"5", Decimal(5)]
NO_TIMES += [np.datetime64("NaT"), np.datetime64("20000-01-01"), np.uint64(2**64 - 1), "2500-01-01"]


@pytest.mark.parametrize("time", NO_TIMES, ids=lambda time: type(time).__name__)
def test_what_is_no_time_of_data_is_refused(time):
    with pytest.raises(InputError, match="is not a time"):
        Rule("r", ScenarioLimit(limit=9, as_of=time, max_age_ns="1min", **LADDER))


@pytest.mark.parametrize("number", [20240305, 2024, 1_709_649_000, "1709649000000"])
def test_a_number_that_reads_as_a_date_in_another_unit_is_refused(number):
    with pytest.raises(InputError, match=f"as_of='?{number}'? reads as a date, and not in nanoseconds"):
        Rule("r", ScenarioLimit(limit=9, as_of=number, max_age_ns="1min", **LADDER))
