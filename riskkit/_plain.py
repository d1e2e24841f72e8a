"""Plain data that come back from outside (JSON), checked leaf by leaf: each has the type and the range of its writer.

A Series of pandas in the place of a mapping is one of its labels (`mapping_of`).

A check is a function of a value and its place, such as ``users[0].trades``; it raises an `InputError` that names both.

Examples
--------
>>> check = fields(name=text, trades=rows(row(integer(0), exact)))
>>> check({"name": "ann", "trades": [[1, "12"]]}, "the state")
>>> check({"name": "ann", "trades": [[1, "12"], [2, 3.5]]}, "the state")
Traceback (most recent call last):
    ...
riskkit._check.InputError: the state.trades[1][1]=3.5 is not an integer as text
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from riskkit._check import InputError, shown

Check = Callable[[Any, str], None]
LARGEST = 2**63
HUGE = 2.0**1023
DIGITS = 2_000  # of an exact integer; Python takes no more than 4,300
RATIO = re.compile(rf"-?\d{{1,{DIGITS}}}(/0*[1-9]\d{{0,{DIGITS}}})?")
WHOLE = re.compile(rf"-?\d{{1,{DIGITS}}}")


def mapping_of(value: Any, name: str) -> Any:
    """Give a Series as a dictionary of its labels, nothing as an empty one, and all else as it is.

    Examples
    --------
    >>> import pandas as pd
    >>> mapping_of(pd.Series({"A": -0.1}), "shocks"), mapping_of(None, "shocks"), mapping_of("A", "shocks")
    ({'A': -0.1}, {}, 'A')
    """
    if value is None:
        return {}
    labels: Any = getattr(value, "index", None)
    if getattr(value, "ndim", 0) != 1 or not hasattr(labels, "is_unique"):
        return value
    if not labels.is_unique:
        raise InputError(f"{name} has {shown(labels[labels.duplicated()][0])} more than once; give each label once")
    return value.to_dict()


def refuse_unless(fits: bool, value: Any, place: str, what: str) -> None:
    """Raise, if a value does not fit, with its place."""
    if not fits:
        raise InputError(f"{place}={shown(value)} is not {what}")


def text(value: Any, place: str) -> None:
    """A text."""
    refuse_unless(isinstance(value, str), value, place, "a text")


def flag(value: Any, place: str) -> None:
    """True or False."""
    refuse_unless(isinstance(value, bool), value, place, "true or false")


def exact(value: Any, place: str) -> None:
    """An integer of any size, as text."""
    fits = isinstance(value, str) and WHOLE.fullmatch(value) is not None
    refuse_unless(fits, value, place, "an integer as text")


def ratio(value: Any, place: str) -> None:
    """A ratio of integers of any size, as text."""
    fits = isinstance(value, str) and RATIO.fullmatch(value) is not None
    refuse_unless(fits, value, place, "a ratio of integers as text")


def anything(value: Any, place: str) -> None:
    """A value that another check looks at."""


def integer(at_least: int = 1 - LARGEST, below: int = LARGEST) -> Check:
    """Integers in a range, by default those of 64 bits."""

    def check(value: Any, place: str) -> None:
        fits = type(value) is int and at_least <= value < below
        what = (
            "an integer"
            if (at_least, below) == (1 - LARGEST, LARGEST)
            else f"an integer from {at_least} to {below - 1}"
        )
        refuse_unless(fits, value, place, what)

    return check


def number(at_least: float = -math.inf, at_most: float = math.inf) -> Check:
    """Finite numbers in a range."""
    ends = [f" of at least {at_least:g}"] * (at_least > -math.inf) + [f" of at most {at_most:g}"] * (at_most < math.inf)

    def check(value: Any, place: str) -> None:
        fits = type(value) in (int, float) and abs(value) < HUGE and at_least <= value <= at_most
        refuse_unless(fits, value, place, f"a number{' and'.join(ends)}")

    return check


def word(*words: str) -> Check:
    """One of some words."""
    return lambda value, place: refuse_unless(value in words, value, place, f"one of {', '.join(map(repr, words))}")


def maybe(check: Check) -> Check:
    """What `check` takes, or null."""
    return lambda value, place: None if value is None else check(value, place)


def rows(check: Check) -> Check:
    """A list of any length."""

    def every(value: Any, place: str) -> None:
        refuse_unless(isinstance(value, list), value, place, "a list")
        for at, entry in enumerate(value):
            check(entry, f"{place}[{at}]")

    return every


def row(*checks: Check, optional: int = 0) -> Check:
    """A list of so many values, the last ones `optional`."""
    least = len(checks) - optional
    what = f"a list of {least} {f'to {len(checks)} ' if optional else ''}values"

    def each(value: Any, place: str) -> None:
        refuse_unless(isinstance(value, list) and least <= len(value) <= len(checks), value, place, what)
        for at, (check, entry) in enumerate(zip(checks, value, strict=False)):
            check(entry, f"{place}[{at}]")

    return each


def table(check: Check) -> Check:
    """Values by any text."""

    def every(value: Any, place: str) -> None:
        refuse_unless(isinstance(value, Mapping), value, place, "a table")
        for name, entry in value.items():
            check(entry, f"{place}.{name}")

    return every


def either(*checks: Check) -> Check:
    """What any of the checks takes; the last one says what fits."""

    def each(value: Any, place: str) -> None:
        for check in checks[:-1]:
            try:
                return check(value, place)
            except InputError:
                continue
        return checks[-1](value, place)

    return each


def fields(**checks: Check) -> Check:
    """A table with exactly these fields."""

    def each(value: Any, place: str) -> None:
        refuse_unless(isinstance(value, Mapping), value, place, "a table")
        for name in (*checks, *value):
            if name not in value or name not in checks:
                raise InputError(
                    f"{place} has {'no' if name not in value else 'a'} field {shown(name)}; it has {', '.join(checks)}"
                )
        for name, check in checks.items():
            check(value[name], f"{place}.{name}")

    return each
