"""Digest of a state as plain data: equal for equal states, whatever order of events led to them."""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from riskkit._check import InputError, shown
from riskkit._plain import Check, either, integer, rows, text

T = TypeVar("T")
LONGEST_ID = 4_000  # digits


def digest_of(kind: str, state: Any) -> str:
    """SHA-256 of the canonical JSON of a state: keys sorted, no spaces, ASCII, floats as they print.

    Exact amounts are decimal texts, so that no reader can round them.

    Examples
    --------
    >>> digest_of("Book", {"a": 1, "b": "2"}) == digest_of("Book", {"b": "2", "a": 1})
    True
    """
    written = json.dumps([kind, state], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(written.encode("ascii")).hexdigest()


def plain_id(trade_id: Any) -> Any:
    """Convert a trade id to JSON data: a text, an integer, or a list of them for a tuple.

    Raises
    ------
    InputError
        An id of another type, which a stored state could not restore.

    Examples
    --------
    >>> plain_id(("venue", 7))
    ['venue', 7]
    """
    if isinstance(trade_id, str) or trade_id is None:
        return trade_id
    if isinstance(trade_id, tuple):
        return [plain_id(part) for part in trade_id]
    try:
        return operator.index(trade_id)
    except TypeError:
        if isinstance(trade_id, float) and trade_id.is_integer():  # equal to its integer, with the same hash
            return int(trade_id)
    raise InputError(f"trade_id={shown(trade_id)} cannot be stored; give a text, an integer or a tuple of them")


def id_of(plain: Any) -> Any:
    """Read what `plain_id` wrote."""
    return tuple(map(id_of, plain)) if isinstance(plain, list) else plain


def checked_state(kind: str, shape: Check, state: Any, version: int) -> None:
    """Refuse a state of another format, and one that has another leaf than its writer gives it."""
    if isinstance(state, Mapping) and state.get("format", version) != version:
        raise InputError(f"the state has format {shown(state['format'])}; this riskkit reads format {version}")
    try:
        shape(state, "state")
    except InputError as error:
        raise InputError(f"the state was not written by a {kind}: {error}") from None
    except RecursionError:
        raise InputError(f"the state was not written by a {kind}: it is nested too deep") from None


def trade_id(value: Any, place: str) -> None:
    """Check of an id as `plain_id` writes it: a text, an integer, or a list of ids."""
    either(text, integer(-(10**LONGEST_ID), 10**LONGEST_ID), rows(trade_id))(value, place)


def restored(kind: str, state: Any, build: Callable[[Any], T]) -> T:
    """Call `build` on a state; a malformed state raises one `InputError`."""
    try:
        return build(state)
    except InputError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise InputError(f"the state was not written by a {kind}: {type(error).__name__} {error}") from None
