"""Exact arithmetic in 64 bits: the few integer operations that money and limits rest on.

These run inside the compiled loop, where int64 wraps in silence; the door (`events`, `door`) has bounded what
comes in so that no operation here can overflow.
"""

from __future__ import annotations

import math

from riskkit._jit import apart

__all__ = ["MILLION", "exceeds_fraction", "floor_divide", "fraction_of", "scaled", "share"]

MILLION = 1_000_000
SMALL = 1 << 31
WIDE = 1 << 38  # WIDE x NARROW < 2**63, and a quotient below WIDE is guessed to within 1 by floating point
NARROW = 1 << 24


@apart
def scaled(count, worth, denominator):
    """`count` x `worth` / `denominator` (above 0) to the nearest integer, a tie to the even one.

    What is whole is multiplied first, so that no product is beyond the answer or beyond `worth` x `denominator`:
    large quantities of a small lot in a coarse quantum stay far from 64 bits.
    """
    whole = floor_divide(count, denominator)
    sure = whole * worth
    part = (count - whole * denominator) * worth
    quotient = floor_divide(part, denominator)
    twice = 2 * (part - quotient * denominator)
    if twice > denominator or (twice == denominator and (sure + quotient) % 2 != 0):
        quotient += 1
    return sure + quotient


def share(total, part, whole):
    """The floor of `total` x `part` / `whole`, exact, for 0 <= part <= whole and whole above 0.

    ``total`` may be negative. Splitting it into quotient and rest keeps every product below the inputs themselves;
    where the product is sure to fit, one division does.
    """
    if part == whole:
        return total
    if abs(total) < WIDE and part < NARROW:
        return floor_divide(total * part, whole)
    quotient = floor_divide(total, whole)
    rest = total - quotient * whole
    return part * quotient + _floor_product(part, rest, whole)


def floor_divide(numerator, denominator):
    """The floor of `numerator` / `denominator` (above 0), exact.

    A guess by floating point, then corrected in integers until it is right: half the time of a 64-bit integer
    division, which is the slowest instruction of the whole loop.
    """
    quotient = math.floor(numerator / denominator)
    rest = numerator - quotient * denominator
    while rest < 0:
        rest += denominator
        quotient -= 1
    while rest >= denominator:
        rest -= denominator
        quotient += 1
    return quotient


@apart
def _floor_product(a, b, c):
    """The floor of a x b / c for 0 <= a, b <= c < 2**62."""
    if c < SMALL:
        return floor_divide(a * b, c)
    quotient = 0
    rest = 0
    for bit in range(61, -1, -1):  # schoolbook multiplication, one bit of `a` at a time, reduced as it grows
        quotient *= 2
        rest *= 2
        if rest >= c:
            rest -= c
            quotient += 1
        if (a >> bit) & 1:
            rest += b
            if rest >= c:
                rest -= c
                quotient += 1
    return quotient


def fraction_of(base, ppm):
    """The floor of `base` x `ppm` / one million, for base >= 0."""
    return (base // MILLION) * ppm + (base % MILLION) * ppm // MILLION


def exceeds_fraction(value, ppm, base, reach):
    """Whether value > (reach: >=) base x ppm / one million, exactly, for base >= 0."""
    whole = fraction_of(base, ppm)
    rest = (base % MILLION) * ppm % MILLION
    if reach != 0:
        return value > whole or (value == whole and rest == 0)
    return value > whole
