"""The records that orders have in a loop."""

import numpy as np
from streams import random_log

from riskkit import Rule, RuleSet
from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.order_columns import assign_slots
from riskkit.replay.schema.columns import EventKind, RowFlag
from riskkit.rules import MaxExposure

RULES = RuleSet([Rule("gross", MaxExposure(limit=9))])


def test_a_late_order_has_a_record_that_no_other_order_has():
    """It is not taken, so its later events must not find what another order left there."""
    met = 0
    for seed in range(200):
        columns = random_log(seed, 80, venue=seed % 2 == 0).columns
        shape = shape_of(RULES, columns, enforce=False, sampled=False, cancels=False, opened=False)
        slots, count = assign_slots(columns, shape)
        rows = np.flatnonzero(columns["order"] >= 0)
        assert slots[rows].min() >= 0 and slots.max() < count
        assert (slots[rows] == slots[columns["order"][rows]]).all()
        late = columns["flags"] & RowFlag.BAD_TS != 0
        for order in np.flatnonzero(late & (columns["kind"] == EventKind.ORDER)):
            if columns["order"][order] == order:
                met += 1
                assert set(columns["order"][slots == slots[order]]) == {order}
    assert met > 10
