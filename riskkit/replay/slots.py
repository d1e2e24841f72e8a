"""Records for working orders: as many as live at once, not as many as there ever were."""

from __future__ import annotations

import numpy as np

from riskkit._jit import kernel

__all__ = ["slots_of"]


@kernel
def slots_of(order, parent, final, slots):
    """Fill `slots` with the record of each event's order; return how many records are needed.

    An order's record is taken at its own row and given back after the last row that names it (as its order or as a
    child's parent), if that row is `final` (an empty array: every row is). One array serves three passes: the last
    row of each order, a mark on that row, then the record.
    """
    size = len(order)
    slots[:] = -1
    for row in range(size):  # at an order's own row: the last row that names it
        if order[row] >= 0:
            slots[order[row]] = row
        if len(parent) > 0 and parent[row] >= 0:
            slots[parent[row]] = row
    ends = np.zeros((size + 7) // 8, np.uint8)  # one bit a row: it ends the life of its order
    parent_ends = np.zeros((size + 7) // 8 if len(parent) > 0 else 0, np.uint8)
    for row in range(size):
        if order[row] == row:
            last = slots[row]
            if len(final) > 0 and not final[last]:
                continue
            if order[last] == row:
                ends[last >> 3] |= np.uint8(1 << (last & 7))
            else:
                parent_ends[last >> 3] |= np.uint8(1 << (last & 7))
    free = np.empty(1024, np.int32)
    freed = 0
    used = 0
    for row in range(size):
        own = order[row]
        if own < 0:
            slots[row] = -1
            if len(parent) == 0 or parent[row] < 0:
                continue
        elif own == row:
            if freed > 0:
                freed -= 1
                slots[row] = free[freed]
            else:
                slots[row] = used
                used += 1
        else:
            slots[row] = slots[own]
        for which in range(2):
            ended = ends if which == 0 else parent_ends
            if which == 1 and len(parent) == 0:
                continue
            if (ended[row >> 3] >> np.uint8(row & 7)) & 1:
                if freed == len(free):
                    larger = np.empty(2 * freed, np.int32)
                    larger[:freed] = free
                    free = larger
                free[freed] = slots[own] if which == 0 else slots[parent[row]]
                freed += 1
    return used
