"""Volatility from ranges: scale, time and efficiency; values are among the reference cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit.covariance import range_volatility

ESTIMATORS = ["parkinson", "garman_klass", "rogers_satchell", "yang_zhang"]


def bars(seed, n=250, steps=200, volatility=0.02, gap=0.0):
    rng = np.random.default_rng(seed)
    paths = np.cumsum(volatility / np.sqrt(steps) * rng.standard_normal((n, steps)), axis=1)
    paths = np.hstack([np.zeros((n, 1)), paths])
    starts = np.concatenate([[0.0], np.cumsum(paths[:-1, -1] + gap * rng.standard_normal(n - 1))])
    prices = 100.0 * np.exp(starts[:, None] + paths)
    return prices[:, 0], prices.max(axis=1), prices.min(axis=1), prices[:, -1]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@given(power=st.integers(-6, 6), seed=st.integers(0, 20))
def test_the_unit_of_prices_does_not_matter_and_years_are_a_square_root(estimator, power, seed):
    table = bars(seed, 30, 20)
    one = range_volatility(*table, estimator)
    assert range_volatility(*(10.0**power * part for part in table), estimator) == pytest.approx(one, rel=1e-6)
    assert range_volatility(*table, estimator, periods_per_year=252) == pytest.approx(one * 252**0.5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_volatility_is_found_with_less_scatter_than_from_closes(estimator):
    found = [range_volatility(*bars(seed, 60), estimator) for seed in range(60)]
    closes = [np.diff(np.log(bars(seed, 60)[3])).std(ddof=1) for seed in range(60)]
    assert np.mean(found) == pytest.approx(0.02, rel=0.08)  # 200 steps see less than the whole range
    assert np.std(found) < 0.7 * np.std(closes)


def test_only_yang_zhang_sees_the_gaps():
    table = bars(1, 2000, gap=0.02)
    assert range_volatility(*table) == pytest.approx(0.02 * 2**0.5, rel=0.06)
    assert range_volatility(*table, "rogers_satchell") == pytest.approx(0.02, rel=0.08)
