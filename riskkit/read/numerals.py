"""Numbers and dates as people write them; what a table leaves open is asked for, and never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, NoReturn

from riskkit._check import InputError, one_of
from riskkit.read.local_form import MINUS
from riskkit.read.source import TableRow
from riskkit.read.times import Clock, hour_of_half
from riskkit.read.words import CURRENCIES
from riskkit.replay.schema.decimals import decimal_of

NOTHING = ("", "-", "--", "n/a", "n.a.")
SIGNS = re.compile(rf"[{''.join(CURRENCIES)}\s\u00a0\u202f'\u2019]|[A-Z]{{3}}$")
NUMERAL = re.compile(r"[+-]?\d+(?:[.,]\d+)*|[+-]?[.,]\d+")
GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{2,3})*[.,]\d{3}")  # of three digits, or of two as in India
DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})")
MONTHS = {
    name: number + 1
    for number, names in enumerate("jan feb mar/mär/mrz apr may/mai jun jul aug sep oct/okt nov dec/dez".split())
    for name in names.split("/")
}
NAMED = re.compile(
    r"(?:(?P<day>\d{1,2})[. -]+(?P<month>[^\W\d]{3,9})\.?[, -]+|(?P<first>[^\W\d]{3,9})\.? +(?P<second>\d{1,2}),? +)"
    r"(?P<year>\d{4}|\d\d)(?!\d)"
)
HOUR = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(?:([AaPp])\.?[Mm]\.?)?")


class Numerals:
    """Numbers with a decimal point or comma, thousands apart, currency signs and brackets for a minus.

    Parameters
    ----------
    decimal : {".", ","}
        The mark before the decimals; the other one, blanks and apostrophes may stand between thousands.

    Examples
    --------
    >>> read = Numerals(",").decimal_of
    >>> read("18.025,50"), read("(1.000)"), Numerals(".").decimal_of("$1,017.33")
    (Decimal('18025.50'), Decimal('-1000'), Decimal('1017.33'))
    """

    def __init__(self, decimal: str) -> None:
        self.decimal = one_of(decimal, (".", ","), "decimal")

    @classmethod
    def told_by(cls, texts: Iterable[str], separator: str, refuse: TableRow | None) -> Numerals:
        """The form that the numbers of a table tell.

        A number with both marks, or with other than three digits after its only mark, tells. Without any that tells, a
        point is decimal in a table of commas and tabs; anything else is refused.
        """
        told: dict[str, str] = {}
        open_text = ""
        for text in texts:
            plain = _bare(text)
            marks = [mark for mark in plain if mark in ".,"]
            if not marks or NUMERAL.fullmatch(plain) is None:
                continue
            head, _, tail = plain.rpartition(marks[-1])
            repeated = len(marks) > 1 and len(set(marks)) == 1
            if len(set(marks)) > 1 or (
                not repeated and (len(tail) != 3 or head.strip("+-") in ("", "0") or len(head) > 3)
            ):
                told[marks[-1]] = text
            elif repeated:
                told["," if marks[-1] == "." else "."] = text
            else:
                open_text = text
        if len(told) == 2:
            _refuse(refuse, f"{told['.']!r} has a decimal point and {told[',']!r} a decimal comma; give decimal=")
        if told or not open_text:
            return cls(next(iter(told), "."))
        if "." in open_text and separator in (",", "\t"):
            return cls(".")
        return _refuse(refuse, f"{open_text!r} may have thousands or decimals after its mark; give decimal='.' or ','")

    def decimal_of(self, text: str) -> Decimal | None:
        """The exact number of a text; None if it is none."""
        plain = _bare(text)
        thousands = "," if self.decimal == "." else "."
        whole, mark, rest = plain.partition(self.decimal)
        if thousands in plain and (thousands in rest or GROUPS.fullmatch(whole) is None):
            return None
        plain = whole.replace(thousands, "") + ("." if mark else "") + rest
        sign = -1 if text.strip().startswith("(") and text.strip().endswith(")") else 1
        if not re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", plain):
            return None
        try:
            return decimal_of(plain, "number") * sign
        except InputError:  # too many digits
            return None


def _bare(text: str) -> str:
    """A number without signs of currency, blanks, brackets and a minus behind it."""
    plain = SIGNS.sub("", text.strip().removeprefix("(").removesuffix(")")).replace(MINUS, "-")
    return f"-{plain[:-1]}" if plain.endswith("-") else plain


def _refuse(row: TableRow | None, why: str) -> NoReturn:
    if row is None:
        raise InputError(why)
    row.refuse(why)


class Dates(NamedTuple):
    """Times of a table: the clock of those without a zone, and whether the day stands before the month."""

    clock: Clock
    day_first: bool | None

    @classmethod
    def told_by(cls, texts: Iterable[str], clock: Clock, given: bool | None, refuse: TableRow | None) -> Dates:
        """The order of day and month that the dates of a table tell, if one of them has a number above 12."""
        if given is not None:
            return cls(clock, given)
        told: dict[bool, str] = {}
        for text in texts:
            for match in DATE.finditer(text):
                first, second, last = int(match[1]), int(match[3]), match[4]
                if match[2] == "." and len(match[1]) <= 2 and len(last) == 4 and max(first, second) <= 12:
                    told[True] = match[0]  # between points the day stands first
                if len(match[1]) <= 2 and len(last) in (2, 4) and max(first, second) > 12:
                    told[first > 12] = match[0]
        if len(told) == 2:
            _refuse(refuse, f"{told[True]!r} has the day first and {told[False]!r} the month; give time_format=")
        return cls(clock, next(iter(told), None))

    def ns(self, row: TableRow, text: str, plain: bool = False) -> int:
        """Nanoseconds of a time; with `plain` by a clock that is UTC, for its place among others."""
        found = NAMED.match(text) or DATE.match(text)
        if found is None or (
            found.re is DATE and (len(found[1]) == 4 or text[found.end() : found.end() + 1].isdigit())
        ):
            return (Clock("UTC") if plain else self.clock).ns(text, row.refuse)
        rest = text[found.end() :].strip(" ,;T")
        hour = HOUR.fullmatch(rest)
        if rest and hour is None:
            row.refuse(f"{text!r} is not a time")
        year, month, day = self._spelt(row, found) if found.re is NAMED else self._numbers(row, found)
        hours, minutes, seconds, fraction, half = hour.groups() if hour else (None,) * 5
        number = int(hours or 0)
        if half:
            number = hour_of_half(number, half, lambda: row.refuse(f"{text!r} is not a time"))
        clock = Clock("UTC") if plain else self.clock
        numbers = [year, month, day, number, int(minutes or 0), int(seconds or 0)]
        return clock.local(numbers, int((fraction or "0").ljust(9, "0")), row.refuse)

    def _numbers(self, row: TableRow, date: re.Match[str]) -> tuple[int, int, int]:
        """Year, month and day of a date in numbers."""
        if self.day_first is None:
            row.refuse(f"{date[0]!r} may have the day or the month first; give day_first=True or False")
        day, month = (int(date[1]), int(date[3])) if self.day_first else (int(date[3]), int(date[1]))
        return _year(date[4]), month, day

    def _spelt(self, row: TableRow, date: re.Match[str]) -> tuple[int, int, int]:
        """Year, month and day of a date with the name of its month."""
        name = date["month"] or date["first"]
        month = MONTHS.get(name[:3].lower()) or row.refuse(f"{name!r} is no month, in English or German")
        return _year(date["year"]), month, int(date["day"] or date["second"])


def _year(text: str) -> int:
    return int(text) + (2000 if len(text) == 2 else 0)
