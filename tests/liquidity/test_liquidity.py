"""riskkit.liquidity against its plain twin, the numbers of the papers, and inputs that do not fit."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import liquidity as naive

from riskkit import InputError, compat, liquidity
from riskkit.attribution import component, portfolio

PAPER = liquidity.LinearImpact.calibrated(0.95, 0.125, 5_000_000)
"""The market of Almgren and Chriss (2000), table 1."""


@pytest.fixture(scope="module")
def book():
    rng = np.random.default_rng(3)
    names = pd.Index(["A", "B", "C", "D"])
    root = rng.normal(size=(4, 4)) * 0.01
    covariance = pd.DataFrame(root @ root.T + 1e-5 * np.eye(4), index=names, columns=names)
    positions = pd.Series([1e6, -4e5, 2e6, 0.0], index=names)
    adv = pd.Series([2e6, 1e6, 1e6, 5e5], index=names)
    spreads = pd.Series([0.001, 0.002, 0.01, 0.02], index=names)
    return positions, covariance, adv, spreads


# Spread


def test_dowd_and_bangia():
    """Dowd (2005), chapter 14: VaR 3.3, cost 0.5; the second from the formulas of Bangia et al. (1999)."""
    constant = liquidity.spread_var(100, 0.02, 0.01, confidence=0.95, z=1.65)
    assert (constant.price_var, constant.spread_cost, constant.total) == pytest.approx((3.3, 0.5, 3.8), abs=1e-12)
    worst = liquidity.spread_var(
        100, 0.02, 0.01, spread_sd=0.004, spread_multiplier=3.0, distribution="lognormal", z=2.33
    )
    assert (worst.price_var, worst.spread_cost) == pytest.approx(naive.bangia(100, 2.33, 0.02, 0.01, 0.004, 3.0))
    fat = liquidity.spread_var(
        100, 0.02, 0.01, confidence=0.95, z=1.65, tail_factor=liquidity.bangia_tail_factor(6.0, 0.4)
    )
    assert fat.price_var == pytest.approx(3.3 * (1 + 0.4 * math.log(2)))
    assert liquidity.bangia_tail_factor(3.0, 0.4) == 1.0
    exact = liquidity.spread_var(100, 0.02, 0.0, 0.99)
    assert exact.total == pytest.approx(2 * 2.3263478740408408)


def test_half_spread_is_paid_by_long_and_short_alike(book):
    positions, _, _, spreads = book
    cost = liquidity.half_spread_cost(positions, spreads[::-1])
    assert cost.to_dict() == pytest.approx({"A": 500.0, "B": 400.0, "C": 10_000.0, "D": 0.0})
    assert liquidity.half_spread_cost(-200.0, 0.01) == 1.0
    assert liquidity.relative_spread(99.0, 101.0) == pytest.approx(0.02)
    assert liquidity.relative_spread([1.0, 5.0], [1.0, 5.1])[0] == 0.0


# Impact


@pytest.mark.parametrize(
    ("sigma", "volume", "outstanding", "days", "expected"),
    [
        (0.0157, 6.561, 1728, 0.1, (20, 22, 32)),
        (0.0157, 6.561, 1728, 0.2, (20, 15, 25)),
        (0.0157, 6.561, 1728, 0.5, (20, 8, 18)),
        (0.0226, 1.929, 168, 0.1, (22, 32, 43)),
        (0.0226, 1.929, 168, 0.2, (22, 21, 32)),
        (0.0226, 1.929, 168, 0.5, (22, 12, 23)),
    ],
)
def test_almgren_table_3(sigma, volume, outstanding, days, expected):
    """Almgren et al. (2005), table 3: IBM and DRI, a tenth of a day's volume, in basis points."""
    impact = liquidity.almgren_impact(0.1 * volume, volume, sigma, days, outstanding)
    found = (impact.permanent * 1e4, impact.temporary * 1e4, impact.realized * 1e4)
    assert found == pytest.approx(expected, abs=0.6)
    assert found == pytest.approx([x * 1e4 for x in naive.almgren(0.1, 1.0, sigma, days, outstanding / volume)])


