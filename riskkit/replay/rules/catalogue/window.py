"""Counting messages in a window of time: what the rate rules share.

A window keeps its state in the fields ``total``, ``start``, ``head``, ``size`` of a rule's record and, where it is a
sliding one, the times of its messages in the workspace from ``memory`` on. A sliding window at t is (t - w, t]: what
is exactly w old is out. Its log holds the newest messages, enough to exceed the limit; where more have been counted
(only alerts and attempts can), the count is a lower bound above the limit, and the verdict is exact all the same.
"""

from __future__ import annotations

FIELDS = ("total", "start", "head", "size", "memory")
SLIDING = 0
FIXED = 1
CALENDAR_DAY = 2
CLOSED = -1


def words(limit: int, window_ns: int, bucket_ns: int) -> int:
    """Words of workspace that a sliding window needs: a time for each message, or a counter for each bucket."""
    if bucket_ns > 0:
        return -(-window_ns // bucket_ns)
    return limit + 2


def used(state, memory, kind, window_ns, bucket_ns, capacity, ts):
    """Weight in the window at `ts`, before this event; changes nothing."""
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


def expire(state, memory, kind, window_ns, bucket_ns, capacity, ts):
    """Let go of what is out of the window at `ts`."""
    if kind == FIXED:
        if state.size > 0 and ts >= state.start + window_ns:
            close(state)
    elif kind == SLIDING and bucket_ns > 0:
        _expire_buckets(state, memory, bucket_ns, capacity, ts)
    elif kind == SLIDING and state.size > 0 and state.start <= ts - window_ns:
        _drop_oldest(state, memory, capacity, ts - window_ns)


def add(state, memory, kind, bucket_ns, capacity, ts, weight):
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


def _append(state, memory, capacity, ts):
    """Append a time to the log; wrapping by comparison, for a division costs more than all the rest."""
    head = state.head
    size = state.size
    if size == capacity:  # the oldest makes way
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


def close(state):
    """End a window counted from its first message or by the day; the next message opens a new one."""
    state.total = 0
    state.size = 0
    state.head = 0


def _drop_oldest(state, memory, capacity, last):
    """Forget the times up to `last`.

    In local variables: the record could share memory with the log, for all that the compiler knows, and would be
    written at every turn.
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
