"""`calibrate_loss_limit`: trips, money and intervals against slow versions, and under each path inside the day."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit.replay.sweeps.calibration.loss_limit_result import MEASURES

PNL = np.random.default_rng(4).standard_t(4, 600) * 10_000.0
LIMITS = [5_000.0, 15_000.0, 40_000.0]


def found(pnl=PNL, limits=LIMITS, **options):
    return rk.sweeps.calibrate_loss_limit(pnl, limits, rng=np.random.default_rng(1), resamples=50, **options)


def test_a_bridge_trips_as_often_as_simulated_paths():
    days, steps, spread = np.array([-8.0, -1e-9, 15.0]), 1_000, 10.0
    walk = np.random.default_rng(2).normal(0.0, spread / np.sqrt(steps), (2_000, steps)).cumsum(axis=1)
    clock = np.arange(1, steps + 1) / steps
    shares = [((walk + clock * (day - walk[:, -1:])).min(axis=1) <= -10.0).mean() for day in days]
    frame = found(days, [10.0], paths="bridge", volatility=spread, periods_per_year=3).frame
    assert frame["trips"].iloc[0] == pytest.approx(sum(shares), abs=0.08)


def test_straight_paths_are_counted_by_hand():
    frame = found(paths="straight", slippage=0.1, after=5).frame.loc["straight"]
    for limit, row in frame.iterrows():
        tripped = np.flatnonzero(PNL <= -limit)
        change = -1.1 * limit - PNL[tripped]
        assert row["trips"] == pytest.approx(252 * len(tripped) / len(PNL))
        assert row["saved"] == pytest.approx(252 * change[change > 0].sum() / len(PNL))
        assert row["cost"] == pytest.approx(-252 * change[change < 0].sum() / len(PNL))
        assert row["rest"] == pytest.approx(-change.mean())
        sums = [PNL[day + 1 : day + 6].sum() for day in tripped if day + 5 < len(PNL)]
        assert row["next"] == pytest.approx(np.mean(sums))


def test_lowest_points_replace_every_assumption():
    lowest = np.minimum(PNL, 0.0) - 3_000.0
    result = found(lowest=lowest)
    assert result.paths == ("lowest",)
    assert result.frame["trips"].tolist() == pytest.approx([252 * (lowest <= -limit).mean() for limit in LIMITS])


def test_a_straight_path_costs_nothing_and_a_bridge_trips_more():
    frame = found().frame
    straight, bridge = frame.loc["straight"], frame.loc["bridge"]
    assert (
        (straight["cost"] == 0.0).all() and (bridge["trips"] > straight["trips"]).all() and (bridge["cost"] > 0.0).all()
    )
    assert frame.groupby("path")["trips"].is_monotonic_decreasing.all()
    for name in MEASURES:
        known = frame[[f"{name}_low", name, f"{name}_high"]].dropna()
        assert (known.iloc[:, 0] <= known.iloc[:, 2]).all()


def test_money_in_another_unit_is_the_same_answer():
    one, other = found().frame, found(PNL / 1_000.0, [limit / 1_000.0 for limit in LIMITS]).frame
    scale = [1.0 if name.startswith("trips") else 1_000.0 for name in one]
    assert one.to_numpy() == pytest.approx(other.to_numpy() * scale, nan_ok=True)


def test_the_chosen_limit_trips_rarely_enough_and_none_below_it_does():
    result = found(limits=None)
    limit = result.best(trips_per_year=10)
    trips = result.frame.loc["bridge", "trips"]
    assert trips[limit] <= 10.0 < trips[trips.index < limit].min()
    assert limit >= result.best(trips_per_year=10, path="straight")


def test_table_picture_and_workbook(tmp_path):
    pnl = pd.Series(PNL, pd.bdate_range("2020-01-01", periods=len(PNL)))
    result = found(pnl, currency="EUR")
    text = repr(result)
    assert re.search(r"trips, saves [\d,]+ and costs [\d,]+ EUR a year", text) and "Brownian" in text
    assert {limit for _, limit in result.keys} == set(LIMITS) and f"{15_000:,}" in text
    ax = result.plot()
    assert ax.get_xlabel() == "daily loss limit, EUR" and ax.get_ylabel() == "trips a year" and len(ax.lines) == 3
    assert result.plot(measure="net").get_ylabel() == "saved less cost a year, EUR"
    pytest.importorskip("xlsxwriter", reason="XlsxWriter is not installed; it comes with riskkit[excel]")
    assert result.to_excel(tmp_path / "limits.xlsx").stat().st_size > 5_000
