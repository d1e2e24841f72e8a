"""Kernel that keeps the worst returns of a rolling window sorted from one window to the next.

buffers[side, 1 : held + 1] is sorted and holds the smallest of the window, with -inf before it and inf after it, and some
slack: most steps change neither end. A change writes the other side, as a step in place would wait for the stores of the
previous one.
"""

from __future__ import annotations

import numpy as np

from riskkit._jit import kernel
from riskkit._types import Array


@kernel
def statistics_of_windows(
    rows: Array, window: int, rank: int, capacity: int, share: float, size: float, losses: Array, sums: Array
) -> None:
    """Loss at `rank` and (sum of the worse + share × loss)/size of every window of each line: (n_lines, n_windows) each."""
    buffers = np.empty((2, capacity + 3))
    for j in range(rows.shape[0]):
        roll(rows[j], window, rank, capacity, share, size, buffers, losses[j], sums[j])


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
