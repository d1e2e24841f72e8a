"""Results of every method: VaR and ES, and their confidence intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._docs import counted
from riskkit._excel import MONEY, PERCENT, Exported, Sheet
from riskkit._show import Row, Shown, amounts, percent, worded
from riskkit._tail import tail_probability
from riskkit._types import Confidence, Quantity, ReturnsLike
from riskkit.var._inputs import Confidences, Sample, read_confidences, read_sample
from riskkit.var.method import Fit, Method

_LARGE = "for large samples; small ones are covered less"
ROOM = 13  # letters of names beside each other, per inch
NOMINAL = {"asymptotic": _LARGE, "bootstrap": _LARGE, "studentised": "for independent returns"}
"""What the coverage of an interval holds for, by its kind."""


@dataclass(frozen=True, repr=False, eq=False)
class RiskInterval(Shown):
    """Confidence intervals of VaR and ES, in the shapes of the estimates; None where not defined.

    Attributes
    ----------
    kind : str
        "order_statistics", "studentised", "asymptotic" or "bootstrap".
    coverage : float
        Requested probability, as 0.9.
    var_low, var_high : float, array, Series or DataFrame
        Lower and upper end for VaR.
    es_low, es_high : float, array, Series or DataFrame
        Lower and upper end for ES.
    var_standard_error, es_standard_error : float, array, Series or DataFrame
        In the unit of VaR and ES.
    exact_coverage : float or tuple[float, ...]
        Of an order statistics interval of VaR: its probability, at least `coverage` where the sample is large enough.

    Examples
    --------
    >>> from riskkit import value_at_risk
    >>> interval = value_at_risk(range(-50, 50), 0.9, interval="order_statistics").interval
    >>> interval.kind, interval.var_low, interval.var_high
    ('order_statistics', 35.0, 46.0)
    """

    kind: str
    coverage: float
    var_low: Quantity
    var_high: Quantity
    es_low: Quantity | None = None
    es_high: Quantity | None = None
    var_standard_error: Quantity | None = None
    es_standard_error: Quantity | None = None
    exact_coverage: float | tuple[float, ...] | None = None

    def _title(self) -> str:
        caveat = f" ({NOMINAL[self.kind]})" if self.kind in NOMINAL else ""
        return f"{percent(self.coverage)} interval, {worded(self.kind)}{caveat}"

    def _rows(self) -> Iterable[Row]:
        for name, values in self.columns().items():
            if np.ndim(values) == 0:
                yield name.replace("_", " "), values, ""

    def columns(self) -> dict[str, Quantity]:
        """Return the bounds and standard errors that are defined, by name."""
        names = ("var_low", "var_high", "es_low", "es_high", "var_standard_error", "es_standard_error")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@dataclass(frozen=True, repr=False, eq=False)
class RiskEstimate(Exported):
    """VaR and ES of one or many portfolios at one or many confidences; losses are positive.

    With one series and one confidence the numbers are floats; otherwise arrays (n_confidences,), (n_portfolios,) or
    (n_confidences, n_portfolios), as Series or DataFrames for returns with labels.

    Attributes
    ----------
    method : str
        Method in words.
    confidence : float or tuple[float, ...]
        As given.
    var : float, array, Series or DataFrame
        Loss that is not exceeded with probability `confidence`, in the unit of the returns (or of the P&L).
    es : float, array, Series or DataFrame
        Mean loss in the worst 1 - `confidence` of cases.
    n_obs : int
        Number of returns.
    horizon : float
        In periods of the returns.
    parameters : dict[str, Any]
        Fitted parameters, per portfolio.
    interval : RiskInterval or None
        Confidence interval, on request.
    refusals : dict[Any, str]
        Portfolios that the method cannot estimate, which have NaN, and why.
    sample : (n_obs,) array or None
        The returns of a single series, for the plot.

    Examples
    --------
    >>> from riskkit import value_at_risk
    >>> risk = value_at_risk([0.01, -0.03, 0.02, -0.01, 0.0], 0.8)
    >>> risk.var, risk.es, risk.n_obs
    (0.03, 0.03, 5)
    """

    method: str
    confidence: float | tuple[float, ...]
    var: Quantity
    es: Quantity
    n_obs: int
    horizon: float = 1.0
    parameters: dict[str, Any] = field(default_factory=dict)
    interval: RiskInterval | None = None
    refusals: dict[Any, str] = field(default_factory=dict)
    sample: np.ndarray | None = None

    @property
    def _levels(self) -> tuple[float, ...]:
        return self.confidence if isinstance(self.confidence, tuple) else (self.confidence,)

    def _table(self, values: Any) -> np.ndarray:
        """(n_confidences, n_portfolios) for every shape of the result."""
        return np.asarray(values, dtype=float).reshape(len(self._levels), -1)

    def _portfolios(self) -> list[Any]:
        if not self._many:
            return []
        names = getattr(self.var, "columns", getattr(self.var, "index", None))
        return list(range(np.shape(self.var)[-1]) if names is None else names)

    @property
    def _many(self) -> bool:
        return np.ndim(self.var) == (2 if isinstance(self.confidence, tuple) else 1)

    def to_frame(self) -> Any:
        """Columns var and es (and bounds and standard errors), one row per confidence and portfolio."""
        import pandas as pd

        bounds = {} if self.interval is None else self.interval.columns()
        columns = {"var": self.var, "es": self.es, **bounds}
        levels = pd.Index(self._levels, name="confidence")
        index: Any = levels
        if self._many:
            portfolios = pd.Index(self._portfolios(), name="portfolio")
            single = len(levels) == 1 and not isinstance(self.confidence, tuple)
            index = portfolios if single else pd.MultiIndex.from_product([levels, portfolios])
        return pd.DataFrame({name: self._table(values).ravel() for name, values in columns.items()}, index=index)

    def _sheets(self) -> list[Sheet]:
        table = self.to_frame()
        money = () if self._fractions() else table.columns
        formats = {**dict.fromkeys(table.columns, PERCENT), **dict.fromkeys(money, MONEY), "confidence": PERCENT}
        return [Sheet("VaR and ES", table, formats)]

    def plot(self, ax: Any = None, *, unit: str | None = None) -> Any:
        """Draw the histogram of one series with VaR and ES, the tail beyond VaR and the interval of VaR shaded.

        Many portfolios, and intervals at several confidences, are bars. `unit` is "%" for returns or the currency of P&L;
        without it small numbers are returns.
        """
        bounds = {} if self.interval is None else self.interval.columns()
        if self.sample is None or self._many or (bounds and isinstance(self.confidence, tuple)):
            return self._plot_bars(ax, unit)
        var, es = self._table(self.var)[:, 0], self._table(self.es)[:, 0]
        first = int(np.argmin(self._levels))  # its tail holds the others
        lines = {f"VaR {percent(self._levels[first])}": var[first], f"ES {percent(self._levels[first])}": es[first]}
        lines |= {f"VaR {percent(level)}": var[i] for i, level in enumerate(self._levels) if i != first}
        ax = plot.loss_histogram(self.sample, lines, title=self._title(), unit=unit, ax=ax)
        if "var_low" in bounds:
            ax.axvspan(-bounds["var_high"], -bounds["var_low"], color=plot.PALE, alpha=0.25, lw=0, zorder=0)
        return ax

    def _plot_bars(self, ax: Any, unit: str | None) -> Any:
        """VaR and ES as bars, one pair per confidence and portfolio, with the interval if known."""
        frame = self.to_frame()
        ax = plot.axes(ax, width=max(9.0, 1.6 + 1.1 * len(frame)))
        positions = np.arange(len(frame))
        for offset, name, colour in ((-0.2, "var", plot.STRONG), (0.2, "es", plot.WARM)):
            label = name.upper() if name == "es" else "VaR"
            ax.bar(positions + offset, frame[name], 0.4, color=colour, label=label)
            if f"{name}_low" in frame:
                away = [frame[name] - frame[f"{name}_low"], frame[f"{name}_high"] - frame[name]]
                ax.errorbar(positions + offset, frame[name], yerr=np.maximum(away, 0.0), fmt="none", color=plot.INK)
        names = plot.names_beside(ax, [_tick(label) for label in frame.index])
        crowded = len(names) * max(map(len, names)) > ROOM * ax.get_window_extent().width / ax.figure.dpi
        ax.set_xticks(positions, names, rotation=90 if crowded else 0)
        if not self._many:
            ax.set_xlabel("confidence")
        label = plot.unit_axis(ax.yaxis, frame["es"], unit)
        ax.set_ylabel("loss" if label == "return" else label.replace("P&L", "loss"))
        plot.dress(ax, self._title())
        ax.legend(frameon=False) if crowded else plot.legend_below(ax)
        return ax

    def _title(self) -> str:
        return f"VaR and ES, {self.method}"

    def _rows(self) -> Iterator[Row]:
        var, es, names = self._table(self.var), self._table(self.es), self._portfolios()
        fractions = self._fractions()
        both = np.stack([var, es], axis=1).reshape(-1, var.shape[1])  # VaR and ES of each confidence in turn
        worst = np.nanargmax(both, axis=1) if self._many else np.zeros(len(both), int)
        texts = amounts([row[k] for row, k in zip(both, worst, strict=True)], fractions=fractions)
        for i, (text, k) in enumerate(zip(texts, worst, strict=True)):
            label = f"{('VaR', 'ES')[i % 2]} {percent(self._levels[i // 2])}"
            if self._many:
                yield f"{label}, largest", text, f"portfolio {names[k]}"
            else:
                yield label, text, self._bounds(("var", "es")[i % 2], i // 2, fractions)
        if self._many:
            yield "portfolios", len(names), ""
            for name, why in self.refusals.items():
                yield f"{name}", "NaN", why
        if (var < 0.0).any():
            yield "caution", "", "VaR is below zero, a gain even in the tail; prices go through simple_returns(prices)"
        if "historical" in self.method and self.n_obs * tail_probability(max(self._levels)) < 1.0:
            few = f"fewer than one of {counted(self.n_obs, 'observation')} is expected beyond {percent(max(self._levels))}"
            yield "caution", "", f"{few}; it is the largest loss seen, or near it"
        if self.interval is not None and self.interval.kind in NOMINAL:
            yield "intervals", worded(self.interval.kind), NOMINAL[self.interval.kind]
        yield "observations", self.n_obs, ""
        yield "horizon", self.horizon, "periods"
        for name, value in self.parameters.items():
            if np.ndim(value) == 0:
                yield name.replace("_", " "), value, ""

    def _fractions(self) -> bool:
        """Whether losses are those of returns, by the rule of the plot's axis."""
        return plot.is_fractions(self._table(self.es) if self.sample is None else self.sample)

    def _bounds(self, name: str, i: int, fractions: bool) -> str:
        bounds = {} if self.interval is None else self.interval.columns()
        if f"{name}_low" not in bounds:
            return ""
        low, high = (self._table(bounds[f"{name}_{end}"])[i, 0] for end in ("low", "high"))
        low, high = amounts([low, high], fractions=fractions)
        return f"[{low} to {high}] with {percent(self.interval.coverage)}" if self.interval else ""


def estimate(method: Method, returns: ReturnsLike, confidence: Confidence) -> RiskEstimate:
    """Fit a method to every portfolio and label the result."""
    confidences = read_confidences(confidence)
    sample = read_sample(returns, ordered=method.ordered)
    return labelled_estimate(method, sample, confidences, method.fit_each(sample.table, confidences.levels))


def labelled_estimate(
    method: Method, sample: Sample, confidences: Confidences, fit: Fit, interval: RiskInterval | None = None
) -> RiskEstimate:
    """Label a fit with the names of the sample."""
    return RiskEstimate(
        method=method.title,
        confidence=confidences.given,
        var=sample.per_confidence(fit.var, confidences),
        es=sample.per_confidence(fit.es, confidences),
        n_obs=len(sample.table),
        horizon=method.horizon,
        parameters={name: sample.per_portfolio(values) for name, values in fit.parameters.items()},
        interval=interval,
        refusals=sample.by_column(fit.refusals),
        sample=sample.table[:, 0] if sample.single else None,
    )


def _tick(label: Any) -> str:
    if isinstance(label, tuple):
        return f"{percent(label[0])} {label[1]}"
    return percent(label) if isinstance(label, float) else str(label)
