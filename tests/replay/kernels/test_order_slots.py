"""Records of orders against a plain twin: a set of free records, and the last row of each order."""

import numpy as np
import pytest

from riskkit._jit import plain
from riskkit.replay.kernels.order_slots import slots_of

NONE = np.zeros(0, np.int64)


def naive(order, parent, final):
    """The record of each row's order; the record released last is taken first."""
    last = {}
    for row, target in enumerate(order):
        if target >= 0:
            last[target] = row
        if len(parent) and parent[row] >= 0:
            last[parent[row]] = row
    slots, record, free, used = [-1] * len(order), {}, [], 0
    for row, target in enumerate(order):
        if target == row:
            if free:
                record[row] = free.pop()
            else:
                record[row], used = used, used + 1
        if target >= 0:
            slots[row] = record[target]
        for ended in dict.fromkeys([target, *([parent[row]] if len(parent) else [])]):
            if ended >= 0 and last[ended] == row and (not len(final) or final[row]):
                free.append(record[ended])
    return used, slots


def orders(draw, size):
    """Rows of which some are orders, some refer to an earlier order, and some orders have a parent."""
    order, parent = np.full(size, -1, np.int64), np.full(size, -1, np.int64)
    named = []
    for row in range(size):
        kind = draw.integers(4)
        if kind == 0 or not named:
            order[row] = row
            if named and draw.random() < 0.5:
                parent[row] = draw.choice(named)
            named.append(row)
        elif kind < 3:
            order[row] = draw.choice(named[-5:])
    return order, parent


@pytest.mark.parametrize("with_parents", [False, True])
@pytest.mark.parametrize("with_final", [False, True])
def test_records_are_those_of_the_twin(with_parents, with_final):
    draw = np.random.default_rng(7)
    for size in (0, 1, 2, 9, 40, 300):
        for _ in range(10):
            order, parent = orders(draw, size)
            parent = parent if with_parents else NONE
            final = draw.random(size) < 0.7 if with_final else np.zeros(0, bool)
            slots = np.zeros(size, np.int32)
            used = plain(slots_of)(order, parent, final, slots)
            assert (used, slots.tolist()) == naive(order.tolist(), parent.tolist(), final.tolist())


def test_more_than_a_thousand_records_are_released_at_once():
    size = 3_000
    order = np.concatenate([np.arange(size), np.arange(size), size * 2 + np.arange(size)])
    slots = np.zeros(len(order), np.int32)
    used = plain(slots_of)(order, NONE, np.zeros(0, bool), slots)
    assert (used, slots.tolist()) == naive(order.tolist(), [], [])
    assert used == size
