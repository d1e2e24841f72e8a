"""Sliding windows: FIFO queues of (time, value) nodes in a shared int64 workspace.

A queue is a header of `QUEUE` words (first node, last node, length, sum of values). Its nodes have three words (next
node, time, value) and come from one free list that all queues share. The loop stops before the free list is empty and
the engine adds nodes (`add_nodes`). The contents of a queue do not depend on the position of its nodes.
"""

from __future__ import annotations

import numpy as np

from riskkit.replay.kernels.integers import split_mark
from riskkit.replay.kernels.records import Words
from riskkit.replay.kernels.workspace import joined, zeros

QUEUE = 4  # words of a queue's header: these four
FIRST, LAST, LENGTH, SUM = range(4)
NODE = 3  # words of a node: these three
NEXT, TIME, VALUE = range(3)
HEADER = 2  # words of the workspace before all queues: the first free node (0: none) and the number of free nodes
FREE, FREE_NODES = range(2)
FIRST_NODES = 64
MOST_NODES = 1 << 20  # at a time, for each is written to: the workspace may be large because of other rules


def length(memory: Words, queue: int) -> int:
    """Number of entries of a queue."""
    return memory[queue + LENGTH]


def total(memory: Words, queue: int) -> int:
    """Sum of the values of a queue."""
    return memory[queue + SUM]


def append(memory: Words, queue: int, ts: int, value: int) -> None:
    """Add an entry at the end."""
    node = memory[FREE]
    memory[FREE] = memory[node + NEXT]
    memory[FREE_NODES] -= 1
    memory[node + NEXT] = 0
    memory[node + TIME] = ts
    memory[node + VALUE] = value
    if memory[queue + LENGTH] == 0:
        memory[queue + FIRST] = node
    else:
        memory[memory[queue + LAST] + NEXT] = node
    memory[queue + LAST] = node
    memory[queue + LENGTH] += 1
    memory[queue + SUM] += value


def keep_highest(memory: Words, queue: int, ts: int, value: int) -> None:
    """Add an entry in place of those that it outlives, the lower and equal ones: the first entry is the highest."""
    node = memory[queue + FIRST]
    last = 0
    left = memory[queue + LENGTH]
    above = 0
    while left > 0 and memory[node + VALUE] > value:
        above += memory[node + VALUE]
        last = node
        node = memory[node + NEXT]
        left -= 1
    if left > 0:
        memory[memory[queue + LAST] + NEXT] = memory[FREE]
        memory[FREE] = node
        memory[FREE_NODES] += left
        memory[queue + LENGTH] -= left
        memory[queue + LAST] = last
        memory[queue + SUM] = above
    append(memory, queue, ts, value)


def first_value(memory: Words, queue: int) -> int:
    """Value of the first entry of a queue that has one."""
    return memory[memory[queue + FIRST] + VALUE]


def first_time(memory: Words, queue: int) -> int:
    """Time of the first entry of a queue that has one."""
    return memory[memory[queue + FIRST] + TIME]


def last_time(memory: Words, queue: int) -> int:
    """Time of the last entry of a queue that has one."""
    return memory[memory[queue + LAST] + TIME]


def time_at(memory: Words, queue: int, sum_of_values: int) -> int:
    """Time of the first entry up to which the values add up to a sum, which the queue has."""
    node = memory[queue + FIRST]
    left = sum_of_values - memory[node + VALUE]
    while left > 0:
        node = memory[node + NEXT]
        left -= memory[node + VALUE]
    return memory[node + TIME]


def pop(memory: Words, queue: int) -> None:
    """Remove the first entry of a queue that has one."""
    node = memory[queue + FIRST]
    memory[queue + FIRST] = memory[node + NEXT]
    memory[queue + LENGTH] -= 1
    memory[queue + SUM] -= memory[node + VALUE]
    memory[node + NEXT] = memory[FREE]
    memory[FREE] = node
    memory[FREE_NODES] += 1


def adjust(memory: Words, queue: int, ts: int, change: int) -> None:
    """Add to the value of the first entry of a time, if there is one."""
    node = memory[queue + FIRST]
    left = memory[queue + LENGTH]
    while left > 0 and memory[node + TIME] < ts:
        node = memory[node + NEXT]
        left -= 1
    if left > 0 and memory[node + TIME] == ts:
        memory[node + VALUE] += change
        memory[queue + SUM] += change


def split_values(memory: Words, queue: int, new: int, old: int) -> None:
    """Give the values of a queue, prices in steps, after a split of `new` units for `old`: the nearest steps."""
    node = memory[queue + FIRST]
    total_value = 0
    for _ in range(memory[queue + LENGTH]):
        memory[node + VALUE] = split_mark(memory[node + VALUE], new, old)
        total_value += memory[node + VALUE]
        node = memory[node + NEXT]
    memory[queue + SUM] = total_value


def expire(memory: Words, queue: int, last: int) -> None:
    """Remove the entries up to and including the time `last`."""
    while memory[queue + LENGTH] > 0 and memory[memory[queue + FIRST] + TIME] <= last:
        node = memory[queue + FIRST]
        memory[queue + FIRST] = memory[node + NEXT]
        memory[queue + LENGTH] -= 1
        memory[queue + SUM] -= memory[node + VALUE]
        memory[node + NEXT] = memory[FREE]
        memory[FREE] = node
        memory[FREE_NODES] += 1


def clear(memory: Words, queue: int) -> None:
    """Remove every entry."""
    if memory[queue + LENGTH] > 0:
        memory[memory[queue + LAST] + NEXT] = memory[FREE]
        memory[FREE] = memory[queue + FIRST]
        memory[FREE_NODES] += memory[queue + LENGTH]
        memory[queue + LENGTH] = 0
        memory[queue + SUM] = 0


def add_nodes(memory: np.ndarray, number: int) -> np.ndarray:
    """Return a workspace with at least `number` more free nodes."""
    count = max(number, FIRST_NODES, min(len(memory) // NODE // 2, MOST_NODES))
    larger = joined([memory, zeros(count * NODE)])
    nodes = len(memory) + NODE * np.arange(count)
    larger[nodes[:-1]] = nodes[1:]
    larger[nodes[-1]] = memory[FREE]
    larger[FREE] = nodes[0]
    larger[FREE_NODES] += count
    return larger
