"""A request and an answer, and the errors that have an answer of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from riskkit._check import InputError
from riskkit.service.keys import Key

JSON = b"application/json"


class Request(NamedTuple):
    """A request that may be served.

    Parameters
    ----------
    method, path : str
        Of HTTP.
    rest : str
        What the path has after the route's.
    query : bytes
        As sent.
    headers : dict
        By lower-case name.
    body : bytes
        Complete.
    key : Key
        Who asks.
    """

    method: str
    path: str
    rest: str
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes
    key: Key

    def parameters(self, **defaults: Any) -> dict[str, Any]:
        """The parameters of the query, each of the type of its default.

        Raises
        ------
        RefusedError
            If one is not known, or is no such number.
        """
        found = dict(defaults)
        for name, text in parse_qsl(self.query.decode("latin-1"), keep_blank_values=True, max_num_fields=None):
            if name not in defaults:
                known = ", ".join(defaults) or "none"
                raise RefusedError(422, f"parameter {name!r} is not known; there are: {known}", field=name)
            kind = type(defaults[name])
            try:
                found[name] = text if defaults[name] is None else kind(text)
            except ValueError:
                raise RefusedError(422, f"parameter {name}={text[:80]!r} is not a number", field=name) from None
        return found


class Response(NamedTuple):
    """An answer with another status or type than 200 and JSON."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class RefusedError(InputError):
    """A request that is answered by a sentence and a status."""

    def __init__(self, status: int, sentence: str, *, field: str | None = None, headers: Any = ()) -> None:
        super().__init__(sentence)
        self.status, self.field, self.headers = status, field, tuple(headers)


Handler = Callable[[Request], Awaitable[Any]]


class Route(NamedTuple):
    """A handler, and the scope that a key needs for it (None: everybody may)."""

    handler: Handler
    scope: str | None
