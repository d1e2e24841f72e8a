"""Queues of (time, value) entries in the shared workspace: exact sliding windows of any length.

A queue is four words, [first entry, last entry, length, sum of values], at a place of its own; its entries are cells
of three words that all queues draw from one list of free ones. The loop stops before it could run out of them, and
the engine adds more (`more_cells`). What is in a queue never depends on where its cells are.
"""

from __future__ import annotations

import numpy as np

__all__ = ["CELLS_LEFT", "QUEUE", "append", "clear", "expire", "length", "more_cells", "total"]

QUEUE = 4  # words of a queue
HEADER = 2  # words 0 and 1 of the workspace: the first free cell (0: none), and how many are left
CELLS_LEFT = 1
CELL = 3
FIRST_CELLS = 64


def length(memory, queue):
    """How many entries a queue has."""
    return memory[queue + 2]


def total(memory, queue):
    """The sum of a queue's values."""
    return memory[queue + 3]


def append(memory, queue, ts, value):
    """Put an entry at the end."""
    cell = memory[0]
    memory[0] = memory[cell]
    memory[1] -= 1
    memory[cell] = 0
    memory[cell + 1] = ts
    memory[cell + 2] = value
    if memory[queue + 2] == 0:
        memory[queue] = cell
    else:
        memory[memory[queue + 1]] = cell
    memory[queue + 1] = cell
    memory[queue + 2] += 1
    memory[queue + 3] += value


def expire(memory, queue, last):
    """Let go of the entries up to the time `last`."""
    while memory[queue + 2] > 0 and memory[memory[queue] + 1] <= last:
        cell = memory[queue]
        memory[queue] = memory[cell]
        memory[queue + 2] -= 1
        memory[queue + 3] -= memory[cell + 2]
        memory[cell] = memory[0]
        memory[0] = cell
        memory[1] += 1


def clear(memory, queue):
    """Let go of every entry."""
    if memory[queue + 2] > 0:
        memory[memory[queue + 1]] = memory[0]
        memory[0] = memory[queue]
        memory[1] += memory[queue + 2]
        memory[queue + 2] = 0
        memory[queue + 3] = 0


def more_cells(memory: np.ndarray, cells: int) -> np.ndarray:
    """The workspace with at least `cells` more free cells behind it."""
    count = max(cells, FIRST_CELLS, len(memory) // CELL // 2)
    larger = np.concatenate([memory, np.zeros(count * CELL, np.int64)])
    places = len(memory) + CELL * np.arange(count)
    larger[places[:-1]] = places[1:]
    larger[places[-1]] = memory[0]
    larger[0] = places[0]
    larger[CELLS_LEFT] += count
    return larger
