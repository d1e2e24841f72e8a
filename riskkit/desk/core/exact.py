"""Exact amounts of any size: lots and quanta of money as Python integers, and the average cost of a position.

The replay counts in 64 bits; tokens need 256 bits, so the same definitions are written here on Python integers. A test
compares the two, to the last unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.schema.decimals import decimal_of, fraction_of
from riskkit.replay.schema.universe import decimal_text, exact

LIMIT = 2**256
SMALL_BITS = LIMIT.bit_length()  # of an integer that needs no reading
WIDE = Context(prec=400, Emin=-999_999, Emax=999_999)


class Step:
    """The smallest step of a quantity or of money; every amount is a whole number of steps.

    Parameters
    ----------
    step : int, str, Decimal or Fraction
        Above zero, with a finite decimal: "0.01", 1, Decimal("1e-18").

    Raises
    ------
    InputError
        A step that is not above zero, or has no finite decimal.

    Examples
    --------
    >>> wei = Step("1e-18")
    >>> wei.count(Decimal("1.5"), "amount"), wei.amount(3)
    (1500000000000000000, Decimal('3E-18'))
    """

    __slots__ = ("denominator", "exponent", "mantissa", "numerator", "step")

    def __init__(self, step: Any) -> None:
        self.step = exact(step, "step")
        if self.step <= 0:
            raise InputError(f"step={shown(step)} is not above zero")
        if "/" in decimal_text(self.step):
            raise InputError(f"step={shown(step)} has no finite decimal; use a step such as '0.01'")
        self.numerator, self.denominator = self.step.numerator, self.step.denominator
        digits = Decimal(decimal_text(self.step)).as_tuple()
        self.exponent = int(digits.exponent)
        self.mantissa = int("".join(map(str, digits.digits)))

    def count(self, value: Any, name: str, *, floats: bool = False) -> int:
        """Convert an amount to its exact number of steps.

        Raises
        ------
        InputError
            An amount that is not a whole number of steps, beyond 256 bits, not finite, or a float where `floats` is
            False (True reads 0.1 as the decimal that it prints as).
        """
        small = type(value) is int and value.bit_length() <= SMALL_BITS
        numerator, denominator = (value, 1) if small else ratio_of(value, name, floats=floats)
        count, rest = divmod(numerator * self.denominator, denominator * self.numerator)
        if rest:
            raise InputError(f"{name}={shown(value)} is not a whole number of {self}; round it before the call")
        if not -LIMIT < count < LIMIT:
            raise InputError(f"{name}={shown(value)} is beyond 256 bits in steps of {self}")
        return count

    def amount(self, count: int) -> Decimal:
        """Convert a number of steps to an amount with every digit."""
        return Decimal(count * self.mantissa).scaleb(self.exponent, WIDE)

    def text(self, count: int) -> str:
        """Format an amount for a store: every digit, with a fixed number of decimals.

        Examples
        --------
        >>> Step("0.01").text(-5), Step(1).text(7)
        ('-0.05', '7')
        """
        integer = count * self.mantissa
        if self.exponent >= 0:
            return str(integer * 10**self.exponent)
        digits = str(abs(integer)).zfill(1 - self.exponent)
        return f"{'-' if count < 0 else ''}{digits[: self.exponent]}.{digits[self.exponent :]}"

    def count_of(self, text: str) -> int:
        """Read what `text` wrote.

        Raises
        ------
        ValueError
            A text of another form.

        Examples
        --------
        >>> Step("0.01").count_of("-0.05")
        -5
        """
        integer = int(text.replace(".", "")) if self.exponent < 0 else int(text) // 10**self.exponent
        if self.text(integer // self.mantissa) != text:
            raise ValueError(f"{text!r} is not an amount in steps of {self}")
        return integer // self.mantissa

    def number(self, count: int) -> float:
        """Convert a number of steps to the nearest float."""
        return count * self.numerator / self.denominator

    def __str__(self) -> str:
        return decimal_text(self.step)

    def __repr__(self) -> str:
        return f"Step({str(self)!r})"


def half_even(numerator: int, denominator: int) -> int:
    """Numerator / denominator (above 0) rounded to the nearest integer, ties to even: `riskkit.replay.kernels.integers.scaled`."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return quotient + 1 if twice > denominator or (twice == denominator and quotient & 1) else quotient


class ExactPrice(NamedTuple):
    """A price, its time, and quanta of money per lot as a ratio of integers."""

    price: float
    timestamp: Any
    numerator: int
    denominator: int

    @classmethod
    def of(cls, price: Any, timestamp: Any, lot: Step, quantum: Step, name: str, limit: int = LIMIT) -> ExactPrice:
        """Convert a price per unit; a float is read as the decimal that it prints as.

        Raises
        ------
        InputError
            A price that is not above zero, or not below `limit` quanta per lot.
        """
        above, below = ratio_of(price, name, floats=True)
        if above <= 0:
            raise InputError(f"{name}={shown(price)} is not above zero")
        numerator = above * lot.numerator * quantum.denominator
        denominator = below * lot.denominator * quantum.numerator
        if numerator >= limit * denominator:
            raise InputError(
                f"{name}={shown(price)} is beyond {limit.bit_length() - 1} bits in quanta of money per lot"
            )
        return cls(above / below, timestamp, numerator, denominator)

    def money(self, lots: int) -> int:
        """Value of lots in quanta, rounded once, half to even."""
        return half_even(lots * self.numerator, self.denominator)


@dataclass(slots=True)
class CostBasis:
    """Quantity, cost and realized profit of a position at average cost; negative lots are short.

    Examples
    --------
    >>> basis = CostBasis()
    >>> basis.fill(10, 1000), basis.fill(-4, 600), basis.cost, basis.realized
    (0, 200, 600, 200)
    """

    lots: int = 0
    cost: int = 0
    realized: int = 0

    def fill(self, lots: int, money: int) -> int:
        """Book a fill of signed lots for `money` quanta (at least 0); return the realized profit.

        The rules of `riskkit.replay.kernels.book.fill`: a closing fill releases its share of the average cost, rounded down,
        and a fill that flips the position closes all of it and opens the rest.
        """
        held, side, quantity = self.lots, 1 if lots > 0 else -1, abs(lots)
        self.lots = held + lots
        if held * side >= 0:
            self.cost += side * money
            return 0
        size = abs(held)
        closing = min(quantity, size)
        part = money if quantity <= size else money * size // quantity
        released = self.cost if closing == size else self.cost * closing // size
        realized = -side * part - released
        self.cost += side * (money - part) - released
        self.realized += realized
        return realized


def ratio_of(value: Any, name: str, *, floats: bool = False) -> tuple[int, int]:
    """Numerator and denominator of a number; with `floats`, a float is read as the decimal that it prints as.

    Raises
    ------
    InputError
        A value that is not a finite number; a float without `floats`.
    """
    if type(value) is int and value.bit_length() <= SMALL_BITS:
        return value, 1
    if isinstance(value, Fraction):
        return fraction_of(value, name).as_integer_ratio()
    if isinstance(value, (float, np.floating)) and not floats:
        raise InputError(f"{name}={shown(value)} is a float, which is not exact; give an int, a Decimal or a text")
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal, np.integer, np.floating)):
        raise InputError(f"{name}={shown(value)} is not an amount; give an int, a Decimal or a text")
    return decimal_of(value, name).as_integer_ratio()
