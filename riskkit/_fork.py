"""Locks and threads after a fork: a child has the locks as they were held, and none of the threads that held them.

An object with a lock registers itself; in a forked child its method `_after_fork` gives it new ones.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

_alive: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def lock_of(owner: Any) -> Any:
    """A lock for the attribute ``_lock`` of an object, renewed in a forked child."""
    _alive[id(owner)] = owner
    return threading.RLock()


def _renew() -> None:
    for owner in list(_alive.values()):
        owner._lock = threading.RLock()
        getattr(owner, "_after_fork", lambda: None)()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
