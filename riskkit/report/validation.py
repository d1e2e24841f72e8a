"""Validation report of a VaR model for its review: data, method, backtest, tests, challengers, sensitivity and weaknesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import (
    InputError,
    as_pandas,
    confidence_level,
    instance,
    labels_of,
    one_of,
    single_series,
    whole_number,
)
from riskkit._docs import counted
from riskkit._show import alike, amounts, percent, short_label, worded
from riskkit.performance import excess_kurtosis, skewness
from riskkit.plot import is_fractions
from riskkit.report.docs import documented
from riskkit.report.page import figure, listing, notes, page, table, verdict, write
from riskkit.report.tear_sheet import METHODS
from riskkit.var import rolling_var
from riskkit.var.methods import MethodName
from riskkit.var_backtest import backtest_var
from riskkit.var_backtest.suite.power import detectable_hit_rate

FACTS = ("model", "owner", "validated by", "purpose", "approved use", "version")
WORST = 5
ASSUMPTIONS = {
    "historical": "The next period is a draw from the returns of the window, each as likely.",
    "age_weighted": "The next period is a draw from the returns of the window, recent ones more likely.",
    "filtered_historical": "Returns divided by their volatility forecast are draws from one distribution.",
    "normal": "Returns are independent and normally distributed with the moments of the window.",
    "student_t": "Returns are independent and Student t distributed with parameters fitted to the window.",
    "cornish_fisher": "The quantile is that of a normal distribution corrected by skewness and kurtosis of the window.",
    "evt": "Losses beyond a threshold are generalised Pareto distributed.",
}
CAVEATS = (
    "A test that does not reject does not show that the model is right; the power beside it says what it would have found.",
    "Data, their source and the implementation of the model outside this report were not examined.",
)


class Model(NamedTuple):
    """Forecasts under review: returns of the tested periods, VaR, ES if known, and how they were made."""

    returns: Any
    var: Any
    es: Any
    confidence: float
    method: str
    window: int | None


@documented
def validation(
    returns: Any,
    path: str | Path,
    *,
    var: Any = None,
    es: Any = None,
    method: MethodName = "historical",
    confidence: float = 0.99,
    window: int = 250,
    currency: str = "",
    facts: Mapping[str, str] | None = None,
    weaknesses: Sequence[str] = (),
    title: str = "Validation of a VaR model",
    remarks: Sequence[str] = (),
) -> Path:
    """Write the review of a VaR model as one self-contained HTML file.

    Parameters
    ----------
    returns : (n_obs,) array or Series
        Realised returns per period or P&L, gains positive, oldest first.
    var, es : (n_obs,) array or Series, optional
        Forecasts of the model under review for the same periods, as positive losses; without them the model is `method`.
    method : str
        Model under review, as in `value_at_risk`; forecasts of each period are from the `window` periods before it.
    window : int
        Periods from which a forecast is made, by `method` and by the challengers.
    currency : str
        Unit of P&L, for the headings; returns are shown as percentages.
    facts : mapping of str to str, optional
        What only people know: "model", "owner", "validated by", "purpose", "approved use", "version", ...
    weaknesses : sequence of str
        Known weaknesses and their compensation, in sentences; what the data show is added.

    Raises
    ------
    InputError
        What `backtest_var` or `rolling_var` refuses. Nothing is written then.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from riskkit import report
    >>> returns = np.random.default_rng(1).normal(0.0, 0.01, 400)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = report.validation(returns, Path(folder, "review.html"), confidence=0.95, window=200)
    ...     text = file.read_text(encoding="utf-8")
    >>> "No test rejects the forecast" in text, "Challengers" in text
    (True, True)
    """
    import pandas as pd

    given, currency = as_pandas(returns), instance(currency, str, "currency")
    values = single_series(given, "returns", ordered=True)
    series = pd.Series(values, index=labels_of(given, 0))
    level = confidence_level(confidence)
    unit = "%" if is_fractions(values) and not currency else currency
    model = _model(series, var, es, one_of(method, METHODS, "method"), level, whole_number(window, "window"))
    found = backtest_var(model.returns, model.var, model.es, model.confidence)
    picture = figure(
        lambda ax: found.plot(ax, unit=unit or None), "Returns or P&L, VaR (and ES), and the hits", height=3.6
    )
    sections = [
        ("Conclusion", verdict(found.verdict, found.grade) + listing(_conclusions(found, model))),
        ("Model and use", _facts(facts or {})),
        ("Data", _data(series, unit)),
        ("Method and assumptions", _method(model, method if var is None else None)),
        ("Backtest", picture + _periods(found, unit)),
        ("Tests", _tests(found)),
        ("Challengers", _challengers(series, model, method if var is None else "", level, window, unit)),
        ("Sensitivity", _sensitivity(series, method, level, window, unit) if var is None else ""),
        ("Known weaknesses", listing([*weaknesses, *_weaknesses(series, found, model, unit)])),
        ("What this does not say", listing([*CAVEATS, *remarks])),
    ]
    span = f"{short_label(series.index[0])} to {short_label(series.index[-1])}"
    money = f", P&L in {unit}" if unit not in ("", "%") else ""
    lead = f"Method: {model.method}; {percent(level)}, one period; {len(series):,} periods, {span}{money}."
    return write(path, page(title, lead, sections))


def _model(series: Any, var: Any, es: Any, method: Any, confidence: float, window: int) -> Model:
    if var is None:
        if es is not None:
            raise InputError("es is given without var; give both, or none and a method")
        rolling = rolling_var(series, window, confidence, method)
        known = np.isfinite(rolling.var) & np.isfinite(rolling.es)
        return Model(rolling.returns[known], rolling.var[known], rolling.es[known], confidence, rolling.method, window)
    return Model(series, var, es, confidence, "Forecasts as given", None)


def _conclusions(found: Any, model: Model) -> list[str]:
    count, days = found.n_hits, found.sample.returns.size
    rate = detectable_hit_rate(days, model.confidence, significance=found.significance)
    return [
        f"{counted(count, 'hit')} in {days:,} periods; {days * (1.0 - model.confidence):,.4g} were expected.",
        f"Basel zone of all periods: {found.traffic_light.zone}.",
        f"A hit rate of {percent(round(rate, 4))} or more would have been found in 80% of such samples.",
        *(f"Caution: {caution}." for caution in found.cautions),
    ]


def _facts(facts: Mapping[str, str]) -> str:
    """What people know of the model; what is usual and was not said is named."""
    rows = [[str(name), str(text)] for name, text in facts.items()]
    missing = [name for name in FACTS if name not in facts]
    said = [f"Not stated: {', '.join(missing)}."] if missing else []
    return (table(["", ""], rows, texts=[1]) if rows else "") + notes(said)


def _data(series: Any, unit: str) -> str:
    values, labels = series.to_numpy(), series.index
    still = values[1:] == values[:-1]
    mean, deviation = _amounts([values.mean(), values.std(ddof=1)], unit)
    mean = f"{values.mean():.3%}" if unit == "%" else mean  # of days far below its deviation
    said = unit if unit != "%" else ""
    zeros = int((values == 0.0).sum())
    rows = [
        ["periods", f"{len(values):,}", f"{short_label(labels[0])} to {short_label(labels[-1])}"],
        ["missing", "0", "gaps are refused"],
        ["zeros", f"{zeros:,}", "" if zeros < 0.05 * len(values) else "many: a stale price or a holiday?"],
        ["equal to the period before", f"{int(still.sum()):,}", ""],
        *_gaps(labels),
        ["mean", mean, said],
        ["standard deviation", deviation, said],
        ["skewness", f"{skewness(values):.2f}", ""],
        ["excess kurtosis", f"{excess_kurtosis(values):.2f}", "0 for a normal distribution"],
    ]
    order = np.argsort(values, kind="stable")[:WORST]
    worst = zip([short_label(labels[i]) for i in order], _amounts(values[order], unit), strict=True)
    return table(["", "", ""], rows, texts=[2]) + table(["worst periods", said], worst)


def _gaps(labels: Any) -> list[list[str]]:
    import pandas as pd

    if not isinstance(labels, pd.DatetimeIndex) or len(labels) < 2:
        return []
    steps = labels[1:] - labels[:-1]
    longest = int(np.argmax(steps))
    return [["longest gap between dates", f"{steps[longest].days:,} d", f"after {short_label(labels[longest])}"]]


def _method(model: Model, method: str | None) -> str:
    rows = [["method", model.method], ["confidence", percent(model.confidence)], ["horizon", "one period"]]
    if method is not None:
        rows += [["window", f"{model.window:,} periods before each forecast"], ["assumption", ASSUMPTIONS[method]]]
    return table(["", ""], rows, texts=[1])


def _periods(found: Any, unit: str) -> str:
    """Hits by year; of periods without dates, in fifths."""
    import pandas as pd

    hits, index = found.sample.hits, found.sample.index
    dated = isinstance(index, pd.DatetimeIndex)
    groups = index.year if dated else np.arange(hits.size) * 5 // hits.size + 1
    parts = list(pd.Series(hits).groupby(np.asarray(groups)))
    worst = _amounts([found.sample.returns[part.index].min() for _, part in parts], unit)
    rows = [
        [str(name), f"{len(part):,}", f"{int(part.sum()):,}", _expected(len(part), found.confidence), least]
        for (name, part), least in zip(parts, worst, strict=True)
    ]
    return table(["year" if dated else "fifth", "periods", "hits", "expected", _in("worst", unit)], rows)


def _tests(found: Any) -> str:
    frame = found.to_frame()
    rows = [
        [name, row.question, _p(row.exact_p_value), _p(row.holm_p_value), "yes" if row.reject else "no",
         "-" if row.power != row.power else f"{100.0 * row.power:.0f}% {row.against}", row.verdict]
        for name, row in zip(frame.index, frame.itertuples(), strict=True)
    ]  # fmt: skip
    header = ["test", "question", "exact p", "Holm p", "rejects", "power", "verdict"]
    level = f"Tests at {percent(found.significance)}; Holm's p-values are corrected for the number of tests."
    return table(header, rows, texts=[1, 5, 6]) + notes([level])


def _p(value: float) -> str:
    if value != value:
        return "-"
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _amounts(values: Sequence[float], unit: str) -> list[str]:
    """Returns as percentages, or P&L with separators, with equal decimals."""
    return amounts(values, fractions=unit == "%")


def _in(name: str, unit: str) -> str:
    """A heading with its unit; percentages have theirs in the cell."""
    return name if unit in ("", "%") else f"{name} ({unit})"


def _expected(periods: int, confidence: float) -> str:
    """Expected hits."""
    return f"{periods * (1.0 - confidence):,.2f}"


def _challengers(series: Any, model: Model, own: str, confidence: float, window: int, unit: str) -> str:
    """The same backtest of every other method, over its own forecasts of the same length."""
    rows, refused = [_row("under review", model)], []
    for name in (name for name in METHODS if name != own):
        try:
            other = _model(series, None, None, name, confidence, window)
            rows.append(_row(other.method, other))
        except InputError as problem:
            refused.append(f"{worded(name)}: {problem}")
    note = (
        "Quantile loss: mean score of the VaR forecasts, the smaller the better; only equal numbers of periods compare."
    )
    return _judged("forecasts", rows, unit) + notes([note, *refused])


def _sensitivity(series: Any, method: Any, confidence: float, window: int, unit: str) -> str:
    """The method with other windows and confidences."""
    rows, refused = [], []
    tail = 1.0 - confidence
    tried = [(window, confidence), (window // 2, confidence), (2 * window, confidence), (window, 1.0 - 2.5 * tail)]
    for periods, level in tried:
        name = f"window {periods:,}, {percent(round(level, 6))}"
        if level < 0.5 or not 0 < periods < len(series):
            refused.append(f"{name}: {len(series):,} periods do not allow it.")
            continue
        try:
            rows.append(_row(name, _model(series, None, None, method, level, periods)))
        except InputError as problem:
            refused.append(f"{name}: {problem}")
    return _judged("setting", rows, unit) + notes(refused)


def _judged(what: str, rows: Sequence[Sequence[Any]], unit: str) -> str:
    """Backtests of several forecasts below each other."""
    names, periods, hits, expected, levels, losses, verdicts = zip(*rows, strict=True)
    columns = names, periods, hits, expected, _amounts(levels, unit), alike(losses), verdicts
    header = [what, "periods", "hits", "expected", _in("mean VaR", unit), "quantile loss", "verdict"]
    return table(header, list(zip(*columns, strict=True)), texts=[6])


def _row(name: str, model: Model) -> list[Any]:
    found = backtest_var(model.returns, model.var, model.es, model.confidence)
    size = found.sample.returns.size
    return [
        name, f"{size:,}", f"{found.n_hits:,}", _expected(size, model.confidence),
        found.sample.var.mean(), found.scores["quantile_loss"], found.verdict,
    ]  # fmt: skip


def _weaknesses(series: Any, found: Any, model: Model, unit: str) -> list[str]:
    """Weaknesses that the data show."""
    said, money = [], f" {unit}" if unit not in ("", "%") else ""
    expected = found.sample.returns.size * (1.0 - model.confidence)
    if expected < 5.0:
        said.append(
            f"Only {expected:.3g} hits are expected of {found.sample.returns.size:,} periods: tests have little power."
        )
    if model.es is None:
        said.append("ES was not given, so the size of losses beyond VaR was not tested.")
    hits = found.sample.hits
    both = int((hits[1:] & hits[:-1]).sum())
    if both:
        said.append(f"{counted(both, 'hit')} came right after another: the model reacts late to a rise of volatility.")
    early = model.window is not None and float(series.iloc[-model.window :].min()) > float(series.min())
    if early:
        said.append(
            f"The largest loss of the history ({_amounts([series.min()], unit)[0]}{money}) is outside the window of the present forecast."
        )
    return said
