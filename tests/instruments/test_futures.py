"""Futures contracts as one series: what a holder who rolls earns."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit.instruments import continuous_futures

ROLLS = [9, 19]


def contracts(seed, n=30):
    table = 100.0 * np.exp(np.cumsum(0.02 * np.random.default_rng(seed).standard_normal((n, 3)), axis=0)) + [
        0.0,
        3.0,
        7.0,
    ]
    table[12:, 0] = table[25:, 1] = table[:5, 2] = np.nan
    table[25:, 1] = np.nan
    return table


def held(table, change):
    """Gain of each period by the contract that is held in it."""
    owner = [0 if i <= ROLLS[0] else 1 if i <= ROLLS[1] else 2 for i in range(len(table))]
    return [change(table[i - 1, owner[i]], table[i, owner[i]]) for i in range(1, len(table))]


@given(seed=st.integers(0, 100))
def test_returns_by_ratio_and_profit_by_difference_are_those_of_the_contracts_held(seed):
    table = contracts(seed)
    ratio, difference = (continuous_futures(table, ROLLS, name) for name in ("ratio", "difference"))
    np.testing.assert_allclose(ratio[1:] / ratio[:-1], held(table, lambda a, b: b / a), rtol=1e-12)
    np.testing.assert_allclose(np.diff(difference), held(table, lambda a, b: b - a), rtol=1e-9, atol=1e-9)
    for series in (ratio, difference, continuous_futures(table, ROLLS, "none")):
        np.testing.assert_array_equal(series[20:], table[20:, 2])


@given(seed=st.integers(0, 100), power=st.integers(-6, 6))
@pytest.mark.parametrize("adjustment", ["ratio", "difference", "none"])
def test_a_unit_of_money_goes_through(adjustment, seed, power):
    table = contracts(seed)
    scaled = continuous_futures(table * 10.0**power, ROLLS, adjustment)
    np.testing.assert_allclose(scaled, 10.0**power * continuous_futures(table, ROLLS, adjustment), rtol=1e-9)


def test_rolls_by_date():
    days = pd.bdate_range("2024-01-01", periods=30)
    frame = pd.DataFrame(contracts(1), days, ["H", "M", "U"])
    series = continuous_futures(frame, [days[9], "2024-01-26"])
    np.testing.assert_array_equal(series, continuous_futures(contracts(1), ROLLS))
    assert series.index.equals(days)
