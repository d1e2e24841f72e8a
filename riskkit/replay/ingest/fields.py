"""The fields of one live event: which there are, which are given, and which are names; as for the columns of a frame."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.schema.columns import ANSWERS, kind_word
from riskkit.replay.schema.names import name_text

NAMES = (
    "account",
    "instrument",
    "strategy",
    "connection",
    "order_id",
    "parent_id",
    "trade_id",
    "reserve_id",
    "smp_id",
    "currency",
    "from",
    "to",
)
ORIGIN = ("strategy", "connection")  # of every event of an account
FIELDS: dict[str, tuple[str, ...]] = {
    "order": (
        "account", "instrument", "side", "qty", "price", "type", "order_id", "reduce_only", "reserve", "parent_id",
        "expires", "stop", "offset", "display", "dnr", "quote_qty", "close_position",
        "reference", "external", "smp_id", "tif", "mmp", *ORIGIN,
    ),
    "combination": ("account", "instrument", "side", "qty", "price", "order_id", "reduce_only", "parent_id", "expires", "legs", *ORIGIN),
    "modify": ("order_id", "account", "instrument", "side", "qty", "price", "children", "reduce_only", "stop", "offset", *ORIGIN),
    "cancel": ("order_id", "account", "instrument", "cancel_frees", *ORIGIN),
    "fill": ("order_id", "account", "instrument", "side", "qty", "price", "trade_id", "fee", *ORIGIN),
    "price": ("instrument", "price", "bid", "ask", *ORIGIN),
    "close": ("instrument", "price", *ORIGIN),
    "dividend": ("instrument", "amount"),
    "funding": ("instrument", "rate"),
    "expiry": ("instrument", "price"),
    "split": ("instrument", "ratio", "orders"),
    "multiplier": ("instrument", "multiplier"),
    "phase": ("instrument", "phase"),
    "roll": ("from", "to", "from_price", "to_price"),
    "adjust": ("account", "instrument", "side", "qty", "price"),
    "transfer": ("from", "to", "instrument", "qty", "price"),
    "snapshot": ("account", "positions", "orders"),
    "snapshot order": ("order_id", "instrument", "side", "qty", "price"),
    "fx": ("pair", "price", "bid", "ask"),
    "cash": ("account", "amount", "flow", "currency", *ORIGIN),
    "equity": ("account", "equity", *ORIGIN),
    "credit": ("account", "reserve_id", "step", "amount", "currency"),
    "closed trade": ("account", "instrument", "side", "pnl", "ret", "exit", *ORIGIN),
    "ack": ("account", "order_id", *ORIGIN),
    "error": ("account", "order_id", *ORIGIN),
    "execution": ("account", *ORIGIN),
    **dict.fromkeys(map(kind_word, ANSWERS), ("order_id", "account", "instrument", *ORIGIN)),
    "order_list": ("account", "orders", "children"),
    "bust": ("trade_id", "account", "instrument", "side", *ORIGIN),
    "correct": ("trade_id", "account", "instrument", "side", "qty", "price", "fee", *ORIGIN),
}  # fmt: skip
CALLED = {"trade": "fill", "closed_trade": "closed trade"}  # names of calls of a session
NEEDED = {"order_list": ("account", "orders")}
T = TypeVar("T")


def is_missing(value: Any) -> bool:
    """True for what is an empty cell of a frame: None, NaN, NaT, NA, a masked number and the empty text."""
    if value is None or type(value).__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return True
    if isinstance(value, str):
        return not value
    if isinstance(value, Decimal):
        return value.is_qnan()  # a signaling NaN cannot be compared
    return isinstance(value, (float, np.floating)) and bool(value != value)


def refuse_unknown(kind: str, fields: Iterable[Any], known: tuple[str, ...]) -> None:
    """Refuse a field that an event of a kind does not have."""
    for name in fields:
        if name not in known:
            close = difflib.get_close_matches(str(name).lower()[:100], known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(known)}"
            raise InputError(f"field {shown(name)} is not known of an event of kind {kind!r}; {hint}")


def called(call: Callable[..., T], kind: str, fields: Mapping[str, Any]) -> T:
    """The answer of a session's call to the fields of an event; what a call of Python would raise for them is a refusal.

    Raises
    ------
    InputError
        If there is a field that the call does not have, or one is missing that it needs.
    """
    try:
        return call(**fields)
    except TypeError:
        refuse_unknown(kind, fields, ("ts", *FIELDS[CALLED.get(kind, kind)]))
        for name in ("ts", *NEEDED.get(kind, ())):
            if name not in fields:
                raise InputError(f"field {name!r} is missing; an event of kind {kind!r} needs it") from None
        raise


def given_fields(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a value.

    Raises
    ------
    InputError
        If a field is not one of this kind of event, or a name is no name.

    Examples
    --------
    >>> given_fields("cancel", {"order_id": "a1", "account": float("nan")})
    {'order_id': 'a1'}
    """
    refuse_unknown(kind, fields, FIELDS[kind])
    given = {name: value for name, value in fields.items() if not is_missing(value)}
    for name in NAMES:
        if name in given:
            name_text(given[name], name)
    return given


def orders_of(found: Any, kind: str) -> list[dict[str, Any]]:
    """The fields of each of several orders in one event."""
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, Mapping) for one in found):
        raise InputError(f"orders={shown(found)} is not a list of orders, each a mapping of its fields")
    return [given_fields(kind, one) for one in found]
