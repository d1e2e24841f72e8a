"""Records whose fields are made when one of them is read: until then one holds a tuple, and has no dict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

_set = object.__setattr__


class Late:
    """The base of a frozen dataclass with slots and the fields ``action`` and ``rule``, which are known at once.

    `set_late` gives a new object of it these two, and a function and its arguments that give the others.
    """

    __slots__ = ("_late",)

    if not TYPE_CHECKING:  # a type checker would accept every attribute

        def __getattr__(self, name: str) -> Any:
            if name == "_late":  # of one that was made at once
                return None
            late = self._late  # None: made by another thread meanwhile
            if late is not None:
                if name in ("action", "rule"):
                    return late[name == "rule"]
                made = late[2](*late[3:])
                for known in fields(made):
                    _set(self, known.name, getattr(made, known.name))
                set_late(self, None)
            try:
                return object.__getattribute__(self, name)
            except AttributeError:
                raise AttributeError(f"a {type(self).__name__} has no field {name!r}") from None


set_late: Callable[[Any, tuple[Any, ...] | None], None] = Late._late.__set__  # type: ignore[attr-defined]
