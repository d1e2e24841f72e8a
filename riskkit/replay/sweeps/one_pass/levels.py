"""The smallest limit that passes each message of a sliding window, for every limit at once.

A message's *level* is the smallest number above zero that no other message of its key in (t - w, t] has. So levels in
a window are distinct, and by induction over the messages a limit L accepts exactly those with a level of at most L: the
window has one accepted message for each level up to L that occurs in it, and room for another if and only if one of
these levels is free. Levels are taken from a heap of free ones, so a message costs O(log n) for any number of limits.
(A Fenwick tree over the levels finds the same number in the same time.)
"""

from __future__ import annotations

import numpy as np

from riskkit._jit import Kernel, kernel, soonest
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.sweeps.grid.keys import count_of_keys

Array = np.ndarray


def window_levels(ts: np.ndarray, keys: np.ndarray, window_ns: int, *, compiled: Tier = "auto") -> np.ndarray:
    """The smallest limit at which each message is accepted, if refused ones do not count.

    Parameters
    ----------
    ts : ndarray of int64, shape (n_messages,)
        Non-decreasing times; equal times are processed in order.
    keys : ndarray of int64, shape (n_messages,)
        Key of the window of each message, from 0.
    window_ns : int
        The window at t is (t - window_ns, t].
    compiled : bool or str
        As in `riskkit.replay_log`.

    Returns
    -------
    ndarray of int64, shape (n_messages,)

    Examples
    --------
    >>> window_levels(np.array([0, 1, 2, 10, 11]), np.zeros(5, np.int64), 10, compiled=False).tolist()
    [1, 2, 3, 1, 2]
    """
    return _run(_levels, ts, keys, window_ns, compiled)


def attempts_in_window(ts: np.ndarray, keys: np.ndarray, window_ns: int, *, compiled: Tier = "auto") -> np.ndarray:
    """Number of messages in each message's window, itself and refused ones included.

    Examples
    --------
    >>> attempts_in_window(np.array([0, 1, 2, 10, 11]), np.zeros(5, np.int64), 10, compiled=False).tolist()
    [1, 2, 3, 3, 3]
    """
    return _run(_attempts, ts, keys, window_ns, compiled)


def _run(function: Kernel, ts: Array, keys: Array, window_ns: int, compiled: Tier) -> Array:
    """Group the messages by key in one workspace."""
    size = np.bincount(keys, minlength=count_of_keys(keys) + 1)
    start = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.int64)
    levels = np.zeros(len(ts), np.int64)
    run = soonest(function, len(ts), compiled)
    run(ts, keys, window_ns, start, np.zeros((3, len(start)), np.int64), np.zeros((2, len(ts)), np.int64), levels)
    return levels


@kernel
def _levels(ts: Array, keys: Array, window_ns: int, start: Array, state: Array, work: Array, levels: Array) -> None:
    """`state`: first in the window, one past the last, size of the heap; `work`: rows in the window, heap of levels."""
    for i in range(len(ts)):
        key = keys[i]
        base = start[key]
        head = state[0, key]
        tail = state[1, key]
        free = state[2, key]
        while head < tail and ts[work[0, base + head]] <= ts[i] - window_ns:
            freed = levels[work[0, base + head]]
            head += 1
            at = free  # sift the level up
            free += 1
            while at > 0 and work[1, base + (at - 1) // 2] > freed:
                work[1, base + at] = work[1, base + (at - 1) // 2]
                at = (at - 1) // 2
            work[1, base + at] = freed
        if free == 0:
            levels[i] = tail - head + 1
        else:
            levels[i] = work[1, base]
            free -= 1
            last = work[1, base + free]
            at = 0  # sift the last one down
            while 2 * at + 1 < free:
                child = 2 * at + 1
                if child + 1 < free and work[1, base + child + 1] < work[1, base + child]:
                    child += 1
                if work[1, base + child] >= last:
                    break
                work[1, base + at] = work[1, base + child]
                at = child
            work[1, base + at] = last
        work[0, base + tail] = i
        state[0, key] = head
        state[1, key] = tail + 1
        state[2, key] = free


@kernel
def _attempts(ts: Array, keys: Array, window_ns: int, start: Array, state: Array, work: Array, levels: Array) -> None:
    """Count the messages of each key in the window of each message."""
    for i in range(len(ts)):
        key = keys[i]
        base = start[key]
        head = state[0, key]
        tail = state[1, key]
        while head < tail and ts[work[0, base + head]] <= ts[i] - window_ns:
            head += 1
        work[0, base + tail] = i
        levels[i] = tail - head + 1
        state[0, key] = head
        state[1, key] = tail + 1
