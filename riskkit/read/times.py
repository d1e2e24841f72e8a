"""Times of files as nanoseconds since the epoch, exactly: texts with up to nine decimals, and clocks of a place."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable
from decimal import Decimal
from typing import NoReturn
from zoneinfo import ZoneInfo

from riskkit._check import one_of, shown
from riskkit.replay.ingest.times import TOO_FINE, UNITS, TimeForm, unit_by_size
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import SPANS

SECOND = 10**9
FRACTION = r"(?:[.,](?P<fraction>\d{1,9}))?"
HOURS = rf"(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?::(?P<second>\d\d){FRACTION})?"
DATE = r"(?P<year>\d{4})(?P<mark>[-/.]?)(?P<month>\d\d|(?<=[-/.])\d)(?P=mark)(?P<day>\d\d|(?<=[-/.])\d)"
ZONE = r"(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?"
TURNED = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{4}(?!\d)")
PLAIN = re.compile(r"(?<=[T ;,-])(\d\d)(\d\d)(\d\d)?(?=$|[.,Z+\s-])")  # an hour without colons
TIME = re.compile(rf"{DATE}(?:[T ;,-]+{HOURS})?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?\s*{ZONE}")

Refuse = Callable[[str], NoReturn]


class Clock:
    """The clock of a place: its times without a zone as nanoseconds since the epoch.

    Of an hour that comes twice, the second is taken where the first would be before the time read last.

    Parameters
    ----------
    tz : str
        Name of the zone.
    ambiguous : {"order", "first", "second"}
        Which of the two hours: that which the order of the times tells, or always the first or the second.

    Examples
    --------
    >>> def refuse(why):
    ...     raise ValueError(why)
    >>> clock = Clock("America/New_York")
    >>> clock.ns("2024-03-08 09:30:00.000000001", refuse), clock.ns("2024-03-11T13:30:00Z", refuse)
    (1709908200000000001, 1710163800000000000)
    """

    def __init__(self, tz: str, ambiguous: str = "order") -> None:
        TimeForm.checked(tz, None, None)
        self.tz = tz
        self.repeated = 0
        self.undecided: dict[
            datetime.date, datetime.datetime
        ] = {}  # days of an hour that comes twice, and none goes back
        self._choice = one_of(ambiguous, ("order", "first", "second"), "ambiguous")
        self._zone = ZoneInfo(tz)
        self._last = -LARGEST
        self._told: set[datetime.date] = set()

    def ns(self, text: str, refuse: Refuse) -> int:
        """Nanoseconds of a text, in the zone that it names or in this clock's.

        The text is ISO 8601, with or without dashes and colons, or has slashes or points in its date, and the year first;
        a date alone is its midnight.
        """
        match = TIME.fullmatch(_with_colons(text.strip())) if isinstance(text, str) else None
        if match is None or (not match["hour"] and (match["zone"] or match["half"])):
            turned = isinstance(text, str) and TURNED.match(text.strip())
            refuse(f"{shown(text)} is not a time{'; its year has to stand first, as in 2024-03-08' if turned else ''}")
        parts = match.groupdict(default="")
        fraction, zone = int(parts["fraction"].ljust(9, "0")), parts["zone"]
        numbers = [int(parts[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
        if parts["half"]:
            numbers[3] = hour_of_half(numbers[3], parts["half"], lambda: refuse(f"{shown(text)} is not a time"))
        if zone:
            offset = 0 if zone in ("Z", "UTC") else int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
            return utc(numbers, fraction, refuse) - (-offset if zone[0] == "-" else offset) * SECOND
        return self.local(numbers, fraction, refuse)

    def local(self, numbers: list[int], fraction: int, refuse: Refuse) -> int:
        """Nanoseconds of year, month, day, hour, minute, second and a fraction of it in nanoseconds, by this clock."""
        plain = utc(numbers, 0, refuse)
        year, month, day, hour, minute, seconds = numbers
        moment = datetime.datetime(year, month, day, hour, minute, min(seconds, 59))
        first, second = (moment.replace(tzinfo=self._zone, fold=fold).utcoffset() for fold in (0, 1))
        assert first is not None and second is not None
        if first < second:
            refuse(f"{moment} is in the hour that the clocks skip in {self.tz}; another time zone fits")
        stamps = [plain - round(offset.total_seconds()) * SECOND + fraction for offset in (first, second)]
        goes_back = stamps[0] < self._last <= stamps[1]
        if first != second:
            self.repeated += 1
            self._note(moment, goes_back)
        self._last = stamps[self._choice == "second" or (goes_back and self._choice == "order")]
        return self._last

    def _note(self, moment: datetime.datetime, goes_back: bool) -> None:
        """Note a day whose hour comes twice, and that a time has gone back on it."""
        day = moment.date()
        if goes_back or self._choice != "order":
            self._told.add(day)
            self.undecided.pop(day, None)
        elif day not in self._told:
            self.undecided.setdefault(day, moment)


def _with_colons(text: str) -> str:
    """A time whose hour has no colons, as ``20240308-143001``, with them."""
    return PLAIN.sub(lambda found: ":".join(filter(None, found.groups())), text, count=1)


def hour_of_half(hour: int, half: str, refuse: Callable[[], NoReturn]) -> int:
    """Hour of the day of an hour of its first (a) or second (p) half.

    Examples
    --------
    >>> [hour_of_half(hour, half, lambda: None) for hour, half in ((12, "a"), (1, "p"), (12, "P"))]
    [0, 13, 12]
    """
    return hour % 12 + 12 * (half.lower() == "p") if 1 <= hour <= 12 else refuse()


def since_epoch(number: Decimal, unit: str, refuse: Refuse) -> int:
    """Nanoseconds of a number since the epoch; one of the size of a date in another unit is refused.

    Examples
    --------
    >>> since_epoch(Decimal(1711845548807), "ms", print)
    1711845548807000000
    """
    found = unit_by_size(int(number))
    if found not in ("", unit):
        refuse(f"{number} has the size of a date in {UNITS[found]}, and {UNITS[unit]} since the epoch are needed")
    exact = number * SPANS[unit]
    if exact != int(exact):
        refuse(f"{number} {TOO_FINE}")
    return int(exact)


def utc(numbers: list[int], fraction: int, refuse: Refuse) -> int:
    """Nanoseconds of a time in UTC."""
    year, month, day, hour, minute, second = numbers
    leap = second == 60  # a leap second is the first of the next minute
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second - leap)
    except ValueError as problem:
        refuse(f"{'-'.join(map(str, numbers))} is not a time ({problem})")
    found = (calendar.timegm(moment.timetuple()) + leap) * SECOND + fraction
    if abs(found) >= LARGEST:
        refuse(f"{moment} is not a time from 1824 to 2116")
    return found
