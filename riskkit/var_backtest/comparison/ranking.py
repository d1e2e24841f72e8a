"""Ranking of VaR and ES models: forecasts for many assets, scored on the same days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riskkit._check import InputError, as_dates, finite_array, probability
from riskkit._excel import Exported
from riskkit._show import Row, percent
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import ReturnsLike
from riskkit.plot import STRONG, axes, legible, literal
from riskkit.var_backtest.comparison.equal_accuracy import ConfidenceSet, diebold_mariano, model_confidence_set
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import can_divide
from riskkit.var_backtest.core.multiplicity import Method
from riskkit.var_backtest.core.scores import fz0, quantile
from riskkit.var_backtest.coverage.traffic_light import BASEL_WINDOW, traffic_light_bounds
from riskkit.var_backtest.suite.panel import BacktestPanel, as_frame, backtest_panel

SCORES = {"fz0": "FZ0 loss of VaR and ES", "quantile": "quantile loss of VaR"}


@dataclass(frozen=True, repr=False)
class ForecastComparison(Exported):
    """Models ranked by their forecasts of the tail, on the same days and assets.

    Attributes
    ----------
    ranking : DataFrame
        One row per model, best first; see `to_frame`.
    scores : (n_obs, n_models) DataFrame
        Score of every day, the mean over assets.
    hit_counts : (n_obs, n_models) DataFrame
        Number of assets with a hit on every day.
    n_assets : int
        Number of assets.
    confidence : float
        Confidence of VaR and ES as a fraction: 0.99 for 99 %.
    score : {"fz0", "quantile"}
        Scoring function of the ranking.
    confidence_set : ConfidenceSet
        Models that cannot be distinguished from the best.
    panel : Panel
        Coverage tests of every model on every asset, corrected for their number.
    refusals : dict[str, str]
        Models that could not forecast for every asset and day, and why.

    Examples
    --------
    >>> returns = np.random.default_rng(1).standard_normal((500, 2))
    >>> models = {"right": np.full((500, 2), 1.645), "low": np.full((500, 2), 1.0), "high": np.full((500, 2), 2.5)}
    >>> compare_forecasts(returns, models, 0.95).best
    'right'
    """

    ranking: Any
    scores: Any
    hit_counts: Any
    n_assets: int
    confidence: float
    score: str
    confidence_set: ConfidenceSet
    panel: BacktestPanel
    refusals: dict[str, str] = field(default_factory=dict)

    def to_frame(self) -> Any:
        """Return the ranking, one row per model, best first.

        Columns: `score` (mean loss), `worse_by` (than the best), `quantile_loss` (mean), `dm_p_value` (Diebold-Mariano
        against the best), `mcs_p_value` and `in_set` (model confidence set), `hits`, `expected`, `hit_ratio`,
        `assets_rejected` (by a coverage test, after correction), `red_share` (of asset-years in Basel's red zone).
        """
        return self.ranking.copy()

    @property
    def best(self) -> str:
        """Name of the model with the smallest mean loss."""
        return str(self.ranking.index[0])

    def hit_ratio_by_year(self) -> Any:
        """Return hits over expected hits by year (or 250 days, without dates) and model."""
        years = getattr(as_dates(self.hit_counts.index), "year", None)
        groups = np.arange(len(self.hit_counts)) // BASEL_WINDOW if years is None else np.asarray(years)
        expected = self.n_assets * tail_probability(self.confidence)
        ratio = self.hit_counts.groupby(groups).mean() / expected
        return ratio.rename_axis("block of 250 days" if years is None else "year")[list(self.ranking.index)]

    def plot(self, ax: Any = None) -> Any:
        """Draw the score of each model in excess of the best, annotated with its hit ratio."""
        table = self.ranking
        ax = axes(ax, width=9, height=1.2 + 0.45 * len(table))
        heights = np.arange(len(table))[::-1]
        colors = np.where(table["in_set"], STRONG, "0.6")
        ax.barh(heights, table["worse_by"], color=colors, height=0.6)
        ax.scatter(table["worse_by"], heights, c=colors, zorder=3)
        widest = max(float(table["worse_by"].max()), 1e-12)
        for height, (_, row) in zip(heights, table.iterrows(), strict=True):
            words = (
                f"{row['hit_ratio']:.2f} × expected hits, fails {row['assets_rejected']:.0f} of {self.n_assets} assets"
            )
            ax.text(row["worse_by"] + 0.03 * widest, height, words, va="center", fontsize="small")
        ax.set_yticks(heights, [literal(name) for name in table.index])
        ax.set_xlim(-0.02 * widest, 1.7 * widest)
        ax.set_xlabel(f"worse than the best by ({SCORES[self.score]}, mean a day)")
        level = percent(self.confidence_set.confidence)
        ax.set_title(
            f"{literal(self.best)} forecasts best; blue: may be the best ({level} set)", loc="left", fontsize="medium"
        )
        return ax

    def plot_years(self, ax: Any = None) -> Any:
        """Draw hits over expected hits by year and model as a heat map; red means too many hits."""
        ratio = self.hit_ratio_by_year()
        ax = axes(ax, width=max(6.0, 0.32 * len(ratio)), height=1.4 + 0.4 * ratio.shape[1])
        shade = np.log2(np.clip(ratio.to_numpy().T, 0.25, 4.0))
        ax.grid(False)
        ax.imshow(shade, cmap="RdBu_r", vmin=-2.0, vmax=2.0, aspect="auto")
        for (row, column), value in np.ndenumerate(ratio.to_numpy().T):
            color = legible((shade[row, column] + 2.0) / 4.0)
            ax.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize="x-small", color=color)
        ax.set_yticks(range(ratio.shape[1]), [literal(name) for name in ratio.columns])
        ax.set_xticks(range(len(ratio)), [str(year) for year in ratio.index], rotation=90)
        ax.set_title(f"Hits over expected hits, VaR {percent(self.confidence)}", loc="left", fontsize="medium")
        return ax

    def _title(self) -> str:
        size = f"{len(self.scores):,} days, {self.n_assets} assets"
        return f"Models by {SCORES[self.score]} at {percent(self.confidence)}, {size}"

    def _rows(self) -> Iterable[Row]:
        for rank, (model, row) in enumerate(self.ranking.iterrows(), start=1):
            verdict = "may be best" if row["in_set"] else f"worse (p = {row['mcs_p_value']:.2g})"
            hits = f"{row['hit_ratio']:.2f} x expected hits"
            rejected = f"fails {row['assets_rejected']:.0f} of {self.n_assets} assets"
            yield f"{rank}. {model}", float(row["score"]), f"{verdict}; {hits}; {rejected}"
        for model, why in self.refusals.items():
            yield model, "left out", why


@documented
def compare_forecasts(
    returns: ReturnsLike,
    forecasts: Mapping[str, Any],
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    method: Method = "holm",
    significance: float = 0.05,
    set_confidence: float = 0.9,
    rng: np.random.Generator | None = None,
) -> ForecastComparison:
    """Score and rank forecasts of many models for many assets.

    Parameters
    ----------
    returns : (n_obs, n_assets) array or DataFrame, or one Series
        Realized returns, gains positive, oldest first.
    forecasts : mapping of name to forecast
        VaR of the same shape and labels as `returns`, or a pair (VaR, ES); positive losses, made with information of
        the day before. The first rows may be NaN (warm-up): all models are scored on the days that all forecast.
    significance : float
        Size of the coverage tests of every model on every asset as a fraction (see `backtest_panel`).
    set_confidence : float
        Probability as a fraction that the model confidence set contains the best model.

    Returns
    -------
    Comparison
        Ranked by the FZ0 loss of VaR and ES if every model has an ES above zero, else by the quantile loss of VaR;
        the score of a day is the mean over assets.

    References
    ----------
    .. [1] Fissler, Ziegel and Gneiting (2016), Expected Shortfall is Jointly Elicitable with Value at Risk.
    .. [2] Hansen, Lunde and Nason (2011), The Model Confidence Set.

    Examples
    --------
    >>> returns = np.random.default_rng(1).standard_normal((500, 2))
    >>> models = {"right": np.full((500, 2), 1.645), "low": np.full((500, 2), 1.0), "high": np.full((500, 2), 2.5)}
    >>> compare_forecasts(returns, models, 0.95).best
    'right'
    """
    import pandas as pd

    if not forecasts:
        raise InputError("forecasts is empty; give at least one model as {name: VaR} or {name: (VaR, ES)}")
    p = tail_probability(confidence)
    probability(set_confidence, "set_confidence")
    table = as_frame(returns)
    pairs = {str(name): _pair(given, table) for name, given in forecasts.items()}
    start = _first_common_day(pairs)
    realized = table.iloc[start:]
    actual = finite_array(realized, "returns")
    var = {name: pair[0].to_numpy(float)[start:] for name, pair in pairs.items()}
    es = {name: pair[1].to_numpy(float)[start:] for name, pair in pairs.items() if pair[1] is not None}
    joint = len(es) == len(var) and all(can_divide(es[name], actual, var[name]) for name in es)
    of_var = {name: quantile(actual, var[name], p).mean(axis=1) for name in var}
    of_both = {name: fz0(actual, var[name], es[name], p).mean(axis=1) for name in var} if joint else of_var
    scores = pd.DataFrame(of_both, index=realized.index)
    hit = {name: actual < -values for name, values in var.items()}
    hit_counts = pd.DataFrame({name: days.sum(axis=1) for name, days in hit.items()}, index=realized.index)
    panel = backtest_panel(
        realized,
        {(name, confidence): pair[0].iloc[start:] for name, pair in pairs.items()},
        method=method,
        significance=significance,
    )
    chosen = model_confidence_set(scores, set_confidence, rng=rng)
    in_set = chosen.to_frame()
    rejected = panel.frame["reject"].groupby(level=["model", "portfolio"]).any().groupby(level="model").sum()
    order = list(chosen.models)
    best = scores[order[0]].to_numpy()
    ranking = pd.DataFrame(index=pd.Index(order, name="model"))
    ranking["score"] = scores.mean()[order]
    ranking["worse_by"] = ranking["score"] - float(best.mean())
    ranking["quantile_loss"] = [float(of_var[name].mean()) for name in order]
    outcomes = [diebold_mariano(scores[name].to_numpy(), best).p_value for name in order]
    ranking["dm_p_value"] = [np.nan if p_value is None else p_value for p_value in outcomes]
    ranking["mcs_p_value"] = in_set["p_value"]
    ranking["in_set"] = in_set["included"]
    ranking["hits"] = hit_counts.sum()[order]
    ranking["expected"] = actual.size * p
    ranking["hit_ratio"] = ranking["hits"] / ranking["expected"]
    ranking["assets_rejected"] = rejected[order]
    ranking["red_share"] = [_red_share(hit[name], confidence) for name in order]
    return ForecastComparison(
        ranking=ranking,
        scores=scores,
        hit_counts=hit_counts,
        n_assets=table.shape[1],
        confidence=float(confidence),
        score="fz0" if joint else "quantile",
        confidence_set=chosen,
        panel=panel,
    )


def _pair(given: Any, like: Any) -> tuple[Any, Any]:
    var, es = given if isinstance(given, tuple) else (given, None)
    return as_frame(var, "var", like), None if es is None else as_frame(es, "es", like)


def _first_common_day(pairs: Mapping[str, tuple[Any, Any]]) -> int:
    """First row from which every model has a forecast for every asset."""
    start = 0
    for name, pair in pairs.items():
        for part in pair:
            if part is None:
                continue
            complete = np.isfinite(part.to_numpy(float)).all(axis=1)
            first = int(np.argmax(complete)) if complete.any() else complete.size
            if not complete[first:].all():
                day = part.index[first + int(np.argmin(complete[first:]))]
                raise InputError(f"the forecasts of {name!r} are not finite on {day}, after their first complete day")
            start = max(start, first)
    n_obs = len(next(iter(pairs.values()))[0])
    if start >= n_obs:
        raise InputError(f"no day of {n_obs:,} has a forecast of every model; give more days or a shorter window")
    return start


def _red_share(hit: np.ndarray, confidence: float) -> float:
    """Share of adjacent 250-day windows per asset, counted from the end, in the red zone; NaN without one."""
    windows = hit.shape[0] // BASEL_WINDOW
    if windows == 0:
        return float("nan")
    blocks = hit[hit.shape[0] - windows * BASEL_WINDOW :].reshape(windows, BASEL_WINDOW, hit.shape[1]).sum(axis=1)
    return float(np.mean(blocks >= traffic_light_bounds(BASEL_WINDOW, confidence).red))
