"""The steps of one reservation: which fit, what they count, and that what is given back in parts adds up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskkit.replay.kernels import credits
from riskkit.replay.schema.columns import CreditStep, OrderStatus

STEPS = tuple(CreditStep)


def reservation(amount: int = 100, counted: int = 100, now: int = 7) -> SimpleNamespace:
    order = SimpleNamespace()
    credits.reserve(order, amount, counted, now)
    return order


def status(order: SimpleNamespace) -> OrderStatus:
    return OrderStatus(order.status)


def test_each_step_fits_one_state():
    order = reservation()
    assert [credits.fits(order, step, 0) for step in STEPS] == [False, True, True, False]
    assert credits.finish(order, CreditStep.COMMIT, 0) == 100
    assert [credits.fits(order, step, 1) for step in STEPS] == [False, False, False, True]
    assert status(order) is OrderStatus.USED
    other = reservation()
    assert credits.finish(other, CreditStep.ROLLBACK, 0) == 100
    assert not any(credits.fits(other, step, 0) for step in STEPS)


@pytest.mark.parametrize(("now", "left"), [(16, True), (17, False), (18, False)])
def test_a_reservation_lives_for_its_time(now, left):
    order = reservation(now=7)
    credits.lapse(order, now, 10)
    assert (status(order) is OrderStatus.RESERVED) == left
    kept = reservation(now=7)
    credits.lapse(kept, now, 0)
    assert status(kept) is OrderStatus.RESERVED


def test_what_is_used_does_not_lapse():
    order = reservation()
    credits.finish(order, CreditStep.COMMIT, 0)
    credits.lapse(order, 10**9, 10)
    assert status(order) is OrderStatus.USED


@pytest.mark.parametrize(("amount", "fits"), [(99, True), (100, True), (101, False)])
def test_no_more_is_released_than_is_used(amount, fits):
    order = reservation()
    credits.finish(order, CreditStep.COMMIT, 0)
    assert credits.fits(order, CreditStep.RELEASE, amount) == fits


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=6), st.integers(1, 10**15))
def test_what_is_released_in_parts_is_all_that_was_counted(parts, counted):
    order = reservation(sum(parts), counted)
    credits.finish(order, CreditStep.COMMIT, 0)
    back = []
    for part in parts:
        assert status(order) is OrderStatus.USED
        back.append(credits.finish(order, CreditStep.RELEASE, part))
        left = order.qty - order.filled
        assert counted - sum(back) == -(-counted * left // order.qty), "rounded up, against the trader"
    assert min(back) >= 0
    assert (sum(back), status(order)) == (counted, OrderStatus.DONE)
