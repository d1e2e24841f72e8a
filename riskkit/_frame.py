"""`frame_of`: a DataFrame of columns whose types are known, for answers that are asked for all the time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any


def frame_of(columns: Mapping[str, Sequence[Any]], texts: Collection[str]) -> Any:
    """A DataFrame of columns of one length; those named in `texts` are parts of one array.

    Each array of texts would cost as much as the rest of a small frame.

    Examples
    --------
    >>> print(frame_of({"rule": ["size", "rate"], "limit": [5, 7], "unit": ["count", "count"]}, {"rule", "unit"}))
       rule  limit   unit
    0  size      5  count
    1  rate      7  count
    """
    import pandas as pd

    rows = len(next(iter(columns.values())))
    named = [name for name in columns if name in texts]
    joined = pd.array([cell for name in named for cell in columns[name]], _text())
    parts = {name: joined[at * rows : (at + 1) * rows] for at, name in enumerate(named)}
    return pd.DataFrame({**columns, **parts}, pd.RangeIndex(rows), copy=False)


@cache
def _text() -> Any:
    """The type of texts; by its name, pandas would look for it among all types each time."""
    import pandas as pd

    return pd.Series([""], dtype="str").dtype
