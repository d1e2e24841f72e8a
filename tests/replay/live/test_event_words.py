"""The numbers and pairs of a stretch, beside the conversion of single numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from riskkit import Instrument
from riskkit.replay.ingest.amount import price
from riskkit.replay.live.column_door import _steps_of
from riskkit.replay.live.event_words import steps_of_floats, steps_of_integers
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.constants import MISSING

TICKS = ["0.25", "1", "0.01", "1e-9", "3", "1e-12", "250"]
INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 2_000)
FLOATS = (
    st.floats() | st.sampled_from([0.1, 0.25, 1e15, 2.0**53, 5e-10, 99.99999999999]) | st.integers(1, 9_999).map(float)
)


@given(
    tick=st.sampled_from(TICKS), step=st.sampled_from([1, 100, 2**20]), value=INTEGERS | FLOATS, nearest=st.booleans()
)
def test_a_number_of_a_column_is_what_a_single_one_is(tick, step, value, nearest):
    instrument = Instrument("X", tick=tick, price_step=Instrument("X", tick=tick).tick / step)
    grid, codes, found = (
        np.array([_steps_of(instrument.tick, instrument.price_step)]),
        np.zeros(2, np.int64),
        np.array([7, 7]),
    )
    if isinstance(value, float):
        steps_of_floats.function(np.array([value, np.nan]), codes, grid, nearest, found)
        assert found[1] == MISSING
    else:
        steps_of_integers.function(np.array([value, 0]), codes, grid, found)
        assert found[1] == 0
    if found[0] not in (0, MISSING):
        row = {"kind": int(EventKind.ORDER), "flags": 0}
        assert found[0] == price(value, instrument, row, nearest=nearest) > 0


def test_plain_numbers_of_a_column_are_taken():
    grids, codes = np.array([[1, 4, 1], [1, 1, 10], [0, 0, 0]]), np.array([0, 1, 0, 2, -1])
    found = np.zeros(5, np.int64)
    steps_of_floats.function(np.array([5_100.25, 3.0, 0.1, 1.0, 1.0]), codes, grids, False, found)
    assert found.tolist() == [20_401, 30, 0, 0, 0]
    steps_of_integers.function(np.array([5_100, 3, -1, 1, 1]), codes, grids, found)
    assert found.tolist() == [20_400, 30, 0, 0, 0]
