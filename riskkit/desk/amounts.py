"""Exact amounts of any size: whole lots and whole quanta of money as Python integers, and what a fill does to a holding.

The replay counts in 64 bits and its helpers guess with a float first; tokens need 256 bits, so here the same
definitions stand in Python's own integers. A test holds the two against each other, to the last unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.replay.universe import decimal_text, exact

__all__ = ["MOST", "Holding", "Unit", "half_even", "ratio_of"]

MOST = 2**256
WIDE = Context(prec=400, Emin=-999_999, Emax=999_999)


class Unit:
    """The smallest step of a quantity or of money; every amount is a whole number of them.

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
    >>> wei = Unit("1e-18")
    >>> wei.count(Decimal("1.5"), "amount"), wei.amount(3)
    (1500000000000000000, Decimal('3E-18'))
    """

    __slots__ = ("denominator", "exponent", "mantissa", "numerator", "step")

    def __init__(self, step: Any) -> None:
        self.step = exact(step, "step")
        if self.step <= 0:
            raise InputError(f"step={step!r} is not above zero")
        if "/" in decimal_text(self.step):
            raise InputError(f"step={step!r} has no finite decimal; use a step such as '0.01'")
        self.numerator, self.denominator = self.step.numerator, self.step.denominator
        digits = Decimal(decimal_text(self.step)).as_tuple()
        self.exponent = int(digits.exponent)
        self.mantissa = int("".join(map(str, digits.digits)))

    def count(self, value: Any, name: str, *, floats: bool = False) -> int:
        """How many steps an amount is, exactly.

        Raises
        ------
        InputError
            An amount that is no whole number of steps, beyond 256 bits, not finite, or a float where `floats` is
            False (which counts 0.1 as the decimal that it prints as).
        """
        numerator, denominator = ratio_of(value, name, floats=floats)
        count, rest = divmod(numerator * self.denominator, denominator * self.numerator)
        if rest:
            raise InputError(f"{name}={value!r} is not a whole number of {self}; round it before the call")
        if not -MOST < count < MOST:
            raise InputError(f"{name}={value!r} is beyond 256 bits in steps of {self}")
        return count

    def amount(self, count: int) -> Decimal:
        """The amount of so many steps, every digit of it."""
        return Decimal(count * self.mantissa).scaleb(self.exponent, WIDE)

    def text(self, count: int) -> str:
        """The amount as it is written in a store: every digit, always the same number of places after the point.

        Examples
        --------
        >>> Unit("0.01").text(-5), Unit(1).text(7)
        ('-0.05', '7')
        """
        whole = count * self.mantissa
        if self.exponent >= 0:
            return str(whole * 10**self.exponent)
        digits = str(abs(whole)).zfill(1 - self.exponent)
        return f"{'-' if count < 0 else ''}{digits[: self.exponent]}.{digits[self.exponent :]}"

    def count_of(self, text: str) -> int:
        """The count of which `text` made this text, of any size.

        Raises
        ------
        ValueError
            A text that is none of them.

        Examples
        --------
        >>> Unit("0.01").count_of("-0.05")
        -5
        """
        whole = int(text.replace(".", "")) if self.exponent < 0 else int(text) // 10**self.exponent
        if self.text(whole // self.mantissa) != text:
            raise ValueError(f"{text!r} is no amount in steps of {self}")
        return whole // self.mantissa

    def number(self, count: int) -> float:
        """The same as the nearest float."""
        return count * self.numerator / self.denominator

    def __str__(self) -> str:
        return decimal_text(self.step)

    def __repr__(self) -> str:
        return f"Unit({str(self)!r})"


def half_even(numerator: int, denominator: int) -> int:
    """Numerator / denominator (above 0) to the nearest integer, a tie to the even one: `riskkit.replay.integers.scaled`."""
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return whole + 1 if twice > denominator or (twice == denominator and whole & 1) else whole


@dataclass(slots=True)
class Holding:
    """A quantity with what it cost: lots, cost and realised profit in quanta; negative lots are short.

    Examples
    --------
    >>> holding = Holding()
    >>> holding.fill(10, 1000), holding.fill(-4, 600), holding.cost, holding.realised
    (0, 200, 600, 200)
    """

    lots: int = 0
    cost: int = 0
    realised: int = 0

    def fill(self, lots: int, money: int) -> int:
        """Book a fill of signed lots for so much money (at least 0); return the profit that it took.

        The rules of `riskkit.replay.book.fill`: what closes gives back its share of the average cost, rounded down,
        and a fill that flips closes all and opens the rest.
        """
        self.lots, self.cost, realised = self.after(lots, money)
        self.realised += realised
        return realised

    def after(self, lots: int, money: int) -> tuple[int, int, int]:
        """(lots, cost, profit taken) of a fill, without booking it."""
        held, side, quantity = self.lots, 1 if lots > 0 else -1, abs(lots)
        if held * side >= 0:
            return held + lots, self.cost + side * money, 0
        size = abs(held)
        closing = min(quantity, size)
        part = money if quantity <= size else money * size // quantity
        released = self.cost if closing == size else self.cost * closing // size
        return held + lots, self.cost - released + side * (money - part), -side * part - released


def ratio_of(value: Any, name: str, *, floats: bool = False) -> tuple[int, int]:
    """A number as people write it, as numerator and denominator; a float as the decimal that it prints as, if allowed.

    Raises
    ------
    InputError
        What is no number, or not finite; a float that is not allowed.
    """
    if type(value) is int:
        return value, 1
    if isinstance(value, np.integer):
        return int(value), 1
    if isinstance(value, (float, np.floating)):
        if not floats:
            raise InputError(f"{name}={value!r} is a float, which is not exact; give an int, a Decimal or a text")
        value = repr(float(value))
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            raise InputError(f"{name}={value!r} is not a number") from None
    if isinstance(value, (Decimal, Fraction)):
        try:
            return value.as_integer_ratio()
        except (OverflowError, ValueError):
            raise InputError(f"{name}={value} is not a finite number") from None
    raise InputError(f"{name}={value!r} is not an amount; give an int, a Decimal or a text")
