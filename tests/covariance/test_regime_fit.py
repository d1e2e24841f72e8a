"""Regimes fitted: beside statsmodels, the slow forward-backward formulas, and what is refused."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from riskkit._check import InputError
from riskkit.covariance import fit_regimes, regime_filter
from riskkit.covariance.regimes import expectation

RNG = np.random.default_rng(8)
STATES = np.cumsum(RNG.uniform(size=1200) < 0.02) % 2
RETURNS = 0.0004 + np.where(STATES, 0.022, 0.008) * RNG.standard_normal(1200)
FIT = fit_regimes(RETURNS)


def test_the_maximum_of_statsmodels_is_not_higher():
    model = sm.tsa.MarkovRegression(
        100.0 * RETURNS, k_regimes=2, trend="c", switching_trend=False, switching_variance=True
    )
    theirs = model.fit(disp=False)
    named = dict(zip(model.param_names, theirs.params, strict=True))
    assert FIT.log_likelihood >= theirs.llf + len(RETURNS) * math.log(100.0) - 1e-5
    variances = np.sort([named["sigma2[0]"], named["sigma2[1]"]]) / 1e4
    assert FIT.variances == pytest.approx(variances, rel=0.01)
    assert FIT.mean == pytest.approx(named["const"] / 100.0, rel=0.02)
    order = np.argsort([named["sigma2[0]"], named["sigma2[1]"]])
    assert FIT.smoothed == pytest.approx(np.asarray(theirs.smoothed_marginal_probabilities)[:, order], abs=0.01)
    assert np.diag(FIT.transition) == pytest.approx(np.diag(theirs.regime_transition[:, :, 0])[order], abs=0.005)


def test_expectations_are_sums_over_every_path_of_regimes():
    shocks, variances = np.array([0.3, -2.0, 0.1, 1.5, -0.2]), np.array([0.5, 3.0])
    transition, start = np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([0.75, 0.25])
    paths, weights = list(itertools.product(range(2), repeat=5)), []
    for path in paths:
        weight = start[path[0]]
        for before, after in itertools.pairwise(path):
            weight *= transition[before, after]
        weights.append(weight * np.prod(stats.norm.pdf(shocks, 0.0, np.sqrt(variances[list(path)]))))
    total, _, _, smoothed, moves = expectation(shocks, variances, transition, start)
    chances = np.array(weights) / sum(weights)
    assert total == pytest.approx(math.log(sum(weights)))
    for t in range(5):
        assert smoothed[t, 1] == pytest.approx(sum(c for c, path in zip(chances, paths, strict=True) if path[t]))
    for i, j in itertools.product(range(2), repeat=2):
        expected = sum(c * list(itertools.pairwise(path)).count((i, j)) for c, path in zip(chances, paths, strict=True))
        assert moves[i, j] == pytest.approx(expected)


def test_the_fit_is_that_of_the_filter_and_knows_the_days():
    found = regime_filter(RETURNS, FIT.transition, FIT.variances, mean=FIT.mean)
    assert FIT.log_likelihood == pytest.approx(found.log_likelihood) and FIT.filtered == pytest.approx(found.filtered)
    assert ((FIT.smoothed[:, 1] > 0.5) == STATES).mean() > 0.95
    assert FIT.smoothed[-1] == pytest.approx(FIT.filtered[-1], abs=1e-6)
    assert FIT.forecast(2)[0] == pytest.approx(found.next_variance) == pytest.approx(FIT.next_volatility**2)
    assert FIT.forecast(2)[1] == pytest.approx(FIT.predicted @ FIT.transition @ FIT.variances)
    table = FIT.to_frame()
    assert FIT.forecast(2000)[-1] == pytest.approx((table["long_run"] * table["volatility"] ** 2).sum())
    assert table["duration"].to_numpy() == pytest.approx(1.0 / (1.0 - np.diag(FIT.transition)))
    assert FIT.durations == pytest.approx(table["duration"].to_numpy())


def test_units_labels_and_a_third_regime():
    days = pd.bdate_range("2019-01-01", periods=len(RETURNS))
    fit = fit_regimes(pd.Series(RETURNS * 1e7, days))
    assert fit.variances == pytest.approx(FIT.variances * 1e14) and fit.smoothed.index.equals(days)
    assert "2 regimes of volatility" in repr(fit) and fit.plot().get_ylim() == (0.0, 1.0)
    three = fit_regimes(RETURNS[:250], 3)
    assert (
        three.log_likelihood >= fit_regimes(RETURNS[:250]).log_likelihood - 1e-6
        and (np.diff(three.variances) >= 0.0).all()
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit_regimes(RETURNS[:40]), "returns has 40 observations; a fit of regimes needs at least 50"),
        (lambda: fit_regimes(np.full(100, 0.01)), "returns is constant"),
        (lambda: fit_regimes(RETURNS, 1), "n_regimes=1"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_a_regime_that_cannot_be_does_not_decide_how_small_a_density_is():
    """From the first regime there is no way to the second, whose density would be the higher by e^-600."""
    returns = np.array([0.1, 36.0, -0.2])
    found = regime_filter(returns, [[1.0, 0.0], [0.1, 0.9]], [1.0, 400.0])
    assert found.filtered.tolist() == [[1.0, 0.0]] * 3
    assert found.log_likelihood == pytest.approx(float(-0.5 * (np.log(2.0 * np.pi) + returns**2).sum()))
