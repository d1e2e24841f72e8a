"""Keys of the cache in Redis: how long each lives, and its value as JSON or as an array of numpy. Never a pickle."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, shown
from riskkit.desk.core.records import CheckedRecord, as_text, plain


class CacheKey(NamedTuple):
    """A kind of entry.

    Parameters
    ----------
    pattern : str
        The key; "{user}" stands for the user.
    seconds : int, optional
        Time to live; None: until it is replaced.
    encode, decode : callable
        A value to bytes and back; both raise a ValueError for what is none.
    """

    pattern: str
    seconds: int | None
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]

    def of(self, user: str = "") -> str:
        """The key of a user."""
        return self.pattern.replace("{user}", as_text(user, "user")) if "{user}" in self.pattern else self.pattern


def _plain(value: Any) -> Any:
    """A record, a Decimal or a time as JSON takes it."""
    found = plain(value)
    if found is value:
        raise TypeError(f"{shown(value)} is not plain data")
    return found


as_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain).encode


def to_json(value: Any) -> bytes:
    """JSON; records as their fields, and exact amounts as texts.

    Examples
    --------
    >>> from decimal import Decimal
    >>> to_json({"amount": Decimal("1.50")})
    b'{"amount":"1.50"}'
    """
    try:
        return as_json(value).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"value cannot be kept as JSON: {error}") from None


def _json(pattern: str, kind: type, seconds: int | None = None) -> CacheKey:
    """A kind of entry whose value is JSON of one kind."""

    def checked(value: Any) -> Any:
        if kind is float and type(value) is int:
            return float(value)
        if not isinstance(value, kind):
            raise InputError(f"value is a {type(value).__name__}; give a {kind.__name__}")
        return value

    return CacheKey(
        pattern,
        seconds,
        lambda value: to_json(checked(value.to_dict() if isinstance(value, CheckedRecord) else value)),
        lambda data: checked(json.loads(data)),
    )


def to_matrix(value: Any) -> bytes:
    """A square matrix of finite numbers in the npy form."""
    matrix = np.asarray(value, float)
    _refuse_other(matrix)
    file = io.BytesIO()
    np.save(file, matrix, allow_pickle=False)
    return file.getvalue()


def of_matrix(data: bytes) -> np.ndarray:
    """The matrix of `to_matrix`."""
    matrix = np.load(io.BytesIO(data), allow_pickle=False)
    _refuse_other(matrix)
    return matrix


def _refuse_other(matrix: Any) -> None:
    shape: Any = getattr(matrix, "shape", ())
    if len(shape) != 2 or shape[0] != shape[1] or matrix.dtype != float or not np.isfinite(matrix).all():
        raise InputError("value is not a square matrix of finite numbers")


METRICS = _json("risk:{user}:metrics", dict, 30)
POSITIONS = _json("position:{user}:current", list, 300)
DESK: Mapping[str, CacheKey] = {
    "covariance": CacheKey("risk:cov_matrix:current", None, to_matrix, of_matrix),
    "stressed": CacheKey("risk:cov_matrix:stressed", None, to_matrix, of_matrix),
    "last_prices": _json("market_data:last_prices", dict),
    "cash": _json("portfolio:cash", float),
    "holdings": _json("portfolio:holdings", dict),
    "tickers": _json("config:tickers", list),
}
"""The state of a desk of a covariance, by the name of its part."""


def alerts_key(engine: str) -> str:
    """The stream of the alerts of an engine."""
    return f"riskkit:{as_text(engine, 'engine')}:alerts"


def lease_key(engine: str) -> str:
    """The lease of the writer of an engine."""
    return f"riskkit:{as_text(engine, 'engine')}:writer"
