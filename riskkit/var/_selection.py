"""The worst returns of columns and of every rolling window, selected without sorting the others.

Both entry points return, for given ranks (0 is the worst), the loss at each rank and the sum of all worse losses. Every
quantile definition and the tail-mass ES follow from these. A first VaR waits for no compiler: numpy partitions, and the
kernel of the windows, which is thirty times faster, is used in a session that has a compiler, or for a million of them. The
numbers are the same to the last bit.
"""

from __future__ import annotations

import math

import numpy as np

from riskkit import _jit
from riskkit.var._window_kernels import statistics_of_windows

CHUNK = 250_000
"""Numbers that are partitioned or sorted at a time: 2 MB, which stay in the second cache."""
MANY_WINDOWS = 1_000_000
"""Windows that numpy needs as long for as numba for its import and the kernel."""


def order_statistics(table: np.ndarray, ranks: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Losses at ascending `ranks` of each column of (n_obs, n_series), and sums of the worse: (n_ranks, n_series) each."""
    losses, sums = (np.empty((len(ranks), table.shape[1])) for _ in range(2))
    step = max(1, CHUNK // len(table))
    for first in range(0, table.shape[1], step):
        part = slice(first, first + step)
        losses[:, part], sums[:, part] = _tails(np.array(table[:, part].T, order="C"), ranks)
    return losses, sums


def rolling_order_statistics(
    table: np.ndarray, window: int, ranks: list[int], *, share: float = 0.0, size: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """The same for every window of rows: (n_ranks, n_obs - window + 1, n_series) each.

    Instead of the sum of worse losses (sum + share × loss)/size is returned, which can be the ES.
    """
    lines = np.array(table.T, order="C")
    out = np.empty((2, len(ranks), len(lines), lines.shape[1] - window + 1))  # one block of memory is faster than two
    if _jit.loaded() or out[0, 0].size > MANY_WINDOWS:
        for i, rank in enumerate(ranks):
            capacity = 4 * math.ceil((rank + 4 + 2 * math.isqrt(rank + 1)) / 4)  # whole vectors of four
            statistics_of_windows(lines, window, rank, capacity, share, size, out[0, i], out[1, i])
    else:
        for j, line in enumerate(lines):
            out[0, :, j], out[1, :, j] = statistics_of_groups(line, window, ranks)
        out[1] = (share * out[0] + out[1]) / size
    losses, sums = out.transpose(0, 1, 3, 2)
    return losses, sums


def statistics_of_groups(line: np.ndarray, window: int, ranks: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Losses and sums of every window of one series, (n_ranks, n_windows) each, by groups of neighbouring windows.

    Of the rows that the windows of a group have in common only the worst are kept, once for all; each window then sorts
    these and the few rows of its own.
    """
    count, group = len(line) - window + 1, 1 + math.isqrt(window // 4)
    groups = -(-count // group)
    padded = np.concatenate([line, np.full(groups * group - count, np.inf)])
    losses, sums = (np.empty((len(ranks), groups * group)) for _ in range(2))
    step = max(1, CHUNK // (group * (group + ranks[-1] + 1))) * group
    for first in range(0, groups * group, step):
        part = slice(first, first + step)
        candidates = _candidates(padded[first : first + step + window - 1], window, group, ranks[-1] + 1)
        losses[:, part], sums[:, part] = _tails(candidates, ranks)
    return losses[:, :count], sums[:, :count]


def _candidates(line: np.ndarray, window: int, group: int, keep: int) -> np.ndarray:
    """Numbers among which are the `keep` smallest of each window, one line a window; windows come in whole groups.

    The windows of a group have rows group - 1 to window - 1 in common, from its first. Window i also has the rows from i
    on of those before, and the first i of those after.
    """
    starts = np.arange(0, len(line) - window + 1, group)
    common = np.lib.stride_tricks.sliding_window_view(line, window - group + 1)[starts + group - 1]
    if keep < common.shape[1]:
        common = np.partition(common, keep - 1, axis=1)[:, :keep]
    before = starts[:, None] + np.arange(group - 1)
    is_before = np.arange(group - 1) >= np.arange(group)[:, None]
    own = np.where(is_before, line[before][:, None], line[before + window][:, None])
    shape = (*own.shape[:2], common.shape[1])
    return np.concatenate([np.broadcast_to(common[:, None], shape), own], axis=2).reshape(len(starts) * group, -1)


def _tails(lines: np.ndarray, ranks: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Losses at `ranks` and sums of the worse of each line, (n_ranks, n_lines) each; `lines` is reordered."""
    keep = ranks[-1] + 1
    if 2 * keep < lines.shape[1]:
        lines.partition(keep - 1, axis=1)
        lines = lines[:, :keep]
    worst = np.sort(lines, axis=1)[:, :keep].T
    return 0.0 - worst[ranks], np.array([0.0 - _sum_of(worst[:rank]) for rank in ranks])


def _sum_of(worst: np.ndarray) -> np.ndarray:
    """Sums of the columns in the order of additions of the kernel: four strands."""
    whole = len(worst) // 4 * 4
    strands = np.zeros((4, worst.shape[1]))
    for i in range(0, whole, 4):
        strands += worst[i : i + 4]
    for row in worst[whole:]:
        strands[0] += row
    total: np.ndarray = (strands[0] + strands[1]) + (strands[2] + strands[3])
    return total
