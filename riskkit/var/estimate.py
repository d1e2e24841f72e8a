"""The answer of every method: VaR and ES side by side, and how sure they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from riskkit import plot
from riskkit._show import Row, Shown, alike
from riskkit.var.sample import Confidences, Sample, read_confidences, read_sample

__all__ = ["Fit", "Method", "RiskEstimate", "RiskInterval", "estimate", "percent"]


class Fit(NamedTuple):
    """What a method makes of a table: VaR and ES (n_confidences, n_series), and its parameters (n_series,) by name."""

    var: np.ndarray
    es: np.ndarray
    parameters: dict[str, np.ndarray]


class Method(Protocol):
    """A way to estimate VaR and ES, with its options chosen."""

    @property
    def title(self) -> str:
        """What it is called in print."""
        ...

    @property
    def horizon(self) -> float:
        """Periods that the answer covers."""
        ...

    @property
    def ordered(self) -> bool:
        """The order of the returns in time matters, so that they cannot be resampled one by one."""
        ...

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate each column of (n_obs, n_series)."""
        ...


@dataclass(frozen=True, repr=False, eq=False)
class RiskInterval(Shown):
    """How far VaR and ES could be off for lack of data. Shapes are those of the estimates; None where not defined.

    Attributes
    ----------
    kind : str
        "order_statistics", "asymptotic" or "bootstrap".
    coverage : float
        Probability that was asked for, as 0.9.
    var_low : array, Series or DataFrame
        Lower end for VaR.
    var_high : array, Series or DataFrame
        Upper end for VaR.
    es_low : array, Series or DataFrame
        Lower end for ES.
    es_high : array, Series or DataFrame
        Upper end for ES.
    var_standard_error : array, Series or DataFrame
        Of VaR, in its unit.
    es_standard_error : array, Series or DataFrame
        Of ES, in its unit.
    exact_coverage : array, Series or DataFrame
        Of an order statistics interval: the probability that it has, at least `coverage` where the sample allows.

    Examples
    --------
    >>> from riskkit import value_at_risk
    >>> interval = value_at_risk(range(-50, 50), 0.9, interval="order_statistics").interval
    >>> interval.kind, interval.var_low, interval.var_high
    ('order_statistics', 35.0, 46.0)
    """

    kind: str
    coverage: float
    var_low: Any
    var_high: Any
    es_low: Any = None
    es_high: Any = None
    var_standard_error: Any = None
    es_standard_error: Any = None
    exact_coverage: Any = None

    def _title(self) -> str:
        return f"{percent(self.coverage)} interval, {self.kind.replace('_', ' ')}"

    def _rows(self) -> Iterable[Row]:
        for name, values in self.columns().items():
            if np.ndim(values) == 0:
                yield name.replace("_", " "), values, ""

    def columns(self) -> dict[str, Any]:
        """What is defined, by name."""
        names = ("var_low", "var_high", "es_low", "es_high", "var_standard_error", "es_standard_error")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@dataclass(frozen=True, repr=False, eq=False)
