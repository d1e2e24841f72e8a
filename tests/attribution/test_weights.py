"""Weights by risk: their definitions, solvers, units and names; Brinson's effects."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from riskkit import attribution
from riskkit._check import InputError
from riskkit.attribution import (
    brinson_fachler,
    diversification_ratio,
    hierarchical_risk_parity,
    maximum_diversification,
    minimum_variance,
    risk_budgeting,
)

NAMES = ["a", "b", "c", "d"]


def random_covariance(seed, n=4, unit=1.0):
    root = np.random.default_rng(seed).standard_normal((n, n + 2)) * (unit * np.arange(1.0, n + 1.0)[:, None])
    return root @ root.T


COVARIANCE = pd.DataFrame(random_covariance(3), NAMES, NAMES)


@given(st.integers(0, 10**6), st.integers(2, 12), st.sampled_from([1e-9, 1.0, 1e9]))
def test_each_asset_contributes_its_budget_in_any_unit(seed, n, unit):
    budgets = np.random.default_rng(seed).dirichlet(np.ones(n)) * 0.9 + 0.1 / n
    covariance = random_covariance(seed, n, unit)
    weights = risk_budgeting(covariance, budgets)
    risk = attribution.component(weights, covariance, measure="volatility")
    assert weights.min() > 0.0 and weights.sum() == pytest.approx(1.0)
    assert risk / risk.sum() == pytest.approx(budgets, rel=1e-6)


def outside(matrix, budgets):
    """The program of Spinu's paper, eq. 3, by a conic solver: min x'Cx/2 - sum(b ln x)."""
    cp = pytest.importorskip("cvxpy")
    x = cp.Variable(len(matrix))
    height = 0.5 * cp.sum_squares(np.linalg.cholesky(matrix).T @ x) - budgets @ cp.log(x)
    tight = {name: 1e-11 for name in ("tol_gap_abs", "tol_gap_rel", "tol_feas")}
    cp.Problem(cp.Minimize(height)).solve(solver="CLARABEL", **tight)
    return x.value / x.value.sum()


def by_slsqp(matrix, budgets):
    """The same program by scipy, each asset in units of its volatility."""
    unit = np.sqrt(np.diag(matrix))
    correlation = matrix / np.outer(unit, unit)
    found = minimize(
        lambda x: 0.5 * x @ correlation @ x - budgets @ np.log(x),
        np.sqrt(budgets),
        jac=lambda x: correlation @ x - budgets / x,
        bounds=[(1e-6, None)] * len(matrix),
        method="SLSQP",
        options={"ftol": 1e-18, "maxiter": 2000},
    )
    return found.x / unit / (found.x / unit).sum()


INSTALL = "is not installed; `pip install skfolio riskfolio-lib`, or `make .venv/bench`"


def by_skfolio(returns, budgets):
    optimization = pytest.importorskip("skfolio.optimization", reason=f"skfolio {INSTALL}")
    return optimization.RiskBudgeting(risk_budget=dict(zip(returns, budgets, strict=True))).fit(returns).weights_


def by_riskfolio(returns, budgets):
    portfolio = pytest.importorskip("riskfolio", reason=f"riskfolio {INSTALL}").Portfolio(returns=returns)
    portfolio.assets_stats(method_mu="hist", method_cov="hist")
    found = portfolio.rp_optimization(model="Classic", rm="MV", rf=0, b=budgets[:, None], hist=True)
    return found["weights"].to_numpy()


@pytest.mark.filterwarnings("ignore")  # of the packages
@pytest.mark.lengthy
@pytest.mark.parametrize("package", [by_skfolio, by_riskfolio])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_packages_of_the_field_end_at_the_same_budgets(package, seed):
    rng = np.random.default_rng(seed)
    moves = rng.standard_normal((600, 6)) * rng.uniform(0.5, 2.0, 6) + rng.standard_normal((600, 1))
    returns, budgets = pd.DataFrame(0.01 * moves, columns=list("ABCDEF")), rng.dirichlet(np.full(6, 5.0))
    ours = risk_budgeting(returns.cov(), budgets)
    np.testing.assert_allclose(package(returns, budgets), ours, rtol=1e-3)  # to the tolerance of their solver


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("solver", [outside, by_slsqp])
def test_an_outside_optimiser_ends_at_the_same_weights(solver, seed):
    n = (2, 3, 6, 9)[seed]
    covariance = random_covariance(seed, n)
    budgets = np.random.default_rng(seed).dirichlet(np.ones(n)) * 0.9 + 0.1 / n
    for shares in (np.full(n, 1.0 / n), budgets):
        assert risk_budgeting(covariance, shares) == pytest.approx(solver(covariance, shares), abs=1e-6)


@pytest.mark.parametrize("smallest", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("n", [2, 20])
def test_small_budgets_are_met(n, smallest):
    budgets = np.geomspace(smallest, 1.0, n)
    budgets /= budgets.sum()
    covariance = random_covariance(7, n)
    risk = attribution.component(risk_budgeting(covariance, budgets), covariance, measure="volatility")
    assert risk / risk.sum() == pytest.approx(budgets, abs=1e-9)


def test_opposite_and_nearly_equal_assets_have_their_closed_forms():
    hedge = [[1.0, -0.999999], [-0.999999, 1.0]]
    assert risk_budgeting(hedge) == pytest.approx([0.5, 0.5])
    alike = np.full((30, 30), 1.0 - 1e-7) + 1e-7 * np.eye(30)
    assert risk_budgeting(alike) == pytest.approx(np.full(30, 1.0 / 30.0))
    assert risk_budgeting(alike * 4.0, np.arange(1.0, 31.0) / 465.0).sum() == pytest.approx(1.0)


def test_no_other_weights_have_less_variance_or_more_diversification():
    matrix, start = COVARIANCE.to_numpy(), np.full(4, 0.25)
    total = {"type": "eq", "fun": lambda w: w.sum() - 1.0}
    least = minimize(lambda w: w @ matrix @ w, start, constraints=[total], tol=1e-12)
    assert minimum_variance(COVARIANCE).to_numpy() == pytest.approx(least.x, abs=1e-3)
    most = minimize(lambda w: -diversification_ratio(w, matrix), start, constraints=[total], tol=1e-12)
    assert diversification_ratio(maximum_diversification(COVARIANCE), COVARIANCE) >= -most.fun - 1e-8
    assert list(maximum_diversification(COVARIANCE).index) == NAMES


def test_two_assets_have_a_closed_form_and_the_order_of_assets_does_not_matter():
    two = np.array([[0.04, 0.01], [0.01, 0.09]])
    assert risk_budgeting(two) == pytest.approx([0.6, 0.4])
    assert hierarchical_risk_parity(two) == pytest.approx([9.0 / 13.0, 4.0 / 13.0])
    turned = COVARIANCE.loc[NAMES[::-1], NAMES[::-1]]
    assert risk_budgeting(turned)[NAMES].to_numpy() == pytest.approx(risk_budgeting(COVARIANCE).to_numpy())
    budgets = pd.Series([0.4, 0.3, 0.2, 0.1], NAMES)
    assert risk_budgeting(turned, budgets)[NAMES].to_numpy() == pytest.approx(
        risk_budgeting(COVARIANCE, budgets).to_numpy()
    )


def test_hierarchical_weights_take_singular_matrices_and_any_unit():
    singular = np.full((3, 3), 0.04)
    assert hierarchical_risk_parity(singular).sum() == pytest.approx(1.0)
    one = hierarchical_risk_parity(COVARIANCE)
    assert hierarchical_risk_parity(1e12 * COVARIANCE).to_numpy() == pytest.approx(one.to_numpy())
    assert hierarchical_risk_parity([[4.0]]).tolist() == [1.0]


def test_effects_add_up_and_keep_the_names_of_segments():
    rng = np.random.default_rng(1)
    held, theirs = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
    got, market = 0.1 * rng.standard_normal((2, 4))
    table = brinson_fachler(pd.Series(held, NAMES), got, theirs, market)
    assert table["total"].sum() == pytest.approx(held @ got - theirs @ market) and list(table.index) == NAMES
    assert brinson_fachler(theirs, market, theirs, market)["total"].tolist() == pytest.approx([0.0] * 4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: risk_budgeting([[1.0, 1.0], [1.0, 1.0]]), "is not positive definite"),
        (lambda: risk_budgeting([[1.0, 0.0], [0.0, 0.0]]), "each asset needs one above zero"),
        (lambda: risk_budgeting(COVARIANCE, [0.5, 0.5, 0.5, -0.5]), "budgets is not 4 shares"),
        (lambda: maximum_diversification([[1.0, 1.9, 0.0], [1.9, 4.0, 0.0], [0.0, 0.0, -1.0]]), "above zero"),
        (lambda: diversification_ratio([0.0] * 4, COVARIANCE), "give one each, not all zero"),
        (lambda: hierarchical_risk_parity([[0.0]]), "each asset needs one above zero"),
        (lambda: brinson_fachler([0.5], [0.1], [1.0], [0.1]), "weights has a sum of 0.5"),
        (lambda: brinson_fachler([1.0], [0.1, 0.2], [1.0], [0.1]), "segment_returns has 2 segments and weights 1"),
        (
            lambda: brinson_fachler(pd.Series([1.0], ["a"]), pd.Series([0.1], ["b"]), [1.0], [0.1]),
            "segment_returns has the segments \\['b'\\]",
        ),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()
