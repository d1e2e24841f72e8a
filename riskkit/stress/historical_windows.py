"""Historical windows, by episode name or by dates, cut from a table of prices or returns.

A window begins *after* its `start`, the last close before the event, and ends with its `end`: its first return is that
of the period after `start`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, as_dates, labels_of, shown
from riskkit._show import Row, Shown, short_label, table_html, table_text


@dataclass(frozen=True, repr=False)
class Episode(Shown):
    """Named episode of market stress.

    Attributes
    ----------
    name : str
        Name of the episode.
    start : str
        Date of the last close before the episode.
    end : str
        Date of its last close.
    description : str
        The event, in a few words.

    Examples
    --------
    >>> from riskkit.stress import HISTORICAL_EPISODES
    >>> episode = next(iter(HISTORICAL_EPISODES.values()))
    >>> episode.name, episode.start, episode.end
    ('Gulf War 1990', '1990-07-16', '1990-10-11')
    """

    name: str
    start: str
    end: str
    description: str

    def _title(self) -> str:
        return self.name

    def _rows(self) -> list[Row]:
        return [("after", self.start, ""), ("until", self.end, ""), ("event", self.description, "")]


_NAMED = (
    Episode("Gulf War 1990", "1990-07-16", "1990-10-11", "invasion of Kuwait, oil doubles, recession"),
    Episode("Bonds 1994", "1994-02-02", "1994-04-04", "the Federal Reserve begins to raise rates"),
    Episode("Asia 1997", "1997-10-07", "1997-10-27", "currencies of Asia fall, Hong Kong crashes"),
    Episode("Russia and LTCM 1998", "1998-07-17", "1998-10-08", "Russia defaults, LTCM is rescued"),
    Episode("Dot-com 2000-2002", "2000-03-24", "2002-10-09", "technology shares collapse over two and a half years"),
    Episode("September 11, 2001", "2001-09-10", "2001-09-21", "attacks, exchanges closed until the 17th"),
    Episode("Quant crisis 2007", "2007-07-19", "2007-08-15", "deleveraging of equity strategies, first funds closed"),
    Episode("Financial crisis 2007-2009", "2007-10-09", "2009-03-09", "from the peak before to the low after Lehman"),
    Episode("Lehman autumn 2008", "2008-09-12", "2008-11-20", "failure of Lehman Brothers, credit stops"),
    Episode("Greece 2010", "2010-04-23", "2010-07-02", "first rescue of Greece"),
    Episode("Flash crash 2010", "2010-05-05", "2010-05-07", "most of it within the 6th: daily closes see little"),
    Episode("August 2011", "2011-07-22", "2011-08-08", "debt ceiling, the United States lose their AAA"),
    Episode("Taper tantrum 2013", "2013-05-21", "2013-06-24", "talk of fewer bond purchases"),
    Episode("August 2015", "2015-08-17", "2015-08-25", "China devalues, limit-down open on the 24th"),
    Episode("January 2016", "2015-12-29", "2016-02-11", "China's circuit breakers, oil at its low"),
    Episode("Brexit 2016", "2016-06-23", "2016-06-27", "the United Kingdom votes to leave"),
    Episode("Volatility 2018", "2018-01-26", "2018-02-08", "funds that sold volatility unwind"),
    Episode("Winter 2018", "2018-09-20", "2018-12-24", "rates, trade, thin markets before Christmas"),
    Episode("COVID 2020", "2020-02-19", "2020-03-23", "pandemic, fastest fall from a peak on record"),
    Episode("Inflation 2022", "2022-01-03", "2022-10-12", "rates rise, shares and bonds fall together"),
)


class Episodes(dict[str, Episode]):
    """Mapping of episodes by name that prints as a table."""

    def __repr__(self) -> str:
        """Return the table as text."""
        return table_text(*self._cells())

    def _repr_html_(self) -> str:
        return table_html(*self._cells())

    def _cells(self) -> tuple[str, list[str], list[list[str]]]:
        rows = [[name, episode.start, episode.end, episode.description] for name, episode in self.items()]
        return f"{len(self)} episodes", ["name", "after", "until", ""], rows


HISTORICAL_EPISODES = Episodes((episode.name, episode) for episode in _NAMED)
"""Historical episodes in order of time, by dates of US markets."""


@dataclass(frozen=True)
class Window:
    """Rows of a table: those after `start` until `end`."""

    name: Any
    start: Any
    end: Any
    rows: np.ndarray
    """(n_obs,) True within the window."""


def windows_in(table: Any, windows: Any = None) -> list[Window]:
    """Rows of every window.

    Parameters
    ----------
    table : Series, DataFrame or array
        One row per period, oldest first; rows without labels are numbered from 0.
    windows : optional
        Names of `HISTORICAL_EPISODES`, episodes, or a mapping from names to (start, end) labels; by default all episodes that the
        table covers from start to end.

    Returns
    -------
    list of Window

    Raises
    ------
    InputError
        Rows out of order; an unknown name; a window that is not covered or contains no row.

    Examples
    --------
    >>> [(window.name, window.rows.tolist()) for window in windows_in([0.1, 0.2, 0.3], {"last two": (0, 2)})]
    [('last two', [False, True, True])]
    """
    import pandas as pd

    if not len(table):
        raise InputError("the table has no rows, in which no episode can be found")
    index = labels_of(table, 0)
    index = pd.RangeIndex(len(table)) if index is None else as_dates(index)
    if not (index.is_monotonic_increasing and index.is_unique):
        raise InputError("the rows are not in order of time, oldest first and each once; sort_index() first")
    if windows is None:
        if not isinstance(index, pd.DatetimeIndex):
            raise InputError(
                "the rows have no dates, so named episodes cannot be found; give windows={name: (start, end)}"
            )
        found = [_cut(index, episode.name, episode.start, episode.end) for episode in HISTORICAL_EPISODES.values()]
        covered = [window for window in found if not isinstance(window, str)]
        if not covered:
            raise InputError(f"the rows, {short_label(index[0])} to {short_label(index[-1])}, cover no episode")
        return covered
    cut = [_cut(index, *wanted) for wanted in _wanted(windows)]
    refused = [window for window in cut if isinstance(window, str)]
    if refused:
        raise InputError(refused[0])
    if not cut:
        raise InputError("windows is empty; give at least one")
    return [window for window in cut if isinstance(window, Window)]


def _wanted(windows: Any) -> Iterable[tuple[Any, Any, Any]]:
    """(name, start, end) of every requested window."""
    if isinstance(windows, Mapping):
        for name, bounds in windows.items():
            if isinstance(bounds, Episode):
                yield name, bounds.start, bounds.end
            elif isinstance(bounds, (str, bytes)) or not np.iterable(bounds) or len(tuple(bounds)) != 2:
                raise InputError(f"windows has {bounds!r} under {name!r}; give (start, end)")
            else:
                start, end = bounds
                yield name, start, end
        return
    for item in [windows] if isinstance(windows, (str, Episode)) else windows:
        episode = item if isinstance(item, Episode) else HISTORICAL_EPISODES.get(item)
        if episode is None:
            raise InputError(f"windows names {item!r}, which is not one of {', '.join(map(repr, HISTORICAL_EPISODES))}")
        yield episode.name, episode.start, episode.end


def _cut(index: Any, name: Any, start: Any, end: Any) -> Window | str:
    """The rows of a window, or the error message for a window without rows."""
    try:
        past_start, past_end = _past(index, start), _past(index, end)
        covered = _reaches_back(index, start, past_start) and bool(past_end[-1] or _past_begin(index, end)[-1])
    except (TypeError, ValueError) as error:
        return f"windows has {shown(start)} to {shown(end)} for {shown(name)}, which does not fit the labels of the rows ({error})"
    if not covered:
        return (
            f"window {shown(name)} runs from {start} to {end}, but the rows from {short_label(index[0])} to {short_label(index[-1])}; "
            "leave it out or give more history"
        )
    rows = past_start & ~past_end
    if not rows.any():
        return f"window {shown(name)} contains no row after {start} and until {end}; its start must be before its end"
    return Window(name, start, end, rows)


def _past(index: Any, bound: Any) -> np.ndarray:
    """Rows later than a label; a date without a time includes its whole day."""
    import pandas as pd

    if not isinstance(index, pd.DatetimeIndex):
        return np.asarray(index > bound)
    moment = _moment(index, bound)
    return np.asarray(index >= moment + pd.Timedelta(days=1) if moment == moment.normalize() else index > moment)


def _past_begin(index: Any, bound: Any) -> np.ndarray:
    """Rows not earlier than a label."""
    import pandas as pd

    return np.asarray(index >= (_moment(index, bound) if isinstance(index, pd.DatetimeIndex) else bound))


def _reaches_back(index: Any, start: Any, past_start: np.ndarray) -> bool:
    """True if no row between the start and the first row can be missing."""
    import pandas as pd

    numbered = pd.api.types.is_integer_dtype(index.dtype)
    return not past_start[0] or (numbered and bool(index[0] == start + 1))


def _moment(index: Any, bound: Any) -> Any:
    """A label as a time in the zone of the rows."""
    import pandas as pd

    moment = pd.Timestamp(bound)
    return moment.tz_localize(index.tz) if moment.tzinfo is None and index.tz is not None else moment
