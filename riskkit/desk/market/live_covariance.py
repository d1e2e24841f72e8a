"""`LiveCovariance`: an EWMA covariance updated bar by bar; a new ticker adds a row and a column without a reset."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_number, one_of, positive
from riskkit._show import Row, Shown
from riskkit.covariance import EwmaCovariance
from riskkit.returns import log_returns

INITIALS = ("first_nonzero_square", "renormalized")


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
        self.state = EwmaCovariance(np.zeros((1, 1)), decay)  # checks the decay; the matrix grows with the tickers
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
        return self.state.decay

    @property
    def tickers(self) -> list[str]:
        """Tickers in the order of the rows."""
        return list(self.index)

    @property
    def matrix(self) -> np.ndarray:
        """(n_tickers, n_tickers) covariance per bar."""
        size = len(self.index)
        return np.asarray(self.state.covariance)[:size, :size]

    def draft(self) -> LiveCovariance:
        """A copy on which a change is prepared; matrices are never changed in place."""
        made = copy(self)
        made.index, made.bars, made._absent = dict(self.index), list(self.bars), list(self._absent)
        return made

    def seed(self, returns: Any) -> None:
        """Restart from a DataFrame of returns, (n_bars, n_tickers), with a backcast initial covariance."""
        table = np.asarray(returns, dtype=float)
        self.state = EwmaCovariance.init(table, self.decay).update_many(table)
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
        self.state = EwmaCovariance(expanded(self.matrix, variance), self.decay, self.state.n_obs)
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
            self.state = EwmaCovariance.init(moved[None, :], self.decay, "first_square")
        elif fresh:
            start = self.matrix.copy()
            start[fresh, fresh] = moved[fresh] ** 2
            self.state = EwmaCovariance(start, self.decay, self.state.n_obs)
        self.state = self.state.update(moved)

    def _renormalized(self, row: np.ndarray) -> None:
        """Update the undivided weighted sums, then divide them by their weights."""
        before = np.array(self._absent)
        after = np.where((before < 1.0) | (row != 0.0), self.decay * before, 1.0)
        sums = EwmaCovariance(self.matrix * _weights(before), self.decay, self.state.n_obs).update(row)
        weights = _weights(after)
        matrix = np.divide(sums.covariance, weights, out=np.zeros_like(weights), where=weights > 0.0)
        self.state = EwmaCovariance(matrix, self.decay, sums.n_obs)
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
