"""riskkit.performance against its plain twin, scipy, published numbers and degenerate records."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import performance as naive
from scipy import stats

import riskkit as rk
from riskkit import InputError, performance
from riskkit.datasets import load_index

OF = ("returns", "summed_returns", "prices")
# 24 months of Bacon's portfolio, and what R's PerformanceAnalytics 2.1.0 says of it
BACON = [
    0.003, 0.026, 0.011, -0.01, 0.015, 0.025, 0.016, 0.067, -0.014, 0.04, -0.005, 0.081,
    0.04, -0.037, -0.061, 0.017, -0.049, -0.022, 0.07, 0.058, -0.065, 0.024, -0.005, -0.009,
]  # fmt: skip

returns_lists = st.lists(st.floats(-0.5, 0.5).map(lambda r: round(r, 3)), min_size=1, max_size=40)


def values_for(of, returns):
    return naive.wealth_of(returns, "returns") if of == "prices" else returns


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(5)
    days = pd.bdate_range("2020-01-01", periods=300)
    return pd.DataFrame(rng.standard_t(4, (300, 3)) * 0.01, index=days, columns=["A", "B", "C"])


# Drawdown


@pytest.mark.parametrize("of", OF)
@given(returns=returns_lists)
@settings(max_examples=60, deadline=None)
def test_path_and_its_measures_agree_with_the_twin(of, returns):
    values = values_for(of, returns)
    path = naive.drawdown_path(values, of)
    assert performance.drawdown_series(values, input=of) == pytest.approx(path, abs=1e-12)
    assert performance.max_drawdown(values, input=of) == pytest.approx(max(path), abs=1e-12)
    assert performance.pain_index(values, input=of) == pytest.approx(sum(path) / len(path), abs=1e-12)
    assert performance.ulcer_index(values, input=of) == pytest.approx(
        math.sqrt(sum(x * x for x in path) / len(path)), abs=1e-12
    )


@given(returns=returns_lists, confidence=st.sampled_from([0.5, 0.6, 0.8, 0.95, 0.999]))
@settings(max_examples=60, deadline=None)
def test_cdar_is_the_minimum_of_rockafellar_and_uryasev(returns, confidence):
    expected = naive.conditional_drawdown_at_risk(naive.drawdown_path(returns), confidence)
    assert performance.conditional_drawdown_at_risk(returns, confidence) == pytest.approx(expected, abs=1e-10)


def test_cdar_lies_between_pain_and_maximum_and_meets_them():
    values = [performance.conditional_drawdown_at_risk(BACON, level) for level in (0.5, 0.75, 0.99)]
    assert performance.pain_index(BACON) < values[0] < values[1] < values[2]
    assert performance.conditional_drawdown_at_risk(BACON, 0.99) == pytest.approx(performance.max_drawdown(BACON))


def test_a_loss_on_the_first_day_counts():
    assert performance.max_drawdown([-0.1, 0.05]) == pytest.approx(0.1)
    assert performance.max_drawdown([-0.1, 0.05], input="summed_returns") == pytest.approx(0.1)
    assert performance.drawdown_table([-0.1, 0.05])[0].start == 0


@pytest.mark.parametrize("of", OF)
@given(returns=returns_lists)
@settings(max_examples=60, deadline=None)
def test_table_agrees_with_a_walk_through_the_path(of, returns):
    values = values_for(of, returns)
    path = performance.drawdown_series(values, input=of)
    table = performance.drawdown_table(values, input=of, order="time")
    assert [(d.start, d.trough, d.end, d.depth) for d in table] == naive.drawdowns(list(path))
    for d in table:
        last = d.end if d.recovered else len(path) - 1
        assert d.length == last - d.start + 1
        assert d.to_trough == d.trough - d.start + 1
        assert d.recovery == (d.end - d.trough if d.recovered else None)
    assert sum(d.under_water for d in table) == (path > 0).sum()
    depths = [d.depth for d in performance.drawdown_table(values, input=of)]
    assert depths == sorted((d.depth for d in table), reverse=True)
    assert table.current_drawdown == path[-1]


def test_wealth_that_regains_its_peak_has_recovered_in_spite_of_rounding():
    prices = np.array([100.0, 101.0, 99.0, 97.0, 101.0, 103.0, 100.7, 103.0])
    table = performance.drawdown_table(np.diff(prices) / prices[:-1])
    assert [d.recovered for d in table] == [True, True]
    exact = performance.drawdown_table(prices, input="prices")
    assert [d.depth for d in table] == pytest.approx([d.depth for d in exact])


def test_open_drawdown_runs_to_the_end():
    """quantstats issue 233: the last drawdown is under water for one period, not for none."""
    table = performance.drawdown_table([100, 101, 99, 98, 97, 101, 99], input="prices", order="time")
    assert [(d.under_water, d.recovered, d.length, d.recovery) for d in table] == [(3, True, 4, 1), (1, False, 1, None)]
    assert table.current_drawdown == pytest.approx(2 / 101)


def test_table_keeps_dates_and_the_deepest():
    index = load_index()["sp500"]
    table = performance.drawdown_table(index, input="prices", top=3)
    frame = table.to_frame()
    assert [str(d.date()) for d in frame["start"]] == ["2007-10-10", "2000-03-27", "2020-02-20"]
    assert [str(d.date()) for d in frame["trough"]] == ["2009-03-09", "2002-10-09", "2020-03-23"]
    assert frame["depth"].iloc[0] == pytest.approx(1 - 676.53 / 1565.15, abs=1e-6)  # the index points everybody knows
    assert table.to_frame()["recovery"].dtype == "Int64"
    assert len(performance.drawdown_table(index, input="prices", top=2, order="time")) == 2


def test_no_drawdown_is_an_empty_table():
    table = performance.drawdown_table([0.01, 0.0, 0.02])
    assert len(table) == 0 and table.to_frame().empty
    assert repr(table) == "No drawdown"
    assert performance.max_drawdown([0.01, 0.0]) == 0.0


def test_total_loss_is_a_drawdown_of_one():
    assert performance.max_drawdown([0.1, -1.0, 0.5]) == 1.0
    assert performance.max_drawdown([0.1, -0.7, -0.7], input="summed_returns") == pytest.approx(1.4 / 1.1)
    assert performance.max_drawdown([1.0, 2.0, -1.0], input="prices") == 1.5


def test_risk_score_is_between_zero_and_one():
    assert performance.risk_score(0.0, 0.2) == 0.0
    assert performance.risk_score(0.2, 0.2) == 1.0
    path = performance.drawdown_series(BACON)
    score = performance.risk_score(path, 0.05)
    assert score.max() == 1.0 and score.min() == 0.0
    assert score == pytest.approx([min(1, d / 0.05) for d in path])
    assert isinstance(performance.risk_score(0.1, 0.2), float)


# Ratios and moments


def test_bacon_portfolio_as_performance_analytics_prints_it():
    assert performance.annualized_return(BACON, 12) == pytest.approx(0.103678289729809, rel=1e-12)
    assert performance.sharpe_ratio(BACON, 12, definition="geometric") == pytest.approx(0.756774960912347, rel=1e-12)
    assert performance.sharpe_ratio(BACON, 12) == pytest.approx(0.788320254814486, rel=1e-12)
    assert performance.max_drawdown(BACON, input="summed_returns") == pytest.approx(0.117374517374517, rel=1e-12)
    assert performance.calmar_ratio(BACON, 12) == pytest.approx(0.716639051162374, rel=1e-12)
    assert performance.omega_ratio(BACON) == pytest.approx(1.77978339350181, rel=1e-12)


@given(returns=st.lists(st.floats(-0.5, 0.5).map(lambda r: round(r, 3)), min_size=4, max_size=30, unique=True))
@settings(max_examples=80, deadline=None)
def test_ratios_agree_with_the_twin_and_moments_with_scipy(returns):
    assert performance.annualized_return(returns, 12) == pytest.approx(naive.annualised_return(returns, 12), rel=1e-9)
    assert performance.sharpe_ratio(returns, definition="per_period") == pytest.approx(naive.sharpe(returns), abs=1e-12)
    assert performance.sharpe_ratio(returns, 12) == pytest.approx(naive.sharpe(returns) * 12**0.5, abs=1e-12)
    if any(r < 0.01 for r in returns):
        for divisor in ("all", "below"):
            expected = naive.downside_deviation(returns, 0.01, divisor)
            assert performance.downside_deviation(returns, 0.01, divisor=divisor) == pytest.approx(expected, abs=1e-12)
        mean = sum(returns) / len(returns) - 0.01
        sortino = mean / naive.downside_deviation(returns, 0.01, "all")
        assert performance.sortino_ratio(returns, threshold=0.01) == pytest.approx(sortino, abs=1e-9)
        assert performance.omega_ratio(returns, 0.01) == pytest.approx(naive.omega(returns, 0.01), rel=1e-9)
    for method, bias in (("population", True), ("sample", False)):
        assert performance.skewness(returns, method=method) == pytest.approx(stats.skew(returns, bias=bias), abs=1e-9)
        assert performance.excess_kurtosis(returns, method=method) == pytest.approx(
            stats.kurtosis(returns, bias=bias), abs=1e-9
        )


@pytest.mark.parametrize("n_obs", [8, 40])
def test_lo_sharpe_uses_the_variance_of_a_year(n_obs):
    noise = np.random.default_rng(2).normal(0.01, 0.03, n_obs)
    smooth = [float(noise[max(0, t - 1) : t + 1].mean()) for t in range(n_obs)]
    expected = naive.lo_sharpe(smooth, 12)
    assert performance.sharpe_ratio(smooth, 12, definition="autocorrelated") == pytest.approx(expected, rel=1e-10)
    assert performance.sharpe_ratio(smooth, 12, definition="autocorrelated", lags=1) < performance.sharpe_ratio(
        smooth, 12
    )
    no_lag = performance.sharpe_ratio(smooth, 12, definition="autocorrelated", lags=0)
    assert no_lag == pytest.approx(performance.sharpe_ratio(smooth, 12), rel=1e-12)


@pytest.mark.parametrize("distribution", ["normal", "crashes"])
def test_standard_error_of_sharpe_is_the_spread_over_many_records(distribution):
    rng = np.random.default_rng(8)
    shocks = rng.normal(size=(400, 2000)) if distribution == "normal" else 1.0 - rng.exponential(size=(400, 2000))
    records = 0.3 + shocks
    ratios = performance.sharpe_ratio(records, definition="per_period")
    errors = performance.sharpe_standard_error(records)
    assert np.std(ratios) == pytest.approx(np.mean(errors), rel=0.05)
    plain = performance.sharpe_standard_error(records, method="normal").mean()
    assert (plain < 0.95 * np.mean(errors)) == (distribution == "crashes")


def test_risk_free_is_a_number_or_one_per_period(panel):
    rate = pd.Series(np.linspace(0.0001, 0.0003, 300), index=panel.index)
    together = performance.sharpe_ratio(panel, 252, risk_free=rate)
    assert together["B"] == pytest.approx(naive.sharpe(list(panel["B"] - rate)) * 252**0.5)
    with pytest.raises(InputError, match="risk_free has 2 rows and returns 300"):
        performance.sharpe_ratio(panel, 252, risk_free=[0.0, 0.0])
    with pytest.raises(InputError, match="risk_free"):
        performance.sharpe_ratio(panel, 252, risk_free=rate.shift(freq="D"))
    with pytest.raises(InputError, match="risk_free"):
        performance.performance_summary(BACON, 12, risk_free=[0.01])


def test_an_infinite_ratio_is_a_gain_without_risk():
    assert performance.omega_ratio([0.01, 0.0]) == math.inf
    assert performance.sortino_ratio([0.01, 0.02]) == math.inf
    assert performance.calmar_ratio([0.01, 0.0], 12) == math.inf
    assert performance.profit_factor([1.0]) == math.inf
    assert performance.payoff_ratio([1.0, 0.0]) == math.inf
    assert performance.payoff_ratio([-1.0]) == performance.profit_factor([-1.0]) == 0.0


def test_a_long_record_does_not_overflow():
    assert performance.annualized_return(np.full(100_000, 0.5), 1) == pytest.approx(0.5)
    with pytest.raises(InputError, match="overflows"):
        performance.max_drawdown(np.full(100_000, 0.5))
    with pytest.raises(InputError, match="overflows"):
        performance.annualized_return([1e10], 252)


# Trades


@given(pnl=st.lists(st.sampled_from([-2.5, -1.0, 0.0, 0.5, 3.0]), min_size=1, max_size=30))
@settings(max_examples=80, deadline=None)
def test_trades_agree_with_plain_counting(pnl):
    table = performance.trade_statistics(pnl)
    wins, losses = [x for x in pnl if x > 0], [x for x in pnl if x < 0]
    assert (table.n_trades, table.n_wins, table.n_losses) == (len(pnl), len(wins), len(losses))
    assert table.average_trade == pytest.approx(sum(pnl) / len(pnl))
    assert (
        table.longest_losing_run == performance.max_consecutive_losses(pnl) == naive.longest_run([x < 0 for x in pnl])
    )
    assert table.longest_winning_run == naive.longest_run([x > 0 for x in pnl])
    assert table.current_losing_run == naive.longest_run([x < 0 for x in pnl[-1:]]) * next(
        (i for i, x in enumerate(reversed(pnl)) if x >= 0), len(pnl)
    )
    if wins and losses:
        assert table.win_rate == performance.win_rate(pnl) == len(wins) / (len(wins) + len(losses))
        assert performance.win_rate(pnl, zeros="include") == len(wins) / len(pnl)
        assert table.payoff_ratio == pytest.approx((sum(wins) / len(wins)) / -(sum(losses) / len(losses)))
        assert table.profit_factor == pytest.approx(-sum(wins) / sum(losses))
    if not wins and not losses:
        assert table.win_rate is table.payoff_ratio is table.profit_factor is table.average_win is None


# Labels and shapes


MEASURES = {
    "max_drawdown": performance.max_drawdown,
    "ulcer": performance.ulcer_index,
    "pain": performance.pain_index,
    "cdar": performance.conditional_drawdown_at_risk,
    "return": lambda r: performance.annualized_return(r, 252),
    "mean": lambda r: performance.annualized_return(r, 252, method="arithmetic"),
    "vol": lambda r: performance.annualized_volatility(r, 252),
    "sharpe": lambda r: performance.sharpe_ratio(r, 252),
    "geometric": lambda r: performance.sharpe_ratio(r, 252, definition="geometric"),
    "lo": lambda r: performance.sharpe_ratio(r, 252, definition="autocorrelated", lags=5),
    "sharpe_error": performance.sharpe_standard_error,
    "downside": lambda r: performance.downside_deviation(r, divisor="below"),
    "sortino": lambda r: performance.sortino_ratio(r, 252),
    "omega": performance.omega_ratio,
    "calmar": lambda r: performance.calmar_ratio(r, 252),
    "skew": performance.skewness,
    "kurtosis": lambda r: performance.excess_kurtosis(r, method="sample"),
    "win_rate": performance.win_rate,
    "average": performance.average_trade,
    "payoff": performance.payoff_ratio,
    "profit_factor": performance.profit_factor,
    "losses": performance.max_consecutive_losses,
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_one_number_a_series_with_its_label(measure, panel):
    before = panel.copy()
    together = measure(panel)
    assert list(together.index) == ["A", "B", "C"]
    assert isinstance(measure(panel.to_numpy()), np.ndarray)
    for name in panel:
        alone = measure(panel[name])
        assert type(alone) in (float, int)
        assert alone == pytest.approx(together[name], rel=1e-12)
        assert alone == pytest.approx(measure(list(panel[name])), rel=1e-12)
    pd.testing.assert_frame_equal(panel, before)


def test_path_keeps_labels(panel):
    path = performance.drawdown_series(panel)
    assert path.index.equals(panel.index) and path.columns.equals(panel.columns)
    assert performance.drawdown_series(panel["A"]).name == "A"
    assert performance.risk_score(path, 0.1).columns.equals(panel.columns)


# What does not fit


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
@pytest.mark.parametrize("bad", [[], [0.01, math.nan], [0.01, math.inf], np.zeros((2, 2, 2)), ["x"]])
def test_bad_records_are_refused_in_one_sentence(measure, bad):
    with pytest.raises(InputError, match="returns|pnl"):
        measure(bad)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: performance.sharpe_ratio([0.1, 0.1, 0.1], 12), "returns is constant; a Sharpe ratio is undefined"),
        (lambda: performance.sharpe_ratio([0.1], 12), "ddof=1 needs at least 2"),
        (
            lambda: performance.sharpe_ratio(pd.DataFrame({"A": [0.1, 0.2], "B": [0.1, 0.1]}), 12, on_refusal="raise"),
            "column 'B': returns is constant; .*; on_refusal='nan' answers for the other columns",
        ),
        (lambda: performance.sharpe_ratio([0.1, 0.2]), "periods_per_year is missing"),
        (lambda: performance.sharpe_ratio([0.1, 0.2], 12, definition="best"), "definition='best' is not one of"),
        (lambda: performance.skewness([0.1, 0.1]), "constant"),
        (lambda: performance.skewness([0.1, 0.2], method="sample"), "at least 3"),
        (lambda: performance.excess_kurtosis([0.1, 0.2, 0.3], method="sample"), "at least 4"),
        (lambda: performance.annualized_volatility([0.1], 12), "ddof=1 needs at least 2"),
        (lambda: performance.annualized_return([0.1], 0), "periods_per_year=0"),
        (lambda: performance.max_drawdown([0.1, -1.5]), "cannot lose more than -1"),
        (lambda: performance.annualized_return([0.1, -1.5], 12), "cannot lose more than -1"),
        (lambda: performance.max_drawdown([0.0, 1.0], input="prices"), "prices starts with 0"),
        (lambda: performance.max_drawdown([0.1], input="equity"), "input='equity' is not one of"),
        (lambda: performance.conditional_drawdown_at_risk([0.1], 95), "use 0.95 for 95%"),
        (lambda: performance.risk_score(-0.1, 0.2), "a drawdown is a positive fraction"),
        (lambda: performance.risk_score(0.1, 0.0), "max_drawdown_limit=0.0 is not above zero"),
        (lambda: performance.omega_ratio([0.0, 0.0]), "Omega is undefined"),
        (lambda: performance.sortino_ratio([0.02, 0.02], threshold=0.02), "a Sortino ratio is undefined"),
        (lambda: performance.calmar_ratio([0.0], 12), "a Calmar ratio is undefined"),
        (lambda: performance.win_rate([0.0]), "only zeros"),
        (lambda: performance.profit_factor([0.0]), "only zeros"),
        (lambda: performance.payoff_ratio([0.0]), "only zeros"),
        (lambda: performance.drawdown_table(np.zeros((3, 2))), "one series at a time"),
        (lambda: performance.drawdown_table([0.1], top=0), "top=0"),
        (lambda: performance.performance_summary(np.zeros((3, 2)), 12), "one series at a time"),
        (
            lambda: performance.sharpe_ratio([0.1, 0.2] * 10 + [0.1], 12, definition="autocorrelated", lags=1),
            "use fewer lags",
        ),
    ],
)
def test_what_is_undefined_says_so(call, message):
    with pytest.raises(InputError, match=message):
        call()


# Results


def test_summary_holds_every_measure_and_none_where_undefined():
    record = performance.performance_summary(pd.Series(BACON), 12, max_drawdown_limit=0.5)
    assert record.sharpe_ratio == performance.sharpe_ratio(BACON, 12)
    assert record.cdar == performance.conditional_drawdown_at_risk(BACON)
    assert record.risk_score == pytest.approx(record.max_drawdown / 0.5)
    assert record.current_drawdown == pytest.approx(performance.drawdown_series(BACON)[-1])
    assert record.to_frame().loc[0, "omega_ratio"] == record.omega_ratio
    flat = performance.performance_summary([0.0], 12)
    assert (
        flat.sharpe_ratio is flat.calmar_ratio is flat.win_rate is flat.skewness is flat.annualised_volatility is None
    )
    assert (flat.max_drawdown, flat.annualised_return, flat.risk_score) == (0.0, 0.0, None)
    assert "Sharpe ratio" in repr(flat) and "<table>" in flat._repr_html_()
    for field in ("sharpe_ratio", "max_drawdown", "cdar", "win_rate", "skewness"):
        assert type(getattr(record, field)) is float


@pytest.mark.parametrize(
    "returns", [BACON, np.full(3, -0.5), np.full(30, 0.01), np.random.default_rng(18).normal(0, 0.01, 999)]
)
def test_the_summary_has_var_and_es_as_the_models_have_them(returns):
    record = performance.performance_summary(returns, 252)
    for level, of in ((0.95, ("var_95", "es_95")), (0.99, ("var_99", "es_99"))):
        risk = rk.value_at_risk(returns, level, "historical")
        assert (risk.var, risk.es) == tuple(getattr(record, name) for name in of)
        assert re.search(rf"^VaR {level:.0%} +-?[\d.]+% historical, of one period$", repr(record), re.M)
        assert re.search(rf"^ES {level:.0%} +-?[\d.]+% historical, of one period$", repr(record), re.M)
    assert list(record.to_frame()[["var_95", "es_95", "var_99", "es_99"]].loc[0]) == [
        record.var_95, record.es_95, record.var_99, record.es_99
    ]  # fmt: skip


def test_results_plot(panel):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ax = performance.drawdown_table(panel["A"], top=3).plot(plt.figure().gca())
    deep = [
        item
        for item in performance.drawdown_table(panel["A"], top=3)
        if item.depth > 0.2 * -ax.lines[0].get_ydata().min()
    ]
    assert len(ax.texts) == len(deep) > 0
    assert ax.lines[0].get_ydata().min() == pytest.approx(-performance.max_drawdown(panel["A"]))
    top, bottom = performance.performance_summary(panel["A"], 252).plot()
    assert top.lines[0].get_ydata()[-1] == pytest.approx((1 + panel["A"]).prod())
    assert bottom.get_ylabel() == "below the peak"
    performance.performance_summary(BACON, 12).plot()


@pytest.mark.parametrize("rate", [0.03, np.full(300, 0.03)], ids=["number", "series"])
@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("risk_free", performance.sharpe_ratio),
        ("risk_free", performance.sharpe_standard_error),
        ("risk_free", performance.performance_summary),
        ("threshold", performance.sortino_ratio),
        ("threshold", performance.performance_summary),
    ],
)
def test_a_rate_per_year_is_told_how_to_become_one_per_period(name, measure, rate):
    returns = 0.01 * np.sin(np.arange(300.0)) + 4e-4
    if name == "threshold" and np.ndim(rate):
        return
    message = f"{name} is per period, and 0.03 in each of 252 periods makes 756% a year; for 0.03 a year give {name}=0.03 / 252"
    with pytest.raises(InputError, match=message):
        measure(returns, 252, **{name: rate})
    with pytest.raises(InputError, match=f"{name} is per period, and -0.03 in each of 252 periods makes -756% a year"):
        measure(returns, 252, **{name: -0.03})
    measure(returns, 252, **{name: 0.03 / 252})
    measure(returns + 0.02, 252, **{name: 0.02})  # a currency that loses its value


@pytest.mark.parametrize(("freq", "rate"), [("B", 252), ("D", 365), ("W", 52), ("ME", 12), ("QE", 4), ("YE", 1)])
def test_dates_tell_how_many_periods_a_year_has(freq, rate):
    returns = pd.Series(np.linspace(-0.01, 0.02, 60), pd.date_range("1960-01-01", periods=60, freq=freq))
    assert performance.performance_summary(returns).periods_per_year == rate
    assert performance.performance_summary(returns, 100).periods_per_year == 100


@pytest.mark.parametrize(
    "dates",
    [None, pd.date_range("2024-01-01", periods=60, freq="h"), pd.date_range("2024-01-01", periods=60, freq="3D")],
)
def test_periods_a_year_that_nothing_tells_are_asked_for(dates):
    with pytest.raises(
        InputError, match="periods_per_year is missing; give 252 for daily, 52 for weekly, 12 for monthly"
    ):
        performance.performance_summary(pd.Series(np.linspace(-0.01, 0.02, 60), dates))


def test_dates_tell_the_periods_of_a_year_wherever_a_year_is_meant():
    days = pd.Series(np.random.default_rng(1).normal(0.001, 0.01, 60), pd.bdate_range("2024-01-01", periods=60))
    market = days * 0.5 + 0.001
    for measure in (
        performance.annualized_return,
        performance.annualized_volatility,
        performance.calmar_ratio,
        performance.sharpe_ratio,
        lambda *a: performance.information_ratio(a[0], market[: len(a[0])], *a[1:]),
        lambda *a: performance.compare_to_benchmark(a[0], market[: len(a[0])], *a[1:]).tracking_error,
        lambda *a: float(performance.rolling_performance(a[0], 20, *a[1:])["volatility"].iloc[-1]),
    ):
        assert measure(days) == measure(days, 252)
        with pytest.raises(InputError, match="periods_per_year is missing; give 252 for daily"):
            measure(days[:20])
