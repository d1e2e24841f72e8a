"""Kernels that select the worst returns without sorting the others, of columns and of every rolling window.

Both entry points return, for given ranks (0 is the worst), the loss at each rank and the sum of all worse losses. Every
quantile definition and the tail-mass ES follow from these.
"""

from __future__ import annotations

import math

import numpy as np

from riskkit._check import finite_array
from riskkit._jit import kernel
from riskkit._types import Array

TILE = 32
"""Columns copied at a time: their part of a row fills complete cache lines, and the copies fit the second cache."""
LARGE = 1_000_000
"""Numbers from which a copy only to make an array writable (one compiled version less) costs too much."""


def order_statistics(table: np.ndarray, ranks: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Losses at ascending `ranks` of each column of (n_obs, n_series), and sums of the worse: (n_ranks, n_series) each.

    Checks that the numbers are finite in the same pass: a separate one over 5,000 portfolios takes a third more time.
    """
    indices = np.array(ranks, dtype=np.int64)
    losses, sums = np.empty((len(ranks), table.shape[1])), np.empty((len(ranks), table.shape[1]))
    if table.flags.f_contiguous:
        finite = statistics_of_rows(_plain(table.T), indices, losses, sums)
    else:
        finite = statistics_of_columns(_plain(table), indices, losses, sums)
    if not finite:
        _refuse(table)
    return losses, sums


def rolling_order_statistics(
    table: np.ndarray, window: int, ranks: list[int], *, share: float = 0.0, size: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """The same for every window of rows: (n_ranks, n_obs - window + 1, n_series) each.

    The worst returns of the window are kept sorted in a buffer with some slack; most steps change neither end of it.
    Instead of the sum of worse losses (sum + share × loss)/size is returned, which can be the ES.
    """
    by_row = table.flags.f_contiguous
    series = _plain(table.T if by_row else table)
    out = np.empty((2, len(ranks), table.shape[1], len(table) - window + 1))  # one block of memory is faster than two
    for i, rank in enumerate(ranks):
        capacity = 4 * math.ceil((rank + 4 + 2 * math.isqrt(rank + 1)) / 4)  # whole vectors of four
        if not statistics_of_windows(series, by_row, window, rank, capacity, share, size, out[0, i], out[1, i]):
            _refuse(table)
    losses, sums = out.transpose(0, 1, 3, 2)
    return losses, sums


def _plain(array: np.ndarray) -> np.ndarray:
    """C order, and writable unless large, so that the kernels are compiled for one array type in most sessions."""
    return np.require(array, requirements="C" if array.size > LARGE else ["C", "W"])


def _refuse(table: np.ndarray) -> None:
    finite_array(table[:, 0] if table.shape[1] == 1 else table, "returns")


# Columns. A threshold estimated from a sample keeps little more than the tail; quickselect does the rest.


@kernel
def statistics_of_rows(rows: Array, ranks: Array, losses: Array, sums: Array) -> bool:
    n_series, n = rows.shape
    copy, guesses = np.empty((1, n + 1)), np.empty(guess_count(n))
    finite = True
    for j in range(n_series):
        finite &= tail_of(rows[j], ranks, guesses, copy, losses[:, j], sums[:, j])
    return finite


@kernel
def statistics_of_columns(table: Array, ranks: Array, losses: Array, sums: Array) -> bool:
    n, n_series = table.shape
    copy, guesses = np.empty((1, n + 1)), np.empty(guess_count(n))
    tile = np.empty((TILE, n))
    finite = True
    for first in range(0, n_series, TILE):
        width = min(TILE, n_series - first)
        for i in range(n):
            for j in range(width):
                tile[j, i] = table[i, first + j]
        for j in range(width):
            finite &= tail_of(tile[j], ranks, guesses, copy, losses[:, first + j], sums[:, first + j])
    return finite


@kernel
def guess_count(n: int) -> int:
    """Sample size for the threshold: a balance of the time for the sample and for values kept unnecessarily."""
    return int(0.35 * n ** (2.0 / 3.0))


@kernel
def tail_of(series: Array, ranks: Array, guesses: Array, copy: Array, losses: Array, sums: Array) -> bool:
    """Order statistics of one series; False if it holds NaN or infinity."""
    finite = 0
    for i in range(series.size):
        finite += abs(series[i]) < np.inf
    if finite < series.size:
        return False
    kept = copy[0]
    end = smallest(series, ranks[-1] + 1, guesses, kept)
    for i in range(ranks.size - 1, -1, -1):
        select(kept, end, ranks[i])
        end = ranks[i]
        losses[i] = 0.0 - kept[end]
        sums[i] = 0.0 - sum_of(copy, 0, 0, end)
    return True


@kernel
def smallest(series: Array, count: int, guesses: Array, copy: Array) -> int:
    """Copy at least the `count` smallest of `series` to the front of `copy`, and return the number copied."""
    n, n_guesses = series.size, guesses.size
    kept = 0
    if n_guesses >= 16:
        step = n // n_guesses
        for i in range(n_guesses):
            guesses[i] = series[i * step]
        expected = count * n_guesses / n
        index = int(expected + 2.5 * math.sqrt(expected)) + 1
        if 2 * index < n_guesses:
            select(guesses, n_guesses, index)
            threshold = guesses[index]
            for i in range(n):  # without a branch: always write, advance only past values to keep
                copy[kept] = series[i]
                kept += series[i] <= threshold
    if kept < count:
        for i in range(n):
            copy[i] = series[i]
        kept = n
    return kept


@kernel
def select(values: Array, end: int, rank: int) -> None:
    """Reorder values[:end] so that values[rank] is in its sorted place, smaller ones before it."""
    low, high = 0, end
    while high - low > 16:
        middle, step = (low + high) >> 1, (high - low) >> 3
        pivot = median3(
            median3(values[low], values[low + step], values[low + 2 * step]),
            median3(values[middle - step], values[middle], values[middle + step]),
            median3(values[high - 1], values[high - 1 - step], values[high - 1 - 2 * step]),
        )
        split = low
        for i in range(low, high):  # no branch in the loop: a mispredicted one costs more than two stores
            value = values[i]
            values[i] = values[split]
            values[split] = value
            split += value < pivot
        if rank < split:
            high = split
        elif split > low:
            low = split
        else:  # nothing is smaller than the pivot: separate its equals, as ties would loop forever
            for i in range(low, high):
                value = values[i]
                values[i] = values[split]
                values[split] = value
                split += value <= pivot
            if rank < split:
                return
            low = split
    for i in range(low + 1, high):
        value, j = values[i], i
        while j > low and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@kernel
def median3(a: float, b: float, c: float) -> float:
    return max(min(a, b), min(max(a, b), c))


@kernel
def sum_of(table: Array, row: int, start: int, count: int) -> float:
    """Sum of `count` numbers of a row in four strands: a fixed order, and four additions at a time."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    quarter = count >> 2
    for i in range(quarter):
        a += table[row, start + 4 * i]
        b += table[row, start + 4 * i + 1]
        c += table[row, start + 4 * i + 2]
        d += table[row, start + 4 * i + 3]
    for i in range(4 * quarter, count):
        a += table[row, start + i]
    return (a + b) + (c + d)


# Rolling windows. buffers[side, 1 : held + 1] is sorted and holds the smallest of the window, with -inf before it and
# inf after it. A change writes the other side, as a step in place would wait for the stores of the previous one.


@kernel
def statistics_of_windows(
    table: Array,
    by_row: bool,
    window: int,
    rank: int,
    capacity: int,
    share: float,
    size: float,
    losses: Array,
    sums: Array,
) -> bool:
    buffers, series = np.empty((2, capacity + 3)), np.empty(losses.shape[1] + window - 1)
    for j in range(losses.shape[0]):
        finite = 0
        for i in range(series.size):
            series[i] = table[j, i] if by_row else table[i, j]
            finite += abs(series[i]) < np.inf
        if finite < series.size:
            return False
        roll(series, window, rank, capacity, share, size, buffers, losses[j], sums[j])
    return True


@kernel
def roll(
    series: Array,
    window: int,
    rank: int,
    capacity: int,
    share: float,
    size: float,
    buffers: Array,
    losses: Array,
    sums: Array,
) -> None:
    buffers[:, 0], buffers[:, 1:] = -np.inf, np.inf
    side, held = 0, refill(series, 0, window, capacity, buffers, 0)
    largest = buffers[side, held]
    loss = 0.0 - buffers[side, rank + 1]
    worse = (share * loss - sum_of(buffers, side, 1, rank)) / size
    losses[0], sums[0] = loss, worse
    for t in range(series.size - window):
        leaving, entering = series[t], series[t + window]
        if min(leaving, entering) <= largest:
            belongs = entering <= largest  # values outside the buffer are not smaller than its largest
            exchange(buffers, side, 1 - side, capacity, leaving, entering if belongs else np.inf)
            side, held = 1 - side, min(held + belongs - (leaving <= largest), capacity)
            if held <= rank:
                held = refill(series, t + 1, t + 1 + window, capacity, buffers, side)
            largest = buffers[side, held]
            loss = 0.0 - buffers[side, rank + 1]
            worse = (share * loss - sum_of(buffers, side, 1, rank)) / size
        losses[t + 1], sums[t + 1] = loss, worse


@kernel
def exchange(buffers: Array, old: int, new: int, capacity: int, leaving: float, entering: float) -> None:
    """Remove one value and insert one (infinity: none) by comparing all entries, without a branch: vector code."""
    for j in range(capacity):
        before, here, after = buffers[old, j], buffers[old, j + 1], buffers[old, j + 2]
        left = before if before < leaving else here
        right = here if here < leaving else after
        larger = left if left > entering else entering
        buffers[new, j + 1] = larger if larger < right else right


@kernel
def refill(series: Array, start: int, stop: int, capacity: int, buffers: Array, side: int) -> int:
    """Fill one side with the smallest of series[start:stop]; return their number."""
    held = 0
    for i in range(start, stop):
        value = series[i]
        if held < capacity or value < buffers[side, held]:
            held = min(held + 1, capacity)
            j = held
            while j > 1 and buffers[side, j - 1] > value:
                buffers[side, j] = buffers[side, j - 1]
                j -= 1
            buffers[side, j] = value
    for j in range(held + 1, capacity + 1):
        buffers[side, j] = np.inf
    return held
