"""Filtered simulation over several periods: all paths enumerated, the law of one period, units."""

import itertools
import math

import numpy as np
import pytest

import riskkit as rk
from riskkit._check import InputError
from riskkit.var import filtered_paths, path_returns

RETURNS = 0.01 * np.random.default_rng(4).standard_t(5, 800)
GJR = {"mean": 0.02, "omega": 0.05, "alpha": 0.06, "gamma": 0.08, "beta": 0.85}


def test_paths_by_a_loop_over_all_of_them():
    shocks = [-2.0, -0.5, 0.3, 0.8]
    picks = list(itertools.product(range(4), repeat=3))
    found = path_returns(shocks, picks, 1.2, **GJR)
    for path, total in zip(picks, found, strict=True):
        h, by_hand = 1.2, 0.0
        for pick in path:
            e = math.sqrt(h) * shocks[pick]
            by_hand += 0.02 + e
            h = 0.05 + (0.06 + 0.08 * (e < 0.0)) * e * e + 0.85 * h
        assert total == pytest.approx(by_hand)


@pytest.mark.parametrize("model", ["garch", "gjr"])
def test_one_period_is_filtered_historical_simulation(model):
    paths = filtered_paths(RETURNS, 1, model=model, n_paths=200_000, rng=np.random.default_rng(1))
    if model == "garch":
        exact = rk.var.filtered_historical(RETURNS, 0.95, volatility="garch")
        assert paths.risk(0.95).var == pytest.approx(exact.var, rel=0.02)
        assert paths.risk(0.95).es == pytest.approx(exact.es, rel=0.02)
    assert paths.returns.std() == pytest.approx(math.sqrt(paths.next_variance), rel=0.05)
    assert paths.risk().horizon == 1.0 and "200,000 paths over 1 periods" in repr(paths)


def test_the_unit_does_not_matter_and_longer_is_riskier():
    one = filtered_paths(RETURNS, 10, n_paths=5000, rng=np.random.default_rng(1))
    other = filtered_paths(1e6 * RETURNS, 10, n_paths=5000, rng=np.random.default_rng(1))
    assert other.returns == pytest.approx(1e6 * one.returns, rel=1e-4, abs=1.0)
    daily = rk.var.filtered_historical(RETURNS, 0.99, volatility="garch").var
    assert 2.0 < one.risk(0.99).var / daily < 4.5  # near the root of ten
    assert one.plot() is not None and one.risk([0.95, 0.99]).parameters == one.parameters


@pytest.mark.slow
def test_refits_by_hand_and_more_uncertain_where_the_sample_is_short():
    rng, short = np.random.default_rng(3), RETURNS[:150]
    found = filtered_paths(short, 5, model="garch", n_paths=20, refits=4, rng=rng)
    fit = rk.covariance.fit_garch(short)
    rng, shocks = np.random.default_rng(3), np.asarray(fit.residuals)
    picks, sums = rng.integers(150, size=(20, 5)), []
    for number in range(4):
        series, h = [], short.var()
        for shock in shocks[rng.integers(150, size=150)]:
            series.append(fit.mean + math.sqrt(h) * shock)
            h = fit.omega + fit.alpha * (series[-1] - fit.mean) ** 2 + fit.beta * h
        again = rk.covariance.fit_garch(np.array(series))
        assert found.refitted["alpha"][number] == pytest.approx(again.alpha, abs=1e-9)
        h = short.var()
        for value in short:
            h = again.omega + again.alpha * (value - again.mean) ** 2 + again.beta * h
        own = {name: getattr(again, name) for name in ("mean", "omega", "alpha", "beta")}
        sums += path_returns(shocks, picks[5 * number : 5 * number + 5], h, **own).tolist()
    assert found.returns == pytest.approx(np.array(sums), rel=1e-6)
    assert "in 4 refits" in repr(found) and found.parameters["alpha"] == pytest.approx(fit.alpha)
    longer = filtered_paths(np.tile(RETURNS, 2), 5, model="garch", n_paths=20, refits=8, rng=rng)
    assert longer.refitted["omega"].std() < found.refitted["omega"].std()


@pytest.mark.parametrize("picks", [[[0, 4]], [[-1, 0]], [0, 1], [[0.5, 1.0]]])
def test_wrong_picks_are_refused(picks):
    with pytest.raises(InputError, match="picks are not positions of the 4 residuals"):
        path_returns([1.0, -1.0, 0.5, -0.5], picks, 1.0, **GJR)


def test_another_model_is_refused():
    with pytest.raises(InputError, match="model='egarch' is not one of 'garch', 'gjr'"):
        filtered_paths(RETURNS, 5, model="egarch", rng=np.random.default_rng(1))
