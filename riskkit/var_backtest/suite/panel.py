"""Backtest panel: portfolios × models × confidences × tests, corrected for the number of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, as_pandas, float_array, labels_of, one_of, probability, refuse_disorder
from riskkit._excel import Exported
from riskkit._show import Row, percent, worded
from riskkit._tail import tail_probability
from riskkit._types import ReturnsLike
from riskkit.plot import axes, legible, literal, names_beside
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import Sample, sample
from riskkit.var_backtest.core.multiplicity import METHODS, Method, adjust_p_values
from riskkit.var_backtest.core.outcome import TestResult
from riskkit.var_backtest.coverage.hit_rate import binomial_tail, kupiec_pof
from riskkit.var_backtest.independence.christoffersen import christoffersen_conditional, christoffersen_independence
from riskkit.var_backtest.independence.duration import christoffersen_pelletier, haas_tbf
from riskkit.var_backtest.independence.dynamic_quantile import dynamic_quantile
from riskkit.var_backtest.shortfall.acerbi_szekely import acerbi_szekely_ridge, acerbi_szekely_z1, acerbi_szekely_z2

PANEL_TESTS: dict[str, Callable[[Sample, float], TestResult]] = {
    "Binomial tail": lambda s, c: binomial_tail(int(s.hits.sum()), s.hits.size, c),
    "Kupiec POF": lambda s, c: kupiec_pof(int(s.hits.sum()), s.hits.size, c),
    "Christoffersen independence": lambda s, c: christoffersen_independence(s.hits, c),
    "Christoffersen conditional coverage": lambda s, c: christoffersen_conditional(s.hits, c),
    "Haas TBF": lambda s, c: haas_tbf(s.hits, c),
    "Christoffersen-Pelletier duration": lambda s, c: christoffersen_pelletier(s.hits, c),
    "Dynamic quantile": lambda s, c: dynamic_quantile(s.returns, s.var, c),
    "Acerbi-Szekely Z1": lambda s, c: acerbi_szekely_z1(s.returns, s.var, s.es, c),
    "Acerbi-Szekely Z2": lambda s, c: acerbi_szekely_z2(s.returns, s.var, s.es, c),
    "Minimally biased ES": lambda s, c: acerbi_szekely_ridge(s.returns, s.var, s.es, c),
}
ES_TESTS = ("Acerbi-Szekely Z1", "Acerbi-Szekely Z2", "Minimally biased ES")
DEFAULT_TESTS = ("Kupiec POF", "Christoffersen conditional coverage", "Acerbi-Szekely Z2")


@dataclass(frozen=True, repr=False)
class BacktestPanel(Exported):
    """Test results of many forecasts, with p-values corrected for the number of tests.

    Attributes
    ----------
    frame : DataFrame
        One row per test, index (portfolio, model, confidence, test): days, hits, expected, statistic, p_value,
        adjusted, reject.
    method : str
        Correction for the number of tests, as in `adjust_p_values`.
    significance : float
        Size of the tests after correction, as a fraction: 0.05 for 5 %.

    Examples
    --------
    >>> panel = backtest_panel(np.tile([0.01, -0.03], 125)[:, None], {("flat", 0.99): np.full((250, 1), 0.02)})
    >>> panel.table("Kupiec POF", "hits").to_numpy().tolist()
    [[125]]
    """

    frame: Any
    method: str
    significance: float

    def to_frame(self) -> Any:
        """Return the table, one row per test."""
        return self.frame.copy()

    def table(self, test: str | None = None, value: str = "adjusted") -> Any:
        """Return the results of one test, or the smallest adjusted p-values, by portfolio and (model, confidence).

        Raises
        ------
        InputError
            The panel has no such test.
        """
        column = self.frame[value]
        if test is None:
            chosen = column.groupby(level=["portfolio", "model", "confidence"], sort=False).min()
        else:
            tests = self.frame.index.unique("test")
            chosen = column.xs(one_of(test, tuple(tests), "test"), level="test")
        order = self.frame.index.unique("portfolio")
        columns = self.frame.index.droplevel(["portfolio", "test"]).unique()
        return chosen.unstack(["model", "confidence"]).reindex(index=order, columns=columns)

    def plot(self, ax: Any = None, *, test: str | None = None) -> Any:
        """Draw adjusted p-values as a heat map of portfolios (rows) and models (columns), with the number of hits."""
        table = self.table(test)
        hits = self.table(test or self.frame.index.unique("test")[0], "hits")
        rows, columns = table.shape
        ax = axes(ax, width=2.5 + 0.9 * columns, height=1.5 + 0.32 * rows)
        smallest = min(1e-4, self.significance / 10.0)
        shade = np.log10(np.clip(table.to_numpy(float), smallest, 1.0))
        # A gap in the colours at the significance: shades of red are rejected, shades of blue are not.
        edge = np.log10(self.significance)
        red = 0.3 * (shade - np.log10(smallest)) / (edge - np.log10(smallest))
        scaled = np.where(shade <= edge, red, 0.65 + 0.35 * (1.0 - shade / edge))
        ax.grid(False)
        ax.imshow(scaled, cmap="RdBu", vmin=0.0, vmax=1.0, aspect="auto")
        counts = hits.to_numpy()
        for i in range(rows):
            for j in range(columns):
                if not np.isnan(counts[i, j]):
                    color = legible(scaled[i, j])
                    ax.text(j, i, f"{int(counts[i, j])}", ha="center", va="center", fontsize="small", color=color)
        ax.set_xticks(range(columns), [literal(f"{model}\n{percent(level)}") for model, level in table.columns])
        ax.set_yticks(range(rows), names_beside(ax, table.index))
        ax.set_title(f"{test or 'Worst test'}: red is rejected at {percent(self.significance)} ({worded(self.method)});\n"
                     "numbers are hits", loc="left", fontsize="medium")  # fmt: skip
        return ax

    def _title(self) -> str:
        return f"Backtest panel, {len(self.frame):,} tests, {worded(self.method)} at {percent(self.significance)}"

    def _rows(self) -> Iterable[Row]:
        groups = self.frame.groupby(level=["model", "confidence"], sort=False)
        for (model, confidence), group in groups:
            rejected = group["reject"].groupby(level="portfolio").any()
            text = f"portfolios rejected; {int(group['reject'].sum())} of {len(group)} tests"
            yield f"{model} at {percent(confidence)}", f"{int(rejected.sum())} of {len(rejected)}", text


@documented
def backtest_panel(
    returns: ReturnsLike,
    forecasts: Mapping[tuple[str, float], Any],
    *,
    tests: Sequence[str] | None = None,
    method: Method = "holm",
    significance: float = 0.05,
) -> BacktestPanel:
    """Backtest many portfolios, models and confidences at once, corrected for the number of tests.

    Parameters
    ----------
    returns : (n_obs, n_portfolios) array or DataFrame, or one Series
        Realized returns, gains positive.
    forecasts : mapping of (model, confidence) to a forecast
        VaR of the same shape and labels as `returns`, or a pair (VaR, ES); positive losses.
    tests : sequence of str, optional
        Names in `PANEL_TESTS`; by default POF and conditional coverage, and Z2 where there is ES.
    method : {"holm", "benjamini-hochberg", "benjamini-yekutieli", "bonferroni", "none"}
        Correction over all tests of the panel (see `adjust_p_values`). A simulated p-value of 999 draws is at least
        0.001, which after Holm never rejects in a large panel: prefer tests with exact p-values.

    Returns
    -------
    Panel
        `to_frame()`, `table()` and a heat map from `plot()`. Finite-sample p-values if a test has one.

    References
    ----------
    .. [1] Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure.

    Examples
    --------
    >>> returns = np.tile([0.01, -0.03, 0.01, 0.02, 0.0], 50)[:, None]
    >>> panel = backtest_panel(returns, {("flat", 0.99): np.full((250, 1), 0.02)})
    >>> panel.to_frame()["reject"].tolist()
    [True, True]
    """
    import pandas as pd

    one_of(method, METHODS, "method")
    significance = probability(significance, "significance")
    table = as_frame(returns)
    rows, index = [], []
    for (model, confidence), forecast in forecasts.items():
        var, es = forecast if isinstance(forecast, tuple) else (forecast, None)
        var_table = as_frame(var, "var", table)
        es_table = None if es is None else as_frame(es, "es", table)
        chosen = DEFAULT_TESTS if tests is None else tuple(one_of(name, tuple(PANEL_TESTS), "tests") for name in tests)
        for portfolio in table.columns:
            es_series = None if es_table is None else es_table[portfolio]
            checked = sample(table[portfolio], var_table[portfolio], es_series)
            hits = int(checked.hits.sum())
            for name in chosen:
                if name in ES_TESTS and checked.es is None:
                    continue
                outcome = PANEL_TESTS[name](checked, confidence)
                index.append((str(portfolio), str(model), float(confidence), name))
                expected = checked.hits.size * tail_probability(confidence)
                rows.append((checked.hits.size, hits, expected, outcome.statistic, outcome.decisive_p_value))
    if not rows:
        raise InputError("forecasts is empty, or no chosen test applies to it; give {(model, confidence): VaR}")
    levels = pd.MultiIndex.from_tuples(index, names=["portfolio", "model", "confidence", "test"])
    frame = pd.DataFrame(rows, index=levels, columns=["days", "hits", "expected", "statistic", "p_value"])
    frame = frame.astype({"statistic": float, "p_value": float})
    frame["adjusted"] = adjust_p_values(frame["p_value"].to_numpy(), method)
    frame["reject"] = frame["adjusted"] <= significance
    return BacktestPanel(frame, method, significance)


def as_frame(value: Any, name: str = "returns", like: Any = None) -> Any:
    """Return a DataFrame with one column per portfolio; an array gets the labels of `like`."""
    import pandas as pd

    value = as_pandas(value)
    refuse_disorder(value, name)
    if isinstance(value, pd.DataFrame):
        frame = value
    elif isinstance(value, pd.Series):
        frame = value.to_frame(value.name if value.name is not None else "portfolio")
    else:
        array = float_array(value, name)
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2:
            raise InputError(f"{name} has shape {array.shape}; it needs (n_obs,) or (n_obs, n_portfolios)")
        labels = None if like is None or like.shape != array.shape else like.columns
        frame = pd.DataFrame(array, columns=labels, index=None if labels is None else like.index)
    float_array(frame, name)  # refuses what is not a number; NaN may be a warm-up
    if like is not None:
        if frame.shape != like.shape:
            raise InputError(f"{name} has shape {frame.shape} and returns {like.shape}; they need the same")
        if not labels_of(frame, 1).equals(like.columns) and frame.shape[1] == 1:
            frame = frame.set_axis(like.columns, axis=1)
        if not frame.columns.equals(like.columns):
            raise InputError(f"{name} has other columns than returns; use the same portfolios in the same order")
    return frame
