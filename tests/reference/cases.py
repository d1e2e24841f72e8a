"""Reference cases: read them, give their inputs a handy form, and compare an answer with what is expected.

A file of cases is JSON: a list, or ``{"cases": [...]}``, of

    {"id", "quantity", "inputs": {...}, "expected": {...}, "tolerance": {"abs", "rel"}, "source", ...}

`inputs` may name a data `file` (relative to the folder of the cases), a `column` or `columns` ("all 13", "first 6",
or a mapping of roles to columns), and `rows` ("first 100", or [first, end)).
"""

from __future__ import annotations

import functools
import importlib
import json
import math
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

ROLES = {"r": "returns", "q": "var_as_quantile", "e": "es_as_quantile", "s": "vol", "u": "pit"}
INLINE = ("returns", "returns_pct", "prices", "losses", "gains", "profits", "pnl", "series")
MAIN = ("returns", "return", "r", "close", "value")  # of several columns, the one that is meant without a name


class Inputs(dict):
    """The inputs of one case: the plain dictionary, and the data it points to.

    >>> Inputs({"returns": [0.01, -0.02], "p": 0.05}).series().tolist()
    [0.01, -0.02]
    >>> Inputs({"p": 0.05}).confidence
    0.95
    """

    def __init__(self, inputs: Mapping[str, Any], folder: Path = Path()) -> None:
        super().__init__(inputs)
        self.folder = folder
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default

    def values(self) -> Any:
        self.read |= self.keys()
        return super().values()

    @property
    def unread(self) -> list[str]:
        """Lists and mappings that no call has looked at: data in a form that is not known."""
        return [name for name, value in self.items() if isinstance(value, (list, dict)) and name not in self.read]

    @property
    def p(self) -> float:
        """The tail mass: `p`, or 1 - `confidence` or `level`."""
        return float(self["p"]) if "p" in self else 1.0 - self.confidence

    @property
    def confidence(self) -> float:
        """`confidence`, `level`, or 1 - `p`."""
        given = self.get("confidence", self.get("level"))
        return 1.0 - float(self["p"]) if given is None else float(given)

    def first_of(self, *names: str, **default: Any) -> Any:
        """The first of these inputs that is given; cases from different books call one thing by several names."""
        for name in names:
            if name in self:
                return self[name]
        if "default" in default:
            return default["default"]
        raise KeyError(f"the case gives none of {names}; it has {list(self)}")

    def frame(self) -> pd.DataFrame:
        """The chosen rows and columns of the `file` (or of the inline data), missing values kept as NaN."""
        if "file" not in self:
            return pd.DataFrame(self.inline())
        data = read_table(self.folder / self["file"])
        rows, columns = self.get("rows"), self.get("columns")
        if isinstance(rows, list):  # half-open, from 0
            data = data.iloc[rows[0] : rows[1]]
        elif rows is not None:
            data = data.iloc[: first(rows)]
        if "column" in self:
            return data[[self["column"]]]
        if isinstance(columns, str):
            return data.iloc[:, : first(columns)]
        if isinstance(columns, list):
            return data[columns]
        return data

    def series(self, column: str | None = None) -> pd.Series:
        """One series without its missing values: the `column` named here or in the case, else the only one."""
        if "file" not in self:
            return pd.Series(np.asarray(self.inline(), dtype=float))
        data = self.frame()
        if column is None:
            column = only_column(data)
        return data[column].dropna()

    def each(self, function: Callable[[pd.Series], Any]) -> Any:
        """`function` of the series, or of every column, by name, where the case asks for `columns`."""
        if not isinstance(self.get("columns"), (str, list)):
            return function(self.series())
        return {name: function(column.dropna()) for name, column in self.frame().items()}

    def all_columns(self, function: Callable[[pd.Series], Any]) -> list[Any]:
        """`function` of every column in order, for the cases that print a list."""
        return [function(column.dropna()) for _, column in self.frame().items()]

    def weights(self) -> np.ndarray:
        """The `weights` of the columns; "equal" is 1/n."""
        count = self.frame().shape[1]
        given = self.get("weights", "equal")
        return np.full(count, 1.0 / count) if isinstance(given, str) else np.asarray(given, dtype=float)

    def backtest_columns(self) -> pd.DataFrame:
        """The columns of a backtest file by role: returns, var_as_quantile, es_as_quantile, vol, pit.

        All carry the sign of a return. The case maps roles to columns; without a mapping r, q, e, s, u are meant.
        A `pit` of "Phi(r/s)" is computed.
        """
        data, roles = self.frame(), self.get("columns")
        if not isinstance(roles, Mapping):
            roles = {role: short for short, role in ROLES.items() if short in data}
        frame = pd.DataFrame({role: data[column] for role, column in roles.items()})
        if self.get("pit") == "Phi(r/s)":
            from scipy.special import ndtr

            frame["pit"] = ndtr(frame["returns"] / frame["vol"])
        return frame

    def inline(self) -> Any:
        """The data written in the case itself."""
        for key in INLINE:
            if isinstance(self.get(key), list):
                return self[key]
        raise KeyError(f"the case has no file and none of {INLINE}")


