"""The shared workspace of rules: int64 zeros, of which only pages that something was written to take memory.

A limit of a thousand messages has room for a thousand times for each of its keys; most keys never send that many. So a
large workspace is a private anonymous mapping without huge pages, and a copy of one leaves out the pages of zeros.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Sequence

import numpy as np

LARGE = 1 << 20  # words
PAGE = 512  # words


def zeros(words: int) -> np.ndarray:
    """A workspace of zeros; int64, shape (words,)."""
    if words < LARGE:
        return np.zeros(words, np.int64)
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    mapped = mmap.mmap(-1, words * np.dtype(np.int64).itemsize, **private)
    with contextlib.suppress(AttributeError, OSError):  # not on every system, and no more than advice
        mapped.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(mapped, np.int64)


def joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The parts of a workspace, one after the other.

    Examples
    --------
    >>> joined([np.arange(3), np.zeros(2, np.int64)]).tolist()
    [0, 1, 2, 0, 0]
    """
    found = zeros(sum(map(len, parts)))
    start = 0
    for part in parts:
        whole = len(part) - len(part) % PAGE
        pages = part[:whole].reshape(-1, PAGE)
        used = np.flatnonzero(pages.any(axis=1))
        found[start : start + whole].reshape(-1, PAGE)[used] = pages[used]
        found[start + whole : start + len(part)] = part[whole:]
        start += len(part)
    return found
