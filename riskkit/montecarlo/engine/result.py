"""Result of a simulation: VaR and ES with standard errors, and their convergence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, shown
from riskkit._excel import Exported
from riskkit._show import Row, amounts, percent
from riskkit._types import Quantity, Vector
from riskkit.var._inputs import Confidences, Sample

COLUMNS = ("var", "var_standard_error", "es", "es_standard_error")


@dataclass(frozen=True, repr=False, eq=False)
class SimulationResult(Exported):
    """Monte Carlo VaR and ES of one or many books at one or many confidences; money, losses positive.

    With one book and one confidence the numbers are floats; otherwise arrays (n_confidences,), (n_books,) or
    (n_confidences, n_books), as Series or DataFrames for books with names.

    Attributes
    ----------
    model : str
        Return model in words.
    drawn : str
        Source of the random variates.
    confidence : float or tuple[float, ...]
        As given.
    n_scenarios : int
        Number of scenarios.
    var, es : float, array, Series or DataFrame
        VaR and ES, losses positive.
    var_standard_error, es_standard_error : float, array, Series or DataFrame
        One standard error of the simulation, under a true model.
    mean : float, array or Series
        Mean P&L, gains positive.
    volatility : float, array or Series
        Standard deviation of P&L (n - 1).
    books : tuple or None
        Names (or numbers) of the books, or None for a single one.
    stops : tuple[int, ...]
        Numbers of scenarios at which VaR and ES were estimated.
    path : array
        (n_stops, n_books, n_confidences, 4): VaR, its standard error, ES and its standard error at the stops.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.montecarlo import NormalReturns
    >>> from riskkit import simulate_risk
    >>> model = NormalReturns([[0.0004]])
    >>> risk = simulate_risk(model, [100.0], 10_000, draws=np.random.default_rng(7), confidence=0.95)
    >>> round(risk.var, 2), round(risk.var_standard_error, 2)
    (3.2, 0.04)
    """

    model: str
    drawn: str
    confidence: float | tuple[float, ...]
    n_scenarios: int
    var: Quantity
    var_standard_error: Quantity
    es: Quantity
    es_standard_error: Quantity
    mean: float | Vector
    volatility: float | Vector
    books: tuple[Any, ...] | None
    stops: tuple[int, ...]
    path: np.ndarray

    @classmethod
    def of(
        cls,
        confidences: Confidences,
        books: Any,
        *,
        labelled: bool,
        path: np.ndarray,
        moments: np.ndarray,
        **facts: Any,
    ) -> SimulationResult:
        """Label the numbers of a run; the estimates are those at the last stop, `facts` the other fields."""
        shape = Sample.of_portfolios(books if labelled else None, single=books is None)
        last = np.moveaxis(path[-1], -1, 0).swapaxes(1, 2)
        facts |= {name: shape.per_confidence(values, confidences) for name, values in zip(COLUMNS, last, strict=True)}
        return cls(
            confidence=confidences.given,
            mean=shape.per_portfolio(moments[:, 0]),
            volatility=shape.per_portfolio(moments[:, 1]),
            books=None if books is None else tuple(books),
            path=path,
            **facts,
        )

    @property
    def _levels(self) -> tuple[float, ...]:
        return self.confidence if isinstance(self.confidence, tuple) else (self.confidence,)

    def to_frame(self) -> Any:
        """Estimates and standard errors, one row per book and confidence."""
        import pandas as pd

        levels = pd.Index(self._levels, name="confidence")
        index: Any = levels
        if self.books is not None:
            pairs = [(book, level) for book in self.books for level in self._levels]
            index = pd.MultiIndex.from_tuples(pairs, names=["book", "confidence"])
        return pd.DataFrame(self.path[-1].reshape(len(index), 4), index=index, columns=list(COLUMNS))

    def convergence(self, confidence: float | None = None, book: Any = None) -> Any:
        """Estimates and standard errors by the number of scenarios.

        Parameters
        ----------
        confidence : float, optional
            Simulated confidence; the first by default.
        book : label, optional
            Name or number of a book; the first by default.

        Returns
        -------
        DataFrame (n_stops, 4)
            Indexed by the number of scenarios.
        """
        import pandas as pd

        i = _position(self._levels, confidence, "confidence")
        j = 0 if self.books is None else _position(self.books, book, "book")
        index = pd.Index(self.stops, name="scenarios")
        return pd.DataFrame(self.path[:, j, i], index=index, columns=list(COLUMNS))

    def plot(self, ax: Any = None, *, confidence: float | None = None, book: Any = None) -> Any:
        """Draw VaR and ES by the number of scenarios, with two standard errors on each side."""
        ax = plot.axes(ax)
        level = self._levels[_position(self._levels, confidence, "confidence")]
        frame = self.convergence(level, book)
        for name, label, colour in (("var", "VaR", plot.STRONG), ("es", "ES", plot.WARM)):
            error = 2.0 * frame[f"{name}_standard_error"]
            ax.plot(frame.index, frame[name], color=colour, label=f"{label} {percent(level)}")
            ax.fill_between(
                frame.index, frame[name] - error, frame[name] + error, color=colour, alpha=0.2, linewidth=0.0
            )
        plot.numbers_of_scenarios(ax)
        ax.set_xlabel("scenarios")
        plot.thousands(ax.yaxis)
        ax.set_ylabel("loss, money (± 2 standard errors)")
        plot.dress(ax, self._title())
        ax.legend(frameon=False)
        return ax

    def _title(self) -> str:
        return f"Monte Carlo VaR and ES: {self.model}"

    def _rows(self) -> Iterator[Row]:
        names = (None,) if self.books is None else self.books
        for book, values in zip(names, self.path[-1], strict=True):
            prefix = "" if book is None else f"{book}: "
            for level, (var, var_error, es, es_error) in zip(self._levels, values.tolist(), strict=True):
                for name, estimate, error in (("VaR", var, var_error), ("ES", es, es_error)):
                    shown, error_shown = amounts([estimate, error], fractions=False)
                    yield f"{prefix}{name} {percent(level)}", shown, f"± {error_shown}"
        yield "scenarios", self.n_scenarios, ""
        yield "draws", self.drawn, ""


def _position(values: tuple[Any, ...], wanted: Any, name: str) -> int:
    if wanted is None:
        return 0
    if wanted not in values:
        raise InputError(f"{name}={shown(wanted)} was not simulated; choose one of {list(values)}")
    return values.index(wanted)