def first(text: str | int) -> int:
    """The number in "first 6" or "all 13"."""
    return int(text) if isinstance(text, int) else int(text.split()[-1])


@functools.cache
def read_table(path: Path) -> pd.DataFrame:
    """A CSV, gzipped or not, with or without headings; `date` or leading labels become the index; NA is missing."""
    data = pd.read_csv(path)
    if all(is_number(name) for name in data.columns):
        data = pd.read_csv(path, header=None).rename(columns=str)
    if "date" in data:
        return data.set_index(pd.DatetimeIndex(data.pop("date")))
    return data if pd.api.types.is_numeric_dtype(data.iloc[:, 0]) else data.set_index(data.columns[0])


def only_column(data: pd.DataFrame) -> str:
    """The column that is meant where none is named: the only one, else the one called as a series is."""
    named = [name for name in data.columns if name in MAIN]
    if data.shape[1] != 1 and len(named) != 1:
        raise KeyError(f"the case names no column, and the file has {', '.join(map(str, data.columns))}")
    return data.columns[0] if data.shape[1] == 1 else named[0]


def is_number(text: str) -> bool:
    """Whether a heading is a number: the file then has no headings."""
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Case:
    """One reference case."""

    id: str
    quantity: str
    inputs: Inputs
    expected: Any
    tolerance: Mapping[str, float]
    source: str

    @property
    def is_bug(self) -> bool:
        """The expected numbers are a known defect and must not be reproduced."""
        return self.id.endswith("-BUG")

    def verdict(self, answer: Any) -> str | None:
        """Why the case fails, or None. Of a known defect, every part must be there and at least one number missed."""
        found = list(differences(self.expected, answer, self.tolerance))
        if self.is_bug:
            found = [item for item in found if item.absent] or (
                [] if found else [Difference("the defect is reproduced")]
            )
        return "\n".join(item.text for item in found) or None


class Difference(NamedTuple):
    """One item of `expected` that an answer does not meet; `absent`: the answer has no such item."""

    text: str
    absent: bool = False


