"""A workspace is equal to its parts, and pages that nothing was written to take no memory."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit import EventLog, Rule, RuleSet, replay_log
from riskkit.replay.kernels.queue import FREE, FREE_NODES, HEADER, NODE, add_nodes
from riskkit.replay.kernels.workspace import LARGE, PAGE, joined, zeros
from riskkit.rules import OrderRate

PART = st.tuples(st.integers(0, 3 * PAGE), st.lists(st.integers(0, 3 * PAGE - 1), max_size=4))


@given(st.lists(PART, max_size=4))
def test_a_workspace_equals_its_parts(parts):
    arrays = []
    for size, places in parts:
        arrays.append(np.zeros(size, np.int64))
        arrays[-1][[place for place in places if place < size]] = 7
    assert joined(arrays).tolist() == np.concatenate([np.zeros(0, np.int64), *arrays]).tolist()


def test_a_large_workspace_can_be_written_and_is_as_any_other_array():
    large, small = zeros(LARGE), zeros(3)
    large[[0, -1]] = 1
    assert large.sum() == 2 and large.flags.writeable and large.flags.aligned and large.dtype == small.dtype


def test_nodes_are_added_in_parts_of_a_size_that_does_not_follow_the_other_rules():
    memory = zeros(40 * LARGE)
    more = add_nodes(memory, 5)
    count = int(more[FREE_NODES])
    assert len(more) == len(memory) + count * NODE and 5 <= count < len(memory) // 100 + LARGE
    assert more[FREE] == len(memory) and not more[HEADER : len(memory)].any()


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4_096


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of the process from /proc")
def test_accounts_that_send_nothing_take_no_memory_for_their_windows():
    """5,000 accounts with room for 16,000 messages each: 640 MB, if it were used."""
    order = {"ts": [0, 1, 2], "kind": "order", "account": "A9", "instrument": "X", "side": "B", "qty": 1, "price": 10}
    log = EventLog.from_frame(pd.DataFrame(order), accounts=[f"A{k}" for k in range(5_000)])
    before = resident()
    result = replay_log(log, RuleSet([Rule("rate", OrderRate(limit=16_000, window_ns="1s"))]), compiled=False)
    assert result.state.memory.nbytes > 600e6 and resident() - before < 100e6
