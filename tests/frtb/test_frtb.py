"""Capital for market risk beside the formulas written out, its limits and its symmetries."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refusal
from scipy import stats

from riskkit import frtb

amounts = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5)
rng = np.random.default_rng(3)


def test_nested_sets_are_the_sums_of_the_later_columns():
    pnl = rng.normal(0.0, 1.0, (400, 5)) * [5.0, 4.0, 3.0, 2.0, 1.0]
    result = frtb.expected_shortfall(pnl)
    total, before = 0.0, 0
    for j, days in enumerate((10, 20, 40, 60, 120)):
        worst = sorted(pnl[:, j:].sum(axis=1))[:10]
        total += (-sum(worst) / 10 * math.sqrt((days - before) / 10)) ** 2
        before = days
    assert result.es == pytest.approx(math.sqrt(total), rel=1e-12)
    assert result.steps.sum() == pytest.approx(1.0)
    assert "from 120 days on" in repr(result)
    assert result.to_frame().shape == (5, 2) and result.plot().get_ylabel()


@given(power=st.integers(-6, 9))
def test_capital_scales_with_money(power):
    scale, pnl = 10.0**power, rng.normal(0.0, 1.0, (200, 5))
    assert frtb.expected_shortfall(pnl * scale).es == pytest.approx(scale * frtb.expected_shortfall(pnl).es, rel=1e-9)
    one = frtb.equity_delta({1: [3.0, -2.0], 11: [1.0, -1.0], 12: [4.0]}).capital
    assert frtb.equity_delta(
        {1: [3 * scale, -2 * scale], 11: [scale, -scale], 12: [4 * scale]}
    ).capital == pytest.approx(scale * one, rel=1e-9)


@given(first=amounts, second=amounts, rho=st.floats(0.0, 1.0), gamma=st.floats(0.0, 1.0))
def test_a_charge_against_the_formula_written_out(first, second, rho, gamma):
    result = frtb.aggregate_buckets({"a": first, "b": second}, rho, gamma)
    for scenario, change in (
        ("low", lambda c: max(2 * c - 1, 0.75 * c)),
        ("medium", lambda c: c),
        ("high", lambda c: min(1.25 * c, 1.0)),
    ):
        kb = []
        for part in (first, second):
            square = sum(
                x * y * (1.0 if i == j else change(rho)) for i, x in enumerate(part) for j, y in enumerate(part)
            )
            kb.append(math.sqrt(max(0.0, square)))
        sums = [sum(first), sum(second)]
        square = kb[0] ** 2 + kb[1] ** 2 + 2 * change(gamma) * sums[0] * sums[1]
        if square < -1e-3:
            sums = [max(min(total, k), -k) for total, k in zip(sums, kb, strict=True)]
            square = kb[0] ** 2 + kb[1] ** 2 + 2 * change(gamma) * sums[0] * sums[1]
            assert result.alternative[scenario]
        assert result.charges[scenario] ** 2 == pytest.approx(max(0.0, square), rel=1e-9, abs=1e-2)
    assert result.capital == max(result.charges.values())


@given(values=amounts)
def test_a_reversed_book_has_the_same_charge(values):
    charge = frtb.aggregate_buckets([values], 0.3, 0.5)
    turned = frtb.aggregate_buckets([[-value for value in values]], 0.3, 0.5)
    assert turned.capital == pytest.approx(charge.capital, rel=1e-9, abs=1e-9)


def test_a_position_adds_up_with_itself_and_hedges_itself():
    one = frtb.girr_delta({"BRL": {5.0: 1_000.0}})
    assert one.capital == pytest.approx(11.0)
    assert frtb.girr_delta({"USD": {5.0: 1_000.0}}).capital == pytest.approx(11.0 / math.sqrt(2.0))
    assert frtb.fx_delta({"EUR": 100.0}).capital == pytest.approx(15.0)
    assert frtb.bucket_charge([5.0, -5.0], 1.0) == 0.0
    assert "bucket BRL" in repr(one) and one.to_frame().shape == (1, 3) and one.plot().get_xlabel() == "bucket"


def test_curvature_of_a_straight_line_is_none_and_a_tie_takes_the_larger_sum():
    assert frtb.curvature_risk(lambda spot: 3.0 * spot, 10.0, 3.0, 0.3) == pytest.approx((0.0, 0.0))
    long = frtb.curvature_risk(lambda spot: spot**2, 10.0, 20.0, 0.3)
    assert long == pytest.approx((-9.0, -9.0))
    assert frtb.curvature_bucket([-1.0, -2.0], [-3.0, -1.0], 0.5) == (0.0, 0.0, 0.0, "up", -3.0)
    assert frtb.curvature_bucket([-3.0], [-1.0], 0.5).side == "down"


def test_attribution_test_against_counting():
    x, y = rng.normal(0.0, 1.0, 60).round(1), rng.normal(0.2, 1.0, 60).round(1)
    result = frtb.attribution_test(x, y)
    distance = max(abs(np.mean(x <= level) - np.mean(y <= level)) for level in [*x, *y])
    assert result.kolmogorov_smirnov == pytest.approx(distance)
    ranks = [[sum(v < u for v in s) + (sum(v == u for v in s) + 1) / 2 for u in s] for s in (x, y)]
    assert result.spearman == pytest.approx(np.corrcoef(ranks)[0, 1])
    assert "the rules take 250 days" in repr(result)
    assert list(result.to_frame().columns) == ["value", "zone"] and result.plot().get_xlabel() == "P&L, money"
    scaled = frtb.attribution_test(7.0 * x, 7.0 * y)
    assert (scaled.spearman, scaled.kolmogorov_smirnov) == (result.spearman, result.kolmogorov_smirnov)


@pytest.mark.parametrize(("worse", "bad", "eligible"), [(12, 30, True), (13, 30, False), (12, 31, False), (0, 0, True)])
def test_a_desk_is_eligible_up_to_12_and_30_exceptions(worse, bad, eligible):
    pnl = np.r_[np.full(worse, -3.0), np.full(bad - worse, -1.5), np.full(250 - bad, 0.5)]
    result = frtb.desk_backtest(pnl, np.full(250, 2.0), np.full(250, 1.0))
    assert (result.exceptions_99, result.exceptions_975, result.eligible) == (worse, bad, eligible)
    assert ("not eligible" in repr(result)) is not eligible
    assert result.to_frame().shape == (2, 2) and result.plot().get_ylabel() == "exceptions"


def test_jump_to_default_by_hand():
    assert frtb.jump_to_default(100.0, 0.0, lgd=1.0) == 100.0
    assert frtb.jump_to_default(100.0, -80.0) == 0.0
    assert frtb.jump_to_default(-100.0, 80.0) == 0.0
    assert frtb.jump_to_default(100.0, maturity=0.5) == 37.5
    assert frtb.default_bucket([], []) == (0.0, 0.0)
    assert frtb.default_bucket([("AAA", 10.0)], [("CCC", -10.0)]).charge == 0.0


def test_simulated_defaults_have_the_exact_distribution():
    n, p, rho = 50, 0.05, 0.2
    exact = frtb.default_count_distribution(n, p, rho)
    assert exact.sum() == pytest.approx(1.0, rel=1e-12) and exact @ np.arange(n + 1) == pytest.approx(n * p, rel=1e-9)
    assert exact @ (np.arange(n + 1) >= np.searchsorted(exact.cumsum(), 0.99)) >= 0.01
    risk = frtb.simulate_default_risk(
        np.ones(n), p, math.sqrt(rho), 40_000, draws=np.random.default_rng(5), confidence=0.99
    )
    assert abs(risk.var - np.searchsorted(exact.cumsum(), 0.99)) <= 1.0
    pool = frtb.large_pool_quantile(p, rho, 0.99)
    many = frtb.simulate_default_risk(
        np.full(400, 1 / 400),
        p,
        np.full((400, 1), math.sqrt(rho)),
        20_000,
        draws=np.random.default_rng(6),
        confidence=0.99,
    )
    assert many.var == pytest.approx(pool, rel=0.1)


def test_tables_of_the_rules():
    assert frtb.tables.vega_weight(10) == pytest.approx(0.55) and frtb.tables.vega_weight(120) == 1.0
    between = frtb.tables.equity_between(range(1, 14))
    assert (
        (between == between.T).all() and between[10].sum() == 1.0 and between[11, 12] == 0.75 and between[0, 11] == 0.45
    )
    assert frtb.tables.tenor_correlations([0.25, 30.0])[0, 1] == 0.4
    assert set(frtb.tables.CREDIT_WEIGHTS) == set(range(1, 19)) and set(frtb.tables.EQUITY_WEIGHTS) == set(range(1, 14))


def test_rates_of_several_curves_with_inflation_and_a_basis_by_hand():
    """MAR21.45 to 21.49: 99.9 % of two curves, 40 % of inflation and a tenor, nothing of a basis."""
    factors = {("OIS", 1): 3e6, ("3M", 5): -2e6, "inflation": 1e6, "basis over USD": -5e5}
    weighted = [0.016 * 3e6, -0.011 * 2e6, 0.016 * 1e6, -0.016 * 5e5]
    rho = {(0, 1): math.exp(-0.03 * 4.0) * 0.999, (0, 2): 0.4, (1, 2): 0.4}
    found = frtb.girr_delta({"ZAR": factors})
    for scenario, change in (("low", lambda c: max(2 * c - 1, 0.75 * c)), ("high", lambda c: min(1.25 * c, 1.0))):
        square = sum(each * each for each in weighted)
        square += 2.0 * sum(change(c) * weighted[i] * weighted[j] for (i, j), c in rho.items())
        assert found.charges[scenario] == pytest.approx(math.sqrt(square), rel=1e-12)
    assert frtb.girr_delta({"ZAR": {1: 3e6}}).capital == frtb.girr_delta({"ZAR": {("", 1): 3e6}}).capital
    assert frtb.girr_delta({"USD": {"inflation": 1e6}}).capital == pytest.approx(1e6 * 0.016 / math.sqrt(2.0))


def test_repo_rates_weigh_a_hundredth_and_go_with_their_spot():
    """MAR21.77 and 21.78: 99.9 % of the same issuer, and times the correlation of two issuers otherwise."""
    found = frtb.equity_delta({5: [1e6, -4e5]}, repo={5: [0.0, 3e7]})
    weighted = [0.3 * 1e6, -0.3 * 4e5, 0.003 * 3e7]
    square = sum(each * each for each in weighted) + 2.0 * weighted[0] * weighted[1] * 0.25
    square += 2.0 * (weighted[0] * weighted[2] * 0.25 * 0.999 + weighted[1] * weighted[2] * 0.999)
    assert found.charges["medium"] == pytest.approx(math.sqrt(square), rel=1e-12)
    alone = frtb.equity_delta({11: [1e6]}, repo={11: [-1e8]})
    assert alone.capital == pytest.approx(0.7 * 1e6 + 0.007 * 1e8)
    assert frtb.equity_delta({5: [1e6]}, repo={5: [0.0]}).capital == frtb.equity_delta({5: [1e6]}).capital


def test_covered_bonds_of_high_grade_weigh_less():
    book = {8: [("A", 5, "bond", 1e6), ("B", 5, "bond", -1e6)], 3: [("A", 5, "bond", 1e6)]}
    one, two = 0.015 * 1e6, -0.025 * 1e6
    kb = math.sqrt(one**2 + two**2 + 2 * 0.35 * one * two)
    assert frtb.credit_delta(book, high_grade=["A"]).buckets["medium"].tolist() == pytest.approx([kb, 0.05 * 1e6])
    assert "which is no name in bucket 8" in refusal(lambda: frtb.credit_delta(book, high_grade=["C"]))
    words = refusal(
        lambda: frtb.credit_delta({1: [("A", 5, "bond", 1.0)]}, instruments="securitisation", high_grade=["A"])
    )
    assert "high_grade is for covered bonds" in words


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: frtb.girr_delta({"USD": {(5, 1): 1.0}}), "tenor (5, 1) of USD has no risk weight"),
        (lambda: frtb.girr_delta({"USD": {"deflation": 1.0}}), "deflation"),
        (lambda: frtb.equity_delta({5: [1.0]}, repo={5: [1.0, 2.0]}), "repo of bucket 5 has 2 issuers and its spot 1"),
        (lambda: frtb.equity_delta({5: [1.0]}, repo={6: [1.0]}), "repo has the bucket 6, which sensitivities has not"),
        (lambda: frtb.liquidity_horizon_es([1.0, 2.0]), "nested has 2 numbers and horizons 5"),
        (lambda: frtb.liquidity_horizon_es([1.0, 2.0], [20, 10]), "do not rise"),
        (lambda: frtb.stressed_es(1.0, 10.0, 5.0), "50.0% of full_current"),
        (lambda: frtb.expected_shortfall(np.ones((5, 2))), "pnl has 2 columns and horizons 5"),
        (lambda: frtb.attribution_test([1.0, 1.0], [1.0, 2.0]), "hypothetical is constant"),
        (lambda: frtb.attribution_test([1.0], [1.0, 2.0]), "1 rows"),
        (lambda: frtb.girr_delta({"USD": {4.0: 1.0}}), "tenor 4 of USD has no risk weight"),
        (lambda: frtb.equity_delta({14: [1.0]}), "bucket 14"),
        (lambda: frtb.aggregate_buckets({}, 0.1, 0.1), "no bucket"),
        (lambda: frtb.aggregate_buckets([[1.0]], [0.1, 0.2], 0.1), "within has 2 entries for 1 buckets"),
        (lambda: frtb.bucket_charge([1.0, 2.0], 1.5), "between -1 and 1"),
        (lambda: frtb.curvature_bucket([1.0], [1.0, 2.0], 0.5), "up has 1 factors and down 2"),
        (lambda: frtb.default_bucket([("D", 1.0)]), "rating 'D' has no risk weight"),
        (lambda: frtb.default_bucket([("A", -1.0)]), "at least zero"),
        (lambda: frtb.jump_to_default(1.0, lgd=75), "use 0.75 for 75%"),
        (lambda: frtb.large_pool_quantile(1.5, 0.2), "between 0 and 1"),
        (lambda: frtb.large_pool_quantile(0.5, 1.0), "below 1"),
        (lambda: frtb.simulate_default_risk([1.0], 0.1, 1.1, 10, draws=rng), "at most 1"),
        (lambda: frtb.internal_model_charge(1.0, [-1.0]), "by_risk_class holds -1"),
        (lambda: frtb.attribution_surcharge([], [], 1.0, 1.0), "no desk to charge"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    assert words in refusal(call)


@pytest.mark.parametrize(
    ("n", "p", "rho"), [(1, 0.3, 0.2), (40, 0.05, 0.3), (300, 0.9, 0.0), (7, 0.0, 0.1), (7, 1.0, 0.1)]
)
def test_counts_of_defaults_against_the_binomial_law_at_each_value_of_the_factor(n, p, rho):
    z = np.linspace(-9.0, 9.0, 4_001)
    given = stats.norm.cdf((stats.norm.ppf(p) - math.sqrt(rho) * z) / math.sqrt(1.0 - rho))
    weights = np.exp(-0.5 * z * z)
    expected = stats.binom.pmf(np.arange(n + 1)[:, None], n, given) @ weights / weights.sum()
    np.testing.assert_allclose(frtb.default_count_distribution(n, p, rho), expected, rtol=1e-10, atol=1e-200)


def test_counts_of_many_issuers_tend_to_the_large_pool_in_bounded_memory():
    n = 20_000
    tracemalloc.start()
    distribution = frtb.default_count_distribution(n, 0.01, 0.2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6  # the whole table would have 640 MB
    assert distribution.sum() == pytest.approx(1.0, rel=1e-9)
    quantile = np.searchsorted(distribution.cumsum(), 0.999) / n
    assert quantile == pytest.approx(frtb.large_pool_quantile(0.01, 0.2), rel=1e-2)
    assert np.isfinite(frtb.default_count_distribution(300, 0.5, 0.99)).all()
