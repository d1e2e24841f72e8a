"""Regressions of the tail, splits and conformal limits: optimality, coverage by simulation, no look-ahead, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit import var, var_backtest
from riskkit._check import InputError
from riskkit.var.learned import (
    conformal_interval,
    conformal_quantile,
    expectile_regression,
    har_features,
    purged_walk_forward,
    quantile_regression,
)

RNG = np.random.default_rng(2)
RETURNS = 0.01 * RNG.standard_t(5, 400)
FEATURES = har_features(RETURNS)
PAST, TARGET = FEATURES[:-1], RETURNS[22:]


def test_no_other_coefficients_have_less_loss():
    for fit, loss in (
        (quantile_regression(PAST, TARGET, 0.05), lambda forecast: var_backtest.quantile_loss(TARGET, -forecast, 0.95)),
        (
            expectile_regression(PAST, TARGET, 0.05),
            lambda forecast: var_backtest.expectile_loss(TARGET, -forecast, 0.05),
        ),
    ):
        assert fit.loss == pytest.approx(loss(fit.forecast(PAST)).mean())
        for _ in range(50):
            other = fit.coefficients + 0.003 * RNG.standard_normal(4)
            assert loss(PAST @ other).mean() >= fit.loss - 1e-15


def test_with_an_intercept_alone_they_are_the_quantile_and_the_expectile():
    ones = np.ones((400, 1))
    assert -expectile_regression(ones, RETURNS, 0.02).forecast([1.0]) == pytest.approx(var.expectile_var(RETURNS, 0.02))
    low, high = np.quantile(RETURNS, 0.0525, method="lower"), np.quantile(RETURNS, 0.0525, method="higher")
    assert low <= quantile_regression(ones, RETURNS, 0.0525).forecast([1.0]) <= high


@pytest.mark.parametrize("function", [quantile_regression, expectile_regression])
def test_units_scale_and_names_come_out(function):
    table = pd.DataFrame(PAST, columns=["one", "day", "week", "month"])
    one, other = function(table, TARGET, 0.05), function(PAST * 1e-7, TARGET * 1e6, 0.05)
    assert other.coefficients == pytest.approx(1e13 * one.coefficients.to_numpy(), rel=1e-5)
    assert "month" in repr(one) and list(one.coefficients.index) == list(table)
    assert one.forecast(table).index.equals(table.index)


def test_features_do_not_look_ahead():
    later = RETURNS.copy()
    later[300:] *= 5.0
    assert (har_features(later)[: 300 - 21] == FEATURES[: 300 - 21]).all()
    assert (har_features(later)[300 - 21] != FEATURES[300 - 21])[1:].all()
    days = pd.bdate_range("2020-01-01", periods=400)
    assert har_features(pd.Series(RETURNS, days)).index[0] == days[21]


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 9), st.integers(0, 5), st.booleans())
def test_splits_never_touch_the_future(n, train, test, purge, expanding):
    if train + purge + test > n:
        with pytest.raises(InputError, match="is fewer than the"):
            purged_walk_forward(n, train, test, purge=purge)
        return
    splits = purged_walk_forward(n, train, test, purge=purge, expanding=expanding)
    for past, future in splits:
        assert past[-1] + purge + 1 == future[0] and len(future) == test and future[-1] < n
        assert len(past) == (past[-1] + 1 if expanding else train) and (np.diff(past) == 1).all()
    tested = np.concatenate([future for _, future in splits])
    assert (np.diff(tested) == 1).all() and n - 1 - tested[-1] < test


def test_conformal_limits_hold_as_often_as_promised():
    scores = RNG.standard_exponential((4000, 41))
    limits = [conformal_quantile(row[:40], 0.9) for row in scores]
    held = np.mean([row[40] <= limit.bound for row, limit in zip(scores, limits, strict=True)])
    assert held == pytest.approx(limits[0].expected_coverage, abs=0.015)
    coverages = [-np.expm1(-limit.bound) for limit in limits]
    assert np.std(coverages) == pytest.approx(limits[0].coverage_sd, rel=0.06)
    assert np.quantile(coverages, 0.1) == pytest.approx(limits[0].coverage_quantile(0.1), abs=0.01)


@given(st.integers(1, 300), st.integers(1, 99))
def test_the_rank_is_exact_in_whole_percent(n, percent):
    rank = -((-(n + 1) * percent) // 100)
    assert conformal_quantile(np.arange(n), percent / 100).rank == rank
    assert conformal_quantile(np.arange(n), 1.0 - (100 - percent) / 100).rank == rank


def test_too_few_scores_have_no_limit_and_intervals_may_narrow():
    none = conformal_quantile([1.0, 2.0], 0.9)
    assert none.bound == np.inf and none.expected_coverage == none.coverage_quantile(0.5) == 1.0
    assert none.coverage_sd == 0.0
    assert conformal_interval([0.0] * 20, [-1.0] * 20, [1.0] * 20).bound == -1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: quantile_regression(PAST, RETURNS, 0.05), "features has 378 rows and target 400"),
        (lambda: quantile_regression(np.ones((5, 2)), np.arange(5.0), 0.05), "combinations of each other"),
        (lambda: expectile_regression(PAST, TARGET, 5), "tau=5 is not between 0 and 1"),
        (lambda: quantile_regression(PAST, TARGET, 0.05).forecast([1.0]), "features has 1 columns"),
        (lambda: har_features(RETURNS[:10]), "the longest lag is 22"),
        (lambda: conformal_interval([1.0], [1.0, 2.0], [2.0]), "low has 2 entries for 1 realized"),
        (lambda: conformal_quantile([1.0], 90), "coverage=90 is not between 0 and 1"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()
