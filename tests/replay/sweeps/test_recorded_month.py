"""The story of notebooks 11 and 12 on a recorded month of an exchange: it cannot be shipped, so this skips without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import riskkit as rk

RECORDED = Path(__file__).parents[3].parent / "shared" / "data" / "local" / "nepse_floorsheet_2024-06-16_07-17.parquet"
ZONE, SHARES = "Asia/Kathmandu", ["NRN", "NFS", "JFL"]
LIMITS = [10_000_000, 50_000_000, 100_000_000]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RECORDED.exists(), reason="the recorded month of an exchange is not on this machine"),
]


@pytest.fixture(scope="module")
def log() -> rk.EventLog:
    """What the six largest brokers did in the three most traded shares, and the last price of each minute."""
    trades = pd.read_parquet(RECORDED).rename(columns={"symbol": "instrument", "time": "ts"})
    trades = trades[trades["instrument"].isin(SHARES)].astype({"instrument": str})
    traded = (trades["qty"] * trades["price"]).groupby(trades["buyer_broker"]).sum().nlargest(6).index
    sides = [
        trades[trades[name].isin(traded)].assign(account=trades[name].astype(str), side=side)
        for name, side in (("buyer_broker", "B"), ("seller_broker", "S"))
    ]
    orders = pd.concat(sides, ignore_index=True).drop(columns=["contract_id", "buyer_broker", "seller_broker"])
    orders["order_id"] = orders.index.astype(str)
    minutes = trades.groupby([trades["ts"].dt.floor("1min"), "instrument"])["price"].last().reset_index()
    minutes["ts"] += pd.Timedelta("59999ms")
    parts = [orders.assign(kind="order"), orders.assign(kind="fill"), minutes.assign(kind="price")]
    events = pd.concat(parts).sort_values("ts", kind="stable", ignore_index=True)
    events["ts"] = events["ts"].dt.tz_localize(ZONE)
    shares = [rk.Instrument(share, tick="0.1", currency="NPR") for share in SHARES]
    flat = [rk.Account(str(broker), cash={"NPR": 0}) for broker in traded]
    return rk.EventLog.from_frame(events, shares, accounts=flat, about={"kind": "real"})


def test_limits_make_the_fall_smaller_and_whether_they_cost_money_is_not_known(log):
    rules = rk.RuleSet(
        [rk.Rule("size", rk.rules.PositionLimit(notional=LIMITS[0]), scope="account_instrument")],
    )
    seldom = {"rejected_share": (None, 0.10)}
    found = rk.calibrate(
        log, rules, {"size.notional": LIMITS}, "-drawdown", seldom, train_days=10, test_days=3, tz=ZONE,
        rng=np.random.default_rng(1), resamples=100,
    )  # fmt: skip
    assert found.chosen == {"size.notional": 50_000_000}
    assert (found.frame["drawdown_change"] < 0).all() and found.frame["policies_agree"].all()
    assert (found.frame["profit_change"] < 0).all() and (found.frame["profit_change_high"] > 0).all()
    after = found.out_of_sample()
    assert len(after) == 5 and (after["test_drawdown_change"] < 0).all()
    assert (
        after["train_rejected_share"].max() <= 0.10 < after["test_rejected_share"].max()
    )  # the bound breaks afterwards


def test_every_rate_stops_knight_and_ordinary_days_pay_for_a_tight_one(log):
    rules = rk.RuleSet([rk.Rule("rate", rk.rules.OrderRate(limit=10, window_ns="1s"), action="HALT", hold="session")])
    found = rk.incidents.detection(
        log,
        rules,
        ["knight"],
        {"rate.limit": [10, 40, 160]},
        moments=3,
        rng=np.random.default_rng(2),
        rates={"USD": 133},
    )
    alarms = found.frame["false_alarms"]
    assert (found.frame["catch_rate"] == 1).all() and (found.frame["catch_rate_low"] < 0.6).all()
    assert alarms.is_monotonic_decreasing and alarms.iloc[0] > 500 and alarms.iloc[-1] < 30
