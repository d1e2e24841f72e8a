"""Money counted in floats is that of fractions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from riskkit.replay.rules.breaker_input import Money
from riskkit.replay.schema.universe import exact


@given(
    st.one_of(
        st.floats(-1e30, 1e30), st.integers(-(10**30), 10**30), st.integers(-(10**6), 10**6).map(lambda n: n / 200)
    ),
    st.sampled_from(["0.01", "1", "0.25", "3", "1e-9", "1e-30", "0.07"]),
)
def test_money_counted_in_floats_is_that_of_fractions(pnl, quantum):
    expected = round(exact(pnl, "pnl") / exact(quantum, "quantum"))
    assert Money(exact(quantum, "quantum")).quanta(pnl) == expected
