"""Figures against a benchmark and over time, beside loops over the definitions."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit import performance
from riskkit._check import InputError

rng = np.random.default_rng(12)
MARKET = rng.normal(0.001, 0.02, 300)
OURS = 0.8 * MARKET + rng.normal(0.0005, 0.01, 300)
DAYS = pd.bdate_range("2019-11-20", periods=300)


def test_the_benchmark_against_itself_has_beta_one_and_captures_all():
    result = performance.compare_to_benchmark(MARKET, MARKET, 252)
    assert [result.beta, result.up_beta, result.down_beta, result.up_capture, result.down_capture] == pytest.approx(
        [1.0] * 5
    )
    assert result.tracking_error == 0.0 and math.isnan(result.information_ratio) and result.batting_average == 0.0
    assert result.alpha == pytest.approx(0.0, abs=1e-12)
    assert result.m_squared == pytest.approx(MARKET.mean() * 252)


@given(beta=st.floats(-2.0, 2.0), alpha=st.floats(-0.01, 0.01))
def test_a_line_is_found_again(beta, alpha):
    result = performance.compare_to_benchmark(alpha + beta * MARKET, MARKET, 252)
    assert (result.beta, result.alpha) == pytest.approx((beta, alpha), abs=1e-9)
    assert (result.up_beta, result.down_beta) == pytest.approx((beta, beta), abs=1e-9)


def test_comparison_against_loops():
    result = performance.compare_to_benchmark(OURS, MARKET, 252, risk_free=0.0001)
    x, y = MARKET - 0.0001, OURS - 0.0001
    beta = np.cov(x, y)[0, 1] / np.var(x, ddof=1)
    residual = y - y.mean() - beta * (x - x.mean())
    assert result.beta == pytest.approx(beta)
    assert result.residual_volatility == pytest.approx(math.sqrt(sum(residual**2) / 298))
    assert result.beta_standard_error == pytest.approx(result.residual_volatility / math.sqrt(sum((x - x.mean()) ** 2)))
    assert result.r_squared == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)
    assert result.treynor_ratio == pytest.approx(y.mean() * 252 / beta)
    assert result.m_squared == pytest.approx((y.mean() / y.std(ddof=1) * x.std(ddof=1) + 0.0001) * 252)
    assert "information ratio" in repr(result) and len(result.to_frame()) == 15 and result.plot().patches


@pytest.mark.parametrize("side", ["up", "down"])
def test_captures_against_loops(side):
    pairs = [(a, b) for a, b in zip(OURS, MARKET, strict=True) if (b > 0 if side == "up" else b < 0)]
    ours, market = (np.prod([1.0 + pair[k] for pair in pairs]) for k in (0, 1))
    for definition, expected in (
        ("mean", sum(a for a, _ in pairs) / sum(b for _, b in pairs)),
        ("cumulative", (ours - 1) / (market - 1)),
        ("annualized", (ours ** (252 / len(pairs)) - 1) / (market ** (252 / len(pairs)) - 1)),
    ):
        found = performance.capture_ratio(OURS, MARKET, side, definition=definition, periods_per_year=252)
        assert found == pytest.approx(expected)


def test_tables_have_a_number_for_each_column_in_order():
    table = pd.DataFrame({"a": OURS, "b": MARKET, "c": 2.0 * OURS}, DAYS)
    market = pd.Series(MARKET, DAYS)
    errors = performance.tracking_error(table, market, 252)
    assert errors["a"] == pytest.approx(performance.tracking_error(table["a"], market, 252)) and errors["b"] == 0.0
    ratios = performance.information_ratio(table, market, 252, definition="geometric")
    assert math.isnan(ratios["b"]) and "b" in ratios.attrs["refusals"]
    assert performance.capture_ratio(table, market, "down")["b"] == pytest.approx(1.0)


def test_months_compound_to_years_and_years_to_all():
    table = performance.monthly_table(pd.Series(OURS, DAYS))
    by_months = (1.0 + table.drop(columns="year")).prod(axis=1) - 1.0
    np.testing.assert_allclose(by_months, table["year"], rtol=1e-9)
    assert (1.0 + table["year"]).prod() == pytest.approx((1.0 + OURS).prod())
    assert table.loc[2019].isna().sum() == 10  # it begins in November
    assert performance.monthly_table(pd.Series([0.1, -1.0], DAYS[:2])).loc[2019, "year"] == -1.0


def test_rolling_figures_are_those_of_each_window():
    table = performance.rolling_performance(pd.Series(OURS, DAYS), 60, 252, benchmark=pd.Series(MARKET, DAYS))
    assert table.iloc[:59].isna().all().all() and list(table.index) == list(DAYS)
    for t in (59, 100, 299):
        part, market = OURS[t - 59 : t + 1], MARKET[t - 59 : t + 1]
        row = table.iloc[t]
        assert row["sharpe"] == pytest.approx(performance.sharpe_ratio(part, 252))
        assert row["return"] == pytest.approx(performance.annualized_return(part, 252))
        assert row["volatility"] == pytest.approx(performance.annualized_volatility(part, 252))
        assert row["max_drawdown"] == pytest.approx(performance.max_drawdown(part))
        assert row["beta"] == pytest.approx(performance.compare_to_benchmark(part, market, 252).beta)
        assert row["tracking_error"] == pytest.approx(performance.tracking_error(part, market, 252))
        assert row["correlation"] == pytest.approx(np.corrcoef(part, market)[0, 1])


def test_a_quiet_window_has_no_ratio():
    quiet = np.r_[np.zeros(10), OURS[:10]]
    assert math.isnan(performance.rolling_performance(quiet, 5, 252)["sharpe"].iloc[6])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: performance.tracking_error(OURS, MARKET[:5]), "returns has 300 rows and benchmark 5"),
        (lambda: performance.information_ratio(OURS, MARKET), "periods_per_year is missing"),
        (lambda: performance.information_ratio(MARKET, MARKET, 252), "equals the benchmark"),
        (lambda: performance.capture_ratio(OURS, np.abs(MARKET), "down"), "benchmark never lost"),
        (lambda: performance.compare_to_benchmark(OURS, np.full(300, 0.01), 252), "benchmark is constant"),
        (lambda: performance.monthly_table(OURS), "returns has no dates"),
        (lambda: performance.rolling_performance(OURS, 301, 252), "window=301 is longer"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()


YEAR = {"periods_per_year": 252.0}
FIGURES = [
    (performance.annualized_return, YEAR),
    (performance.annualized_volatility, YEAR),
    (performance.sharpe_ratio, YEAR | {"definition": "autocorrelated", "lags": 3}),
    (performance.sharpe_standard_error, YEAR),
    (performance.downside_deviation, {}),
    (performance.sortino_ratio, {}),
    (performance.omega_ratio, {}),
    (performance.calmar_ratio, YEAR),
    (performance.max_drawdown, {}),
    (performance.max_drawdown, {"input": "pnl"}),
    (performance.conditional_drawdown_at_risk, {}),
    (performance.pain_index, {}),
    (performance.ulcer_index, {}),
    (performance.skewness, {}),
    (performance.excess_kurtosis, {}),
    (performance.tail_ratio, {}),
    (performance.stability, {}),
    (performance.win_rate, {}),
    (performance.average_trade, {}),
    (performance.payoff_ratio, {}),
    (performance.profit_factor, {}),
    (performance.max_consecutive_losses, {}),
]


@pytest.mark.parametrize(("measure", "options"), FIGURES, ids=lambda part: getattr(part, "__name__", ""))
@pytest.mark.parametrize("block", [1, 10**6])
def test_every_figure_rolls_as_window_by_window(measure, options, block, monkeypatch):
    monkeypatch.setattr("riskkit.performance.calendar.BLOCK", block)
    found = performance.rolling_measure(measure, pd.Series(OURS[:90], DAYS[:90]), 60, **options)
    assert found.iloc[:59].isna().all() and found.name == measure.__name__
    np.testing.assert_allclose(
        found.iloc[59:], [measure(OURS[i - 60 : i], **options) for i in range(60, 91)], rtol=1e-9
    )


@pytest.mark.parametrize(
    ("measure", "options"),
    [
        (performance.tracking_error, YEAR),
        (performance.information_ratio, YEAR),
        (performance.capture_ratio, {"side": "down"}),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_figures_against_a_benchmark_roll_too(measure, options):
    found = performance.rolling_measure(measure, OURS, 60, benchmark=MARKET, **options)
    assert found[-1] == pytest.approx(measure(OURS[-60:], MARKET[-60:], **options))
    assert len(found) == 300 and np.isnan(found[:59]).all() and np.isfinite(found[59:]).all()


def test_every_figure_of_one_number_is_in_the_list():
    given = {measure for measure, _ in FIGURES} | {performance.tracking_error, performance.information_ratio}
    tables = ("table", "summary", "series", "rolling", "compare", "statistics", "risk_score", "capture")
    public = {getattr(performance, name) for name in performance.__all__ if not any(word in name for word in tables)}
    assert {measure for measure in public if not isinstance(measure, type)} == given
