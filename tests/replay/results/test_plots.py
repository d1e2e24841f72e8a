"""Results of the models that are looked at rather than read: what stands on their axes."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import riskkit as rk
from riskkit import plot
from riskkit.liquidity import almgren_impact, spread_var
from riskkit.performance import trade_statistics
from riskkit.stress import factor_loadings
from riskkit.var_backtest import model_confidence_set

NAMES = ["AAPL", "KO", "XOM"]
DRAWS = np.random.default_rng(3).normal(0.0, 0.01, (300, 3))
RETURNS = pd.DataFrame(DRAWS + 0.5 * DRAWS[:, :1], columns=NAMES)
LOSSES = pd.DataFrame({"good": DRAWS[:, 0] ** 2, "poor": DRAWS[:, 0] ** 2 + 1e-3})


RESULTS = {
    "ewma": (
        lambda: rk.covariance.EwmaCovariance.init(RETURNS).update_many(RETURNS),
        "Correlations, EWMA with decay 0.94",
        NAMES,
    ),
    "repair": (
        lambda: rk.covariance.nearest_covariance([[1.0, 1.2], [1.2, 1.0]]),
        "Change of each entry, at most 0.2",
        ["0", "1"],
    ),
    "loadings": (
        lambda: factor_loadings(RETURNS, pd.DataFrame({"market": RETURNS.mean(axis=1), "size": DRAWS[:, 2]})),
        "Loadings of 3 instruments on 2 factors",
        NAMES,
    ),
    "trades": (
        lambda: trade_statistics([3.0, -1.0, 2.0]),
        "3 trades: 2 won, 1 lost",
        ["average win", "average loss", "average trade"],
    ),
    "square root": (
        lambda: rk.returns.sqrt_time_test(RETURNS["KO"], 10),
        "Square-root time",
        ["square root of time", "measured"],
    ),
    "impact": (
        lambda: almgren_impact(pd.Series([1e5, 2e5], NAMES[:2]), 1e6, 0.02, 0.5, 1e8),
        "Market impact costs",
        NAMES[:2],
    ),
    "spread": (
        lambda: spread_var(100.0, 0.02, 0.01, 0.99, spread_sd=0.005),
        "VaR with the cost of the spread: ",
        ["VaR"],
    ),
    "confidence set": (lambda: model_confidence_set(LOSSES), "1 of 2 models may be the best", ["good", "poor"]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_picture_says_its_message_and_names_its_rows(name):
    make, title, rows = RESULTS[name]
    ax = Figure(layout="constrained").subplots()
    assert make().plot(ax) is ax
    assert ax.get_title(loc="left").startswith(title)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == rows
    assert ax.get_xlabel() or ax.images  # a unit, or a table of colours with its bar
    ax.figure.draw_without_rendering()


def test_shrunk_correlations_have_a_picture():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed; it comes with the extra 'shrinkage'")
    ax = Figure(layout="constrained").subplots()
    rk.covariance.shrunk_covariance(RETURNS).plot(ax)
    assert "of the way to none (Ledoit-Wolf)" in ax.get_title(loc="left")


WINDOWS = {"spring": (0, 20), "summer": (20, 60)}
COVARIANCE = rk.covariance.sample_covariance(RETURNS)
HELD = pd.Series([100.0, -50.0, 20.0], NAMES)
MARKET = rk.liquidity.LinearImpact.calibrated(0.95, 0.125, 5e6)


def frontier():
    return rk.liquidity.liquidation_frontier(1_000_000, 5, 5, MARKET, risk_aversions=[0.0, 1e-6, 1e-5])


OLDER = {  # the result, what stands at its axes, right and up
    "replay": (lambda: rk.stress.historical_stress(HELD.to_numpy(), DRAWS, WINDOWS), "loss, money", ""),
    "stress": (lambda: rk.stress_test(HELD, RETURNS.head(3)), "loss, money (left of zero: a gain)", ""),
    "reverse": (
        lambda: rk.stress.reverse_stress(HELD, 10.0, COVARIANCE),
        "move, standard deviations of the factor",
        "",
    ),
    "correlation": (
        lambda: rk.stress.stress_covariance(COVARIANCE, toward=1.0, strength=0.5),
        "correlation before",
        "correlation after",
    ),
    "liquidity": (lambda: rk.liquidity.liquidity_var(HELD, COVARIANCE, spreads=0.01), "loss, money", ""),
    "frontier": (frontier, "standard deviation of the cost, money", "expected cost, money"),
    "schedule": (lambda: frontier().best, "days", "shares held"),
    "drawdowns": (lambda: rk.performance.drawdown_table(RETURNS["KO"]), "", "below the peak"),
    "attribution": (lambda: rk.attribution.parametric(HELD, RETURNS), "share of the book", ""),
    "hedges": (lambda: rk.attribution.best_hedge(HELD, COVARIANCE), "VaR after the hedge, money", ""),
    "risk": (lambda: rk.var.historical(RETURNS, [0.9, 0.95]), "", "loss"),
    "risk of one series": (lambda: rk.var.historical(RETURNS["KO"], 0.95), "return", "number of periods"),
    "Monte Carlo": (
        lambda: rk.simulate_risk(rk.montecarlo.NormalReturns(COVARIANCE), HELD, 5_000, draws=np.random.default_rng(1)),
        "scenarios",
        "loss, money (± 2 standard errors)",
    ),
}


@pytest.mark.parametrize("name", OLDER)
def test_a_picture_names_its_axes_and_uses_colours_that_all_can_tell(name):
    make, right, up = OLDER[name]
    ax = Figure(layout="constrained").subplots()
    assert make().plot(ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == (right, up)
    assert ax.get_title(loc="left") and not ax.get_title()
    known = {plot.STRONG, plot.WARM, plot.PALE, plot.INK, *(colour for colour, _ in plot.LOOKS)}
    used = [line.get_color() for line in ax.lines] + [bar.get_facecolor() for bar in ax.patches]
    assert {to_hex(colour).upper() for colour in used} <= {colour.upper() for colour in known}
    ax.figure.draw_without_rendering()


def test_the_bars_of_an_interval_are_not_under_the_legend():
    risk = rk.value_at_risk(RETURNS["KO"] * 1e6, [0.9, 0.95], interval="asymptotic")
    ax = risk.plot()
    ax.figure.draw_without_rendering()
    assert not ax.get_legend().get_window_extent().overlaps(ax.get_window_extent())
    assert any("," in label.get_text() for label in ax.get_yticklabels())
    low, high = ax.get_xlim()
    assert low < -0.4 and high > 1.4


@pytest.mark.parametrize("name", ["hedges", "stress", "replay", "paths", "liquidity"])
def test_money_has_its_thousands_apart(name):
    held = 10_000.0 * HELD
    ax = {
        "hedges": lambda: rk.attribution.best_hedge(held, COVARIANCE).plot(),
        "stress": lambda: rk.stress_test(held, RETURNS.head(3)).plot(),
        "replay": lambda: rk.stress.historical_stress(held.to_numpy(), DRAWS, WINDOWS).plot(),
        "paths": lambda: rk.stress.historical_stress(held.to_numpy(), DRAWS, WINDOWS).plot_paths(),
        "liquidity": lambda: rk.liquidity.liquidity_var(held, COVARIANCE, spreads=0.01).plot(),
    }[name]()
    ax.figure.draw_without_rendering()
    labels = ax.get_yticklabels() if name == "paths" else ax.get_xticklabels()
    assert any("," in label.get_text() for label in labels)


@pytest.mark.parametrize("size", [8, 20])
@pytest.mark.parametrize("name", OLDER)
def test_letters_follow_the_style(name, size):
    with plt.rc_context({"font.size": size}):
        ax = OLDER[name][0]().plot()
        letters = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label, ax.yaxis.label]
        letters += ax.get_legend().get_texts() if ax.get_legend() else []
        assert {letter.get_fontsize() for letter in letters} == {size}
        assert ax.title.get_fontsize() > size
        plt.close("all")


@pytest.mark.parametrize("height", [1.7, 4.0])
def test_a_legend_below_hides_neither_bars_nor_the_unit(height):
    ax = Figure(figsize=(9, height), layout="constrained").subplots()
    plot.bars({"price": [3.0, 1.0], "spread": [1.0, 2.0]}, NAMES[:2], label="money", title="t", ax=ax)
    ax.figure.draw_without_rendering()
    legend, unit = ax.get_legend().get_window_extent(), ax.xaxis.label.get_window_extent()
    assert not legend.overlaps(unit)
    assert not legend.overlaps(ax.get_window_extent())
    assert legend.y0 >= 0.0
