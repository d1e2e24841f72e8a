"""Decimal numbers as they are written, bounded before they are converted.

Python converts "1e9999999" to an integer of ten million digits before anybody can compare it. So the length and the
exponent of a number are checked first; everything that reads exact numbers reads them here.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import numpy as np

from riskkit._check import InputError, shown

MAX_DIGITS = 400  # 2**256 has 78, the shortest text of a float at most 17
MAX_EXPONENT = 307  # below it every number is finite as a float
MIN_EXPONENT = -400
ORDINARY = 1e307  # floats below it need no check
MAX_BITS = 10 * MAX_DIGITS  # of numerator and denominator of a fraction
ROUNDINGS = ("refuse", "nearest")  # of a number between two ticks, lots or units of money
ROUND_IT = "rounding='nearest' rounds it"
TOO_LARGE = "check the number; a larger tick, lot or quantum holds more"


def decimal_of(value: Any, name: str) -> Decimal:
    """The finite decimal of a text, a Decimal, an int, or the shortest text of a float.

    Raises
    ------
    InputError
        If the value is no finite number, has more than 400 digits, or an exponent beyond those of a float.

    Examples
    --------
    >>> decimal_of("0.10", "price"), decimal_of(0.1, "price")
    (Decimal('0.10'), Decimal('0.1'))
    >>> decimal_of("1e9999999", "price")
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: price='1e9999999' is too large or too finely written; a number has at most 400 digits and an exponent from -400 to 307
    """  # noqa: E501
    if type(value) is float and -ORDINARY < value < ORDINARY:
        return Decimal(repr(value))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, np.ma.core.MaskedConstant)):
        raise InputError(f"{name}={shown(value)} is not a number")
    if isinstance(value, int) and value.bit_length() > 3 * MAX_DIGITS:
        raise _beyond(value, name)
    if isinstance(value, str) and len(value) > 2 * MAX_DIGITS:
        raise _beyond(value, name)
    try:
        number = Decimal(value) if isinstance(value, (str, int, Decimal)) else Decimal(repr(float(value)))
    except (InvalidOperation, TypeError, ValueError, OverflowError):
        raise InputError(f"{name}={shown(value)} is not a number") from None
    if not number.is_finite():
        raise InputError(f"{name}={shown(value)} is not a finite number")
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if len(digits) > MAX_DIGITS or exponent < MIN_EXPONENT or number.adjusted() > MAX_EXPONENT:
        raise _beyond(value, name)
    return number


def fraction_of(value: Any, name: str) -> Fraction:
    """The exact value of what `decimal_of` reads, or of a fraction whose terms have at most 4,000 bits.

    Raises
    ------
    InputError
        As `decimal_of`.

    Examples
    --------
    >>> fraction_of("0.10", "price"), fraction_of(Fraction(1, 3), "price")
    (Fraction(1, 10), Fraction(1, 3))
    """
    if not isinstance(value, Fraction):
        return Fraction(decimal_of(value, name))
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise _beyond(value, name)
    return value


def _beyond(value: Any, name: str) -> InputError:
    return InputError(
        f"{name}={shown(value)} is too large or too finely written; a number has at most {MAX_DIGITS} digits and an "
        f"exponent from {MIN_EXPONENT} to {MAX_EXPONENT}"
    )


def in_units(steps: np.ndarray, code: np.ndarray, units: list[Fraction]) -> np.ndarray:
    """Steps times unit, rounded once if numerator and steps are exact as floats (so that 3 x 0.1 is 0.3)."""
    numerator = np.array([float(unit.numerator) for unit in units] + [np.nan])
    denominator = np.array([float(unit.denominator) for unit in units] + [1.0])
    return np.asarray(steps * numerator[code] / denominator[code])
