"""Records for working orders: as many as are alive at once, not as many as the log has."""

from __future__ import annotations

import numpy as np

from riskkit._jit import kernel


@kernel
def slots_of(order: np.ndarray, parent: np.ndarray, final: np.ndarray, slots: np.ndarray) -> int:
    """Write the record of each event's order into `slots`; return the number of records needed.

    A record is taken at the order's own row and released after the last row that refers to the order (as its order or
    as a child's parent), if that row is `final` (an empty array: every row is). One array serves three passes: the last
    row of each order, a mark on that row, then the record.
    """
    size = len(order)
    slots[:] = -1
    for row in range(size):  # at an order's own row: the last row that refers to it
        if order[row] >= 0:
            slots[order[row]] = row
        if len(parent) > 0 and parent[row] >= 0:
            slots[parent[row]] = row
    ends = np.zeros((size + 7) // 8, np.uint8)  # one bit a row: its order ends here
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
    released = 0
    used = 0
    for row in range(size):
        target = order[row]
        if target < 0:
            slots[row] = -1
            if len(parent) == 0 or parent[row] < 0:
                continue
        elif target == row:
            if released > 0:
                released -= 1
                slots[row] = free[released]
            else:
                slots[row] = used
                used += 1
        else:
            slots[row] = slots[target]
        for which in range(2):
            ended = ends if which == 0 else parent_ends
            if which == 1 and len(parent) == 0:
                continue
            if (ended[row >> 3] >> np.uint8(row & 7)) & 1:
                if released == len(free):
                    larger = np.empty(2 * released, np.int32)
                    larger[:released] = free
                    free = larger
                free[released] = slots[target] if which == 0 else slots[parent[row]]
                released += 1
    return used
