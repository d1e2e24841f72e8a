"""Another multiplier of an instrument: all money of it is counted anew, its lots and prices stay.

What is held goes on at its mark: the profit so far was made at the old multiplier, the one from now on is made at the new one, and
the change itself is no profit. So the cost of a position moves by as much as its value, and its cash pays that.
"""

from __future__ import annotations

from math import gcd

from riskkit.replay.kernels.book import notional
from riskkit.replay.kernels.records import Record


def take_multiplier(instrument: Record, numerator: int, denominator: int) -> None:
    """Count money at `numerator` / `denominator` times the declared multiplier from now on."""
    up = numerator * max(instrument.times_denominator, 1)
    down = denominator * max(instrument.times_numerator, 1)
    common = gcd(up, down)
    up = up // common
    down = down // common
    instrument.numerator, instrument.denominator = times(instrument.numerator, instrument.denominator, up, down)
    instrument.paid_numerator, instrument.paid_denominator = times(
        instrument.paid_numerator, instrument.paid_denominator, up, down
    )
    instrument.times_numerator = numerator
    instrument.times_denominator = denominator


def times(numerator: int, denominator: int, up: int, down: int) -> tuple[int, int]:
    """A fraction times `up` / `down`, both in lowest terms."""
    first = gcd(numerator, down)
    second = gcd(up, denominator)
    return numerator // first * (up // second), denominator // second * (down // first)


def shift_cost(position: Record, account: Record, instrument: Record, sign: int) -> int:
    """Add (`sign` 1) or take away (-1) the value of a position at the mark in its cost, and pay that; return what is paid."""
    money = sign * notional(instrument, position.qty, instrument.mark)
    position.cost += money
    account.cost += money
    account.cash -= money
    return money
