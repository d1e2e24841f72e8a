"""Counting messages in a window of time: what the rate rules share.

A window keeps its state in the fields ``total``, ``start``, ``head``, ``size`` of a rule's record and, where it is a
sliding one, entries in the workspace from ``memory`` on. A sliding window at t is (t - w, t]: what is exactly w old
is out. Its log holds the newest entries, enough to exceed the limit; where more have been counted (only alerts and
attempts can), the count is a lower bound above the limit, and the verdict is exact all the same.
"""

from __future__ import annotations

__all__ = ["FIELDS", "SLIDING", "FIXED", "DAY", "add", "close", "expire", "used", "words"]

FIELDS = ("total", "start", "head", "size", "memory")
SLIDING = 0
FIXED = 1
DAY = 2
CLOSED = -1


def words(limit: int, window_ns: int, bucket_ns: int) -> int:
    """Words of workspace that a sliding window needs: (time, weight) pairs, or one counter a bucket."""
    if bucket_ns > 0:
        return -(-window_ns // bucket_ns)
    return 2 * (limit + 2)


def used(state, memory, kind, window_ns, bucket_ns, capacity, ts):
    """Weight in the window at `ts`, before this event; changes nothing."""
    if kind == DAY:
        return state.total
    if kind == FIXED:
        return state.total if state.size > 0 and ts < state.start + window_ns else 0
    if bucket_ns > 0:
        return _used_buckets(state, memory, bucket_ns, capacity, ts)
    total = state.total
    at = state.head
    for _ in range(state.size):
        if memory[state.memory + 2 * at] > ts - window_ns:
            break
        total -= memory[state.memory + 2 * at + 1]
        at += 1
        if at == capacity:
            at = 0
    return total


def expire(state, memory, kind, window_ns, bucket_ns, capacity, ts):
    """Let go of what is out of the window at `ts`."""
    if kind == FIXED:
        if state.size > 0 and ts >= state.start + window_ns:
            close(state)
    elif kind == SLIDING and bucket_ns > 0:
        _expire_buckets(state, memory, bucket_ns, capacity, ts)
    elif kind == SLIDING:
        while state.size > 0 and memory[state.memory + 2 * state.head] <= ts - window_ns:
            _drop_oldest(state, memory, capacity)


def add(state, memory, kind, bucket_ns, capacity, ts, weight):
    """Count `weight` at `ts`; `expire` has been called for the same time."""
    if kind == DAY:
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
        _add_entry(state, memory, capacity, ts, weight)


def _add_entry(state, memory, capacity, ts, weight):
    """Append to the log; messages of one instant share an entry. Wrapping by comparison: a division costs more."""
    if state.size == capacity:
        _drop_oldest(state, memory, capacity)
    at = state.head + state.size
    if at >= capacity:
        at -= capacity
    newest = at - 1 if at > 0 else capacity - 1
    if state.size > 0 and memory[state.memory + 2 * newest] == ts:
        memory[state.memory + 2 * newest + 1] += weight
    else:
        memory[state.memory + 2 * at] = ts
        memory[state.memory + 2 * at + 1] = weight
        state.size += 1
    state.total += weight


def close(state):
    """End a window counted from its first message or by the day; the next message opens a new one."""
    state.total = 0
    state.size = 0
    state.head = 0


def _drop_oldest(state, memory, capacity):
    state.total -= memory[state.memory + 2 * state.head + 1]
    state.size -= 1
    state.head += 1
    if state.head == capacity:
        state.head = 0


def _used_buckets(state, memory, bucket_ns, capacity, ts):
    """Whole buckets of the last `capacity`: at most one bucket more forgetful than the exact window."""
    if state.size == 0:
        return 0
    now = ts // bucket_ns
    if now - state.start >= capacity:
        return 0
    total = state.total
    for old in range(state.start + 1, now + 1):
        total -= memory[state.memory + old % capacity]
    return total


def _expire_buckets(state, memory, bucket_ns, capacity, ts):
    now = ts // bucket_ns
    if state.size == 0:
        state.size = 1
        state.start = now
    steps = min(now - state.start, capacity)
    for old in range(now - steps + 1, now + 1):
        state.total -= memory[state.memory + old % capacity]
        memory[state.memory + old % capacity] = 0
    state.start = now
