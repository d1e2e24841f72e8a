"""Risk tear sheet of a book: VaR, backtest, contributions, crises, drawdowns, months and liquidity on one page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from riskkit import attribution, plot
from riskkit._check import (
    InputError,
    as_pandas,
    confidence_level,
    finite_array,
    instance,
    labels_of,
    shown,
    single_series,
)
from riskkit._show import number, percent, short_label, worded
from riskkit.liquidity import days_to_liquidate
from riskkit.performance import drawdown_table, monthly_table, performance_summary
from riskkit.report.docs import documented
from riskkit.report.page import figure, listing, notes, page, table, verdict, write
from riskkit.stress import historical_stress
from riskkit.var import rolling_var, value_at_risk
from riskkit.var.methods import MethodName
from riskkit.var_backtest import backtest_var

METHODS: tuple[MethodName, ...] = (
    "historical",
    "age_weighted",
    "filtered_historical",
    "normal",
    "student_t",
    "cornish_fisher",
    "evt",
)
INTERVALS: dict[str, Any] = {"historical": "order_statistics", "normal": "asymptotic"}  # without random numbers
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DRAWDOWNS = 5
IN_MONEY = ("loss", "peak to trough", "worst period")
CAVEATS = (
    "VaR is a loss that is exceeded with a small probability, not the largest loss; ES is the mean loss beyond it.",
    "All estimates are from the given history; a book that has changed is valued as if it had been held throughout.",
    "The backtest is out of sample: each forecast uses only returns of earlier periods.",
)


class Book(NamedTuple):
    """The returns of a book and, if it is given by positions, those of its assets and the money in each."""

    returns: Any
    assets: Any = None
    positions: Any = None

    @property
    def money(self) -> float | None:
        """Value of the book; None if only its returns are known."""
        return None if self.positions is None else float(self.positions.sum())


@documented
def tear_sheet(
    returns: Any,
    path: str | Path,
    *,
    positions: Any = None,
    confidence: float = 0.99,
    window: int = 250,
    periods_per_year: float = 252,
    adv: Any = None,
    participation: float = 0.2,
    currency: str = "",
    title: str = "Risk tear sheet",
    remarks: Sequence[str] = (),
) -> Path:
    """Write the risk of a book as one self-contained HTML file.

    Parameters
    ----------
    returns : (n_obs,) or, with `positions`, (n_obs, n_assets)
        Simple returns per period, oldest first, of the book or of its assets. With dates there is a table by month.
    positions : (n_assets,), optional
        Money in each asset, short ones negative: adds contributions, losses in money and the crises within the history.
    window : int
        Periods from which each forecast of the backtest is made.
    periods_per_year : float
        252 for daily returns.
    adv : (n_assets,), optional
        Daily volume of each asset in money: adds the time to liquidate.
    participation : float
        Share of that volume that is traded in a day.
    currency : str
        Unit of the money, for the headings.

    Raises
    ------
    InputError
        Returns that `value_at_risk` or `rolling_var` refuses, positions that do not fit or add up to zero or less, or a
        volume without positions. Nothing is written then.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from riskkit import report
    >>> returns = np.random.default_rng(1).normal(0.0, 0.01, 400)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = report.tear_sheet(returns, Path(folder, "sheet.html"), confidence=0.95, window=200)
    ...     text = file.read_text(encoding="utf-8")
    >>> "No test rejects the forecast" in text, text.count("<img")
    (True, 3)
    """
    book = _book(returns, positions)
    confidence = confidence_level(confidence)
    if adv is not None and positions is None:
        raise InputError("adv is the volume of each asset; give the positions too")
    unit = f" ({currency})" if instance(currency, str, "currency") else ""
    sections = [
        ("Did the VaR hold?", _backtest(book, confidence, window)),
        ("Value at risk and expected shortfall", _estimates(book, confidence, unit)),
        ("Contributions", _contributions(book, confidence, unit)),
        ("Crises", _crises(book, unit)),
        ("Performance", _performance(book, periods_per_year)),
        ("Drawdowns", _drawdowns(book)),
        ("Returns by month", _months(book)),
        ("Liquidity", _liquidity(book, adv, participation)),
        ("What this does not say", listing([*CAVEATS, *remarks])),
    ]
    return write(path, page(title, _lead(book, confidence, currency), sections))


def _book(returns: Any, positions: Any) -> Book:
    import pandas as pd

    given = as_pandas(returns)
    if not isinstance(given, pd.DataFrame | pd.Series) and np.ndim(given) == 0:
        raise InputError(f"returns is {shown(given)}; give returns by period, as riskkit.simple_returns(prices)")
    if positions is None and np.ndim(given) == 2 and np.shape(given)[1] > 1:
        names = ", ".join(map(str, getattr(given, "columns", ["0", "1", "..."])))
        raise InputError(
            f"returns has {np.shape(given)[1]} columns ({names}); give positions=, the money in each, or one column; P&L of "
            "several currencies is one series when it is converted and added"
        )
    if positions is None:
        values = single_series(given, "returns", ordered=True)
        return Book(pd.Series(values, index=labels_of(given, 0)))
    table = given if isinstance(given, pd.DataFrame) else pd.DataFrame(finite_array(given, "returns", ndim=2))
    held = as_pandas(positions)
    held = held if isinstance(held, pd.Series) else pd.Series(finite_array(held, "positions", ndim=1))
    if isinstance(held.index, pd.RangeIndex) and len(held) == table.shape[1]:
        held = held.set_axis(table.columns)
    unknown = [name for name in held.index if name not in table.columns]
    if unknown:
        raise InputError(f"positions names {unknown[0]!r}, which is not a column of returns")
    table = table[list(held.index)]
    money = float(finite_array(held, "positions").sum())
    if money <= 0.0:
        raise InputError(f"positions add up to {money:,.6g}, so the book has no return; give the returns of the book")
    book = pd.Series(finite_array(table, "returns") @ held.to_numpy(float) / money, index=table.index)
    return Book(book, table, held)


def _lead(book: Book, confidence: float, currency: str) -> str:
    labels = book.returns.index
    span = f"{short_label(labels[0])} to {short_label(labels[-1])}"
    what = "One book"
    if book.positions is not None:
        what = f"A book of {len(book.positions):,} positions, together {book.money:,.0f} {currency}".rstrip()
    return f"{what}; {len(labels):,} returns, {span}; confidence {percent(confidence)}, horizon one period."


def _backtest(book: Book, confidence: float, window: int) -> str:
    found = backtest_var(rolling_var(book.returns, window, confidence))
    method = (
        f"Historical simulation of the last {window:,} periods, forecasts of {found.sample.returns.size:,} periods."
    )
    rows = [row for row in found._rows() if row[0] != "verdict"]
    picture = figure(lambda ax: found.plot(ax, unit="%"), "Returns, VaR and the periods beyond it", height=3.6)
    return verdict(found.verdict, found.grade) + picture + table(["", "", ""], rows, texts=[2]) + notes([method])


def _estimates(book: Book, confidence: float, unit: str) -> str:
    rows, refused, chosen = [], [], None
    for method in METHODS:
        try:
            risk = value_at_risk(book.returns, confidence, method, interval=INTERVALS.get(method))
        except InputError as problem:
            refused.append(f"{worded(method)}: {problem}")
            continue
        chosen = chosen or risk
        bounds = {} if risk.interval is None else risk.interval.columns()
        money = [] if book.money is None else [f"{risk.var * book.money:,.0f}", f"{risk.es * book.money:,.0f}"]
        rows.append(
            [risk.method, _percent(risk.var), _range(bounds, "var"), _percent(risk.es), _range(bounds, "es"), *money]
        )
    header = ["method", "VaR", "90% interval", "ES", "90% interval"]
    header += [] if book.money is None else [f"VaR{unit}", f"ES{unit}"]
    picture = "" if chosen is None else figure(
        lambda ax: chosen.plot(ax, unit="%"),
        "Returns with VaR and ES of historical simulation; the tail beyond VaR is shaded",
    )  # fmt: skip
    without = "Intervals are given for the methods that need no random numbers for them."
    return picture + table(header, rows) + notes([without, *refused])


def _range(bounds: Any, name: str) -> str:
    return (
        f"{_percent(bounds[f'{name}_low'])} to {_percent(bounds[f'{name}_high'])}" if f"{name}_low" in bounds else "-"
    )


def _percent(value: Any) -> str:
    return "-" if value is None or value != value else f"{100.0 * value:,.2f}%" if np.isfinite(value) else "unbounded"


def _contributions(book: Book, confidence: float, unit: str) -> str:
    if book.positions is None:
        return ""
    split = attribution.historical(book.positions, book.assets, confidence, measure="es")
    frame = split.to_frame().sort_values("component", ascending=False, kind="stable")
    weight = frame["position"] / book.money
    rows = [
        [str(name), f"{row.position:,.0f}", _percent(weight[name]), f"{row.component:,.0f}", _percent(row.share)]
        for name, row in zip(frame.index, frame.itertuples(), strict=True)
    ]
    picture = figure(split.plot, "Weights and contributions to ES", height=plot.shares_height(len(frame)))
    header = ["position", f"money{unit}", "share of the money", f"contribution to ES{unit}", "share of the risk"]
    return picture + table(header, rows) + notes([f"{split._title()}; the contributions add up to {split.total:,.0f}."])


def _crises(book: Book, unit: str) -> str:
    if book.positions is None:
        return ""
    try:
        found = historical_stress(book.positions, book.assets)
    except InputError as problem:
        return notes([f"No historical episode can be replayed: {problem}."])
    header, rows = found._cells()
    return table([f"{name}{unit}" if name in IN_MONEY else name for name in header], rows) + notes(
        [f"{found._title()}; losses positive."]
    )


def _performance(book: Book, periods_per_year: float) -> str:
    found = performance_summary(book.returns, periods_per_year)
    rows = [
        [name, f"{value:.2f}" if isinstance(value, float) else number(value), unit]
        for name, value, unit in found._rows()
    ]
    return table(["", "", ""], rows, texts=[2])


def _drawdowns(book: Book) -> str:
    found = drawdown_table(book.returns, top=DRAWDOWNS)
    rows = [
        [str(rank), _percent(one.depth), short_label(one.start), short_label(one.trough),
         "open" if one.end is None else short_label(one.end), one.length]
        for rank, one in enumerate(found.drawdowns, 1)
    ]  # fmt: skip
    picture = figure(lambda ax: _fall(found, ax), "Drawdown, below the last peak", height=plot.FALLS_HEIGHT)
    return picture + table(["", "depth", "from", "lowest", "to", "periods"], rows)


def _fall(found: Any, ax: Any) -> None:
    path = found.path
    places = np.arange(len(path)) if labels_of(path, 0) is None else path.index
    down = -np.asarray(path, float)
    ax.fill_between(places, down, 0.0, color=plot.STRONG, alpha=0.3, lw=0)
    ax.plot(places, down, color=plot.STRONG, lw=0.8)
    plot.percentages(ax.yaxis)
    plot.dress(ax, "Drawdown")


def _months(book: Book) -> str:
    import pandas as pd

    if not isinstance(book.returns.index, pd.DatetimeIndex):
        return ""
    frame = monthly_table(book.returns)
    head = "".join(f"<th>{html.escape(name)}</th>" for name in ("year", *MONTHS, "whole year"))
    rows = "\n".join(
        f"<tr><td>{year}</td>" + "".join(_coloured(value) for value in values) + "</tr>"
        for year, *values in frame.itertuples()
    )
    return f'<div class="wide"><table class="dense"><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'


def _coloured(value: float) -> str:
    if value != value:
        return "<td></td>"
    return f"<td{' class=' + chr(39) + 'loss' + chr(39) if value < 0.0 else ''}>{100.0 * value:+.1f}%</td>"


def _liquidity(book: Book, adv: Any, participation: float) -> str:
    if adv is None:
        return ""
    days = np.asarray(days_to_liquidate(book.positions, adv, participation), float)
    order = np.argsort(-days, kind="stable")
    rows = [[str(book.positions.index[i]), f"{days[i]:,.2f}"] for i in order]
    text = f"At {percent(participation)} of the daily volume; the whole book is sold after {days.max():,.2f} days."
    return table(["position", "days to liquidate"], rows) + notes([text])
