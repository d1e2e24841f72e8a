"""Tables in pages that never change, of which the next version of a table takes those that are still right."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from riskkit.replay.kernels.records import Records, RecordView, copied, stacked
from riskkit.replay.kernels.workspace import PAGE, zeros

RECORDS, WORDS = 64, PAGE  # of a page
NO_WORDS = np.zeros(WORDS, np.int64)  # a page of a workspace to which nothing was written, shared by all of them


class Pages:
    """A copy of a table of records, or of a workspace.

    Parameters
    ----------
    pages : list of ndarray
        Its pages, of `RECORDS` records or `WORDS` words each; the last one may be shorter.
    source : ndarray
        The table of which it is a copy.
    copied : int
        Number of pages that were copied for it; the others are those of the version before.

    Examples
    --------
    >>> table = np.zeros(1000, [("cash", "<i8")])
    >>> before = Pages.of(table)
    >>> table["cash"][130] = 7
    >>> after = before.renewed([130 // RECORDS])
    >>> len(after.pages), after.copied, int(after.whole()["cash"].sum()), int(before.whole()["cash"].sum())
    (16, 1, 7, 0)
    """

    __slots__ = ("copied", "pages", "size", "source")

    def __init__(self, pages: list[np.ndarray], source: np.ndarray, copied: int) -> None:
        self.pages, self.source, self.copied = pages, source, copied
        self.size = WORDS if source.dtype.names is None else RECORDS

    @classmethod
    def of(cls, table: np.ndarray) -> Pages:
        """A copy of all."""
        if table.dtype.names is not None:
            records = copied(table)
            pages = [records[start : start + RECORDS] for start in range(0, len(table), RECORDS)]
        else:  # most of a workspace is empty
            parts = [table[start : start + WORDS] for start in range(0, len(table), WORDS)]
            whole = len(table) // WORDS
            used = np.ones(len(parts), bool)
            used[:whole] = table[: whole * WORDS].reshape(whole, WORDS).any(axis=1)
            pages = [part.copy() if any_word else NO_WORDS for part, any_word in zip(parts, used, strict=True)]
        return cls(pages, table, len(pages))

    def renewed(self, numbers: Iterable[int]) -> Pages:
        """A later version of the same table, of which only some pages have changed since."""
        pages, count = list(self.pages), 0
        for number in numbers:
            pages[number] = copied(self.source[number * self.size : (number + 1) * self.size])
            count += 1
        return Pages(pages, self.source, count)

    def whole(self, size: int | None = None) -> np.ndarray:
        """The first `size` rows (default: all) as an array, which cannot be written if it is that of the only page."""
        size = len(self.source) if size is None else size
        if self.source.dtype.names is not None:
            pages = self.pages[: -(-size // self.size)]
            if len(pages) > 1:
                return stacked(pages)[:size]
            only = pages[0][:size]
            only.flags.writeable = False
            return only
        found = zeros(size)
        for number, page in enumerate(self.pages):
            if page is not NO_WORDS:
                found[number * self.size : (number + 1) * self.size] = page
        return found

    def __getitem__(self, row: int) -> np.void:
        """One record."""
        return self.pages[row // self.size][row % self.size]

    def record(self, row: int) -> RecordView:
        """One record, its fields as attributes."""
        return Records(self.pages[row // self.size])[row % self.size]
