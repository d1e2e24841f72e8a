"""Requests and answers: frozen records whose fields are checked one by one, and problems that a server can send.

A record is a frozen dataclass with one check for each field. `Record.from_dict` reads plain data, as JSON gives it, and
reports every field that does not fit, not only the first; `Record.to_dict` writes it back.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, ClassVar, NamedTuple, Self

from riskkit._check import InputError, finite_number
from riskkit._show import Row, Shown
from riskkit.replay.door.labels import SIDES

__all__ = [
    "Problem",
    "Record",
    "RequestError",
    "as_side",
    "as_text",
    "as_time",
    "as_truth",
    "at_least_zero",
    "checked",
    "nanoseconds",
    "optionally",
    "plain",
]

Check = Callable[[Any, str], Any]
LARGEST_TIME = 2**62


class Problem(NamedTuple):
    """One field that does not fit, and the sentence that says what would."""

    field: str
    message: str


class RequestError(InputError):
    """What came in does not fit; `to_dict` is what a server answers.

    Examples
    --------
    >>> RequestError([Problem("price", "price=-1 is not above zero")]).to_dict()["field"]
    'price'
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in problems))

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process and back as it is."""
        return type(self), (list(self.problems),)

    @property
    def field(self) -> str:
        """The first field that does not fit."""
        return self.problems[0].field

    @property
    def message(self) -> str:
        """Its sentence."""
        return self.problems[0].message

    def to_dict(self) -> dict[str, Any]:
        """The first problem, and the list of all, as plain data."""
        return {**self.problems[0]._asdict(), "problems": [problem._asdict() for problem in self.problems]}


class Record(Shown):
    """Base of requests and answers: subclasses are frozen dataclasses with a check for each field in `_checks`."""

    _checks: ClassVar[Mapping[str, Check]] = {}

    def __post_init__(self) -> None:
        """Put every field in its one form, or refuse the record with all problems at once."""
        values, problems = self.__dict__, []
        for name, check in self._checks.items():
            try:
                values[name] = check(values[name], name)
            except InputError as error:
                problems.append(Problem(name, str(error)))
        problems = problems or [problem for problem in [self._disagreement()] if problem]
        if problems:
            raise RequestError(problems)

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read plain data.

        Raises
        ------
        RequestError
            With every unknown, missing or unfitting field.
        """
        if not isinstance(data, Mapping):
            raise RequestError([Problem("", f"a {cls.__name__} came as {type(data).__name__}; give a dict of fields")])
        own = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
        known = f"a {cls.__name__} has {', '.join(own)}"
        problems = [Problem(str(name), f"field {name!r} is not known; {known}") for name in data if name not in own]
        problems += [
            Problem(name, f"field {name!r} is missing; a {cls.__name__} needs it")
            for name, field in own.items()
            if field.default is MISSING and field.default_factory is MISSING and name not in data
        ]
        if problems:  # the record will not be made: say here what else does not fit
            raise RequestError(problems + cls._misfits(data))
        return cls(**data)

    @classmethod
    def _misfits(cls, data: Mapping[str, Any]) -> list[Problem]:
        """The given fields that do not pass their check."""
        problems = []
        for name, check in cls._checks.items():
            try:
                if name in data:
                    check(data[name], name)
            except InputError as error:
                problems.append(Problem(name, str(error)))
        return problems

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data that JSON takes."""
        return {name: plain(getattr(self, name)) for name in self._checks}

    @classmethod
    def _trusted(cls, **values: Any) -> Self:
        """A record of values that were checked before: a third of the time of making one."""
        record = object.__new__(cls)
        record.__dict__.update(values)
        return record

    def _disagreement(self) -> Problem | None:
        """What does not fit between fields that fit by themselves."""
        return None

    def _rows(self) -> list[Row]:
        return [(name.replace("_", " "), plain(getattr(self, name)), "") for name in self._checks]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self).__name__, *map(str, self.__dict__.values())))


def plain(value: Any) -> Any:
    """A value as JSON takes it: times as ISO texts, tuples as lists, records and mappings as dicts."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def optionally(check: Check) -> Check:
    """The same check, passing None."""
    return lambda value, name: None if value is None else check(value, name)


def as_text(value: Any, name: str) -> str:
    """A text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name}={value!r} is not a text; give a name of at least one letter")
    return value


def as_truth(value: Any, name: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise InputError(f"{name}={value!r} is not True or False")
    return value


def as_side(value: Any, name: str) -> str:
    """Either "buy" or "sell", from any spelling that an event log takes (B, BUY, +1, ...)."""
    sign = SIDES.get(str(value).upper(), 0) if not isinstance(value, bool) else 0
    if sign == 0:
        raise InputError(f"{name}={value!r} is not a side; use 'buy' or 'sell'")
    return "buy" if sign > 0 else "sell"


def as_time(value: Any, name: str) -> Any:
    """A time as it came, once it is known to be one."""
    nanoseconds(value, name)
    return value


def nanoseconds(value: Any, name: str = "timestamp") -> int:
    """Nanoseconds since the epoch, UTC, of an integer, an ISO text, a datetime or a Timestamp (UTC where it has no zone).

    Examples
    --------
    >>> nanoseconds("1970-01-01T00:00:01+00:00"), nanoseconds(5)
    (1000000000, 5)
    """
    if isinstance(value, int) and not isinstance(value, bool):
        count = value
    elif isinstance(value, str):
        try:
            count = _of_datetime(datetime.datetime.fromisoformat(value))
        except ValueError:
            raise InputError(f"{name}={value!r} is not a time; use ISO 8601, as '2024-03-05T14:30:00+00:00'") from None
    elif isinstance(value, datetime.datetime) and value == value:  # NaT is a datetime that is not itself
        count = _of_datetime(value)
    elif hasattr(value, "__index__") and not isinstance(value, bool):
        count = int(value)
    else:
        raise InputError(f"{name}={value!r} is not a time; use integer nanoseconds, a datetime or an ISO text")
    if not -LARGEST_TIME < count < LARGEST_TIME:
        raise InputError(f"{name}={value!r} is not a time from 1824 to 2116, in nanoseconds since the epoch")
    return count


def checked(check: Check, value: Any, name: str) -> Any:
    """The value after one check, or a `RequestError` with its one problem."""
    try:
        return check(value, name)
    except InputError as error:
        raise RequestError([Problem(name, str(error))]) from None


def at_least_zero(value: Any, name: str) -> float:
    """A finite number that is not negative."""
    number = finite_number(value, name)
    if number < 0.0:
        raise InputError(f"{name}={value!r} is negative; it is at least zero")
    return number


def _of_datetime(value: Any) -> int:
    zoned = value if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)
    since = zoned - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    whole = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return whole * 1000 + getattr(since, "nanoseconds", 0)
