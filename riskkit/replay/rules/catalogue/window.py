"""Message counts in a window of time: shared by the rate rules.

The state of a window is in the fields ``total``, ``start``, ``head``, ``size`` of a rule's record and, for a sliding
window, the times of its messages in the workspace from ``memory`` on. A sliding window at t is (t - w, t]: a message
exactly w old is outside. Its log has the newest messages, enough to exceed the limit; if more were counted (only with
alerts and attempts), the count is a lower bound above the limit, and the verdict is still exact.
"""

from __future__ import annotations

import numpy as np

from riskkit.replay.kernels.records import Record, Words

FIELDS = ("total", "start", "head", "size", "memory")
SLIDING = 0
FIXED = 1
CALENDAR_DAY = 2
CLOSED = -1


def words(limit: int, window_ns: int, bucket_ns: int) -> int:
    """Words of workspace of a sliding window: a time per message, or a counter per bucket."""
    if bucket_ns > 0:
        return -(-window_ns // bucket_ns)
    return limit + 2


def used(state: Record, memory: Words, kind: int, window_ns: int, bucket_ns: int, capacity: int, ts: int) -> int:
    """Weight in the window at `ts`, before this event, without any change of state."""
    if kind == CALENDAR_DAY:
        return state.total
    if kind == FIXED:
        return state.total if state.size > 0 and ts < state.start + window_ns else 0
    if bucket_ns > 0:
        return _used_buckets(state, memory, bucket_ns, capacity, ts)
    total = state.total
    at = state.head
    for _ in range(state.size):
        if memory[state.memory + at] > ts - window_ns:
            break
        total -= 1
        at += 1
        if at == capacity:
            at = 0
    return total


def expire(state: Record, memory: Words, kind: int, window_ns: int, bucket_ns: int, capacity: int, ts: int) -> None:
    """Remove entries outside the window at `ts`."""
    if kind == FIXED:
        if state.size > 0 and ts >= state.start + window_ns:
            close(state)
    elif kind == SLIDING and bucket_ns > 0:
        _expire_buckets(state, memory, bucket_ns, capacity, ts)
    elif kind == SLIDING and state.size > 0 and state.start <= ts - window_ns:
        _drop_oldest(state, memory, capacity, ts - window_ns)


def add(state: Record, memory: Words, kind: int, bucket_ns: int, capacity: int, ts: int, weight: int) -> None:
    """Count `weight` at `ts`; `expire` has been called for the same time."""
    if kind == CALENDAR_DAY:
        state.total += weight
    elif kind == FIXED:
        if state.size == 0:
            state.start = ts
            state.size = 1
        state.total += weight
    elif bucket_ns > 0:
        memory[state.memory + (ts // bucket_ns) % capacity] += weight
        state.total += weight
    else:
        for _ in range(min(weight, capacity)):
            _append(state, memory, capacity, ts)


def _append(state: Record, memory: Words, capacity: int, ts: int) -> None:
    """Append a time to the ring buffer; wrap by comparison, which is cheaper than a division."""
    head = state.head
    size = state.size
    if size == capacity:  # overwrite the oldest
        size -= 1
        head = 0 if head + 1 == capacity else head + 1
        state.head = head
    at = head + size
    if at >= capacity:
        at -= capacity
    memory[state.memory + at] = ts
    state.size = size + 1
    state.total = size + 1
    state.start = memory[state.memory + head]


def resized(table: np.ndarray, memory: np.ndarray, before: int, after: int) -> np.ndarray:
    """Ring buffers of another capacity with the newest times of each; the records change with them.

    Returns
    -------
    ndarray of int64, shape (n_keys, after)
    """
    kept = np.minimum(table["size"], after)
    places = (table["head"] + table["size"] - kept)[:, None] + np.arange(after)
    rings = memory[table["memory"][:, None] + places % before]
    table["head"] = 0
    table["size"] = table["total"] = kept
    table["start"] = rings[:, 0]
    return rings


def close(state: Record) -> None:
    """Close a fixed or daily window; the next message opens a new one."""
    state.total = 0
    state.size = 0
    state.head = 0


def _drop_oldest(state: Record, memory: Words, capacity: int, last: int) -> None:
    """Remove the times up to `last`.

    Local variables, since the compiler cannot exclude that record and log share memory and would write every step.
    """
    head = state.head
    left = state.size
    while left > 0 and memory[state.memory + head] <= last:
        left -= 1
        head += 1
        if head == capacity:
            head = 0
    state.head = head
    state.size = left
    state.total = left
    state.start = memory[state.memory + head]


def _used_buckets(state: Record, memory: Words, bucket_ns: int, capacity: int, ts: int) -> int:
    """Weight in the last `capacity` buckets; entries expire up to one bucket early."""
    if state.size == 0:
        return 0
    now = ts // bucket_ns
    if now - state.start >= capacity:
        return 0
    total = state.total
    for old in range(state.start + 1, now + 1):
        total -= memory[state.memory + old % capacity]
    return total


def _expire_buckets(state: Record, memory: Words, bucket_ns: int, capacity: int, ts: int) -> None:
    now = ts // bucket_ns
    if state.size == 0:
        state.size = 1
        state.start = now
    steps = min(now - state.start, capacity)
    for old in range(now - steps + 1, now + 1):
        state.total -= memory[state.memory + old % capacity]
        memory[state.memory + old % capacity] = 0
    state.start = now
