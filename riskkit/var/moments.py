"""Mean and central moments of every column, and of every rolling window: what the parametric methods rest on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskkit._check import InputError, one_of, whole_number
from riskkit._jit import kernel

__all__ = ["Moments", "check_spread_options", "rolling_moments", "sample_moments"]

MEANS = ("sample", "zero")


class Moments(NamedTuple):
    """Mean and second to fourth central moments (divisor n) of `n` observations; arrays of one shape."""

    n: int
    mean: np.ndarray
    second: np.ndarray
    third: np.ndarray
    fourth: np.ndarray

    def location(self, mean: str) -> np.ndarray:
        """The sample mean, or zero."""
        return self.mean if mean == "sample" else np.zeros_like(self.mean)

    def volatility(self, mean: str, ddof: int) -> np.ndarray:
        """Standard deviation about the sample mean, or about zero, with divisor n - ddof."""
        if self.n <= ddof:
            raise InputError(f"returns has {self.n} observations; ddof={ddof} needs at least {ddof + 1}")
        square = self.second if mean == "sample" else self.second + self.mean**2
        return np.sqrt(square * (self.n / (self.n - ddof)))

    @property
    def skewness(self) -> np.ndarray:
        """Third central moment over the cube of the population deviation."""
        return self.third / self.second**1.5

    @property
    def excess_kurtosis(self) -> np.ndarray:
        """Fourth central moment over the square of the population variance, less 3."""
        return self.fourth / self.second**2 - 3.0


def check_spread_options(mean: str, ddof: int) -> None:
    """The options that say how a standard deviation is meant."""
    one_of(mean, MEANS, "mean")
    whole_number(ddof, "ddof", at_least=0)


def sample_moments(table: np.ndarray, *, tails: bool = False) -> Moments:
    """Moments of each column of (n_obs, n_series): arrays (n_series,); the third and fourth with `tails` only."""
    deviation = table - table[0]  # from the first, so that constants have no spread at all
    shift = deviation.mean(axis=0)
    deviation -= shift
    square = deviation * deviation
    mean, second = table[0] + shift, square.mean(axis=0)
    if not tails:
        return Moments(len(table), mean, second, np.zeros(0), np.zeros(0))
    deviation *= square
    third = deviation.mean(axis=0)
    square *= square
    return Moments(len(table), mean, second, third, square.mean(axis=0))


def rolling_moments(table: np.ndarray, window: int, *, tails: bool = False) -> Moments:
    """Moments of every window of rows: arrays (n_obs - window + 1, n_series)."""
    out = np.empty((4, len(table) - window + 1, table.shape[1]))
    moments_of_windows(np.require(table, requirements=["C", "W"]), window, tails, out)
    return Moments(window, *out)


@kernel
def moments_of_windows(table, window, tails, out):
    """Each window anew, in two passes: sums that are carried along drift. All series in step are vector code."""
    n_series = table.shape[1]
    sums = np.empty((4, n_series))
    for w in range(out.shape[1]):
        sums[:] = 0.0
        for t in range(w, w + window):
            for j in range(n_series):
                sums[0, j] += table[t, j] - table[w, j]
        for j in range(n_series):
            sums[0, j] /= window
        for t in range(w, w + window):
            if tails:
                for j in range(n_series):
                    deviation = table[t, j] - table[w, j] - sums[0, j]
                    square = deviation * deviation
                    sums[1, j] += square
                    sums[2, j] += square * deviation
                    sums[3, j] += square * square
            else:
                for j in range(n_series):
                    deviation = table[t, j] - table[w, j] - sums[0, j]
                    sums[1, j] += deviation * deviation
        for j in range(n_series):
            out[0, w, j] = table[w, j] + sums[0, j]
            out[1, w, j], out[2, w, j], out[3, w, j] = sums[1, j] / window, sums[2, j] / window, sums[3, j] / window
