"""Conversion of money: exact, rounded once and against the trader, and never beyond 64 bits; as fractions do it."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riskkit._jit import kernel
from riskkit.replay.kernels import conversion as exchange
from riskkit.replay.kernels.conversion import CONVERSION, MOST, RATE, crossed
from riskkit.replay.kernels.records import Records, record_dtype
from riskkit.replay.kernels.runtime import Terms
from riskkit.replay.schema.columns import MISSING, RATE_UNIT

AMOUNTS = st.integers(0, 2**61) | st.integers(0, 10**6)
RATES = st.integers(1, 10**17 - 1) | st.sampled_from([1, 1_100_100_000, 150 * RATE_UNIT, 6_666_667, 10**17 - 1])
EUR, USD, JPY = range(3)


def in_fractions(amount, n1, d1, n2, d2, up):
    exact = Fraction(amount * n1 * n2, d1 * d2)
    return min(math.ceil(exact) if up else math.floor(exact), MOST)


@given(AMOUNTS, RATES, RATES, RATES, RATES, st.integers(0, 1))
@example(2**61, 10**17 - 1, 1, 1, 10**17 - 1, 0)
@example(999_99, 11_001, 10_000, 1, 150, 1)
def test_an_amount_through_two_rates_is_rounded_once(amount, n1, d1, n2, d2, up):
    found = crossed(amount, n1, d1, n2, d2, up)
    if amount * n1 // d1 >= MOST:  # a sum on the way beyond 64 bits counts as the most
        assert found == MOST
    else:
        assert found == in_fractions(amount, n1, d1, n2, d2, up)


@kernel
def compiled_crossed(amounts, n1, d1, n2, d2, found):
    for place in range(len(amounts)):
        found[place] = crossed(amounts[place], n1, d1, n2, d2, place % 2)


def test_the_compiled_conversion_is_the_plain_one():
    draw = np.random.default_rng(5)
    amounts = np.concatenate([draw.integers(0, 2**61, 200), draw.integers(0, 10**6, 200)])
    for rates in ((1_100_100_000, RATE_UNIT, RATE_UNIT, 149_370_000_000), (10**17 - 1, 1, 7, 10**17 - 1)):
        found = np.zeros(len(amounts), np.int64)
        compiled_crossed(amounts, *rates, found)
        plain = [crossed(amount, *rates, place % 2) for place, amount in enumerate(amounts.tolist())]
        assert found.tolist() == plain


def records(**quotes):
    """A table of rates of three currencies, from the bid and ask of pairs at time 5."""
    table = np.zeros(10, record_dtype(RATE))
    for pair, (bid, ask) in quotes.items():
        source, target = (["EUR", "USD", "JPY"].index(pair[part : part + 3]) for part in (0, 3))
        table[1 + 3 * source + target] = int(bid * RATE_UNIT), int(ask * RATE_UNIT), 5
    return Records(table, 1)


def conversion(rates, source, target, oldest=MISSING, via=USD):
    record = Records(np.zeros(1, record_dtype(CONVERSION)))[0]
    missing = exchange.find_way(record, rates, 3, source, Terms(0, 0, 0, 0, target, via), oldest)
    assert record.missing == missing
    return record


def test_what_harms_as_it_grows_takes_the_worse_side():
    rates = records(EURUSD=(1, 2), USDJPY=(100, 200))
    assert exchange.upper(conversion(rates, EUR, USD), 7) == 14, "at the ask"
    assert exchange.upper(conversion(rates, EUR, USD), -7) == -7, "at the bid"
    assert exchange.lower(conversion(rates, EUR, USD), 7) == 7
    assert exchange.lower(conversion(rates, EUR, USD), -7) == -14
    assert exchange.upper(conversion(rates, USD, EUR), 7) == 7, "of the inverse pair, divided by the bid"
    assert exchange.upper(conversion(rates, USD, EUR), -7) == -3, "and by the ask, -3.5 rounded up"
    assert exchange.upper(conversion(rates, EUR, JPY), 1) == 400, "through USD"
    assert exchange.upper(conversion(rates, JPY, EUR), 101) == 2, "1.01 rounded up"
    assert exchange.upper(conversion(rates, JPY, JPY), 101) == 101


@pytest.mark.parametrize(("oldest", "missing"), [(5, 0), (6, -1 - JPY)])
def test_a_rate_of_exactly_the_age_is_fresh(oldest, missing):
    assert conversion(records(USDJPY=(100, 100)), JPY, USD, oldest).missing == missing


def test_the_pair_comes_before_its_inverse_and_both_before_a_cross():
    both = records(EURUSD=(2, 2), USDEUR=(0.25, 0.25), USDJPY=(100, 100), EURJPY=(300, 300))
    assert exchange.upper(conversion(both, EUR, USD), 1) == 2
    assert exchange.upper(conversion(both, EUR, JPY), 1) == 300
    assert conversion(records(EURUSD=(2, 2)), EUR, JPY).missing == -1 - EUR
    assert conversion(both, EUR, -1).missing == -1 - EUR, "a currency that nothing has"


def test_sums_stop_at_the_most():
    assert exchange.plus(MOST, MOST) == MOST
    assert exchange.plus(-MOST, -MOST) == -MOST
    record = conversion(records(EURUSD=(10**7, 10**7)), EUR, USD)
    assert exchange.upper(record, 2**61) == MOST
