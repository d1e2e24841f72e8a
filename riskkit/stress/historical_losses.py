"""Historical stress test: losses of the current book in historical windows, such as 1998, 2008 or 2020."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, as_pandas, float_array, labels_of, refuse_disorder, refuse_prices, with_labels
from riskkit._excel import Exported
from riskkit._plain import mapping_of
from riskkit._show import alike, short_label, table_html, table_text
from riskkit._types import ReturnsLike
from riskkit.pnl import DeltaGamma, aggregate, scenario
from riskkit.stress.docs import documented
from riskkit.stress.historical_moves import worst_fall
from riskkit.stress.historical_windows import Window, windows_in


@dataclass(frozen=True, repr=False, eq=False)
class HistoricalStress(Exported):
    """Losses of the current book in historical windows; money, losses positive.

    Attributes
    ----------
    table : DataFrame
        One row per window (and book): loss, worst_loss, worst, peak_to_trough, peak, trough, periods.
    paths : Mapping[Any, Any]
        P&L since the start of each window, gains positive: DataFrame (n_periods + 1, n_books), first row 0.
    buy_and_hold : bool
        True if the book is constant through the window; False if it is rebalanced every period.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit.stress import historical_stress
    >>> days = pd.date_range("2020-02-19", periods=3)
    >>> returns = pd.DataFrame({"A": [0.0, -0.1, 0.05]}, index=days)
    >>> crash = historical_stress(pd.Series({"A": 1000.0}), returns, {"crash": ("2020-02-19", "2020-02-21")})
    >>> round(float(crash.table["worst_loss"].iloc[0]), 6)
    100.0
    """

    table: Any
    paths: Mapping[Any, Any]
    buy_and_hold: bool

    @property
    def worst(self) -> Any:
        """Row of the largest loss over a window."""
        return self.table.loc[self.table["loss"].idxmax()]

    def to_frame(self) -> Any:
        """The table, one row per window (and book), in order of the windows."""
        return self.table.copy()

    def plot(self, ax: Any = None, *, book: Any = None) -> Any:
        """Draw bars of the losses by window: in total, from peak to trough, and in the worst period.

        Parameters
        ----------
        book : label, optional
            Book (or node); by default the first.
        """
        table = self._of(book).iloc[::-1]
        ax = plot.axes(ax, height=1.6 + 0.36 * len(table))
        names = plot.names_beside(ax, table.index)
        ax.barh(names, table["peak_to_trough"], color=plot.PALE, alpha=0.5, label="from peak to trough")
        ax.barh(names, table["loss"], height=0.4, color=plot.STRONG, label="over the window")
        ax.plot(
            table["worst_loss"], names, "|", color=plot.WARM, markersize=12, markeredgewidth=2, label="worst period"
        )
        ax.axvline(0.0, color=plot.INK, linewidth=0.8)
        plot.thousands(ax.xaxis)
        ax.set_xlabel("loss, money")
        plot.dress(ax, self._title())
        plot.legend_below(ax)
        return ax

    def plot_paths(self, ax: Any = None, *, book: Any = None, n_worst: int = 5) -> Any:
        """Draw the P&L path of the windows with the largest falls.

        Parameters
        ----------
        book : label, optional
            Book (or node); by default the first.
        n_worst : int
            Number of windows.
        """
        ax = plot.axes(ax)
        for i, name in enumerate(self._of(book)["peak_to_trough"].nlargest(n_worst).index):
            path = self.paths[name]
            line = path.iloc[:, 0] if book is None else path[book]
            ax.plot(np.arange(len(line)), line.to_numpy(), label=plot.literal(name), **plot.line_style(i))
        ax.axhline(0.0, color=plot.INK, linewidth=0.5)
        ax.set_xlabel("periods since the start of the window")
        plot.thousands(ax.yaxis)
        ax.set_ylabel("P&L, money")
        plot.dress(ax, self._title())
        ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return ax

    def _of(self, book: Any) -> Any:
        """Rows of one book."""
        if self.table.index.nlevels == 1:
            return self.table
        return self.table.xs(self.table.index[0][1] if book is None else book, level="book")

    def _title(self) -> str:
        return "Losses of the current book in history, " + (
            "buy and hold" if self.buy_and_hold else "rebalanced every period"
        )

    def _cells(self) -> tuple[list[str], list[list[Any]]]:
        header = ["window", "periods", "loss", "peak to trough", "worst period", "on"]
        money = [alike(self.table[name]) for name in ("loss", "peak_to_trough", "worst_loss")]
        rows = [
            [
                " / ".join(map(str, key)) if isinstance(key, tuple) else str(key),
                *(row["periods"], loss, fall, step, short_label(row["worst"])),
            ]
            for (key, row), loss, fall, step in zip(self.table.iterrows(), *money, strict=True)
        ]
        return header, rows

    def __repr__(self) -> str:
        """Return the table as text."""
        return table_text(self._title(), *self._cells())

    def _repr_html_(self) -> str:
        return table_html(self._title(), *self._cells())


@documented
def historical_stress(
    book: Any,
    returns: ReturnsLike | None = None,
    windows: Any = None,
    *,
    buy_and_hold: bool = True,
    additive: Sequence[Any] = (),
    proxies: Mapping[Any, Any] | None = None,
    hierarchy: Mapping[Any, Any] | None = None,
) -> HistoricalStress:
    """Historical stress test of the current book.

    Parameters
    ----------
    returns : (n_obs, n_assets), optional
        Simple returns (or moves) of the factors per period, oldest first; NaN is allowed outside the windows.
    buy_and_hold : bool
        True: the book is constant from the start of the window and valued at the compounded moves, as options require.
        False: the current book is restored every period and its P&L added up, as always for P&L.
    proxies : mapping, optional
        Assets whose returns replace missing ones: {asset: proxy}.

    Returns
    -------
    HistoricalStress
        `table` with `loss` over the window, `worst_loss` of a single period and that period, `worst`;
        `peak_to_trough`, the largest fall of the P&L from a peak (the start included), and the labels `peak` and
        `trough`; `paths`.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., chapter 14. Basel Committee (2009), Principles for sound stress testing
    practices and supervision, principle 8 (historical scenarios).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2020-02-19", periods=4)
    >>> returns = pd.DataFrame({"A": [0.0, -0.1, 0.05, -0.1], "B": [0.0, 0.01, 0.0, 0.02]}, index=days)
    >>> historical_stress(pd.Series({"A": 1000.0, "B": 500.0}), returns, {"crash": ("2020-02-19", "2020-02-22")})
    Losses of the current book in history, buy and hold
    ----------------------------------------------------------------
    window  periods   loss  peak to trough  worst period          on
    crash         3  134.4           134.4            95  2020-02-20
    ----------------------------------------------------------------
    """
    import pandas as pd

    is_pnl = returns is None
    if is_pnl and (callable(book) or isinstance(book, DeltaGamma)):
        raise InputError("book is a DeltaGamma or a function; give the returns in which to value it")
    source = as_pandas(book if is_pnl else returns)
    refuse_disorder(source, "book" if is_pnl else "returns")
    history = _filled(source if labels_of(source, 0) is not None else pd.DataFrame(source), proxies)
    if not is_pnl:
        refuse_prices(float_array(history.dropna(), "returns"), "returns")  # NaN is allowed outside the windows
    paths: dict[Any, Any] = {}
    records: dict[tuple[Any, Any], dict[str, Any]] = {}
    for window in windows_in(history, windows):
        moves = _within(history, window)
        if is_pnl:
            path = scenario(moves).cumsum()
        elif buy_and_hold:
            path = _priced(book, _since_start(moves, additive), source)
        else:
            path = _priced(book, moves, source).cumsum()
        path = _books(path)
        path = _from_zero(path if hierarchy is None else aggregate(path, hierarchy), history, window)
        paths[window.name] = path
        records |= {(window.name, name): _losses(path[name]) for name in path.columns}
    table = pd.DataFrame.from_records(list(records.values()))
    table.index = pd.MultiIndex.from_tuples(list(records), names=["window", "book"])
    if next(iter(paths.values())).shape[1] == 1:
        table = table.droplevel("book")
    return HistoricalStress(table=table, paths=paths, buy_and_hold=buy_and_hold and not is_pnl)


def _filled(history: Any, proxies: Mapping[Any, Any] | None) -> Any:
    """The history, with missing returns replaced by those of proxies."""
    proxies = mapping_of(proxies, "proxies")
    if not proxies:
        return history
    columns = labels_of(history, 1)
    for asset, proxy in proxies.items():
        if columns is None or asset not in columns or proxy not in columns:
            raise InputError(f"proxies has {proxy!r} for {asset!r}; both must be columns of returns")
    return history.assign(**{asset: history[asset].fillna(history[proxy]) for asset, proxy in proxies.items()})


def _within(history: Any, window: Window) -> Any:
    """The rows of a window, without missing values."""
    moves = history[window.rows]
    gaps = moves.isna()
    if gaps.to_numpy().any():
        which = "" if moves.ndim == 1 else f" of {moves.columns[int(np.argmax(gaps.any()))]!r}"
        raise InputError(
            f"returns{which} are missing in window {window.name!r} ({int(gaps.to_numpy().sum())} values); "
            "give a proxy with proxies={asset: other}, or leave the window out"
        )
    return moves


def _since_start(moves: Any, additive: Sequence[Any]) -> Any:
    """Moves since the start of the window, compounded or added up."""
    grown = (1.0 + moves).cumprod() - 1.0
    if len(additive) == 0:
        return grown
    unknown = [name for name in additive if name not in labels_of(moves, 1)]
    if unknown:
        raise InputError(f"additive names {unknown[0]!r}, which is no column of returns")
    return grown.assign(**{name: moves[name].cumsum() for name in additive})


def _priced(book: Any, moves: Any, source: Any) -> Any:
    """P&L of the book, by arrays if the source has no labels."""
    if labels_of(source, 0) is not None:
        return scenario(book, moves)
    return with_labels(np.asarray(scenario(book, moves.to_numpy())), moves.index)


def _books(path: Any) -> Any:
    """P&L with one column per book."""
    return path.to_frame(path.name if path.name is not None else "book") if path.ndim == 1 else path


def _from_zero(path: Any, history: Any, window: Window) -> Any:
    """The path preceded by a row of zeros for the close before the window."""
    import pandas as pd

    first = int(np.argmax(window.rows))
    label = history.index[first - 1] if first > 0 else window.start
    before = pd.DataFrame(0.0, index=history.index[:1].map(lambda _: label), columns=path.columns)
    return pd.concat([before, path])


def _losses(path: Any) -> dict[str, Any]:
    """Loss, worst period and largest fall of one path that starts at zero."""
    values = path.to_numpy()
    steps = np.diff(values)
    worst = int(np.argmin(steps))
    peak, trough = worst_fall(values)
    return {
        "loss": -float(values[-1]),
        "worst_loss": -float(steps[worst]),
        "worst": path.index[worst + 1],
        "peak_to_trough": float(values[peak] - values[trough]),
        "peak": path.index[peak],
        "trough": path.index[trough],
        "periods": len(steps),
    }
