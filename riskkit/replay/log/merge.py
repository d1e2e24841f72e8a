"""Merge the columns of two event logs: every row gets a new number, and references to rows follow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskkit.replay.schema.columns import OPTIONAL, ROW_NUMBERS


def new_rows(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """New row numbers of both logs' events, ordered by these places (times or rows); at equal places the first log's.

    An event of the first log with an earlier place than its predecessor stays after it.

    Examples
    --------
    >>> [rows.tolist() for rows in new_rows(np.array([10, 20, 30]), np.array([20, 40]))]
    [[0, 1, 3], [2, 4]]
    """
    order = np.argsort(np.concatenate([np.maximum.accumulate(first), second]), kind="stable")
    rows = np.empty(len(order), np.int64)
    rows[order] = np.arange(len(order))
    return rows[: len(first)], rows[len(first) :]


def merged(
    first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], rows: tuple[np.ndarray, np.ndarray]
) -> dict[str, np.ndarray]:
    """The columns of both logs in one order; a column that one of them does not have holds its default there."""
    return {name: _column(name, first, second, rows) for name in {**first, **second}}


def _column(
    name: str, first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], rows: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """One column of both logs; row numbers in it are updated."""
    dtype = first[name].dtype if name in first else second[name].dtype
    found = np.empty(len(rows[0]) + len(rows[1]), dtype)
    for columns, new in zip((first, second), rows, strict=True):
        column = columns[name] if name in columns else np.full(len(new), OPTIONAL[name][1], dtype)
        found[new] = np.where(column >= 0, new[column], column) if name in ROW_NUMBERS else column
    return found
