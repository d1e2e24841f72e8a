"""Locks and threads after a fork: a child has the locks as they were held, and none of the threads that held them.

Every lock of the package is made here, and is free again in a forked child. An object with a method `_after_fork` begins
anew there; what writes files leaves them to the parent.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

_locks: weakref.WeakSet[Any] = weakref.WeakSet()
_owners: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def new_lock(kind: Callable[[], Any] = threading.RLock) -> Any:
    """An `RLock` or a `Condition` that is free in a forked child, unless the thread that forked holds it.

    No `Lock`: it does not know who holds it.
    """
    made = kind()
    _locks.add(made)
    return made


def lock_of(owner: Any, kind: Callable[[], Any] = threading.RLock) -> Any:
    """As `new_lock`, the lock of an object whose ``_after_fork(torn)`` is called in a forked child, if it has one.

    `torn` is True if another thread held the lock, so that the object may be half changed.
    """
    made = new_lock(kind)
    _owners[id(made)] = owner
    return made


def _renew() -> None:
    """Free the locks of threads that are not here, as the standard library does with its own."""
    torn = set()
    for made in list(_locks):
        if made._is_owned():
            continue
        if made.acquire(blocking=False):
            made.release()
        else:
            torn.add(id(made))
        made._at_fork_reinit()  # waiters of a condition are not here either
    for lock, owner in list(_owners.items()):
        renew = getattr(owner, "_after_fork", None)
        if renew is not None:
            renew(lock in torn)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
