"""Historical windows replayed on today's book: what it would lose in 1998, in 2008, in 2020."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, labels_of, with_labels
from riskkit._show import Shown, alike, table_html, table_text
from riskkit.pnl import DeltaGamma, aggregate_pnl, scenario_pnl
from riskkit.stress.episodes import worst_fall
from riskkit.stress.windows import Window, short, windows_in

__all__ = ["HistoricalStress", "replay_history"]


@dataclass(frozen=True, repr=False, eq=False)
class HistoricalStress(Shown):
    """Losses of today's book in historical windows; money, losses positive.

    Attributes
    ----------
    table : DataFrame
        One row a window (and book): loss, worst_loss, worst, drawdown, peak, trough, periods.
    paths : Mapping[Any, Any]
        For each window the P&L since its start, gains positive: DataFrame (n_periods + 1, n_books), first row 0.
    held : bool
        Whether the book was held through the window; else it was restored every period.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit import replay_history
    >>> days = pd.date_range("2020-02-19", periods=3)
    >>> returns = pd.DataFrame({"A": [0.0, -0.1, 0.05]}, index=days)
    >>> crash = replay_history(pd.Series({"A": 1000.0}), returns, {"crash": ("2020-02-19", "2020-02-21")})
    >>> round(float(crash.table["worst_loss"].iloc[0]), 6)
    100.0
    """

    table: Any
    paths: Mapping[Any, Any]
    held: bool

    @property
    def worst(self) -> Any:
        """The row of the largest loss over a whole window."""
        return self.table.loc[self.table["loss"].idxmax()]

    def to_frame(self) -> Any:
        """The table, one row a window (and book), in order of the windows."""
        return self.table.copy()

    def plot(self, ax: Any = None, *, book: Any = None) -> Any:
        """Bars of the losses by window: over all of it, from peak to trough, and in its worst period.

        Parameters
        ----------
        book : label, optional
            Of which book (or node); by default the first.
        """
        table = self._of(book).iloc[::-1]
        names = [str(name) for name in table.index]
        ax = plot.axes(ax, height=1.6 + 0.36 * len(names))
        ax.barh(names, table["drawdown"], color=plot.PALE, alpha=0.5, label="from peak to trough")
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

    def plot_paths(self, ax: Any = None, *, book: Any = None, worst: int = 5) -> Any:
        """P&L since the start, period by period, of the windows with the largest falls.

        Parameters
        ----------
        book : label, optional
            Of which book (or node); by default the first.
        worst : int
            How many windows.
        """
        ax = plot.axes(ax)
        for place, name in enumerate(self._of(book)["drawdown"].nlargest(worst).index):
            path = self.paths[name]
            line = path.iloc[:, 0] if book is None else path[book]
            ax.plot(np.arange(len(line)), line.to_numpy(), label=str(name), **plot.line_style(place))
        ax.axhline(0.0, color=plot.INK, linewidth=0.5)
        ax.set_xlabel("periods since the start of the window")
        plot.thousands(ax.yaxis)
        ax.set_ylabel("P&L, money")
        plot.dress(ax, self._title())
        ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        return ax

    def _of(self, book: Any) -> Any:
        """The rows of one book."""
        if self.table.index.nlevels == 1:
            return self.table
        return self.table.xs(self.table.index[0][1] if book is None else book, level="book")

    def _title(self) -> str:
        return "Losses of today's book in history, " + ("held" if self.held else "restored every period")

    def _cells(self) -> tuple[list[str], list[list[Any]]]:
        header = ["window", "periods", "loss", "peak to trough", "worst period", "on"]
        money = [alike(self.table[name]) for name in ("loss", "drawdown", "worst_loss")]
        rows = [
            [
                " / ".join(map(str, key)) if isinstance(key, tuple) else str(key),
                *(row["periods"], loss, fall, step, short(row["worst"])),
            ]
            for (key, row), loss, fall, step in zip(self.table.iterrows(), *money, strict=True)
        ]
        return header, rows

    def __repr__(self) -> str:
        """Return the table as text."""
        return table_text(self._title(), *self._cells())

    def _repr_html_(self) -> str:
        return table_html(self._title(), *self._cells())


def replay_history(
    book: Any,
    returns: Any = None,
    windows: Any = None,
    *,
    held: bool = True,
    additive: Sequence[Any] = (),
    proxies: Mapping[Any, Any] | None = None,
    tree: Mapping[Any, Any] | None = None,
) -> HistoricalStress:
    """Replay historical windows on today's book.

    Parameters
    ----------
    book : positions, DeltaGamma, callable, or ready P&L
        As `riskkit.pnl.scenario_pnl` takes it: money held, (n_assets,) or (n_books, n_assets); sensitivities;
        ``revalue(moves)``; or, without `returns`, P&L per period, (n_obs,) or (n_obs, n_books).
    returns : (n_obs, n_assets), optional
        Simple returns (or moves) of the factors per period, oldest first; NaN may stand outside the windows.
    windows : optional
        Names of `EPISODES`, or a mapping from names to (start, end), start being the last close before (row numbers
        where there are no labels). None takes every episode that the rows cover.
    held : bool
        True: the book is held from the start, and is valued at the moves compounded since then, which is what options
        need. False: today's book is restored every period, and its P&L is added up; so it is for ready P&L.
    additive : sequence of labels
        Factors whose moves add up over time instead of compounding: changes of yields, spreads, volatilities.
    proxies : mapping, optional
        For an asset without history the asset whose returns stand in where its own are missing.
    tree : mapping, optional
        Book -> desk -> firm, as `riskkit.pnl.aggregate_pnl` takes it, where there are several books with names.

    Returns
    -------
    HistoricalStress
        `table` with `loss` over the window, `worst_loss` of a single period and the period `worst`, `drawdown` (the
        largest fall of the P&L from a peak, the start included), `peak` and `trough`; `paths`.

    Raises
    ------
    InputError
        NaN within a window, a window that is not covered, a proxy that does not exist, shapes or names that do not fit.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., chapter 14. Basel Committee (2009), Principles for sound stress testing
    practices and supervision, principle 8 (historical scenarios).

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2020-02-19", periods=4)
    >>> returns = pd.DataFrame({"A": [0.0, -0.1, 0.05, -0.1], "B": [0.0, 0.01, 0.0, 0.02]}, index=days)
    >>> replay_history(pd.Series({"A": 1000.0, "B": 500.0}), returns, {"crash": ("2020-02-19", "2020-02-22")})
    Losses of today's book in history, held
    ----------------------------------------------------------------
    window  periods   loss  peak to trough  worst period          on
    crash         3  134.4           134.4            95  2020-02-20
    ----------------------------------------------------------------
    """
    import pandas as pd

    ready = returns is None
    if ready and (callable(book) or isinstance(book, DeltaGamma)):
        raise InputError("book is a DeltaGamma or a function; give the returns in which to value it")
    source = book if ready else returns
    history = _filled(source if labels_of(source, 0) is not None else pd.DataFrame(source), proxies)
    paths: dict[Any, Any] = {}
    records: dict[tuple[Any, Any], dict[str, Any]] = {}
    for window in windows_in(history, windows):
        moves = _within(history, window)
        if ready:
            path = scenario_pnl(moves).cumsum()
        elif held:
            path = _priced(book, _since_start(moves, additive), source)
        else:
            path = _priced(book, moves, source).cumsum()
        path = _books(path)
        path = _from_zero(path if tree is None else aggregate_pnl(path, tree), history, window)
        paths[window.name] = path
        records |= {(window.name, name): _losses(path[name]) for name in path.columns}
    table = pd.DataFrame.from_records(list(records.values()))
    table.index = pd.MultiIndex.from_tuples(list(records), names=["window", "book"])
    if next(iter(paths.values())).shape[1] == 1:
        table = table.droplevel("book")
    return HistoricalStress(table=table, paths=paths, held=held and not ready)


def _filled(history: Any, proxies: Mapping[Any, Any] | None) -> Any:
    """The history, with proxies where an asset has none of its own."""
    if not proxies:
        return history
    columns = labels_of(history, 1)
    for asset, proxy in proxies.items():
        if columns is None or asset not in columns or proxy not in columns:
            raise InputError(f"proxies has {proxy!r} for {asset!r}; both must be columns of returns")
    return history.assign(**{asset: history[asset].fillna(history[proxy]) for asset, proxy in proxies.items()})


def _within(history: Any, window: Window) -> Any:
    """The rows of a window; a gap names the asset that lacks history."""
    moves = history[window.rows]
    gaps = moves.isna()
    if gaps.to_numpy().any():
        which = "" if moves.ndim == 1 else f" of {moves.columns[int(np.argmax(gaps.any()))]!r}"
        raise InputError(
            f"returns{which} are missing in window {window.name!r} ({int(gaps.to_numpy().sum())} values); "
            "name a proxy with proxies={asset: other}, or leave the window out"
        )
    return moves


def _since_start(moves: Any, additive: Sequence[Any]) -> Any:
    """Moves since the start of the window: compounded, or added up."""
    grown = (1.0 + moves).cumprod() - 1.0
    if len(additive) == 0:
        return grown
    unknown = [name for name in additive if name not in labels_of(moves, 1)]
    if unknown:
        raise InputError(f"additive names {unknown[0]!r}, which is no column of returns")
    return grown.assign(**{name: moves[name].cumsum() for name in additive})


def _priced(book: Any, moves: Any, source: Any) -> Any:
    """P&L of the book; a book of plain arrays gets plain arrays."""
    if labels_of(source, 0) is not None:
        return scenario_pnl(book, moves)
    return with_labels(np.asarray(scenario_pnl(book, moves.to_numpy())), moves.index)


def _books(path: Any) -> Any:
    """P&L with one column per book."""
    return path.to_frame(path.name if path.name is not None else "book") if path.ndim == 1 else path


def _from_zero(path: Any, history: Any, window: Window) -> Any:
    """The path with a first row of zeros, for the close before the window."""
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
        "drawdown": float(values[peak] - values[trough]),
        "peak": path.index[peak],
        "trough": path.index[trough],
        "periods": len(steps),
    }
