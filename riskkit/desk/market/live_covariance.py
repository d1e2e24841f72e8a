"""`LiveCovariance`: an EWMA covariance updated bar by bar; a new ticker adds a row and a column without a reset."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_number, one_of, positive
from riskkit._plain import either, fields, integer, number, rows, text, word
from riskkit._show import Row, Shown
from riskkit.covariance import EwmaCovariance
from riskkit.desk.core.state_digest import checked_state, digest_of
from riskkit.returns import log_returns

INITIALS = ("first_nonzero_square", "renormalized")
FORMAT = 1
SHAPE = fields(
    format=integer(0),
    decay=number(0.0, 1.0),
    initial=either(word(*INITIALS), number(0.0)),
    n_obs=integer(0),
    tickers=rows(text),
    matrix=rows(rows(number())),
    bars=rows(integer(0)),
    absent=rows(number(0.0, 1.0)),
)
"""Check of a state."""


class LiveCovariance(Shown):
    """`EwmaCovariance` by ticker.

    The variance of a ticker begins with its first nonzero return, and its covariances with the others at zero, which
    keeps the matrix positive semidefinite.

    Parameters
    ----------
    decay : float
        Weight of the past, between 0 and 1.
    initial : {"first_nonzero_square", "renormalized"} or float
        Initial variance of a ticker without a `seed`:

        - ``"first_nonzero_square"``: the square of its first return other than zero. The first bar keeps the
          weight decay^(n - 1) after n bars, where every other began with 1 - decay: at 0.9982, half of all after 385.
        - ``"renormalized"``: as in `riskkit.ewma_volatility`, the weights of the bars so far divided by their sum, so
          that no bar weighs more than a later one. Exact for tickers that began together; the covariance with a younger
          ticker is smaller by the root of the ratio of both sums.
        - a number: this variance per bar.

    Raises
    ------
    InputError
        A decay outside (0, 1), another `initial`, a return that is not finite, a ticker that is known already.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.1. Kingma and Ba (2015), Adam: a
    method for stochastic optimization, section 3 (bias correction by the sum of the weights).

    Examples
    --------
    >>> live = LiveCovariance(decay=0.9)
    >>> live.step({"A": 0.02}); live.step({"A": -0.01, "B": 0.03})
    >>> live.to_frame().round(8).values.tolist()
    [[0.00037, -3e-05], [-3e-05, 0.0009]]
    >>> live = LiveCovariance(decay=0.9, initial="renormalized")
    >>> live.step({"A": 0.02}); live.step({"A": -0.01})
    >>> round(float(live.matrix[0, 0]), 8)  # (0.9 × 0.02² + 0.01²) / 1.9
    0.00024211
    """

    def __init__(self, decay: float = 0.94, initial: Any = "first_nonzero_square") -> None:
        self._ewma = EwmaCovariance(np.zeros((1, 1)), decay)  # checks the decay; the matrix grows with the tickers
        self.initial = (
            one_of(initial, INITIALS, "initial") if isinstance(initial, str) else positive(initial, "initial")
        )
        self.index: dict[str, int] = {}
        self.bars: list[int] = []
        self._absent: list[float] = []
        """Fraction of the weights before each ticker's first bar: 0 unless it is renormalized."""

    @property
    def decay(self) -> float:
        """Weight of the past."""
        return self._ewma.decay

    @property
    def tickers(self) -> list[str]:
        """Tickers in the order of the rows."""
        return list(self.index)

    @property
    def matrix(self) -> np.ndarray:
        """(n_tickers, n_tickers) covariance per bar."""
        size = len(self.index)
        return np.asarray(self._ewma.covariance)[:size, :size]

    def state(self) -> dict[str, Any]:
        """The complete state as plain data for JSON, with floats to their last bit."""
        return {
            **{"format": FORMAT, "decay": self.decay, "initial": self.initial, "n_obs": self._ewma.n_obs},
            **{"tickers": self.tickers, "matrix": self.matrix.tolist(), "bars": list(self.bars)},
            "absent": list(self._absent),
        }

    @classmethod
    def from_state(cls, state: Any) -> LiveCovariance:
        """Restore a covariance from its `state`; malformed or inconsistent data raise `InputError`."""
        checked_state(cls.__name__, SHAPE, state, FORMAT)
        made, tickers = cls(state["decay"], state["initial"]), state["tickers"]
        made.index = {ticker: row for row, ticker in enumerate(tickers)}
        made.bars, made._absent = list(state["bars"]), [float(part) for part in state["absent"]]
        matrix = square(state["matrix"], len(made.index), "covariance")
        if not len(tickers) == len(made.index) == len(made.bars) == len(made._absent):
            raise InputError("the state is corrupt: tickers of the covariance are there twice, or without their bars")
        if not np.array_equal(matrix, matrix.T) or (np.diag(matrix) < 0.0).any():
            raise InputError("the state is corrupt: the covariance is not symmetric, or has a variance below zero")
        if tickers:
            made._ewma = EwmaCovariance(matrix, made.decay, state["n_obs"])
        return made

    @property
    def digest(self) -> str:
        """SHA-256 of the state: equal for equal covariances, in whatever order the tickers came."""
        return digest_of(type(self).__name__, sorted_state(self.state()))

    def draft(self) -> LiveCovariance:
        """A copy on which a change is prepared; matrices are never changed in place."""
        made = copy(self)
        made.index, made.bars, made._absent = dict(self.index), list(self.bars), list(self._absent)
        return made

    def seed(self, returns: Any) -> None:
        """Restart from a DataFrame of returns, (n_bars, n_tickers), with a backcast initial covariance."""
        table = np.asarray(returns, dtype=float)
        self._ewma = EwmaCovariance.init(table, self.decay).update_many(table)
        self.index = {str(ticker): row for row, ticker in enumerate(returns.columns)}
        self.bars = [len(returns)] * len(self.index)
        unmoved = np.diag(self.matrix) == 0.0
        self._absent = [1.0 if zero and self.initial == "renormalized" else 0.0 for zero in unmoved]

    def add(self, ticker: str, volatility: float | None = None, bars: int = 0) -> None:
        """Add a ticker with a volatility per bar; by default, with the variance of `initial`."""
        if ticker in self.index:
            raise InputError(f"ticker {ticker!r} is known already")
        if volatility is not None:
            variance = positive(volatility, "volatility", zero=True) ** 2
        else:
            variance = 0.0 if isinstance(self.initial, str) else self.initial
        self._ewma = EwmaCovariance(expanded(self.matrix, variance), self.decay, self._ewma.n_obs)
        self.index[ticker] = len(self.index)
        self.bars.append(bars)
        self._absent.append(1.0 if self.initial == "renormalized" and not variance else 0.0)

    def step(self, returns: Mapping[str, float]) -> None:
        """Add one bar of returns; a known ticker without a return did not move, a new one is added."""
        moves = {ticker: finite_number(move, f"return of {ticker}") for ticker, move in returns.items()}
        for ticker in moves:
            if ticker not in self.index:
                self.add(ticker)
        if not moves:
            return
        row = np.array([moves.get(ticker, 0.0) for ticker in self.index])
        if any(self._absent):
            self._renormalized(row)
        else:
            self._from_first_squares(row, moves)
        for ticker in moves:
            self.bars[self.index[ticker]] += 1

    def _from_first_squares(self, moved: np.ndarray, moves: Mapping[str, float]) -> None:
        """Update; tickers without a variance begin with their first square."""
        fresh = [row for ticker, row in self.index.items() if ticker in moves and not self.matrix[row, row]]
        if len(fresh) == len(moved):
            self._ewma = EwmaCovariance.init(moved[None, :], self.decay, "first_square")
        elif fresh:
            start = self.matrix.copy()
            start[fresh, fresh] = moved[fresh] ** 2
            self._ewma = EwmaCovariance(start, self.decay, self._ewma.n_obs)
        self._ewma = self._ewma.update(moved)

    def _renormalized(self, row: np.ndarray) -> None:
        """Update the undivided weighted sums, then divide them by their weights."""
        before = np.array(self._absent)
        after = np.where((before < 1.0) | (row != 0.0), self.decay * before, 1.0)
        sums = EwmaCovariance(self.matrix * _weights(before), self.decay, self._ewma.n_obs).update(row)
        weights = _weights(after)
        matrix = np.divide(sums.covariance, weights, out=np.zeros_like(weights), where=weights > 0.0)
        self._ewma = EwmaCovariance(matrix, self.decay, sums.n_obs)
        self._absent = after.tolist()

    def to_frame(self) -> Any:
        """The covariance per bar, labelled by ticker."""
        import pandas as pd

        return pd.DataFrame(self.matrix, index=self.tickers, columns=self.tickers)

    def _title(self) -> str:
        return "Live EWMA covariance"

    def _rows(self) -> list[Row]:
        return [
            ("tickers", len(self.index), ""),
            ("decay", self.decay, ""),
            ("initial variance", self.initial, ""),
            ("fewest bars", min(self.bars, default=0), "of a ticker"),
            ("most bars", max(self.bars, default=0), "of a ticker"),
        ]


