"""The slow plain twin of the VaR gate: closes of bars, then everything from scratch at every order.

Written from RiskMetrics (1996) and from the rule's words, without a recursion and without anything cached: a covariance
is a weighted sum over all returns so far, a variance a double sum over positions. Nothing of riskkit is imported.
"""

from __future__ import annotations

import numpy as np

ORDER, FILL, PRICE, CLOCK = 0, 3, 4, 11


def covariance(closes, decay):
    """Σ of the returns between rows of closes (NaN: none), and how many returns each column has.

    Each return weighs (1 - decay) decay^age; an entry is divided by the roots of its two columns' sums of weights.
    """
    closes = np.asarray(closes, float)
    returns = closes[1:] / closes[:-1] - 1.0
    there = ~np.isnan(returns)
    weights = (1.0 - decay) * decay ** np.arange(len(returns))[::-1]
    moved = np.where(there, returns, 0.0)
    sums = np.sqrt(weights @ there)
    scale = np.where(sums > 0, sums, 1.0)
    return (moved * weights[:, None]).T @ moved / np.outer(scale, scale), there.sum(axis=0)


def exposures(lots, closes, counts, worth):
    """Money that each position is exposed to at the last closes; 0 for what has no return yet."""
    last = np.asarray(closes[-1], float)
    return np.where((counts > 0) & ~np.isnan(last), np.asarray(lots, float) * np.nan_to_num(last) * worth, 0.0)


def variance(lots, closes, decay, worth):
    """w'Σw of positions, from scratch; 0 before the second close."""
    if len(closes) < 2:
        return 0.0
    matrix, counts = covariance(closes, decay)
    held = exposures(lots, closes, counts, worth)
    return float(held @ matrix @ held)


class Gate:
    """Reads integer rows one after the other; `before_order` is what the variance of a key would be.

    `bar_ns` None: a bar closes with each CLOCK row. `keys` maps an account to its key (a desk, a firm).
    """

    def __init__(self, worth, keys, decay, bar_ns):
        self.worth, self.keys, self.decay, self.bar_ns = np.asarray(worth, float), keys, decay, bar_ns
        size = len(worth)
        self.marks, self.priced = np.full(size, np.nan), np.zeros(size, bool)
        self.lots = np.zeros((max(keys) + 1, size))
        self.closes = []
        self.fresh, self.end = False, None
        self.known = None

    def take(self, row):
        """One row of the log."""
        if self.bar_ns is not None:
            if self.end is not None and row["ts"] >= self.end:
                self.close()
            self.end = (row["ts"] // self.bar_ns + 1) * self.bar_ns
        place = row["instrument"]
        if row["kind"] == CLOCK and self.bar_ns is None:
            self.close()
        elif row["kind"] == PRICE:
            self.marks[place], self.priced[place], self.fresh = row["price"], True, True
        elif row["kind"] == FILL:
            if not self.priced[place]:
                self.marks[place], self.fresh = row["price"], True
            self.lots[self.keys[row["account"]], place] += row["side"] * row["qty"]

    def close(self):
        """A bar with a price in it closes."""
        if self.fresh:
            self.closes.append(np.where(self.marks > 0, self.marks, np.nan))
            self.fresh, self.known = False, None

    def matrix(self):
        """Σ and the counts of returns, added up once a bar."""
        if self.known is None:
            self.known = covariance(self.closes, self.decay)
        return self.known

    def now(self, key, instrument=0, lots=0):
        """(w'Σw, |w|'|Σ||w|) of a key with so many lots more of an instrument: the variance, and what it is a sum of."""
        if len(self.closes) < 2:
            return 0.0, 0.0
        matrix, counts = self.matrix()
        held = self.lots[key].copy()
        held[instrument] += lots
        money = exposures(held, self.closes, counts, self.worth)
        return float(money @ matrix @ money), float(np.abs(money) @ np.abs(matrix) @ np.abs(money))
