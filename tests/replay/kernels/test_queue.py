"""Queues in the shared workspace against Python lists, node for node."""

import numpy as np
import pytest

from riskkit.replay.kernels.queue import FREE_NODES, QUEUE, add_nodes, append, clear, expire, length, total

HEADER = 2
QUEUES = 3


@pytest.mark.parametrize("seed", range(5))
def test_queues_that_share_a_workspace_are_lists(seed):
    draw = np.random.default_rng(seed)
    memory = np.zeros(HEADER + QUEUES * QUEUE, np.int64)
    lists = [[] for _ in range(QUEUES)]
    added = now = 0
    for _ in range(2_000):
        which, now = int(draw.integers(QUEUES)), now + int(draw.integers(3))
        queue, expected = HEADER + which * QUEUE, lists[which]
        if memory[FREE_NODES] == 0:
            before = memory[FREE_NODES]
            memory = add_nodes(memory, 1)
            added += memory[FREE_NODES] - before
        action = draw.choice(["append", "expire", "clear"], p=[0.8, 0.18, 0.02])
        if action == "append":
            value = int(draw.integers(-9, 10))
            append(memory, queue, now, value)
            expected.append((now, value))
        elif action == "expire":
            last = now - int(draw.integers(40))
            expire(memory, queue, last)
            lists[which] = [entry for entry in expected if entry[0] > last]
        else:
            clear(memory, queue)
            lists[which] = []
        for at, entries in enumerate(lists):
            assert length(memory, HEADER + at * QUEUE) == len(entries)
            assert total(memory, HEADER + at * QUEUE) == sum(value for _, value in entries)
        assert memory[FREE_NODES] == added - sum(map(len, lists))


def test_an_entry_at_the_last_expired_time_is_removed():
    memory = add_nodes(np.zeros(HEADER + QUEUE, np.int64), 3)
    for ts in (1, 2, 3):
        append(memory, HEADER, ts, 10 * ts)
    expire(memory, HEADER, 2)
    assert (length(memory, HEADER), total(memory, HEADER)) == (1, 30)


def test_more_nodes_leave_what_is_queued():
    memory = add_nodes(np.arange(HEADER + QUEUE, dtype=np.int64) * 0, 1)
    append(memory, HEADER, 5, 7)
    free = memory[FREE_NODES]
    larger = add_nodes(memory, 1_000)
    assert larger[FREE_NODES] >= free + 1_000
    assert (length(larger, HEADER), total(larger, HEADER)) == (1, 7)
    for ts in range(int(larger[FREE_NODES])):
        append(larger, HEADER, 6 + ts, 1)
    assert larger[FREE_NODES] == 0