def square(rows: list[list[float]], size: int, name: str) -> np.ndarray:
    """A matrix of plain rows; one of another size is refused."""
    if [len(row) for row in rows] != [size] * size:
        raise InputError(f"the state is corrupt: the {name} is not one of {size} tickers")
    return np.array(rows, dtype=float).reshape(size, size)


def sorted_state(state: dict[str, Any]) -> dict[str, Any]:
    """A state with its tickers in order."""
    order = sorted(range(len(state["tickers"])), key=lambda row: state["tickers"][row])
    listed = {name: [state[name][row] for row in order] for name in ("tickers", "bars", "absent")}
    return {**state, **listed, "matrix": reordered(state["matrix"], order)}


def reordered(matrix: list[list[float]], order: list[int]) -> list[list[float]]:
    """A matrix with its rows and columns in another order."""
    return [[matrix[row][column] for column in order] for row in order]


def _weights(absent: np.ndarray) -> np.ndarray:
    """The sum of weights of each entry of the matrix: the geometric mean of both tickers, which keeps it semidefinite."""
    given = 1.0 - absent
    return np.sqrt(np.outer(given, given))


def log_moves(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Log returns between two mappings of closing prices, of the tickers in both.

    Examples
    --------
    >>> log_moves({"A": 100.0}, {"A": 110.0, "B": 5.0})
    {'A': 0.09531}
    """
    both = [ticker for ticker in after if ticker in before]
    if not both:
        return {}
    prices = np.array([[side[ticker] for ticker in both] for side in (before, after)])
    return dict(zip(both, log_returns(prices)[0].tolist(), strict=True))


def expanded(matrix: np.ndarray, variance: float) -> np.ndarray:
    """The matrix with one more row and column: a variance, and zero covariances."""
    size = len(matrix)
    larger = np.zeros((size + 1, size + 1))
    larger[:size, :size] = matrix
    larger[size, size] = variance
    return larger
