"""A covariance that lives: it takes one bar of returns after the other, and grows when a ticker comes, without a reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_number, positive
from riskkit._show import Row, Shown
from riskkit.covariance import EwmaCovariance
from riskkit.returns import log_returns

__all__ = ["LiveCovariance", "grown", "log_moves"]


class LiveCovariance(Shown):
    """`EwmaCovariance` by ticker: seeded, stepped and grown.

    A ticker that comes alone starts with the square of its first return (the first that is not zero: a quiet minute says
    nothing of its variance) and no covariance with the others, which its returns then build up; that keeps the matrix
    positive semidefinite. If all start together, the start is ``"first_square"`` of `riskkit.ewma_covariance`.

    Parameters
    ----------
    decay : float
        Weight of the past, between 0 and 1.

    Raises
    ------
    InputError
        A decay outside (0, 1), a return that is not finite, a ticker that is known already or not at all.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.1.

    Examples
    --------
    >>> live = LiveCovariance(decay=0.9)
    >>> live.step({"A": 0.02}); live.step({"A": -0.01, "B": 0.03})
    >>> live.to_frame().round(8).values.tolist()
    [[0.00037, -3e-05], [-3e-05, 0.0009]]
    """

    def __init__(self, decay: float = 0.94) -> None:
        self.state = EwmaCovariance(
            np.zeros((1, 1)), decay
        )  # the decay is checked there; the matrix comes with a ticker
        self.places: dict[str, int] = {}
        self.bars: list[int] = []

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
        self.state = EwmaCovariance.init(np.asarray(returns, dtype=float), self.decay).run(
            np.asarray(returns, dtype=float)
        )
        self.places = {str(ticker): place for place, ticker in enumerate(returns.columns)}
        self.bars = [len(returns)] * len(self.places)

    def add(self, ticker: str, volatility: float | None = None, bars: int = 0) -> None:
        """Give a new ticker a row and a column: a volatility per bar, or nothing until its first return."""
        if ticker in self.places:
            raise InputError(f"ticker {ticker!r} is known already")
        variance = 0.0 if volatility is None else positive(volatility, "volatility", zero=True) ** 2
        self.state = EwmaCovariance(grown(self.matrix, variance), self.decay, self.state.n_obs)
        self.places[ticker] = len(self.places)
        self.bars.append(bars)

    def step(self, returns: Mapping[str, float]) -> None:
        """Take one bar; a known ticker that it does not name did not move, a new one is added; no returns are no bar."""
        moves = {ticker: finite_number(move, f"return of {ticker}") for ticker, move in returns.items()}
        for ticker in moves:
            if ticker not in self.places:
                self.add(ticker)
        if not moves:
            return
        row = np.array([moves.get(ticker, 0.0) for ticker in self.places])
        fresh = [place for ticker, place in self.places.items() if ticker in moves and not self.matrix[place, place]]
        if len(fresh) == len(row):
            self.state = EwmaCovariance.init(row[None, :], self.decay, "first_square")
        elif fresh:
            start = self.matrix.copy()
            start[fresh, fresh] = row[fresh] ** 2
            self.state = EwmaCovariance(start, self.decay, self.state.n_obs)
        self.state = self.state.step(row)
        for ticker in moves:
            self.bars[self.places[ticker]] += 1

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
            ("fewest bars", min(self.bars, default=0), "of a ticker"),
            ("most bars", max(self.bars, default=0), "of a ticker"),
        ]


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
