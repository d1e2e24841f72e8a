"""Mean and central moments of every column, and of every rolling window."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from riskkit._check import ROUNDING, InputError, one_of, whole_number
from riskkit._docs import counted
from riskkit._jit import kernel

Mean = Literal["sample", "zero"]
SMALL, LARGE = 1e-60, 1e60
"""Bounds between which fourth powers, and squares of second moments, are inside the range of floats."""


class Moments(NamedTuple):
    """Mean and second to fourth central moments (divisor n) of `n` observations; arrays of equal shape.

    The third and fourth are of the returns divided by `unit`, a power of two (so that nothing is rounded), which is 1
    except for returns so small or large that their powers leave the range of floats.
    """

    n: int
    mean: np.ndarray
    second: np.ndarray
    third: np.ndarray
    fourth: np.ndarray
    unit: Any = 1.0

    def location(self, mean: str) -> np.ndarray:
        """The sample mean, or zero."""
        return self.mean if mean == "sample" else np.zeros_like(self.mean)

    def volatility(self, mean: str, ddof: int) -> np.ndarray:
        """Standard deviation about the sample mean, or about zero, with divisor n - ddof."""
        if self.n <= ddof:
            raise InputError(f"returns has {counted(self.n, 'observation')}; ddof={ddof} needs at least {ddof + 1}")
        square = self.second if mean == "sample" else self.second + self.mean**2
        volatility: np.ndarray = np.sqrt(square * (self.n / (self.n - ddof)))
        return volatility

    @property
    def flat(self) -> np.ndarray:
        """True where the returns vary by no more than rounding."""
        flat: np.ndarray = np.sqrt(self.second) <= ROUNDING * np.abs(self.mean)
        return flat

    @property
    def skewness(self) -> np.ndarray:
        """Third central moment over the cube of the population deviation."""
        return self.third / self._second_in_units**1.5

    @property
    def excess_kurtosis(self) -> np.ndarray:
        """Fourth central moment over the square of the population variance, less 3."""
        kurtosis: np.ndarray = self.fourth / self._second_in_units**2 - 3.0
        return kurtosis

    @property
    def _second_in_units(self) -> np.ndarray:
        second: np.ndarray = self.second / self.unit / self.unit
        return second


def check_spread_options(mean: str, ddof: int) -> None:
    """Check the options of a standard deviation."""
    one_of(mean, get_args(Mean), "mean")
    whole_number(ddof, "ddof", at_least=0)


def sample_moments(table: np.ndarray, *, tails: bool = False) -> Moments:
    """Moments (n_series,) of each column of (n_obs, n_series); the third and fourth with `tails` only."""
    deviation = table - table[0]  # from the first, so that constants have no spread at all
    shift = deviation.mean(axis=0)
    deviation -= shift
    square = deviation * deviation
    mean, second = table[0] + shift, square.mean(axis=0)
    if not tails:
        return Moments(len(table), mean, second, np.zeros(0), np.zeros(0))
    unit = _unit_of(np.sqrt(second))
    if np.ndim(unit):
        deviation /= unit
        square = deviation * deviation
    deviation *= square
    third = deviation.mean(axis=0)
    square *= square
    return Moments(len(table), mean, second, third, square.mean(axis=0), unit)


def rolling_moments(table: np.ndarray, window: int, *, tails: bool = False) -> Moments:
    """Moments (n_obs - window + 1, n_series) of every window of rows."""
    out = np.empty((4, len(table) - window + 1, table.shape[1]))
    unit = _unit_of(np.abs(table).max(axis=0)) if tails else 1.0
    moments_of_windows(
        np.require(table / unit if np.ndim(unit) else table, requirements=["C", "W"]), window, tails, out
    )
    mean, second, third, fourth = out
    return Moments(window, mean * unit, second * unit * unit, third, fourth, unit)


def _unit_of(size: np.ndarray) -> Any:
    """Power of two near each size (n_series,) if any has powers beyond the range of floats, else 1."""
    odd = ((size < SMALL) | (size > LARGE)) & (size > 0.0)
    return np.where(odd, np.ldexp(1.0, np.frexp(size)[1]), 1.0) if odd.any() else 1.0


@kernel
def moments_of_windows(table: np.ndarray, window: int, tails: bool, out: np.ndarray) -> None:
    """Two passes over each window, as updated sums drift; the inner loops over series are vector code."""
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
