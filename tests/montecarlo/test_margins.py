"""Margins of copulas: against the definitions, scipy and each other; what a copula of them gives; what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import riskkit as rk
from riskkit._check import InputError
from riskkit._show import worded
from riskkit.montecarlo import GaussianCopula, StudentTCopula, fit_margin

RETURNS = 0.01 * np.random.default_rng(3).standard_t(4, 500) + 0.0004
METHODS = ["kernel", "pareto", "normal", "student_t"]
MARGINS = {method: fit_margin(RETURNS, method) for method in METHODS}
each = pytest.mark.parametrize("method", METHODS)
LEVELS = np.array([1e-9, 1e-4, 0.01, 0.0999, 0.1, 0.3, 0.5, 0.77, 0.9, 0.9001, 0.99, 1.0 - 1e-9])


@each
def test_quantiles_rise_and_are_the_inverse_of_the_distribution(method):
    margin = MARGINS[method]
    values = margin.ppf(LEVELS)
    assert (np.diff(values) > 0.0).all()
    assert margin.cdf(values) == pytest.approx(LEVELS, rel=1e-7)
    assert margin.scores(margin.at_scores(np.array([-7.0, 7.0]))) == pytest.approx([-7.0, 7.0])  # exact in both tails
    assert f"({worded(method)})" in repr(margin) and margin.n_obs == 500


@each
@pytest.mark.parametrize("unit", [1e-6, 1e9])
def test_the_unit_does_not_matter(method, unit):
    scaled = fit_margin(RETURNS * unit, method)
    assert scaled.ppf(LEVELS) == pytest.approx(unit * MARGINS[method].ppf(LEVELS), rel=1e-6)
    turned = fit_margin(-RETURNS, method)
    assert turned.ppf(LEVELS) == pytest.approx(-MARGINS[method].ppf(1.0 - LEVELS), rel=1e-5)


def test_a_kernel_margin_is_the_mean_of_normals():
    margin = MARGINS["kernel"]
    spread = min(RETURNS.std(ddof=1), stats.iqr(RETURNS) / 1.349)
    width = margin.parameters["bandwidth"]
    assert width == pytest.approx(spread * (4.0 / 500) ** (1.0 / 3.0))
    for value in (-0.05, -0.01, 0.0, 0.013, 0.06):
        assert margin.cdf(value) == pytest.approx(np.mean(stats.norm.cdf((value - RETURNS) / width)), rel=1e-3)


def test_a_pareto_margin_has_the_tail_of_evt_and_the_observed_body():
    margin = MARGINS["pareto"]
    risk = rk.var.evt(RETURNS, 0.999, tail_fraction=0.1)
    assert -margin.ppf(0.001) == pytest.approx(risk.var)
    assert margin.parameters["lower_threshold"] == pytest.approx(-risk.parameters["threshold"])
    beyond = 0.001 * risk.es + integrate.quad(margin.ppf, 0.0, 0.001)[0]  # the mean below the quantile is minus ES
    assert beyond == pytest.approx(0.0, abs=1e-6)
    ordered = np.sort(RETURNS)
    assert margin.cdf(ordered[50]) == pytest.approx(0.1) and margin.cdf(ordered[449]) == pytest.approx(0.9)
    assert margin.ppf(0.1 + 0.8 * 100 / 399) == pytest.approx(ordered[150])


def test_parametric_margins_are_those_of_scipy():
    law = MARGINS["student_t"].parameters
    df, location, scale = stats.t.fit(RETURNS)
    heights = [
        stats.t.logpdf(RETURNS, *args).sum()
        for args in ((law["df"], law["location"], law["scale"]), (df, location, scale))
    ]
    assert heights[0] >= heights[1] - 1e-6
    theirs = stats.t(law["df"], law["location"], law["scale"])
    assert MARGINS["student_t"].ppf(LEVELS) == pytest.approx(theirs.ppf(LEVELS), rel=1e-6)
    assert MARGINS["normal"].ppf(LEVELS) == pytest.approx(stats.norm(RETURNS.mean(), RETURNS.std(ddof=1)).ppf(LEVELS))


HISTORY = pd.DataFrame(
    0.01 * stats.multivariate_t([0.0, 0.0, 0.0], [[1, 0.6, 0], [0.6, 1, 0], [0, 0, 1]], 4).rvs(400, random_state=2),
    columns=list("ABC"),
)


@pytest.mark.parametrize("kind", [GaussianCopula, StudentTCopula])
@each
def test_a_copula_maps_probabilities_through_the_margins(kind, method):
    copula = kind(HISTORY, margins=method)
    plain = kind(HISTORY)
    assert copula.matrix == pytest.approx(plain.matrix)  # the dependence is that of the ranks
    draws = np.random.default_rng(1)
    rows = np.column_stack([draws.standard_normal((50, 3)), draws.uniform(size=50)])[:, : copula.needs.columns]
    found = np.asarray(copula.sample(None, rows))
    margins = [fit_margin(HISTORY[name], method) for name in "ABC"]
    for row, scenario in zip(rows, found, strict=True):
        x = copula.root @ row[:3]
        if kind is StudentTCopula:
            levels = stats.t.cdf(x * math.sqrt(copula.df / stats.chi2.ppf(row[3], copula.df)), copula.df)
        else:
            levels = stats.norm.cdf(x)
        expected = [margin.ppf(u) for margin, u in zip(margins, levels, strict=True)]
        assert scenario == pytest.approx(np.array(expected), rel=1e-6, abs=1e-12)


def test_margins_of_scipy_by_name_and_an_asset_that_never_moves():
    laws = {"B": stats.norm(0.0, 0.02), "A": stats.t(3.0), "C": MARGINS["kernel"]}
    found = GaussianCopula(HISTORY, np.eye(3), margins=laws).sample(None, [[-2.0, 1.0, 0.0], [9.0, 0.0, 0.0]])
    assert found["B"].to_numpy() == pytest.approx([0.02, 0.0], abs=1e-12)
    assert found["A"][0] == pytest.approx(stats.t.ppf(stats.norm.cdf(-2.0), 3.0)) and np.isfinite(found["A"][1])
    assert found["C"][0] == pytest.approx(float(MARGINS["kernel"].ppf(0.5)))
    still = HISTORY.assign(B=0.0001)
    assert (StudentTCopula(still, 4.0, margins="pareto").sample(20, np.random.default_rng(1))["B"] == 0.0001).all()
    assert "pareto" in repr(StudentTCopula(still, 4.0, margins="pareto"))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit_margin([0.01] * 20), "returns is constant"),
        (lambda: fit_margin(RETURNS[:30]), "at least 5 that differ are needed: give a larger tail_fraction"),
        (lambda: fit_margin(RETURNS, tail_fraction=0.5), "is not between 0 and 0.5"),
        (lambda: fit_margin(RETURNS, "gamma"), "method='gamma' is not one of"),
        (lambda: MARGINS["kernel"].ppf([0.5, 1.0]), "probability holds 1; give it between 0 and 1"),
        (lambda: GaussianCopula(HISTORY, margins="gamma"), "margins='gamma' is not one of"),
        (lambda: GaussianCopula(HISTORY, margins=[stats.norm()]), "has 1 entries for 3 assets"),
        (lambda: GaussianCopula(HISTORY, margins={"A": stats.norm()}), "margins is missing 'B'"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()