def load(path: Path) -> list[Case]:
    """The cases of a file, with `file` inputs relative to its folder."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return [
        Case(
            id=entry["id"],
            quantity=entry["quantity"],
            inputs=Inputs(entry["inputs"], path.resolve().parent),
            expected=entry["expected"],
            tolerance=entry.get("tolerance", {}),
            source=entry.get("source", ""),
        )
        for entry in (content["cases"] if isinstance(content, dict) else content)
    ]


def differences(expected: Any, answer: Any, tolerance: Mapping[str, float], where: str = "") -> Iterator[Difference]:
    """Compare item by item: numbers within max(abs, rel |expected|), texts and booleans equal, null no finite number.

    A number or list answers an `expected` of one key, whatever the key is called; one number and a list of one number
    answer each other. A key may be in other letters (VaR, var).

    >>> list(differences({"var": 1.0}, 1.05, {"abs": 0.1}))
    []
    >>> list(differences({"var": 1.0}, 1.05, {"rel": 0.01}))
    [Difference(text='var: 1.05, expected 1.0', absent=False)]
    >>> list(differences({"var": 1.0}, [1.0], {})), list(differences({"var": [1.0]}, 1.0, {}))
    ([], [])
    """
    label = where or "answer"
    answer = plain(answer)
    if isinstance(expected, dict):
        if not isinstance(answer, dict) and len(expected) == 1:
            answer = {next(iter(expected)): answer}
        if not isinstance(answer, dict):
            yield Difference(f"{label}: {answer!r} has no parts {list(expected)}", absent=True)
            return
        spelt = {str(key).lower(): key for key in answer}
        for key, value in expected.items():
            inner = f"{where}.{key}" if where else key
            found = key if key in answer else spelt.get(key.lower())
            if found is None:
                yield Difference(f"{inner}: missing among {list(answer)}", absent=True)
            else:
                yield from differences(value, answer[found], tolerance, inner)
    elif isinstance(expected, list):
        if len(expected) == 1 and is_scalar(expected[0]) and is_scalar(answer) and answer is not None:
            answer = [answer]
        if not isinstance(answer, list) or len(answer) != len(expected):
            yield Difference(f"{label}: {answer!r} is not a list of {len(expected)}", absent=True)
            return
        for i, value in enumerate(expected):
            yield from differences(value, answer[i], tolerance, f"{where}[{i}]")
    elif not item_agrees(expected, alone(answer), tolerance):
        yield Difference(f"{label}: {answer!r}, expected {expected!r}")


def is_scalar(value: Any) -> bool:
    """One text, boolean, null or number."""
    return not isinstance(value, (list, dict))


def alone(value: Any) -> Any:
    """The one scalar of a list of one; anything else as it is. An empty answer (null) must be said plainly."""
    return value[0] if isinstance(value, list) and len(value) == 1 and is_scalar(value[0]) else value


def item_agrees(expected: Any, answer: Any, tolerance: Mapping[str, float]) -> bool:
    """Whether one text, boolean, null or number agrees."""
    if expected is None:
        return answer is None or (isinstance(answer, float) and not math.isfinite(answer))
    if isinstance(expected, (str, bool)) or isinstance(answer, (str, bool)) or answer is None:
        return type(expected) is type(answer) and expected == answer
    if not isinstance(answer, (int, float)):
        return False
    if answer == expected:
        return True
    allowed = max(tolerance.get("abs", 0.0), tolerance.get("rel", 0.0) * abs(expected))
    return abs(answer - expected) <= allowed


def plain(value: Any) -> Any:
    """Arrays, Series, frames and numpy scalars as lists, dictionaries and Python numbers; dates as ISO texts."""
    if isinstance(value, (pd.Series, Mapping)):
        return {key: plain(item) for key, item in dict(value).items()}
    if isinstance(value, pd.DataFrame):
        return plain(value.to_numpy())
    if isinstance(value, (np.ndarray, list, tuple, pd.Index)):
        return [plain(item) for item in value]
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return None if pd.isna(value) else str(pd.Timestamp(value).date())
    return value.item() if isinstance(value, np.generic) else value


@functools.cache
def discover() -> tuple[dict[str, Callable[[Inputs], Any]], dict[str, str]]:
    """Merge `QUANTITIES` of every module in tests/quantities; also say which modules did not load, and why."""
    found: dict[str, Callable[[Inputs], Any]] = {}
    broken: dict[str, str] = {}
    folder = Path(__file__).parents[1] / "quantities"
    for module in sorted(info.name for info in pkgutil.iter_modules([str(folder)])):
        try:
            quantities = importlib.import_module(f"quantities.{module}").QUANTITIES
        except Exception as error:
            broken[module] = f"{type(error).__name__}: {error}"
            continue
        twice = sorted(found.keys() & quantities.keys())
        if twice:
            broken[module] = f"{', '.join(twice)} mapped before"
        found.update(quantities)
    return found, broken