def test_impact_of_several_trades_is_that_of_each(book):
    _, _, adv, _ = book
    quantity = pd.Series([1e5, -2e5, 3e4, 0.0], index=adv.index)
    together = liquidity.almgren_impact(quantity, adv, 0.02, 0.5, adv * 200)
    for name in adv.index:
        alone = liquidity.almgren_impact(quantity[name], adv[name], 0.02, 0.5, adv[name] * 200)
        row = [alone.permanent, alone.temporary, alone.realized]
        assert together.to_frame().loc[name].tolist() == pytest.approx(row, rel=1e-12, abs=0)
    assert together.realized["D"] == 0.0
    root = liquidity.square_root_impact(quantity, adv, 0.02, coefficient=0.5)
    assert root["B"] == pytest.approx(0.5 * 0.02 * math.sqrt(0.2))
    assert isinstance(liquidity.square_root_impact(1.0, 4.0, 0.02), float)


def test_square_root_law_doubles_with_four_times_the_size():
    assert liquidity.square_root_impact(4e4, 1e6, 0.02) == pytest.approx(
        2 * liquidity.square_root_impact(1e4, 1e6, 0.02)
    )


# Time to unwind


@given(
    size=st.floats(0, 1e6).map(lambda x: round(x, 2)),
    participation=st.sampled_from([0.05, 0.2, 0.5, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_what_is_held_agrees_with_selling_day_by_day(size, participation):
    expected = naive.held_by_day(size, 50_000.0, participation)
    held = liquidity.fraction_remaining([size], [50_000.0], participation)[:, 0]
    assert held == pytest.approx(expected, abs=1e-9)
    assert liquidity.days_to_liquidate(size, 50_000.0, participation) == pytest.approx(size / 50_000 / participation)


def test_fraction_held_keeps_names_and_periods(book):
    positions, _, adv, _ = book
    held = liquidity.fraction_remaining(positions, adv, 0.1)
    assert list(held.columns) == list(positions.index)
    assert len(held) == 20 and held.iloc[-1]["C"] == pytest.approx(0.05)
    assert len(liquidity.fraction_remaining(positions, adv, 0.1, periods=3)) == 3
    with pytest.raises(InputError, match="10,000,000 periods to unwind"):
        liquidity.fraction_remaining([1e6], [1.0], 0.1)
    assert liquidity.fraction_remaining([1e6], [1.0], 0.1, periods=2).tolist() == [[1.0], [1.0 - 1e-7]]


# The book


def test_book_agrees_with_unwinding_day_by_day(book):
    positions, covariance, adv, spreads = book
    lvar = liquidity.liquidity_var(
        positions, covariance, spreads=spreads, adv=adv, participation=0.15, confidence=0.95, z=1.65
    )
    path = naive.unwinding_var(list(positions), covariance.to_numpy().tolist(), list(adv), 0.15, 1.65)
    assert lvar.var + lvar.holding_cost.sum() == pytest.approx(path, rel=1e-12)
    assert lvar.var == pytest.approx(portfolio(positions, covariance, confidence=0.95, z=1.65))
    costs = liquidity.half_spread_cost(positions, spreads).sum()
    impact = sum(
        abs(positions[n]) * math.sqrt(covariance.loc[n, n]) * math.sqrt(abs(positions[n]) / adv[n]) for n in adv.index
    )
    assert lvar.total == pytest.approx(path + costs + impact, rel=1e-12)
    assert lvar.liquidity_cost == pytest.approx(lvar.total - lvar.var)


def test_components_are_the_margins_of_the_whole(book):
    """Euler: with times to unwind fixed, the price legs are position × derivative of their sum."""
    positions, covariance, adv, _ = book
    lvar = liquidity.liquidity_var(positions, covariance, adv=adv, impact_coefficient=0.0)
    assert lvar.component.sum() == pytest.approx(lvar.total, rel=1e-14)

    def path(scale):
        return naive.unwinding_var(list(positions * scale), covariance.to_numpy(), list(adv * scale), 0.2, 1.0)

    step = 1e-5
    factor = portfolio(positions, covariance) / naive.unwinding_var(
        list(positions), covariance.to_numpy(), [1e12] * 4, 1.0, 1.0
    )
    for name in ("A", "B", "C"):
        bump = pd.Series(1.0, index=positions.index)
        up, down = bump.copy(), bump.copy()
        up[name], down[name] = 1 + step, 1 - step
        margin = (path(up) - path(down)) / (2 * step) * factor
        assert lvar.component[name] == pytest.approx(margin, rel=1e-6)


def test_a_book_that_sells_within_a_period_bears_var_and_no_more(book):
    positions, covariance, adv, _ = book
    quick = liquidity.liquidity_var(positions, covariance, adv=adv * 100, impact_coefficient=0.0)
    assert quick.total == pytest.approx(portfolio(positions, covariance), rel=1e-14)
    assert (quick.holding_cost == 0.0).all()
    plain = liquidity.liquidity_var(positions, covariance)
    assert plain.total == pytest.approx(quick.total, rel=1e-13) and plain.days is None
    assert plain.price_var.tolist() == pytest.approx(component(positions, covariance).tolist(), rel=1e-13)


def test_a_long_unwinding_tends_to_the_root_of_a_third_of_its_time():
    lvar = liquidity.liquidity_var([1e6], [[1e-4]], adv=[1.0], participation=1.0, impact_coefficient=0.0)
    assert lvar.total / lvar.var == pytest.approx(math.sqrt(1e6 / 3), rel=1e-5)


def test_worst_spreads_and_other_components(book):
    positions, covariance, _, spreads = book
    lvar = liquidity.liquidity_var(positions, covariance, spreads=spreads, spread_sd=spreads / 2, spread_multiplier=4.0)
    assert lvar.spread_cost.to_numpy() == pytest.approx(3 * liquidity.half_spread_cost(positions, spreads).to_numpy())
    given_components = pd.Series([1.0, 2.0, 3.0, 0.0], index=positions.index)
    other = liquidity.liquidity_var(positions, covariance, price_components=given_components[::-1])
    assert other.price_var.tolist() == [1.0, 2.0, 3.0, 0.0] and other.total == 6.0


def test_causes_add_up_over_the_tree(book):
    positions, covariance, adv, spreads = book
    lvar = liquidity.liquidity_var(positions, covariance, spreads=spreads, adv=adv)
    nodes = lvar.aggregate({"firm": {"one": ["A", "B"], "two": ["C", "D"]}})
    assert nodes.loc["total", "firm"] == pytest.approx(lvar.total)
    assert nodes["firm"].drop("total").sum() == pytest.approx(lvar.total)
    assert nodes.loc["spread_cost", "two"] == pytest.approx(lvar.spread_cost[["C", "D"]].sum())
    frame = lvar.to_frame()
    assert frame["total"].sum() == pytest.approx(lvar.total) and frame.loc["C", "days"] == 10.0


def test_a_book_without_risk_costs_its_spreads():
    lvar = liquidity.liquidity_var([100.0, -50.0], np.zeros((2, 2)), spreads=0.01, adv=[10.0, 10.0])
    assert lvar.var == 0.0 and lvar.total == pytest.approx(0.75)
    assert liquidity.liquidity_var([0.0], [[0.01]], adv=[1.0]).total == 0.0


# The desk function


def test_desk_function_is_half_spread_and_square_root(book):
    cost = compat.calculate_liquidity_var(5_000, 100.0, 99.98, 100.02, 10_000_000)
    assert cost == pytest.approx(5_000 * 0.02 + 500_000 * 0.1 * math.sqrt(5e-4))
    assert compat.calculate_liquidity_var(-5_000, 100.0, 99.98, 100.02, 10_000_000) == cost
    with_var = compat.calculate_liquidity_var(5_000, 100.0, 99.98, 100.02, 10_000_000, volatility=0.02, z=1.65)
    assert with_var - cost == pytest.approx(1.65 * 0.02 * 500_000)
    exact = compat.calculate_liquidity_var(5_000, 100.0, 99.98, 100.02, 10_000_000, volatility=0.02, confidence=0.99)
    assert exact - cost == pytest.approx(2.3263478740408408 * 0.02 * 500_000)
    worst = compat.calculate_liquidity_var(
        5_000, 100.0, 99.98, 100.02, 10_000_000, impact_coefficient=0.0, spread_sd=0.01, spread_multiplier=2.0
    )
    assert worst == pytest.approx(5_000 * 0.03)
    prices = pd.Series({"A": 10.0, "B": 20.0})
    each = compat.calculate_liquidity_var(prices * 10, prices, prices - 0.01, prices + 0.01, 1e6)
    assert list(each.index) == ["A", "B"] and isinstance(cost, float)


# Execution


def market_terms(market):
    return market.price_volatility, market.permanent_slope, market.temporary_slope


def test_calibration_is_that_of_the_paper():
    """Almgren and Chriss (2000), table 1."""
    assert (PAPER.half_spread, PAPER.permanent_slope, PAPER.temporary_slope) == pytest.approx((0.0625, 2.5e-7, 2.5e-6))


def test_even_trading_costs_what_the_closed_form_says():
    """Almgren and Chriss (2000), section 1.4: E and V of constant trading."""
    even = liquidity.liquidation_schedule(1e6, 5, 5, PAPER, risk_aversion=0.0)
    assert even.expected_cost == pytest.approx(0.5 * 2.5e-7 * 1e12 * 0.8 + 0.0625 * 1e6 + 2.5e-6 * 1e12 / 5)
    assert even.cost_sd**2 == pytest.approx(0.95**2 * 1e12 * 5 / 3 * 0.8 * 0.9)
    assert even.half_life == math.inf and even.kappa == 0.0


@pytest.mark.parametrize("aversion", [0.0, 1e-9, 1e-6, 2e-6, 1e-4])
@pytest.mark.parametrize("shares", [1e6, -3e5])
@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_schedule_is_the_minimum_of_the_quadratic_programme(aversion, shares, count):
    schedule = liquidity.liquidation_schedule(shares, 5, count, PAPER, risk_aversion=aversion)
    volatility, permanent, temporary = market_terms(PAPER)
    best = naive.best_trades(shares, count, 5 / count, volatility, permanent, temporary, aversion)
    assert schedule.trades == pytest.approx(best, abs=1e-6 * abs(shares))
    mean, variance = naive.execution_cost(
        schedule.trades.tolist(), 5 / count, volatility, PAPER.half_spread, permanent, temporary
    )
    assert schedule.expected_cost == pytest.approx(mean, rel=1e-10)
    assert schedule.cost_sd == pytest.approx(math.sqrt(max(variance, 0.0)), rel=1e-9, abs=1e-3)
    assert schedule.risk_aversion == aversion
    assert schedule.holdings[0] == shares and schedule.holdings[-1] == 0.0


def test_half_lives_of_an_independent_library():
    """DRIP, junit/coverage/execution/AlmgrenChriss: half-lives at risk aversions of 1e-9 × (1, 4, 9), two decimals."""
    for aversion, half_life in ((1e-9, 51.30), (4e-9, 25.65), (9e-9, 17.10)):
        schedule = liquidity.liquidation_schedule(1e6, 5, 5, PAPER, risk_aversion=aversion)
        assert schedule.half_life == pytest.approx(half_life, abs=0.03)


def test_urgency_does_not_overflow():
    at_once = liquidity.liquidation_schedule(1e6, 5, 50, PAPER, risk_aversion=1e12)
    assert at_once.trades[0] == pytest.approx(1e6) and at_once.cost_sd < 1.0
    assert np.isfinite(at_once.holdings).all()


def test_frontier_falls_and_its_least_lvar_is_the_least():
    frontier = liquidity.liquidation_frontier(1e6, 5, 20, PAPER)
    frame = frontier.to_frame()
    assert frame.index.is_monotonic_increasing and frame.index[0] == 0.0
    assert (np.diff(frame["cost_sd"]) < 0).all() and (np.diff(frame["expected_cost"]) > 0).all()
    assert frontier.best.lvar() <= frame["lvar"].min()
    fine = [liquidity.liquidation_schedule(1e6, 5, 20, PAPER, risk_aversion=a) for a in np.geomspace(1e-8, 1e-4, 400)]
    assert frontier.best.lvar() <= min(s.lvar() for s in fine)
    assert frontier.best.lvar() == pytest.approx(min(s.lvar() for s in fine), rel=1e-4)
    # at the least LVaR the slope of the frontier is that of the objective: lambda = z / (2 sd)
    assert frontier.best.risk_aversion == pytest.approx(frontier.z / (2 * frontier.best.cost_sd), rel=1e-3)
    assert liquidity.liquidation_frontier(1e6, 5, 1, PAPER).best.cost_sd == 0.0


def test_frontier_of_given_aversions_and_confidence():
    frontier = liquidity.liquidation_frontier(1e6, 5, 5, PAPER, risk_aversions=[1e-6, 0.0], z=2.33)
    assert [s.risk_aversion for s in frontier.schedules] == [0.0, 1e-6]
    assert frontier.to_frame()["lvar"].iloc[1] == pytest.approx(frontier.schedules[1].lvar(z=2.33))
    careful = liquidity.liquidation_frontier(1e6, 5, 5, PAPER, confidence=0.999)
    assert careful.best.cost_sd < frontier.best.cost_sd


# Results print and plot


def test_results_print_and_plot(book):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    positions, covariance, adv, spreads = book
    lvar = liquidity.liquidity_var(positions, covariance, spreads=spreads, adv=adv)
    ax = lvar.plot(plt.figure().gca())
    widths = sum(patch.get_width() for patch in ax.patches)
    assert widths == pytest.approx(lvar.total)
    frontier = liquidity.liquidation_frontier(1e6, 5, 5, PAPER)
    assert frontier.plot(plt.figure().gca()).get_xlabel() == "standard deviation of the cost, money"
    assert frontier.best.plot(plt.figure().gca()).lines[0].get_ydata()[0] == 1e6
    plt.close("all")
    for result in (lvar, frontier, frontier.best, PAPER, liquidity.spread_var(100, 0.02, 0.01)):
        assert result._title() in repr(result) and "<table>" in result._repr_html_()
    many = liquidity.liquidity_var(np.full(12, 1.0), np.eye(12) * 1e-4)
    assert "- 2 more" in repr(many)
    impact = liquidity.almgren_impact([1e5, 2e5], 1e6, 0.02, 1.0, 1e9)
    assert "mean of the trades" in repr(impact)
    assert (
        liquidity.spread_var(100, 0.02, 0.01).to_frame().loc[0, "total"] == liquidity.spread_var(100, 0.02, 0.01).total
    )
    assert frontier.best.to_frame()["sold"].sum() == pytest.approx(1e6)


# What does not fit


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: liquidity.spread_var(-100, 0.02, 0.01), "value=-100"),
        (lambda: liquidity.spread_var(100, math.nan, 0.01), "volatility=nan is not finite"),
        (lambda: liquidity.spread_var(100, 0.02, -0.01), "spread=-0.01"),
        (lambda: liquidity.spread_var(100, 0.02, 0.01, 95), "use 0.95 for 95%"),
        (lambda: liquidity.spread_var(100, 0.02, 0.01, distribution="log"), "distribution='log' is not one of"),
        (lambda: liquidity.bangia_tail_factor(0.0, 0.4), "kurtosis=0.0 is not above zero"),
        (lambda: liquidity.relative_spread(1.01, 1.0), "ask is below bid"),
        (lambda: liquidity.relative_spread(0.0, 1.0), "bid holds 0; it must be above zero"),
        (lambda: liquidity.half_spread_cost([1.0], [math.nan]), "spreads holds nan"),
        (lambda: liquidity.half_spread_cost(pd.Series({"A": 1.0}), pd.Series({"B": 1.0})), "spreads is missing 'A'"),
        (lambda: liquidity.half_spread_cost(np.ones((2, 2)), 0.1), "positions has shape"),
        (
            lambda: liquidity.half_spread_cost(pd.Series({"A": 1.0}), pd.Series([0.1, 0.2], index=["A", "A"])),
            "spreads names a position twice",
        ),
        (lambda: liquidity.square_root_impact(1.0, 0.0, 0.02), "adv holds 0; it must be above zero"),
        (lambda: liquidity.square_root_impact(1.0, 1.0, -0.02), "volatility holds -0.02"),
        (lambda: liquidity.square_root_impact(1.0, 1.0, 0.02, coefficient=-1.0), "coefficient=-1.0"),
        (lambda: liquidity.almgren_impact(1.0, 1.0, 0.02, 0.0, 10.0), "days holds 0; it must be above zero"),
        (lambda: liquidity.almgren_impact(1.0, 1.0, 0.02, 1.0, 0.0), "shares_outstanding holds 0"),
        (lambda: liquidity.days_to_liquidate(1.0, 1.0, 0.0), "participation holds 0"),
        (lambda: liquidity.days_to_liquidate(1.0, 1.0, 20.0), "at most 1, 0.2 for 20%"),
        (lambda: liquidity.days_to_liquidate(math.inf, 1.0), "positions holds inf"),
        (lambda: liquidity.liquidity_var([1.0, 2.0], np.eye(2), adv=[1.0, 0.0]), "adv holds 0"),
        (lambda: liquidity.liquidity_var([1.0, 2.0], np.eye(3)), "covariance"),
        (lambda: liquidity.liquidity_var([1.0, 2.0], np.eye(2), spreads=[-0.1, 0.0]), "spreads holds -0.1"),
        (lambda: liquidity.liquidity_var([1.0, 2.0], np.eye(2), price_components=[1.0]), "price_components has shape"),
        (lambda: liquidity.liquidity_var([1.0], [[math.nan]]), "covariance holds nan"),
        (lambda: liquidity.liquidity_var([1.0], [[1.0]]).aggregate({"a": [0]}), "no names"),
        (lambda: compat.calculate_liquidity_var(1, 1.0, 1.01, 1.0, 100), "ask lies below bid"),
        (lambda: compat.calculate_liquidity_var(1, 1.0, 0.99, 1.0, 0), "avg_daily_volume holds 0"),
        (lambda: compat.calculate_liquidity_var(1, 0.0, 0.99, 1.0, 10), "price holds 0"),
        (lambda: compat.calculate_liquidity_var(math.nan, 1.0, 0.99, 1.0, 10), "quantity"),
        (lambda: liquidity.liquidation_schedule(0, 5, 5, PAPER, risk_aversion=0.0), "nothing to sell"),
        (lambda: liquidity.liquidation_schedule(1, 0, 5, PAPER, risk_aversion=0.0), "days=0"),
        (lambda: liquidity.liquidation_schedule(1, 5, 0, PAPER, risk_aversion=0.0), "n_trades=0"),
        (lambda: liquidity.liquidation_schedule(1, 5, 5, PAPER, risk_aversion=-1.0), "risk_aversion=-1.0"),
        (lambda: liquidity.liquidation_schedule(1, 100, 1, PAPER, risk_aversion=0.0), "trade more often"),
        (lambda: liquidity.LinearImpact(0.95, 0.06, 0.0, 0.0), "temporary_slope=0.0 is not above zero"),
        (lambda: liquidity.liquidation_frontier(1, 5, 5, liquidity.LinearImpact(0.0, 0.0, 0.0, 1.0)), "no volatility"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_a_market_without_volatility_trades_evenly():
    still = liquidity.LinearImpact(0.0, 0.0, 0.0, 1.0)
    schedule = liquidity.liquidation_schedule(10, 2, 4, still, risk_aversion=1.0)
    assert schedule.trades.tolist() == [2.5] * 4 and schedule.cost_sd == 0.0
