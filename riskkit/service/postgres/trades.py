"""Trade events into PostgreSQL, each once by its position in its source; positions and daily profit follow in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from riskkit._check import InputError, shown, whole_number
from riskkit.desk.core.records import as_text
from riskkit.service.postgres.connection import Connection
from riskkit.service.postgres.copying import copy, make_partitions, times
from riskkit.service.postgres.schema import has_timescale, install

MILLISECOND = 1_000_000
LATEST = (2**63 - 1) // MILLISECOND  # a time in nanoseconds has 64 bits
AMOUNT_BITS = 256


class PostgresTrades:
    """Writer of the table trade_events.

    Parameters
    ----------
    conninfo : str
        The database, as libpq takes it.
    timeout : float
        Seconds after which a batch has failed.
    """

    def __init__(self, conninfo: str, *, timeout: float = 10.0) -> None:
        self._connection = Connection(conninfo, timeout)
        self.errors = self._connection.errors
        self._timescale: bool | None = None

    def write(self, source: str, positions: Sequence[int], events: Iterable[Mapping[str, Any]]) -> int:
        """Add a batch of trade events in one transaction; return how many were new.

        Parameters
        ----------
        source : str
            Where they come from, as "trade-events/3" for a partition of a topic.
        positions : sequence of int
            Position of each event in the source, as the offset of a message; they grow. What is not above the last one
            that was taken is a repeat.
        events : iterable of mappings
            ``user_id`` and ``trade_id`` (UUIDs), ``token_in``, ``token_out``, ``amount_in``, ``amount_out``, ``timestamp``
            (milliseconds), ``dex_source``, ``gas_used``, and ``pnl`` if it is known. Amounts are ints, Decimals or texts, of
            up to 256 bits.

        Raises
        ------
        InputError
            If a position or a field does not fit; nothing is written.
        psycopg.Error
            If the server is away or refuses. Nothing is written, or, if the answer was lost, all: write the same again.
        """
        rows = [_checked(index, event) for index, event in enumerate(events)]
        places = [whole_number(position, "position", at_least=0) for position in positions]
        if len(places) != len(rows) or any(a >= b for a, b in zip(places, places[1:], strict=False)):
            raise InputError("positions has to have a number for each event, each above the one before")
        as_text(source, "source")
        with self._connection.use() as connection:
            timescale = self._ready(connection)
            with connection.transaction():
                connection.execute("insert into rk_mark values (%s, -1) on conflict do nothing", [source])
                locked = connection.execute("select position from rk_mark where source = %s for update", [source])
                done = locked.fetchone()[0]
                new = [row for place, row in zip(places, rows, strict=True) if place > done]
                if not new:
                    return 0
                stamps = np.array([row.pop("timestamp") * MILLISECOND for row in new])
                if not timescale:
                    make_partitions(connection, "trade_events", stamps)
                columns = {name: [row[name] for row in new] for name in new[0]}
                copy(connection, "trade_events", {"time": times(stamps), **columns})
                connection.execute("update rk_mark set position = %s where source = %s", [places[-1], source])
                return len(new)

    def position(self, source: str) -> int:
        """Position of the last event of a source that was taken; -1 before the first."""
        with self._connection.use() as connection:
            self._ready(connection)
            found = connection.execute("select position from rk_mark where source = %s", [source]).fetchone()
            return -1 if found is None else int(found[0])

    def _ready(self, connection: Any) -> bool:
        """Install the schema once; return whether TimescaleDB is there."""
        if self._timescale is None:
            install(connection)
            self._timescale = has_timescale(connection)
        return self._timescale

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _checked(index: int, event: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of an event, as texts with every digit."""
    try:
        stamp = whole_number(event["timestamp"], "timestamp", at_least=0)
        if stamp > LATEST:
            raise InputError(f"timestamp={stamp} is after the year 2262; it is in milliseconds")
        found: dict[str, Any] = {"timestamp": stamp} | {
            name: _uuid(event[name], name) for name in ("user_id", "trade_id")
        }
        found |= {name: as_text(event[name], name) for name in ("token_in", "token_out")}
        found |= {name: _amount(event[name], name) for name in ("amount_in", "amount_out")}
        source, gas = event.get("dex_source"), event.get("gas_used")
        found["dex_source"] = None if source is None else as_text(source, "dex_source")
        found["gas_used"] = None if gas is None else _amount(gas, "gas_used")
        return found | {"pnl": _amount(event.get("pnl", 0), "pnl", signed=True)}
    except KeyError as error:
        raise InputError(f"event {index}: field {error} is missing") from None
    except InputError as error:
        raise InputError(f"event {index}: {error}") from None


def _uuid(value: Any, name: str) -> str:
    try:
        return str(value if isinstance(value, uuid.UUID) else uuid.UUID(value))
    except (ValueError, AttributeError, TypeError):
        raise InputError(f"{name}={shown(value)} is not a UUID") from None


def _amount(value: Any, name: str, signed: bool = False) -> str:
    """An exact number as a text."""
    try:
        number = None if isinstance(value, (bool, float)) else Decimal(value)
    except (ArithmeticError, ValueError, TypeError):
        number = None
    if number is None or not number.is_finite():
        raise InputError(f"{name}={shown(value)} is not an exact number; give an int, a Decimal or a text")
    if number < 0 and not signed:
        raise InputError(f"{name}={shown(value)} is below zero")
    if number.copy_abs() >= 2**AMOUNT_BITS or number.as_tuple().exponent < -AMOUNT_BITS:  # type: ignore[operator]
        raise InputError(f"{name}={shown(value)} has more than {AMOUNT_BITS} bits")
    return format(number, "f")
