"""Liquidation of portfolios: one asset is Almgren and Chriss, a numerical optimum, stress, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from riskkit._check import InputError
from riskkit.liquidity import CrossImpact, LinearImpact, liquidate_portfolio, liquidation_schedule

COVARIANCE = np.array([[0.9, 0.5], [0.5, 1.6]])
TEMPORARY = np.array([[2.5e-6, 8e-7], [8e-7, 6e-6]])
MARKET = CrossImpact(
    COVARIANCE,
    TEMPORARY,
    [[2e-7, 5e-8], [5e-8, 4e-7]],
    impact_profile=[1.0, 4.0, 2.0, 1.0],
    volatility_profile=[1.0, 2.0, 1.5, 1.0],
)
POSITIONS = [4e5, -1e5]


def test_one_asset_is_the_schedule_of_almgren_and_chriss():
    paper = LinearImpact(0.95, 0.0, 2.5e-7, 2.5e-6)
    theirs = liquidation_schedule(1e6, 5, 10, paper, risk_aversion=2e-6)
    ours = liquidate_portfolio([1e6], 5.0, 10, CrossImpact([[0.95**2]], 2.5e-6, 2.5e-7), risk_aversion=2e-6)
    assert ours.holdings.ravel() == pytest.approx(theirs.holdings)
    assert (ours.expected_cost, ours.cost_sd) == pytest.approx((theirs.expected_cost, theirs.cost_sd))
    assert ours.lvar() == pytest.approx(theirs.lvar())


def by_hand(holdings, days, market=MARKET, impact=1.0):
    """Cost and variance, share by share, as prices move."""
    interval = days / (len(holdings) - 1)
    shift, cost, variance = np.zeros(2), 0.0, 0.0
    for k in range(1, len(holdings)):
        sold = holdings[k - 1] - holdings[k]
        received = -shift - impact * market.impact_profile[k - 1] * market.temporary_slope @ sold / interval
        cost -= received @ sold
        shift = shift + market.permanent_slope @ sold
        variance += interval * market.volatility_profile[k - 1] ** 2 * holdings[k] @ market.covariance @ holdings[k]
    return cost, variance**0.5


def test_the_cost_is_that_of_the_trades_and_the_optimum_that_of_a_search():
    plan = liquidate_portfolio(POSITIONS, 2.0, 4, MARKET, risk_aversion=1e-6)
    assert (plan.expected_cost, plan.cost_sd) == pytest.approx(by_hand(plan.holdings, 2.0))

    def objective(inner):
        holdings = np.vstack([POSITIONS, 1e5 * inner.reshape(3, 2), [0.0, 0.0]])
        cost, spread = by_hand(holdings, 2.0)
        return (cost + 1e-6 * spread**2) / 1e5

    found = minimize(objective, plan.holdings[1:-1].ravel() / 1e5 + 0.3, method="BFGS", options={"gtol": 1e-9})
    assert plan.holdings[1:-1].ravel() / 1e5 == pytest.approx(found.x, abs=1e-3)
    assert objective(plan.holdings[1:-1].ravel() / 1e5) <= found.fun + 1e-9


def test_stress_costs_more_and_a_new_plan_less_than_the_old_one():
    plan = liquidate_portfolio(POSITIONS, 2.0, 4, MARKET, risk_aversion=1e-6)
    crisis = MARKET.stressed(impact=3.0, volatility=2.0)
    cost, spread = crisis.cost(plan.holdings, 2.0)
    assert cost == pytest.approx(by_hand(plan.holdings, 2.0, impact=3.0)[0]) and spread == pytest.approx(
        2.0 * plan.cost_sd
    )
    again = liquidate_portfolio(POSITIONS, 2.0, 4, crisis, risk_aversion=1e-6)
    assert again.expected_cost + 1e-6 * again.cost_sd**2 < cost + 1e-6 * spread**2
    joint = liquidate_portfolio([1e5, 1e5], 1.0, 4, CrossImpact(COVARIANCE, TEMPORARY), risk_aversion=0.0)
    alone = liquidate_portfolio([1e5, 1e5], 1.0, 4, CrossImpact(COVARIANCE, np.diag(TEMPORARY)), risk_aversion=0.0)
    assert joint.expected_cost - alone.expected_cost == pytest.approx(2.0 * 8e-7 * 1e10)  # each moves the other's price


@pytest.mark.parametrize(("shares", "money"), [(1e3, 1.0), (1.0, 1e-2)])
def test_the_units_do_not_matter_and_names_come_out(shares, money):
    names = ["A", "B"]
    table = pd.DataFrame(COVARIANCE * money**2, names, names)
    market = CrossImpact(table, TEMPORARY * money / shares)
    plan = liquidate_portfolio(
        pd.Series([-1e5 * shares, 4e5 * shares], names[::-1]), 2.0, 4, market, risk_aversion=1e-6 / shares / money
    )
    plain = liquidate_portfolio(POSITIONS, 2.0, 4, CrossImpact(COVARIANCE, TEMPORARY), risk_aversion=1e-6)
    assert plan.holdings.to_numpy() == pytest.approx(shares * plain.holdings, abs=1e-6 * shares)
    assert plan.expected_cost == pytest.approx(shares * money * plain.expected_cost)
    assert list(plan.to_frame().columns) == names and plan.to_frame().index[-1] == 2.0
    assert "2 assets in 2 days" in repr(plan) and plan.plot() is not None and "cross-impact" in repr(market)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: CrossImpact(COVARIANCE, [[1.0, 2.0], [0.0, 1.0]]), "one per asset or a symmetric matrix"),
        (lambda: CrossImpact(COVARIANCE, 1.0, impact_profile=[1.0, 0.0]), "a multiple above zero per interval"),
        (lambda: liquidate_portfolio([1.0], 1, 2, CrossImpact(COVARIANCE, 1.0), risk_aversion=0.0), "for 2 assets"),
        (lambda: liquidate_portfolio(POSITIONS, 1, 2, MARKET, risk_aversion=0.0), "has 4 entries for 2 trades"),
        (
            lambda: liquidate_portfolio(POSITIONS, 1, 2, CrossImpact(COVARIANCE, 1.0, 5.0), risk_aversion=0.0),
            "trade more often",
        ),
        (lambda: MARKET.cost([[1.0, 1.0]], 1.0), "give rows that end at zero"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()
