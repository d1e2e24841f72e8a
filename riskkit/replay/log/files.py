"""Read an event log from a file: a stored log, or a table of events with its units."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError, shown
from riskkit._files import path_of, reading
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.packed import plain_name
from riskkit.replay.log.storage import is_event_log
from riskkit.replay.log.text_table import read_text_table
from riskkit.replay.schema.toml_file import read_toml
from riskkit.replay.schema.universe import Account, Instrument

if TYPE_CHECKING:
    import pandas as pd

TEXTS = {".csv": ",", ".tsv": "\t"}
PARQUET, MAGIC = (".parquet", ".pq"), b"PAR1"
UNITS = {"instruments": Instrument, "accounts": Account}


def read_events(
    path: str | Path,
    *,
    units: str | Path | None = None,
    tz: str = "UTC",
    unit: str | None = None,
    time_format: str | None = None,
    quanta: Mapping[str, Any] | None = None,
    rounding: str = "refuse",
    on_bad_order: str = "raise",
    order_ids: str = "unique",
    unknown_orders: str = "refuse",
    ts_policy: str = "raise",
    currencies: str = "one",
    columns: Mapping[Any, str] | None = None,
    ignore: Collection[Any] = (),
    about: Mapping[str, Any] | None = None,
) -> EventLog:
    r"""Read an event log from a stored log or a table of events.

    Parameters
    ----------
    path : str or Path
        A Parquet file of `EventLog.to_parquet`, a folder of `EventLog.save` (both are checked against their hash), or a
        CSV, TSV or Parquet table with one event per row, as for `EventLog.from_frame`.
    units : str or Path, optional
        For a table: a TOML file with ``[[instruments]]`` (id, tick, lot, multiplier, currency, ...) and ``[[accounts]]``
        (id, cash, positions, ...), and before them ``quanta = { USD = "0.01" }`` if the unit of money is given. Without
        it ticks and lots are the finest that occur, the multiplier is 1, the currency is USD, and every account starts
        empty.
    tz, unit, time_format, quanta, rounding, on_bad_order, order_ids, unknown_orders, ts_policy, currencies, columns, ignore
        For a table, as in `EventLog.from_frame`.
    about : mapping, optional
        Facts about the data for reports, added to those of a stored log.

    Raises
    ------
    InputError
        If the file does not exist, has another format, or a value does not fit.

    Examples
    --------
    >>> import tempfile
    >>> text = "ts,kind,account,instrument,side,qty,price\n0,order,A,X,B,5,10.5\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "orders.csv").write_text(text)
    ...     log = read_events(Path(folder, "orders.csv"))
    >>> log.counts()["ORDER"]
    1
    """
    path = path_of(path)
    if not path.exists():
        raise InputError(f"{str(path)!r} does not exist; give an event log, or a CSV or Parquet table of events")
    _check_type(path)
    stored = path.is_dir() or (_separator(path) is None and is_event_log(path))
    if not stored:
        declared = {} if units is None else read_units(units)
        if quanta is not None and "quanta" in declared:
            raise InputError(
                f"quanta is given twice, here and in the units file {Path(units or '').name!r}; leave one out"
            )
        declared = {"quanta": quanta, **declared}
        return EventLog.from_frame(
            _table(path, time_format), **declared, tz=tz, unit=unit, time_format=time_format, on_bad_order=on_bad_order,
            ts_policy=ts_policy, order_ids=order_ids, unknown_orders=unknown_orders, rounding=rounding, currencies=currencies,
            columns=columns, ignore=ignore, about={"title": path.name, **(about or {})},
        )  # fmt: skip
    if units is not None or columns or ignore:
        given = "columns= and ignore=" if units is None else Path(units).name
        raise InputError(f"{path.name} is a stored event log with its own units and columns; leave out {given}")
    log = EventLog.open(path, check=True) if path.is_dir() else EventLog.from_parquet(path)
    log.about |= about or {}
    return log


def _check_type(path: Path) -> None:
    """Refuse a file that is neither a text table nor Parquet, by its name and its first bytes."""
    if path.is_dir() or _separator(path) is not None or path.suffix.lower() in PARQUET:
        return
    with path.open("rb") as file:
        if file.read(len(MAGIC)) == MAGIC:
            return
    raise InputError(
        f"{path.name} is of no type that is read: {', '.join([*TEXTS, *PARQUET])}, also packed, or a folder of EventLog.save, "
        "and no reader of riskkit.read knows it; read it with pandas and give the frame to EventLog.from_frame"
    )


def _separator(path: Path) -> str | None:
    name = plain_name(path).lower()
    return next((mark for ending, mark in TEXTS.items() if name.endswith(ending)), None)


def _table(path: Path, time_format: str | None) -> pd.DataFrame:
    """Read a table."""
    import pandas as pd

    separator = _separator(path)
    if separator is None:
        with reading(path.name, "Parquet"):
            return pd.read_parquet(path)
    return read_text_table(path, separator, integers=time_format is None)


def read_units(path: str | Path) -> dict[str, Any]:
    """Instruments, accounts and quanta of a units file in TOML, as `EventLog.from_file` takes one."""
    path = path_of(path)
    data = read_toml(path, "units file")
    for key in data:
        if key not in (*UNITS, "quanta"):
            raise InputError(f"units file {path.name!r}: key {key!r} is not known; keys are {', '.join(UNITS)}, quanta")
    if not isinstance(data.get("quanta", {}), Mapping):
        raise InputError(f'units file {path.name!r}: quanta={data["quanta"]!r} is no table; write {{ USD = "0.01" }}')
    made = {name: [_made(kind, entry, name) for entry in data.get(name, [])] for name, kind in UNITS.items()}
    given = {"quanta": data["quanta"]} if "quanta" in data else {}
    return {"instruments": made["instruments"] or None, "accounts": made["accounts"], **given}


def _made(kind: Any, entry: Any, name: str) -> Any:
    known = [field.name for field in dataclasses.fields(kind)]
    if not isinstance(entry, Mapping) or "id" not in entry:
        raise InputError(f"{name}: {shown(entry)} is not a table with an id; write [[{name}]] and id = ...")
    for key in entry:
        if key not in known:
            raise InputError(f"{name}: {shown(entry['id'])} has no {key!r}; it has {', '.join(known)}")
    return kind(**entry)
