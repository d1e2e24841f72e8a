"""Checked records: frozen dataclasses whose annotations declare the check and the unit of every field.

`CheckedRecord.from_dict` reads plain data, as JSON gives it, and reports every invalid field, not only the first;
`CheckedRecord.to_dict` writes it back. Fractions are fractions (0.10 is 10 %), times are nanoseconds since the epoch.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from decimal import Decimal
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self, get_args, get_origin, get_type_hints

from riskkit._check import InputError, finite_number, positive, shown
from riskkit._show import Row, Shown
from riskkit.replay.ingest.labels import SIDES, label_text
from riskkit.replay.schema.decimals import decimal_of

Check = Callable[[Any, str], Any]
LARGEST_TIME = 2**62


class Problem(NamedTuple):
    """An invalid field and the sentence that says what is valid."""

    field: str
    message: str


class RequestError(InputError):
    """An invalid request; `to_dict` is the error body of a server's answer.

    Examples
    --------
    >>> RequestError([Problem("price", "price=-1 is not above zero")]).to_dict()["field"]
    'price'
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.message for problem in problems))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with the list of problems."""
        return type(self), (list(self.problems),)

    @property
    def field(self) -> str:
        """Name of the first invalid field."""
        return self.problems[0].field

    @property
    def message(self) -> str:
        """Sentence about the first invalid field."""
        return self.problems[0].message

    def to_dict(self) -> dict[str, Any]:
        """The first problem and the list of all problems, as plain data."""
        return {**self.problems[0]._asdict(), "problems": [problem._asdict() for problem in self.problems]}


class Field(NamedTuple):
    """Check and unit of a record's field, as metadata of its annotation."""

    check: Check
    unit: str = ""

    def __repr__(self) -> str:
        """Return the unit only: the address of a function differs from run to run."""
        return f"Field({self.unit!r})"


