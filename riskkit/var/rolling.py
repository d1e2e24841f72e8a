"""Rolling VaR and ES: out-of-sample forecasts of every day from the days before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from riskkit._bar import waiting
from riskkit._check import InputError, OnRefusal, as_pandas, one_of, whole_number
from riskkit._docs import counted
from riskkit._excel import Exported
from riskkit._show import Row, amounts, percent
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Confidence, Labelled, Quantity, ReturnsLike
from riskkit.plot import is_fractions, losses_over_time
from riskkit.var._inputs import Confidences, Sample, read_confidences, read_sample
from riskkit.var.method import Method
from riskkit.var.methods import MethodName, method_named

MOST_REASONS = 10
"""Refused windows that are explained one by one; neighbours have the same reason."""


def rolling_var(
    returns: ReturnsLike,
    window: int = 250,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    method: MethodName = "historical",
    *,
    on_refusal: OnRefusal = "nan",
    **options: Any,
) -> RollingRisk:
    """Out-of-sample VaR and ES forecasts for backtests.

    The forecast for day t uses the returns of days t-window to t-1. An EWMA or GARCH volatility
    ("filtered_historical", "normal" with ``volatility="ewma"``) is the forecast from all days before t, not only those
    of the window: a GARCH is refitted every `refit_every` days (an option of "filtered_historical", 250 by default), a
    named start of an EWMA uses the first `window` days.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_series)
        Simple returns per period, or P&L, oldest first.
    window : int
        Periods per forecast, fewer than n_obs.
    confidence : float or sequence of float
        0.95 for 95 %.
    method : str
        As in `value_at_risk`.
    on_refusal : {"nan", "raise"}
        A window that the method cannot estimate has NaN, and its reason in `refusals`; or all are refused.
    **options
        Of the method.

    Returns
    -------
    RollingRisk
        `var` and `es` for the n_obs - window days that have `window` days before them, labelled by day; `returns` of
        these days; `next_var` and `next_es` for the day after the last.

    Raises
    ------
    InputError
        NaN, infinity, a window that is not shorter than the returns, an unknown method or option, or no window that the
        method can estimate (constant returns, moments outside a domain).

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 9.3 (backtesting).

    Examples
    --------
    >>> rolling = rolling_var([0.01, -0.03, 0.02, -0.01, -0.04, 0.01], window=3, confidence=0.5)
    >>> rolling.var.tolist(), rolling.returns.tolist(), rolling.next_var
    ([-0.01, 0.01, 0.01], [-0.01, -0.04, 0.01], 0.01)
    """
    chosen = method_named(method, options)
    confidences = read_confidences(confidence)
    sample = read_sample(returns, ordered=True)
    window = whole_number(window, "window")
    if window >= len(sample.table):
        raise InputError(
            f"window={window} is not shorter than returns, which has {counted(len(sample.table), 'observation')}"
        )
    with waiting(
        f"{chosen.title}: {(len(sample.table) - window + 1) * sample.table.shape[1]:,} windows of {window:,} days"
    ):
        var, es = chosen.roll(sample.table, window, confidences.levels)
    refused = np.isnan(var).any(axis=0)
    if refused.all() or (refused.any() and one_of(on_refusal, get_args(OnRefusal), "on_refusal") == "raise"):
        raise InputError(_why(chosen, sample, confidences, window, *np.argwhere(refused)[0]))
    rows = sample.rows
    if rows is None and sample.labelled:  # an Arrow table without dates
        rows = range(len(sample.table))
    rows = None if rows is None else rows[window:]
    return RollingRisk(
        method=chosen.title,
        confidence=confidences.given,
        window=window,
        var=_per_day(var[:, :-1], sample, confidences, rows),
        es=_per_day(es[:, :-1], sample, confidences, rows),
        returns=_realised(returns, sample, window),
        next_var=sample.per_confidence(var[:, -1], confidences),
        next_es=sample.per_confidence(es[:, -1], confidences),
        refusals={
            (int(w), int(j)): _why(chosen, sample, confidences, window, w, j)
            for w, j in np.argwhere(refused)[:MOST_REASONS]
        },
        n_refused=int(refused.sum()),
    )


def _why(method: Method, sample: Sample, confidences: Confidences, window: int, first: int, column: int) -> str:
    """Reason for which a method refuses a window: that of the same returns alone."""
    part = sample.table[first : first + window, [column]]
    where = f"rows {first} to {first + window - 1}" + ("" if sample.single else f", column {column}")
    try:
        method.of_column(int(column)).fit(part, confidences.levels)
    except InputError as refusal:
        return f"{where}: {refusal}"
    return f"{where}: the volatility before them is zero or cannot be fitted"


@dataclass(frozen=True, repr=False, eq=False)
class RollingRisk(Exported):
    """VaR and ES forecasts by day.

    Shapes: (n_days,), (n_days, n_series), (n_days, n_confidences) for one series at several confidences, or
    (n_days, n_confidences, n_series); labelled, the last has columns (confidence, series).

    Attributes
    ----------
    method : str
        Method in words.
    confidence : float or tuple[float, ...]
        As given.
    window : int
        Periods per forecast.
    var : array, Series or DataFrame
        Forecasts of VaR, losses positive, in the unit of the returns.
    es : array, Series or DataFrame
        Forecasts of ES.
    returns : (n_days,) or (n_days, n_series)
        Realised returns on the days of the forecasts, a read-only view of the input.
    next_var : array, Series or DataFrame
        For the day after the last return; shaped as `var` of `value_at_risk`.
    next_es : array, Series or DataFrame
        The same for ES.
    refusals : dict[tuple[int, int], str]
        Reasons of the first windows without a forecast, by number of window and series.
    n_refused : int
        Number of forecasts that are NaN because the method refuses their window.

    Examples
    --------
    >>> from riskkit import rolling_var
    >>> rolling = rolling_var([0.01, -0.03, 0.02, -0.01, -0.04, 0.01], window=3, confidence=0.5)
    >>> rolling.hits, rolling.next_es
    (2, 0.03)
    """

    method: str
    confidence: float | tuple[float, ...]
    window: int
    var: Labelled
    es: Labelled
    returns: Labelled
    next_var: Quantity
    next_es: Quantity
    refusals: dict[tuple[int, int], str] = field(default_factory=dict)
    n_refused: int = 0

    @property
    def hits(self) -> int:
        """Returns below minus VaR, over all days and series; for one confidence."""
        if isinstance(self.confidence, tuple):
            raise InputError("hits are counted for one confidence; use one confidence, or compare var and returns")
        return int((np.asarray(self.returns) < -np.asarray(self.var)).sum())

    def to_frame(self) -> Any:
        """One row per day with columns returns, var and es, for one series at one confidence."""
        import pandas as pd

        if np.ndim(self.var) != 1:
            raise InputError("to_frame is for one series at one confidence; var and es are tables here")
        columns = {"returns": self.returns, "var": self.var, "es": self.es}
        return pd.DataFrame({name: np.asarray(values) for name, values in columns.items()}, index=self._days())

    def plot(self, ax: Any = None, *, unit: str | None = None) -> Any:
        """Draw the returns, minus VaR and minus ES below them, and the hits; one series at one confidence.

        `unit` is "%" for returns or the currency of P&L; without it small numbers are returns.
        """
        frame = self.to_frame()
        lines = {"VaR": frame["var"], "ES": frame["es"]}
        return losses_over_time(frame.index, frame["returns"], lines, title=self._title(), unit=unit, ax=ax)

    def _days(self) -> Any:
        return getattr(self.returns, "index", None)

    def _title(self) -> str:
        return f"Rolling VaR and ES, {self.method}, {self.window} periods"

    def _rows(self) -> Iterator[Row]:
        n_days = len(self.returns)
        yield "forecasts", n_days, "periods"
        if self.n_refused:
            yield "without a forecast", self.n_refused, f"NaN; the first: {next(iter(self.refusals.values()))}"
        if np.ndim(self.returns) == 2:
            yield "series", np.shape(self.returns)[1], ""
        if isinstance(self.confidence, tuple):
            yield "confidences", ", ".join(map(percent, self.confidence)), ""
            return
        expected = int(np.isfinite(np.asarray(self.var)).sum()) * (1.0 - self.confidence)
        yield "hits", self.hits, f"{expected:.6g} expected at {percent(self.confidence)}"
        if np.ndim(self.var) == 1:
            texts = amounts([self.next_var, self.next_es], fractions=is_fractions(self.returns))
            yield from (("next VaR", texts[0], ""), ("next ES", texts[1], ""))


def _realised(returns: Any, sample: Sample, window: int) -> Any:
    """Returns of the days with a forecast, without a copy: pandas copies on write, an array is read-only."""
    if sample.labelled:
        return as_pandas(returns).iloc[window:]
    realised = (sample.table[:, 0] if sample.single else sample.table)[window:]
    realised.flags.writeable = False
    return realised


def _per_day(values: np.ndarray, sample: Sample, confidences: Confidences, rows: Any) -> Any:
    """Reshape (n_confidences, n_days, n_series) as described in `RollingRisk`."""
    by_day = values.transpose(1, 0, 2)
    if confidences.single:
        by_day = by_day[:, 0]
    if sample.single:
        by_day = by_day[..., 0]
    if rows is None:
        return by_day
    import pandas as pd

    if by_day.ndim == 1:
        return pd.Series(by_day, index=rows, name=sample.name, copy=False)
    columns = sample.columns
    if not confidences.single:
        levels = pd.Index(confidences.levels, name="confidence")
        columns = levels if sample.single else pd.MultiIndex.from_product([levels, columns])
    return pd.DataFrame(by_day.reshape(len(by_day), -1), index=rows, columns=columns, copy=False)
