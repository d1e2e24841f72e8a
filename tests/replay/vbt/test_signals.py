"""Strategies of signals and of targets under limits: the same portfolio as vectorbt's where no limit binds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from refusing import refusal
from streams import daily_closes

from riskkit import Rule, RuleSet
from riskkit.rules import MaxOrderQty, PositionLimit
from riskkit.vbt import run_signals_with_limits, run_targets_with_limits

WIDE = RuleSet([Rule("size", MaxOrderQty(limit=10**6))])
CASH = 100_000.0


@pytest.fixture(scope="module")
def close(vbt) -> pd.DataFrame:
    return daily_closes(7, 0.02, 60)


def signals(seed: int, close: pd.DataFrame) -> list[pd.DataFrame]:
    draws = np.random.default_rng(seed).random((4, *close.shape)) < 0.15
    return [pd.DataFrame(draw, close.index, close.columns) for draw in draws]


def same(found, portfolio) -> None:
    """Orders are equal but for the rounding to lots, and positions are."""
    ours, theirs = (sorted(one.orders.values[["idx", "col", "side"]].tolist()) for one in (found.portfolio, portfolio))
    assert len(theirs) > 10 and ours == theirs
    assert found.portfolio.assets().to_numpy() == pytest.approx(portfolio.assets().to_numpy())
    assert found.portfolio.value().to_numpy() == pytest.approx(portfolio.value().to_numpy())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"direction": "shortonly", "size": 7.0},
        {"direction": "both", "size": 5.0, "fees": 0.001},
        {"size": 3.0, "accumulate": True, "fixed_fees": 1.0},
        {"size": 2.5, "cash_sharing": True, "group_by": True},
        {"slippage": 0.01, "size": 4.0, "tick": "0.0001"},
    ],
    ids=lambda options: ", ".join(options) or "all the cash",
)
def test_without_a_limit_that_binds_the_portfolio_is_vectorbts(vbt, close, options):
    entries, exits, _, _ = signals(1, close)
    own = {name: value for name, value in options.items() if name != "tick"}
    portfolio = vbt.Portfolio.from_signals(close, entries, exits, init_cash=CASH, **own)
    same(run_signals_with_limits(WIDE, close, entries, exits, init_cash=CASH, compiled=False, **options), portfolio)


def test_long_and_short_signals_are_resolved_as_vectorbt_does(vbt, close):
    long, leave, short, cover = signals(2, close)
    four = {
        "entries": long,
        "exits": leave,
        "short_entries": short,
        "short_exits": cover,
        "size": 3.0,
        "init_cash": CASH,
    }
    same(run_signals_with_limits(WIDE, close, compiled=False, **four), vbt.Portfolio.from_signals(close, **four))


@pytest.mark.parametrize("size_type", ["targetamount", "targetvalue", "targetpercent"])
def test_targets_are_orders_of_vectorbt(vbt, close, size_type):
    scale = {"targetamount": 50.0, "targetvalue": 5_000.0, "targetpercent": 0.3}[size_type]
    wanted = np.round(np.random.default_rng(3).uniform(-1.0, 1.0, close.shape) * scale, 2)
    options = {"size_type": size_type, "init_cash": CASH}
    found = run_targets_with_limits(WIDE, close, wanted, compiled=False, **options)
    same(found, vbt.Portfolio.from_orders(close, wanted, **options))


def test_a_refused_entry_waits_for_the_next_signal(close):
    one = close.iloc[:, 0]
    entries = pd.Series(False, one.index)
    entries.iloc[[2, 10, 20]] = True
    sizes = pd.Series(9.0, one.index)
    sizes.iloc[20] = 5.0
    rules = RuleSet([Rule("size", MaxOrderQty(limit=5))])
    found = run_signals_with_limits(rules, one, entries, False, size=sizes, init_cash=CASH, compiled=False)
    assert found.result.refusals_by_rule() == {"size": 2} and [answer.bar for answer in found.rejections()] == [2, 10]
    assert found.portfolio.assets().iloc[[19, 20, -1]].tolist() == [0.0, 5.0, 5.0]


def test_a_column_of_each_parameter_is_an_account(close):
    one = close.iloc[:, 0]
    fast = pd.concat({window: one > one.rolling(window).mean() for window in (3, 9)}, axis=1)
    found = run_signals_with_limits(
        RuleSet([Rule("book", PositionLimit(limit=10))]), one, fast, ~fast, size=10, init_cash=CASH, compiled=False
    )
    assert found.portfolio.wrapper.columns.tolist() == [3, 9] and found.log.counts()["ORDER"] > 4
    assert not found.rejections() and found.portfolio.assets().to_numpy().max() == 10.0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"sl_stop": 0.1},
            "sl_stop= cannot be set: orders are at the close; write an order function for run_with_limits",
        ),
        ({"fees": [0.1, 0.2]}, "fees has shape (2,); give one number"),
        ({"direction": "up"}, "direction='up' is not one of 'longonly', 'shortonly', 'both'"),
        (
            {"direction": "both", "short_entries": True},
            "direction='both' is of entries and exits alone; leave it out beside short ones",
        ),
    ],
)
def test_what_does_not_fit_is_refused(close, options, says):
    assert refusal(run_signals_with_limits, WIDE, close, True, compiled=False, **options) == says
