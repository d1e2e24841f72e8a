"""Read an event log from any file that has a reader, found by its content."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from riskkit._check import InputError, shown
from riskkit._files import path_of
from riskkit.read.join import joined
from riskkit.read.reading import Reading
from riskkit.read.registry import ANY_TABLE, READERS, formats_of
from riskkit.read.source import sources
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.files import read_events

SHOWN = 20  # rows left out that the log notes one by one


def read_log(
    path: str | Path | Sequence[str | Path],
    *,
    units: str | Path | None = None,
    tz: str | None = None,
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
    **of_reader: Any,
) -> EventLog:
    r"""Read an event log from files or a folder.

    Parameters
    ----------
    path : str or Path, or sequence of them
        A Parquet file of `EventLog.to_parquet`, a folder of `EventLog.save` (both are checked against their hash), a
        CSV, TSV or Parquet table with one event per row, as for `EventLog.from_frame`, or the files of a format of
        `riskkit.read`, which is found by their content: ``about["read as"]`` names it, and beside it stands what its
        reader derived, assumed and left out. Files of several formats, as of two exchanges, become one log in order of
        time; ids of orders are then unique within an account.
    units : str or Path, optional
        For a table: a TOML file with ``[[instruments]]`` (id, tick, lot, multiplier, currency, ...) and ``[[accounts]]``
        (id, cash, positions, ...), and before them ``quanta = { USD = "0.01" }`` if the unit of money is given. Without
        it ticks and lots are the finest that occur, the multiplier is 1, the currency is USD, and every account starts
        empty.
    tz : str, optional
        Time zone of times without one; by default UTC for a table, and that of the format's reader for its files.
    unit, time_format, columns, ignore
        For a table of events, as in `EventLog.from_frame`; for tables of no standard, as in `riskkit.read.generic_csv`.
    quanta, rounding, on_bad_order, order_ids, unknown_orders, ts_policy, currencies
        As in `EventLog.from_frame`; `currencies` for a table of events only.
    about : mapping, optional
        Facts about the data for reports, added to those of a stored log.
    **of_reader
        Arguments of the format's reader: account, multipliers, ...

    Raises
    ------
    InputError
        If a file does not exist, has another format, or a value does not fit.

    Examples
    --------
    >>> import tempfile
    >>> text = "ts,kind,account,instrument,side,qty,price\n0,order,A,X,B,5,10.5\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "orders.csv").write_text(text)
    ...     log = read_log(Path(folder, "orders.csv"))
    >>> log.counts()["ORDER"]
    1
    """
    files = _files(path)
    several = _several(files)
    name = next(iter(several)) if several else _format(files) or (ANY_TABLE if len(files) > 1 or of_reader else "")
    if name:
        if units is not None:
            raise InputError(
                f"units= is for a table of events; for files of {name} declare instruments in reading.log()"
            )
        form = {"columns": columns, "ignore": ignore, "unit": unit, "time_format": time_format, "tz": tz}
        of_reader |= {key: value for key, value in form.items() if value not in (None, ())}
        of_log = {
            "quanta": quanta, "rounding": rounding, "on_bad_order": on_bad_order, "order_ids": order_ids,
            "unknown_orders": unknown_orders, "ts_policy": ts_policy,
        }  # fmt: skip
        if not several:
            return _log_of(_read(name, files, of_reader), of_log, about)
        if of_reader:
            raise InputError(
                f"{next(iter(of_reader))}= is of one format, and the files are of {', '.join(several)}; read each alone"
            )
        if order_ids == "unique":
            of_log["order_ids"] = "account"  # ids of one venue say nothing of those of another
        return _log_of(joined([_read(one, part, {}) for one, part in several.items()]), of_log, about)
    return read_events(
        files[0], units=units, tz=tz or "UTC", unit=unit, time_format=time_format, quanta=quanta, rounding=rounding,
        on_bad_order=on_bad_order, order_ids=order_ids, unknown_orders=unknown_orders, ts_policy=ts_policy,
        currencies=currencies, columns=columns, ignore=ignore, about=about,
    )  # fmt: skip


def _files(path: Any) -> list[Path]:
    given = list(path) if isinstance(path, Sequence) and not isinstance(path, str | bytes) else [path]
    if not given:
        raise InputError("path is empty; give the path of a file, or a list of them")
    for file in given:
        if not isinstance(file, str | Path):
            reader = "; a reader takes open files, as riskkit.read.kraken(file)" if hasattr(file, "read") else ""
            raise InputError(f"path holds {shown(file)}; give the path of a file, or a list of them{reader}")
    return [path_of(file) for file in given]


def _format(files: Sequence[Path]) -> str:
    """The reader that knows all of the files; empty if they are tables of events or stored logs."""
    if not all(file.is_file() for file in files):
        return ""
    for file in files:
        if not file.stat().st_size:
            raise InputError(f"{file.name} is empty")
    found = formats_of(sources(files))
    if len(found) > 1:
        raise InputError(f"{files[0].name} may be of {' or '.join(found)}; call riskkit.read.{found[0]} or the other")
    return found[0] if found else ""


def _several(files: Sequence[Path]) -> dict[str, list[Path]]:
    """The files by format, if each is of one format that is known, and they are of several; empty otherwise."""
    if (
        len(files) < 2
        or not all(file.is_file() for file in files)
        or formats_of(sources(files)) not in ([], [ANY_TABLE])
    ):
        return {}
    parts: dict[str, list[Path]] = {}
    for file in files:
        known = formats_of(sources(file))
        if len(known) != 1:
            return {}
        parts.setdefault(known[0], []).append(file)
    return parts if len(parts) > 1 else {}


def _read(name: str, files: Sequence[Path], arguments: Mapping[str, Any]) -> Reading:
    known = [key for key in inspect.signature(READERS[name]).parameters if key != "files"]
    for key in arguments:
        if key not in known:
            raise InputError(f"{key}= is no argument of riskkit.read.{name}; it has {', '.join(known)}")
    return READERS[name](sources(files), **arguments)


def _log_of(reading: Reading, arguments: Mapping[str, Any], about: Mapping[str, Any] | None) -> EventLog:
    """The log of a reading, with what was decided among its facts."""
    left = [f"{row.file}, {row.row}: {row.reason}" for row in reading.left_out.head(SHOWN).itertuples()]
    left += [f"and {len(reading.left_out) - SHOWN} more"] if len(reading.left_out) > SHOWN else []
    derived = ", ".join(f"{kind} {count}" for kind, count in reading.derived.items())
    noted = {"derived": derived, "assumed": list(reading.assumed), "left out": left}
    return reading.log(**arguments, about={**{key: fact for key, fact in noted.items() if fact}, **(about or {})})