class RiskEstimate(Shown):
    """VaR and ES of one or many portfolios at one or many confidences; losses are positive, gains negative.

    With one series and one confidence the numbers are floats; otherwise arrays (n_confidences,), (n_portfolios,) or
    (n_confidences, n_portfolios), as Series or DataFrames when the returns had labels.

    Attributes
    ----------
    method : str
        How it was estimated, in words.
    confidence : float or tuple[float, ...]
        As asked.
    var : array, Series or DataFrame
        Loss that is not exceeded with probability `confidence`, in the unit of the returns (or of the P&L).
    es : array, Series or DataFrame
        Mean loss in the worst 1 - `confidence` of cases.
    n_obs : int
        Returns behind the estimate.
    horizon : float
        In periods of the returns.
    parameters : dict[str, Any]
        What was fitted, per portfolio.
    interval : RiskInterval or None
        How far off it could be, where that was asked for.

    Examples
    --------
    >>> from riskkit import value_at_risk
    >>> risk = value_at_risk([0.01, -0.03, 0.02, -0.01, 0.0], 0.8)
    >>> risk.var, risk.es, risk.n_obs
    (0.03, 0.03, 5)
    """

    method: str
    confidence: float | tuple[float, ...]
    var: Any
    es: Any
    n_obs: int
    horizon: float = 1.0
    parameters: dict[str, Any] = field(default_factory=dict)
    interval: RiskInterval | None = None

    @property
    def _levels(self) -> tuple[float, ...]:
        return self.confidence if isinstance(self.confidence, tuple) else (self.confidence,)

    def _table(self, values: Any) -> np.ndarray:
        """(n_confidences, n_portfolios), whatever the shape of the answer."""
        return np.asarray(values, dtype=float).reshape(len(self._levels), -1)

    def _portfolios(self) -> list[Any]:
        if not self._many:
            return []
        last = self.var.columns if hasattr(self.var, "columns") else getattr(self.var, "index", None)
        return list(range(np.shape(self.var)[-1]) if last is None else last)

    @property
    def _many(self) -> bool:
        return np.ndim(self.var) == (2 if isinstance(self.confidence, tuple) else 1)

    def to_frame(self) -> Any:
        """Columns var and es (and bounds and standard errors), one row a confidence, a portfolio, or pair of them."""
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

    def plot(self, ax: Any = None) -> Any:
        """Draw VaR and ES as bars, one pair a confidence and portfolio, with the interval where there is one."""
        frame = self.to_frame()
        ax = plot.axes(ax, width=max(7.0, 1.6 + 1.1 * len(frame)))
        places = np.arange(len(frame))
        for offset, name, colour in ((-0.2, "var", plot.STRONG), (0.2, "es", plot.WARM)):
            label = name.upper() if name == "es" else "VaR"
            ax.bar(places + offset, frame[name], 0.4, color=colour, label=label)
            if f"{name}_low" in frame:
                away = [frame[name] - frame[f"{name}_low"], frame[f"{name}_high"] - frame[name]]
                ax.errorbar(places + offset, frame[name], yerr=np.maximum(away, 0.0), fmt="none", color=plot.INK)
        ax.set_xticks(places, [_tick(label) for label in frame.index])
        room = max(0.6, 1.6 - 0.5 * len(frame))  # few bars are not made wide
        ax.set_xlim(-room, len(frame) - 1 + room)
        plot.thousands(ax.yaxis)
        ax.set_ylabel("loss, as a return or money")
        plot.dress(ax, self._title())
        plot.legend_below(ax)
        return ax

    def _title(self) -> str:
        return f"VaR and ES, {self.method}"

    def _rows(self) -> Iterator[Row]:
        var, es, names = self._table(self.var), self._table(self.es), self._portfolios()
        for i, level in enumerate(self._levels):
            for label, values in (("VaR", var[i]), ("ES", es[i])):
                if not self._many:
                    yield f"{label} {percent(level)}", values[0], self._bounds(label.lower(), i)
                else:
                    worst = int(np.argmax(values))
                    yield f"{label} {percent(level)}, largest", values[worst], f"portfolio {names[worst]}"
        if self._many:
            yield "portfolios", len(names), ""
        yield "observations", self.n_obs, ""
        yield "horizon", self.horizon, "periods"
        for name, value in self.parameters.items():
            if np.ndim(value) == 0:
                yield name.replace("_", " "), value, ""

    def _bounds(self, name: str, i: int) -> str:
        bounds = {} if self.interval is None else self.interval.columns()
        if f"{name}_low" not in bounds:
            return ""
        low, high = (self._table(bounds[f"{name}_{end}"])[i, 0] for end in ("low", "high"))
        low, high = alike([low, high])
        return f"[{low} to {high}] with {percent(self.interval.coverage)}" if self.interval else ""


def estimate(method: Method, returns: Any, confidence: Any) -> RiskEstimate:
    """Fit `method` to every portfolio and label the answer."""
    confidences = read_confidences(confidence)
    sample = read_sample(returns, check=not getattr(method, "checks_finite", False))
    return labelled_estimate(method, sample, confidences, method.fit(sample.table, confidences.levels))


def labelled_estimate(
    method: Method, sample: Sample, confidences: Confidences, fit: Fit, interval: RiskInterval | None = None
) -> RiskEstimate:
    """A fit with the labels of the sample."""
    return RiskEstimate(
        method=method.title,
        confidence=confidences.asked,
        var=sample.per_confidence(fit.var, confidences),
        es=sample.per_confidence(fit.es, confidences),
        n_obs=len(sample.table),
        horizon=method.horizon,
        parameters={name: sample.per_portfolio(values) for name, values in fit.parameters.items()},
        interval=interval,
    )


def percent(level: float) -> str:
    """0.975 as "97.5%"."""
    return f"{100 * level:.10g}%"


def _tick(label: Any) -> str:
    if isinstance(label, tuple):
        return f"{percent(label[0])} {label[1]}"
    return percent(label) if isinstance(label, float) else str(label)
