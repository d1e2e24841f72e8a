"""Integer arithmetic against Python's own, which has no 64 bits to leave, and compiled against plain."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskkit._jit import kernel
from riskkit.replay.kernels.integers import exceeds_fraction, floor_divide, fraction_of, scaled, share

SMALL = st.integers(-(2**31), 2**31)


@given(st.integers(-(2**61), 2**61), st.integers(1, 2**31), st.integers(0, 2**31))
def test_share_is_the_floor_of_the_exact_fraction(total, whole, part):
    part = min(part, whole)
    assert share(total, part, whole) == total * part // whole


@given(st.integers(-(2**61), 2**61), st.integers(2**31, 2**61), st.integers(0, 2**61))
def test_share_is_exact_for_large_wholes(total, whole, part):
    part = min(part, whole)
    assert share(total, part, whole) == total * part // whole


@given(st.integers(-3, 3), st.integers(-3, 3), st.sampled_from([-1, 1]), st.integers(0, 5), st.data())
def test_share_is_exact_where_one_division_stops_being_enough(wide, narrow, sign, more, data):
    total, part = sign * ((1 << 38) + wide), (1 << 24) + narrow
    whole = part + data.draw(st.sampled_from([more, 2**24, 2**31, 2**60]))
    assert share(total, part, whole) == total * part // whole


@given(st.integers(-(2**62), 2**62), st.integers(1, 2**62))
def test_floor_divide_is_floor_division(numerator, denominator):
    assert floor_divide(numerator, denominator) == numerator // denominator


@given(st.integers(-(2**60), 2**60), st.integers(0, 5_000_000), st.integers(0, 2**58), st.sampled_from([0, 1]))
def test_fractions_are_compared_exactly(value, ppm, base, reach):
    limit = base * ppm
    assert fraction_of(base, ppm) == limit // 1_000_000
    expected = value * 1_000_000 >= limit if reach else value * 1_000_000 > limit
    assert bool(exceeds_fraction(value, ppm, base, reach)) == expected


@given(st.integers(-(2**61), 2**61), st.integers(1, 2**31))
def test_half_goes_to_the_even(numerator, denominator):
    assert scaled(numerator, 1, denominator) == round(Fraction(numerator, denominator))


@given(st.integers(-(2**40), 2**40), SMALL, st.integers(1, 2**20))
def test_scaled_rounds_the_exact_fraction_once(count, worth, denominator):
    assert scaled(count, worth, denominator) == round(Fraction(count * worth, denominator))


@pytest.mark.parametrize(
    ("count", "worth", "denominator", "expected"),
    [(1, 1, 2, 0), (3, 1, 2, 2), (5, 1, 2, 2), (-1, 1, 2, 0), (-3, 1, 2, -2), (1, 3, 2, 2), (3, 3, 2, 4), (7, 3, 6, 4)],
)
def test_ties_by_hand(count, worth, denominator, expected):
    assert scaled(count, worth, denominator) == expected


@kernel
def compiled_scaled(count, worth, denominator):
    """Many at once, so that the test compiles once."""
    found = np.empty(len(count), np.int64)
    for i in range(len(count)):
        found[i] = scaled(count[i], worth[i], denominator[i])
    return found


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-(2**61), 2**61), SMALL, st.integers(1, 2**29)), min_size=1, max_size=20))
def test_compiled_arithmetic_keeps_inside_64_bits(rows):
    """Products stay below 2**62 where the answer and worth x denominator do: what the door lets in."""
    fitting = [row for row in rows if abs(row[0] * row[1]) // row[2] < 2**62] or [(1, 1, 1)]
    count, worth, denominator = (np.array(column, np.int64) for column in zip(*fitting, strict=True))
    expected = [round(Fraction(c * w, d)) for c, w, d in fitting]
    assert compiled_scaled(count, worth, denominator).tolist() == expected