class CheckedRecord(Shown):
    """Base of requests and answers: a frozen dataclass whose fields are annotated with `Field`.

    Examples
    --------
    >>> from riskkit.desk import DeskLimits
    >>> DeskLimits.from_dict({"var_limit": 5}).var_limit, DeskLimits.units()["max_drawdown"]
    (5.0, 'fraction')
    """

    _fields: ClassVar[Mapping[str, Field]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Collect the check and the unit of every annotated field."""
        super().__init_subclass__(**options)
        hints = get_type_hints(cls, include_extras=True)
        cls._fields = {name: _field(hint) for name, hint in hints.items() if get_origin(hint) is not ClassVar}

    def __post_init__(self) -> None:
        """Normalize every field, or raise one error with all problems."""
        values, problems = self.__dict__, []
        for name, field in self._fields.items():
            try:
                values[name] = field.check(values[name], name)
            except InputError as error:
                problems.append(Problem(name, str(error)))
        problems = problems or [problem for problem in [self._inconsistency()] if problem]
        if problems:
            raise RequestError(problems)

    @classmethod
    def units(cls) -> dict[str, str]:
        """Unit of each field: "money", "fraction", "ns", ...; empty for texts and flags."""
        return {name: field.unit for name, field in cls._fields.items()}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read plain data.

        Raises
        ------
        RequestError
            With every unknown, missing or invalid field.
        """
        if not isinstance(data, Mapping):
            raise RequestError([Problem("", f"a {cls.__name__} came as {type(data).__name__}; give a dict of fields")])
        declared = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
        known = f"a {cls.__name__} has {', '.join(declared)}"
        problems = [
            Problem(str(name), f"field {name!r} is not known; {known}") for name in data if name not in declared
        ]
        problems += [
            Problem(name, f"field {name!r} is missing; a {cls.__name__} needs it")
            for name, field in declared.items()
            if field.default is MISSING and field.default_factory is MISSING and name not in data
        ]
        if problems:  # the record cannot be made: report the other invalid fields now
            raise RequestError(problems + cls._invalid(data))
        return cls(**data)

    @classmethod
    def _invalid(cls, data: Mapping[str, Any]) -> list[Problem]:
        """The given fields that fail their check."""
        problems = []
        for name, field in cls._fields.items():
            try:
                if name in data:
                    field.check(data[name], name)
            except InputError as error:
                problems.append(Problem(name, str(error)))
        return problems

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain data for JSON; exact amounts as texts."""
        return {name: plain(getattr(self, name)) for name in self._fields}

    def to_frame(self) -> Any:
        """The record as a DataFrame of one row."""
        import pandas as pd

        return pd.DataFrame([{name: getattr(self, name) for name in self._fields}])

    @classmethod
    def _trusted(cls, **values: Any) -> Self:
        """A record of checked values, without checking them again: a third of the time; defaults may be omitted."""
        record = object.__new__(cls)
        record.__dict__.update(values)
        return record

    if not TYPE_CHECKING:  # a type checker would accept every attribute

        def __getattr__(self, name: str) -> Any:
            """A field of a record that was made as ``_late``, a function and its arguments: it gives all fields, once."""
            values = self.__dict__
            late = values.get("_late")  # None: made by another thread meanwhile
            if late is not None:
                values.update(late[0](*late[1]))
                values.pop("_late", None)
            if name not in values:
                raise AttributeError(f"a {type(self).__name__} has no field {name!r}")
            return values[name]

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._fields}

    def _inconsistency(self) -> Problem | None:
        """A problem between fields that are valid by themselves."""
        return None

    def _rows(self) -> list[Row]:
        return [(name.replace("_", " "), plain(getattr(self, name)), "") for name in self._fields]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(getattr(self, name) == getattr(other, name) for name in self._fields)

    def __hash__(self) -> int:
        return hash((type(self).__name__, *(str(getattr(self, name)) for name in self._fields)))


def plain(value: Any) -> Any:
    """A value as JSON takes it: times as ISO texts, Decimals as texts, tuples as lists, records as dicts."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, CheckedRecord):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return value


def _field(hint: Any) -> Field:
    """The `Field` of an annotation; None passes the check of an optional one."""
    parts = [hint] if get_origin(hint) is Annotated else get_args(hint)
    found = [meta for part in parts for meta in getattr(part, "__metadata__", ()) if isinstance(meta, Field)]
    if len(found) != 1:
        raise TypeError(f"annotation {shown(hint)} declares no check; use one of riskkit.desk.core.records")
    check, unit = found[0]
    if type(None) not in parts:
        return found[0]
    return Field(lambda value, name: None if value is None else check(value, name), unit)


# ---------------------------------------------------------------------- checks


def as_text(value: Any, name: str) -> str:
    """A non-empty string."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{name}={shown(value)} is not a text; give a name of at least one letter")
    return value


def as_bool(value: Any, name: str) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise InputError(f"{name}={shown(value)} is not True or False")
    return value


def as_side(value: Any, name: str) -> str:
    """Either "buy" or "sell", from any spelling that an event log accepts (B, BUY, +1, ...)."""
    sign = 0 if isinstance(value, bool) else SIDES.get(label_text(value).upper(), 0)
    if sign == 0:
        raise InputError(f"{name}={shown(value)} is not a side; use 'buy' or 'sell'")
    return "buy" if sign > 0 else "sell"


def as_time(value: Any, name: str) -> Any:
    """A valid time, unchanged."""
    nanoseconds(value, name)
    return value


def nanoseconds(value: Any, name: str = "timestamp") -> int:
    """Nanoseconds since the epoch of an integer, an ISO text, a datetime or a Timestamp (UTC unless it has a zone).

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
            raise InputError(
                f"{name}={shown(value)} is not a time; use ISO 8601, as '2024-03-05T14:30:00+00:00'"
            ) from None
    elif isinstance(value, datetime.datetime) and value == value:  # NaT is a datetime that differs from itself
        count = _of_datetime(value)
    elif isinstance(value, Integral) and hasattr(value, "__index__") and not isinstance(value, bool):
        count = int(value)
    else:
        raise InputError(f"{name}={shown(value)} is not a time; use integer nanoseconds, a datetime or an ISO text")
    if not -LARGEST_TIME < count < LARGEST_TIME:
        raise InputError(f"{name}={shown(value)} is not a time from 1824 to 2116, in nanoseconds since the epoch")
    return count


def optional_nanoseconds(value: Any, name: str = "timestamp") -> int | None:
    """The same, or None."""
    return None if value is None else nanoseconds(value, name)


def non_negative(value: Any, name: str) -> float:
    """A finite number of at least zero."""
    number = finite_number(value, name)
    if number < 0.0:
        raise InputError(f"{name}={shown(value)} is negative; it is at least zero")
    return number


def fraction(value: Any, name: str) -> float:
    """A number from 0 to 1; 10 for 10 % is refused.

    Examples
    --------
    >>> fraction(10, "max_drawdown")
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: max_drawdown=10 is above 1; it is a fraction: write 0.1 for 10 %
    """
    number = non_negative(value, name)
    if number > 1.0:
        raise InputError(f"{name}={shown(value)} is above 1; it is a fraction: write {number / 100:g} for {number:g} %")
    return number


def in_percent(value: float | None) -> float | None:
    """A fraction in percent, in its decimals as printed: 0.07 is 7.0."""
    if value is None:
        return None
    sign, digits, exponent = decimal_of(value, "value").as_tuple()
    return float(Decimal((sign, digits, int(exponent) + 2)))


def positive_fraction(value: Any, name: str) -> float:
    """A number above 0 and at most 1."""
    positive(value, name)
    return fraction(value, name)


def integer(value: Any, name: str) -> int:
    """An int; 1.0 and True are refused."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name}={shown(value)} is not a whole number")
    return value


def count(value: Any, name: str) -> int:
    """An int of at least zero."""
    if integer(value, name) < 0:
        raise InputError(f"{name}={shown(value)} is negative; it is at least zero")
    return int(value)


def mapping(key: Check, item: Check) -> Check:
    """A check of a mapping: `key` on its keys, `item` on its values."""

    def check(value: Any, name: str) -> dict[Any, Any]:
        if not isinstance(value, Mapping):
            raise InputError(f"{name}={shown(value)} is not a mapping")
        return {key(name_, f"a key of {name}"): item(part, f"{name}[{name_!r}]") for name_, part in value.items()}

    return check


def checked(check: Check, value: Any, name: str) -> Any:
    """The checked value; a failure raises a `RequestError` about this argument."""
    try:
        return check(value, name)
    except InputError as error:
        raise RequestError([Problem(name, str(error))]) from None


def _of_datetime(value: Any) -> int:
    zoned = value if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)
    since = zoned - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return int(microseconds * 1000 + getattr(since, "nanoseconds", 0))


# ---------------------------------------------------------------------- annotations of fields

Text = Annotated[str, Field(as_text)]
Flag = Annotated[bool, Field(as_bool)]
Side = Annotated[str, Field(as_side)]
Time = Annotated[Any, Field(as_time, "time")]
"""As given: integer nanoseconds, a datetime or an ISO text."""
Nanoseconds = Annotated[int, Field(nanoseconds, "time")]
"""Nanoseconds since the epoch, UTC."""
Age = Annotated[int, Field(integer, "ns")]
Count = Annotated[int, Field(count, "count")]
Number = Annotated[float, Field(finite_number, "number")]
Money = Annotated[float, Field(finite_number, "money")]
NonNegativeMoney = Annotated[float, Field(non_negative, "money")]
PositiveMoney = Annotated[float, Field(positive, "money")]
Price = Annotated[float, Field(positive, "money per unit")]
Quantity = Annotated[float, Field(positive, "units")]
FreeFraction = Annotated[float, Field(finite_number, "fraction")]
"""Of any size and sign, such as the VaR of a leveraged portfolio."""
NonNegativeFraction = Annotated[float, Field(non_negative, "fraction")]
UnitFraction = Annotated[float, Field(fraction, "fraction")]
"""From 0 to 1."""
PositiveFraction = Annotated[float, Field(positive_fraction, "fraction")]
