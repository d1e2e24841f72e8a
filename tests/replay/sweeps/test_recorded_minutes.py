"""The story of notebook 12 about minutes of coins, on recorded minutes: they cannot be shipped, so this skips without them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import riskkit as rk

ROOT = Path(__file__).parents[3]
RECORDED = ROOT.parent / "shared" / "data" / "local" / "crypto_usdt_1min_2021-09-17_10-09.parquet"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RECORDED.exists(), reason="recorded minutes of coins are not on this machine"),
]


@pytest.fixture(scope="module")
def told() -> dict[str, object]:
    """The notebook's cells over recorded closes, with limits of the size that these coins need."""
    cells = json.loads((ROOT / "notebooks" / "12_choosing_a_threshold.ipynb").read_text())["cells"]
    sources = {cell["id"]: "".join(cell["source"]) for cell in cells}
    frame = pd.read_parquet(RECORDED).pivot(index="time", columns="pair", values="close")[["BTC_USDT", "ETH_USDT"]]
    closes = frame.astype(float).set_axis(["BTC", "ETH"], axis=1).dropna()
    names: dict[str, object] = {"np": np, "pd": pd, "rk": rk, "closes": closes}
    for cell, first, last in (
        ("minutes-1", "def breakouts", "\nminutes\n"),
        ("minutes-2", "halts =", "pd.DataFrame("),
        ("minutes-8", "found_out =", "ax ="),
    ):
        source = sources[cell] + "\n"
        own = source[source.index(first) : source.index(last)]
        exec(own.replace("[50, 100, 150, 200, 300]", "[200, 400, 600, 800]").replace("simulated", "real"), names)
    return names


def test_a_stop_that_leaves_the_position_deepens_the_fall_and_one_that_closes_it_does_not(told):
    leaves, closes_out = told["leaves"].frame, told["closes_out"].frame
    assert (leaves["drawdown_change"] >= 0).all() and leaves["drawdown_change"].iloc[0] > 0
    assert (closes_out["drawdown_change"] <= 0).all() and closes_out["drawdown_change"].iloc[0] < 0


def test_the_sign_holds_on_the_days_after(told):
    assert (told["leaves"].out_of_sample()["test_drawdown_change"] >= 0).all()
    assert (told["closes_out"].out_of_sample()["test_drawdown_change"] < 0).all()


def test_every_limit_stops_knight_and_none_stops_infinium(told):
    caught = told["by_incident"]
    assert (caught.filter(like="knight") == 1).all(axis=None) and (caught.filter(like="infinium") == 0).all(axis=None)
    assert told["found_out"].frame["false_alarms"].is_monotonic_decreasing
