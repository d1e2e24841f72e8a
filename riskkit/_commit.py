"""`commit`: changes that are prepared first, then carried out without anything in between.

A signal (Ctrl-C) is handled between two instructions of Python, so it can come between any two assignments. Here a
method first prepares its changes, as calls of functions that are written in C (``dict.__setitem__``, ``list.extend``,
`setattr`, ...), and `commit` carries them out inside one instruction: an interruption finds all of them done, or none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import starmap
from operator import call
from typing import Any

Change = tuple[Any, ...]
"""A function in C that does not fail, and its arguments."""


def commit(changes: Iterable[Change]) -> None:
    """Carry out changes, in order, inside one instruction.

    Examples
    --------
    >>> held, names = {}, []
    >>> commit([(held.__setitem__, "a", 1), (names.append, "a")])
    >>> held, names
    ({'a': 1}, ['a'])
    """
    deque(starmap(call, list(changes)), maxlen=0)
