"""Fire sales and funding: a slow spiral, known limits, orders that rules replay, the ladder by hand, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import riskkit as rk
from riskkit._check import InputError
from riskkit.liquidity import fire_sales, funding_ladder

FUNDS, ASSETS = ["F1", "F2", "F3"], ["A", "B"]
HELD = pd.DataFrame([[800.0, 200.0], [100.0, 500.0], [0.0, 50.0]], FUNDS, ASSETS)
EQUITY = [90.0, 60.0, 50.0]


def spiral(shock, depth=5000.0, leverage=12.0, unit=1.0):
    return fire_sales(HELD * unit, np.array(EQUITY) * unit, shock, market_depth=depth * unit, max_leverage=leverage)


def test_a_spiral_by_a_loop_over_funds():
    found = spiral({"A": -0.04})
    price, debt = [0.96, 1.0], [1000.0 - 90.0, 600.0 - 60.0, 50.0 - 50.0]
    units = HELD.to_numpy().tolist()
    for number in range(found.n_rounds):
        total = [0.0, 0.0]
        for i in range(3):
            assets = sum(u * p for u, p in zip(units[i], price, strict=True))
            capital = assets - debt[i]
            share = min(max(assets - 12.0 * max(capital, 0.0), 0.0), assets) / assets if assets else 0.0
            for j in range(2):
                sold = share * units[i][j] * price[j]
                assert found.sold[number, i, j] == pytest.approx(sold, abs=1e-12)
                total[j] += sold
                debt[i] -= sold
                units[i][j] *= 1.0 - share
        price = [p * math.exp(-t / 5000.0) for p, t in zip(price, total, strict=True)]
        assert found.prices.iloc[number + 1].tolist() == pytest.approx(price)
        worth = [sum(u * p for u, p in zip(units[i], price, strict=True)) - debt[i] for i in range(3)]
        assert found.equity.iloc[number + 1].tolist() == pytest.approx(worth)
    assert found.shock_loss == pytest.approx(36.0) and found.spiral_loss > 0.0
    assert found.to_frame()["equity"].iloc[-1] == pytest.approx(sum(EQUITY) - found.shock_loss - found.spiral_loss)
    assert "Fire sales of 3 funds" in repr(found) and all(tick == round(tick) for tick in found.plot().get_xticks())
    assert (
        not found.defaults[2] and found.equity["F3"].iloc[-1] < 50.0
    )  # without debt it still loses by the others' sales


@pytest.mark.parametrize(("size", "depth"), [(-0.02, 1e3), (-0.08, 5e3), (-0.25, 1e5)])
def test_a_larger_shock_or_a_thinner_market_falls_further_in_any_unit(size, depth):
    found = spiral({"A": size}, depth)
    assert (np.diff(found.prices, axis=0) <= 0.0).all() and (found.prices > 0.0).all(axis=None)
    assert spiral({"A": size}, depth, unit=1e6).spiral_loss == pytest.approx(1e6 * found.spiral_loss)
    for worse in (spiral({"A": size - 0.02}, depth), spiral({"A": size}, 0.5 * depth)):
        assert worse.prices.iloc[-1].min() <= found.prices.iloc[-1].min() + 1e-9


def test_no_sales_without_a_loss_and_none_without_impact():
    assert spiral({"A": 0.0}).n_rounds == 0 and spiral({"A": 0.0}).spiral_loss == 0.0
    assert spiral({"A": -0.04}, depth=1e15).spiral_loss == pytest.approx(0.0, abs=1e-6)
    ruined = spiral({"A": -0.5})
    assert ruined.defaults.tolist() == [True, True, False] and ruined.sold[0, 0].sum() == pytest.approx(600.0)


def test_a_spiral_is_replayed_through_rules():
    found = fire_sales(HELD * 1e4, np.array(EQUITY) * 1e4, {"A": -0.04}, market_depth=5e7, max_leverage=12.0)
    events = found.events(price=50.0)
    log = rk.EventLog.from_frame(
        events, [rk.Instrument(name, tick="0.01") for name in ASSETS], [rk.Account(name) for name in FUNDS]
    )
    rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5_000))])
    result = rk.replay_log(log, rules, compiled=False)
    orders = events[events["kind"] == "order"]
    refused = int((orders["qty"] > 5_000).sum())
    assert 0 < refused < len(orders) and len(result.rejections()) == refused
    assert events.loc[events["kind"] == "price", "price"].iloc[0] == 48.0


LADDER = funding_ladder(
    [1, 7, 30, 90],
    {"retail": [0, 0, 100, 0], "wholesale": [40, 20, 20, 9]},
    {"loans": [5, 5, 40, 50]},
    buffer=[30.0, 30.0],
    haircut=[0.0, 0.2],
    cash_after=[0.0, 5.0],
    run_off={"wholesale": 1.0, "retail": 0.1},
    roll_in=0.5,
)


def test_a_ladder_by_hand():
    table = LADDER.to_frame()
    assert table["outflow"].tolist() == [40.0, 20.0, 30.0, 9.0] and table["inflow"].tolist() == [2.5, 2.5, 20.0, 25.0]
    assert table["buffer"].tolist() == [30.0, 54.0, 54.0, 54.0]
    assert table["left"].tolist() == [30.0 - 37.5, 54.0 - 55.0, 54.0 - 65.0, 54.0 - 49.0]
    assert LADDER.survival_days == 0.0 and LADDER.coverage_ratio == pytest.approx(54.0 / (90.0 - 25.0))
    assert "Funding lasts for 0 days" in repr(LADDER) and LADDER.plot() is not None
    capped = funding_ladder([30], [100.0], [90.0], buffer=10.0)
    assert capped.coverage_ratio == pytest.approx(10.0 / 25.0)
    assert funding_ladder([30], [10.0], [10.0], buffer=1.0).survival_days == math.inf
    assert math.isinf(funding_ladder([60], [10.0], [10.0], buffer=1.0).coverage_ratio)


@given(st.floats(0.0, 1.0), st.floats(1e-3, 1e6))
def test_a_harder_run_lasts_no_longer_in_any_unit(share, unit):
    def ladder(run_off, scale=1.0):
        flows = np.array([10.0, 20.0, 60.0]) * scale
        return funding_ladder([1, 7, 30], flows, flows / 3.0, buffer=25.0 * scale, run_off=run_off)

    assert ladder(share).survival_days >= ladder(1.0).survival_days
    assert ladder(share, unit).table["left"].to_numpy() == pytest.approx(unit * ladder(share).table["left"].to_numpy())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spiral({"C": -0.1}), "shock holds 'C'"),
        (lambda: spiral({"A": -1.0}), "a shock above -1"),
        (
            lambda: fire_sales(HELD, [1.0], {"A": -0.1}, market_depth=1.0, max_leverage=2.0),
            "equity 1 entries and shock 2",
        ),
        (lambda: spiral([-0.04, 0.0], [1.0, 2.0, 3.0] * np.ones(3)), "market_depth has shape"),
        (
            lambda: fire_sales(HELD, EQUITY, {"A": -0.04}, market_depth=5e3, max_leverage=12.0, max_rounds=2),
            "after 2 rounds",
        ),
        (lambda: funding_ladder([7, 1], [1, 1], [1, 1], buffer=1.0), "days do not rise"),
        (lambda: funding_ladder([1, 7], [1], [1, 1], buffer=1.0), "a row for each day"),
        (lambda: funding_ladder([1], [-1], [1], buffer=1.0), "flows of at least 0"),
        (lambda: funding_ladder([1], {"a": [1]}, [1], buffer=1.0, run_off={"b": 1.0}), "run_off is missing 'a'"),
        (lambda: funding_ladder([1], [1], [1], buffer=1.0, haircut=1.5), "a haircut of at most 1"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()
