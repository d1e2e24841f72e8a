"""Ids of a log's orders as people write them; they decide nothing and are in no digest of events or decisions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest.labels import label_text

NAMED = 5  # ids in an error message


class OrderLabels:
    """The id of each order, found by row, and the rows of an id; made when they are first used.

    Parameters
    ----------
    rows : ndarray
        Rows of the orders with an id, ascending.
    ids : sequence
        Their ids, as they were given.
    """

    def __init__(self, rows: np.ndarray, ids: Sequence[Any]) -> None:
        self.rows, self._ids = rows, ids

    @cached_property
    def by_row(self) -> dict[int, str]:
        """The ids as texts by row."""
        return dict(zip(self.rows.tolist(), map(label_text, self._ids), strict=True))

    def rows_of(self, label: Any) -> list[int]:
        """Rows of the orders with this id; several if ids are unique only within an account or a day.

        Raises
        ------
        InputError
            If no order has it.
        """
        wanted = label_text(label)
        found = [row for row, text in self.by_row.items() if text == wanted]
        if found:
            return found
        if not self.by_row:
            raise InputError(f"order_id={shown(label)} is the id of no order: this log has none; give the event's seq")
        texts = list(self.by_row.values())
        some = ", ".join(texts[:NAMED]) + (", ..." if len(texts) > NAMED else "")
        raise InputError(f"order_id={shown(label)} is the id of no order of this log; its orders are {some}")

    def column(self, size: int) -> np.ndarray:
        """The ids as a column of a stored log: UTF-8 at the row of each order, empty elsewhere."""
        texts = [text.encode() for text in self.by_row.values()]
        column = np.zeros(size, f"S{max(map(len, texts), default=1)}")
        column[self.rows] = texts
        return column

    def moved(self, rows: np.ndarray) -> OrderLabels:
        """The same ids in a log that has row k at ``rows[k]``."""
        return OrderLabels(rows[self.rows], self._ids)

    @classmethod
    def stored(cls, column: np.ndarray) -> OrderLabels:
        """The ids of a stored column."""
        rows = np.flatnonzero(column != b"")
        return cls(rows, [text.decode(errors="replace") for text in column[rows].tolist()])  # else the hash tells
