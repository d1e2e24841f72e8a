"""Exact arithmetic in 64 bits for money and limits.

These functions run inside the compiled loop, where int64 wraps without an error; `riskkit.replay.ingest.bounds` limits
the input so that no operation here can overflow.
"""

from __future__ import annotations

import math

from riskkit._jit import apart
from riskkit.replay.schema.constants import MISSING

MILLION = 1_000_000
SMALL = 1 << 31
WIDE = 1 << 38  # WIDE x NARROW < 2**63, and a quotient below WIDE is guessed to within 1 by floating point
NARROW = 1 << 24


@apart
def scaled(count: int, worth: int, denominator: int) -> int:
    """`count` x `worth` / `denominator` (above 0) to the nearest integer, half to even.

    The integer part is multiplied first, so that no product exceeds the answer or `worth` x `denominator`: large
    quantities of a small lot in a coarse quantum stay far from 64 bits.
    """
    integer = floor_divide(count, denominator)
    exact = integer * worth
    rest = (count - integer * denominator) * worth
    quotient = floor_divide(rest, denominator)
    twice = 2 * (rest - quotient * denominator)
    if twice > denominator or (twice == denominator and (exact + quotient) % 2 != 0):
        quotient += 1
    return exact + quotient


def share(total: int, part: int, size: int) -> int:
    """The floor of `total` x `part` / `size`, exact, for 0 <= part <= size and size above 0.

    ``total`` may be negative. Splitting it into quotient and rest keeps every product below the inputs; a product that
    is sure to fit takes one division.
    """
    if part == size:
        return total
    if abs(total) < WIDE and part < NARROW:
        return floor_divide(total * part, size)
    quotient = floor_divide(total, size)
    rest = total - quotient * size
    return part * quotient + product_over(part, rest, size)[0]


def floor_divide(numerator: int, denominator: int) -> int:
    """The floor of `numerator` / `denominator` (above 0), exact.

    A floating-point estimate, corrected in integers: half the time of a 64-bit integer division, which is the slowest
    instruction of the loop.
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
def product_over(a: int, b: int, c: int) -> tuple[int, int]:
    """The floor of a x b / c for 0 <= a, b <= c < 2**62, and the rest."""
    if c < SMALL:
        quotient = floor_divide(a * b, c)
        return quotient, a * b - quotient * c
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
    return quotient, rest


def split_mark(price: int, new: int, old: int) -> int:
    """A price of the market after a split of `new` units for `old`, at the nearest price step; MISSING stays."""
    return price if price == MISSING else floor_divide(2 * price * old + new, 2 * new)


def fraction_of(base: int, ppm: int) -> int:
    """The floor of `base` x `ppm` / one million, for base >= 0."""
    return (base // MILLION) * ppm + (base % MILLION) * ppm // MILLION


def exceeds_fraction(value: int, ppm: int, base: int, reach: int) -> bool:
    """True if value > (`reach` not 0: >=) base x ppm / one million, exactly, for base >= 0."""
    floor = fraction_of(base, ppm)
    rest = (base % MILLION) * ppm % MILLION
    if reach != 0:
        return value > floor or (value == floor and rest == 0)
    return value > floor
