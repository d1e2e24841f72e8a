"""Results of the models that are looked at rather than read: what stands on their axes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import riskkit as rk
from riskkit.liquidity import almgren_impact, spread_var
from riskkit.performance import trade_statistics
from riskkit.stress import factor_loadings
from riskkit.var_backtest import model_confidence_set

NAMES = ["AAPL", "KO", "XOM"]
DRAWS = np.random.default_rng(3).normal(0.0, 0.01, (300, 3))
RETURNS = pd.DataFrame(DRAWS + 0.5 * DRAWS[:, :1], columns=NAMES)
LOSSES = pd.DataFrame({"good": DRAWS[:, 0] ** 2, "poor": DRAWS[:, 0] ** 2 + 1e-3})


RESULTS = {
    "ewma": (lambda: rk.EwmaCovariance.init(RETURNS).run(RETURNS), "Correlations, EWMA with decay 0.94", NAMES),
    "repair": (lambda: rk.repair_covariance([[1.0, 1.2], [1.2, 1.0]]), "Change of each entry, at most 0.2", ["0", "1"]),
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
        lambda: rk.check_square_root_time(RETURNS["KO"], 10),
        "Square-root time",
        ["scaled by the square root of time", "measured"],
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
    ax.figure.canvas.draw()


def test_shrunk_correlations_have_a_picture():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed; it comes with the extra 'shrinkage'")
    ax = Figure(layout="constrained").subplots()
    rk.shrunk_covariance(RETURNS).plot(ax)
    assert "of the way to none (ledoit_wolf)" in ax.get_title(loc="left")
