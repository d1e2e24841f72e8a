"""Early warning: time to breach at the present rate, by hand and beside a plain version."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import riskkit as rk
from riskkit.desk.dashboard import LiveDesk
from riskkit.desk.manager import RiskManager
from riskkit.desk.market import MarketStream, RecordedBars
from riskkit.replay import EarlyWarning, early_warnings

S = 1_000_000_000


def reading(ts, headroom, warning, unit="quantity"):
    columns = ["rule", "key", "observed", "limit", "headroom", "unit", "paused"]
    frame = pd.DataFrame([["r", "A", 10 - headroom, 10, headroom, unit, False]], columns=columns)
    return warning.take_utilization(frame, ts)


@pytest.mark.parametrize(("left", "warns"), [(5, True), (6, True), (6.001, False)])
def test_it_warns_when_the_time_left_is_the_horizon_or_less(left, warns):
    """From 9 at 0 s to what is left at 1 s, the limit lasts left / (9 - left) seconds: 2 s at 6."""
    warning = EarlyWarning("1s", "2s")
    reading(0, 9, warning)
    row = reading(S, left, warning).iloc[0]
    assert row["time_left"] == pytest.approx(left / (9 - left)) and row["warns"] == row["alert"] == warns


def test_nothing_is_known_before_a_window_has_passed_and_a_limit_that_is_not_used_more_never_breaches():
    warning = EarlyWarning("1s", "10s")
    assert math.isnan(reading(0, 5, warning).iloc[0]["rate"])
    assert math.isnan(reading(S - 1, 4, warning).iloc[0]["time_left"])
    for ts in (2 * S, 3 * S, 4 * S):
        row = reading(ts, 5, warning).iloc[0]
    assert row["rate"] == 0 and row["time_left"] == math.inf and not row["warns"] and row["breach_at"] is None


def test_an_alert_is_raised_once_and_again_after_more_time_was_left():
    warning = EarlyWarning("1s", "2s")
    seen = [
        bool(reading(turn * S, left, warning)["alert"].iloc[0]) for turn, left in enumerate([9, 5, 2, 2, 1, -1, 9, 8])
    ]
    assert seen == [False, True, False, False, True, False, False, False]
    assert reading(8 * S, -1, warning).iloc[0][["time_left", "breach_at"]].tolist() == [0.0, 8 * S]


def test_readings_are_in_order_of_time_and_times_are_no_use():
    warning = EarlyWarning("1s", "2s")
    reading(S, 5, warning)
    with pytest.raises(rk.InputError, match="status is of 5, before 1000000000 of the last one"):
        reading(5, 5, warning)
    assert reading(2 * S, 5, EarlyWarning("1s", "2s"), unit="time").empty


def naive(used, limit, window, horizon):
    """By the definition: (limit - used) / rate, rate = (used(t) - used(t - w)) / w, of readings a second apart."""
    warned, alerts = False, []
    for t, value in enumerate(used):
        rate = (value - used[t - window]) / window if t >= window else 0
        warns = t >= window and (value > limit or (rate > 0 and (limit - value) / rate <= horizon))
        alerts += [t] if warns and not warned else []
        warned = warns
    return alerts


def test_the_alerts_of_a_log_are_those_of_the_definition():
    sizes = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 0, 0, 0, 0, 5, 8, 9, 7, 9, 3]
    rows = [
        {"ts": t * S, "kind": "fill", "account": "A", "instrument": "X", "side": "B", "qty": size, "price": 1}
        for t, size in enumerate(sizes)
        if size
    ]
    log = rk.EventLog.from_frame(pd.DataFrame(rows), unit="ns")
    used = [sum(sizes[: t + 1]) for t in range(len(sizes))]
    for limit in (40, 60, 70):
        rules = rk.RuleSet([rk.Rule("volume", rk.rules.VolumeCap(limit=limit))])
        found = early_warnings(log, rules, window_ns="3s", horizon="4s", sample_ns="1s")
        assert (found["ts"] // S).tolist() == naive(used, limit, 3, 4)
    assert early_warnings(log, rk.RuleSet([]), window_ns="1s", horizon="1s", sample_ns="1s").empty


def test_a_desk_shows_the_projected_breaches_of_its_session():
    rules = rk.RuleSet([rk.Rule("volume", rk.rules.VolumeCap(limit=100))])
    session = rk.Session.create(rules, [rk.Instrument("X")], ["A"], mode="enforce", compiled=False)
    warning = EarlyWarning("1s", "3s")
    stream = MarketStream(RecordedBars(pd.DataFrame({"X": [10.0]}, index=[60 * S])))
    desk = LiveDesk(RiskManager(1_000), stream, session=session, account="A")
    for turn in range(3):
        session.process_trade(account="A", instrument="X", side="B", qty=25, price=10, ts=turn * S)
        frame = desk.projected_breaches(warning)
    assert frame[["rule", "time_left", "warns"]].iloc[0].tolist() == ["volume", 1.0, True]
