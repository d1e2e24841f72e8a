"""A covariance that lives: it takes one bar of returns after the other, and grows when a ticker comes, without a reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_number, one_of, positive
from riskkit._show import Row, Shown
from riskkit.covariance import EwmaCovariance
from riskkit.returns import log_returns

__all__ = ["LiveCovariance", "grown", "log_moves"]

STARTS = ("first_nonzero_square", "renormalized")


class LiveCovariance(Shown):
    """`EwmaCovariance` by ticker: seeded, stepped and grown.

    A ticker begins with its first return that is not zero (a quiet minute says nothing of its variance), and with no
    covariance with the others, which its returns then build up; that keeps the matrix positive semidefinite.

    Parameters
    ----------
    decay : float
        Weight of the past, between 0 and 1.
    start : {"first_nonzero_square", "renormalized"} or float
        What a ticker without a `seed` begins with:

        - ``"first_nonzero_square"``: the square of its first return other than zero. That one bar keeps the
          weight decay^(n - 1) after n bars, where every other began with 1 - decay: at 0.9982, half of all after 385.
        - ``"renormalized"``: as of `riskkit.ewma_volatility`, the weights of the bars that there are, divided by their
          sum, so that no bar weighs more than a later one. Tickers that began together have just that; where one is
          younger, the covariance of the two is smaller than that by the root of the ratio of both sums.
        - a number: that variance per bar.

    Raises
    ------
    InputError
        A decay outside (0, 1), a start that is none of these, a return that is not finite, a ticker that is known
        already or not at all.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.1. Kingma and Ba (2015), Adam: a
    method for stochastic optimization, section 3 (the weights of a young average, divided by their sum).

    Examples
    --------
    >>> live = LiveCovariance(decay=0.9)
    >>> live.step({"A": 0.02}); live.step({"A": -0.01, "B": 0.03})
    >>> live.to_frame().round(8).values.tolist()
    [[0.00037, -3e-05], [-3e-05, 0.0009]]
    >>> live = LiveCovariance(decay=0.9, start="renormalized")
    >>> live.step({"A": 0.02}); live.step({"A": -0.01})
    >>> round(float(live.matrix[0, 0]), 8)  # (0.9 × 0.02² + 0.01²) / 1.9
    0.00024211
    """

    def __init__(self, decay: float = 0.94, start: Any = "first_nonzero_square") -> None:
        self.state = EwmaCovariance(
            np.zeros((1, 1)), decay
        )  # the decay is checked there; the matrix comes with a ticker
        self.start = one_of(start, STARTS, "start") if isinstance(start, str) else positive(start, "start")
        self.places: dict[str, int] = {}
        self.bars: list[int] = []
        self._absent: list[float] = []
        """Of each ticker the share of the weights that lies before its first bar: 0 unless it is being renormalized."""

    @property
    def decay(self) -> float:
        """Weight of the past."""
        return self.state.decay

    @property
    def tickers(self) -> list[str]:
        """In the order of the rows."""
        return list(self.places)

    @property
    def matrix(self) -> np.ndarray:
        """(n_tickers, n_tickers) covariance per bar."""
        size = len(self.places)
        return np.asarray(self.state.covariance)[:size, :size]

    def seed(self, returns: Any) -> None:
        """Begin anew with a DataFrame of returns, (n_bars, n_tickers), from its backcast start."""
        self.state = EwmaCovariance.init(np.asarray(returns, dtype=float), self.decay).update_many(
            np.asarray(returns, dtype=float)
        )
        self.places = {str(ticker): place for place, ticker in enumerate(returns.columns)}
        self.bars = [len(returns)] * len(self.places)
        still = np.diag(self.matrix) == 0.0
        self._absent = [1.0 if quiet and self.start == "renormalized" else 0.0 for quiet in still]

    def add(self, ticker: str, volatility: float | None = None, bars: int = 0) -> None:
        """Give a new ticker a row and a column: a volatility per bar, or what `start` says."""
        if ticker in self.places:
            raise InputError(f"ticker {ticker!r} is known already")
        if volatility is not None:
            variance = positive(volatility, "volatility", zero=True) ** 2
        else:
            variance = 0.0 if isinstance(self.start, str) else self.start
        self.state = EwmaCovariance(grown(self.matrix, variance), self.decay, self.state.n_obs)
        self.places[ticker] = len(self.places)
        self.bars.append(bars)
        self._absent.append(1.0 if self.start == "renormalized" and not variance else 0.0)

    def step(self, returns: Mapping[str, float]) -> None:
        """Take one bar; a known ticker that it does not name did not move, a new one is added; no returns are no bar."""
        moves = {ticker: finite_number(move, f"return of {ticker}") for ticker, move in returns.items()}
        for ticker in moves:
            if ticker not in self.places:
                self.add(ticker)
        if not moves:
            return
        row = np.array([moves.get(ticker, 0.0) for ticker in self.places])
        if any(self._absent):
            self._renormalized(row)
        else:
            self._from_first_squares(row, moves)
        for ticker in moves:
            self.bars[self.places[ticker]] += 1

    def _from_first_squares(self, row: np.ndarray, moves: Mapping[str, float]) -> None:
        """Step, from their first squares where tickers have no variance yet."""
        fresh = [place for ticker, place in self.places.items() if ticker in moves and not self.matrix[place, place]]
        if len(fresh) == len(row):
            self.state = EwmaCovariance.init(row[None, :], self.decay, "first_square")
        elif fresh:
            start = self.matrix.copy()
            start[fresh, fresh] = row[fresh] ** 2
            self.state = EwmaCovariance(start, self.decay, self.state.n_obs)
        self.state = self.state.update(row)

    def _renormalized(self, row: np.ndarray) -> None:
        """Step the sums as they are without division, from zero, and divide by the weights that they then have."""
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
            ("tickers", len(self.places), ""),
            ("decay", self.decay, ""),
            ("start", self.start, ""),
            ("fewest bars", min(self.bars, default=0), "of a ticker"),
            ("most bars", max(self.bars, default=0), "of a ticker"),
        ]


def _weights(absent: np.ndarray) -> np.ndarray:
    """The sum of weights behind each entry of the matrix: of a pair the geometric mean of both, so that none is negative."""
    given = 1.0 - absent
    return np.sqrt(np.outer(given, given))


def log_moves(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Log returns from one bar's closing prices to the next, of the tickers that are in both.

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


def grown(matrix: np.ndarray, variance: float) -> np.ndarray:
    """The matrix with one more row and column: a variance, and no covariance with the others."""
    size = len(matrix)
    larger = np.zeros((size + 1, size + 1))
    larger[:size, :size] = matrix
    larger[size, size] = variance
    return larger
