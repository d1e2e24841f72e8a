"""Event logs on disk: Parquet to keep and to send, a folder of arrays to map without a copy.

A log is stored as its columns and a header of plain lists (universe, pairs, facts about the data). The header has the
hash of the events and its own hash, so that an incomplete or altered file raises an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit._files import path_of, reading, remove_parts, whole_file, whole_set
from riskkit._folder_lock import FolderLock
from riskkit.replay.schema.columns import OPTIONAL, REQUIRED
from riskkit.replay.schema.digest import hash_plain

FORMAT = 1
KEY = b"riskkit"
HEADER = "header.json"
SOURCE_ROW = "source_row"  # beside the columns of a log: each event's row in the frame that it was made from
ORDER_ID = "order_id"  # beside the columns of a log: the id of each order as UTF-8, of any width
DTYPES = {**REQUIRED, **{name: dtype for name, (dtype, _) in OPTIONAL.items()}, SOURCE_ROW: "<i8"}
DELTA = (
    "ts",
    "order",
    "price",
    "parent",
    "batch",
    "trade_id",
    "expires",
    "bid",
    "ask",
    "reserve",
    "fill",
    "stop",
    SOURCE_ROW,
)


def write_parquet(path: str | Path, columns: Mapping[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write columns as one Parquet file; times and prices are delta-packed, which halves the size of zstd alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(array) for name, array in columns.items()})
    table = table.replace_schema_metadata({KEY: json.dumps(_sealed(header)).encode()})
    packed = {name: "DELTA_BINARY_PACKED" for name in columns if name in DELTA}
    dictionary = [name for name in columns if name not in packed]
    with whole_file(path_of(path)) as file:
        pq.write_table(table, file, compression="zstd", use_dictionary=dictionary, column_encoding=packed)


def read_parquet(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a file of `write_parquet`; any other file raises an InputError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = path_of(path).name
    if not Path(path).is_file():
        raise InputError(f"{name} is not a file; give the path of a Parquet file that EventLog.to_parquet wrote")
    with reading(name, "Parquet"):
        table = pq.ParquetFile(path).read()
    text = (table.schema.metadata or {}).get(KEY)
    if text is None:
        raise InputError(f"{name} is Parquet but not an event log; read it with pandas and use EventLog.from_frame")
    for column in table.column_names:
        if table[column].null_count:
            raise InputError(f"{name}: column {column!r} has missing values; an event log has none")
    # copies: Arrow's memory is read-only, and every kernel would be compiled a second time for it
    columns = {column: np.array(table[column].to_numpy()) for column in table.column_names}
    if ORDER_ID in columns and pa.types.is_binary(table.schema.field(ORDER_ID).type):
        columns[ORDER_ID] = columns[ORDER_ID].astype("S")
    return _checked(name, columns, text)


def is_event_log(path: str | Path) -> bool:
    """True if a Parquet file is an event log; another file raises an InputError."""
    import pyarrow.parquet as pq

    with reading(Path(path).name, "Parquet"):
        return KEY in (pq.read_schema(path).metadata or {})


def write_mapped(path: str | Path, columns: Mapping[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write a folder with one .npy file per column and a header, for `open_mapped`.

    A log that was there is replaced when the new one is complete; a folder without a header is incomplete and is refused.
    Who has mapped the files that were there keeps them.
    """
    folder = path_of(path)
    with FolderLock(folder, "one process writes a log"):
        remove_parts(folder)
        known = [folder / f"{name}.npy" for name in (*DTYPES, ORDER_ID)]
        with whole_set(folder, known, HEADER) as file_of:
            for name in (*DTYPES, ORDER_ID):
                if name in columns:
                    np.save(file_of(f"{name}.npy"), columns[name], allow_pickle=False)
            file_of(HEADER).write(json.dumps(_sealed(header)).encode())


def open_mapped(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Map the columns of a folder into memory; they are read when they are used.

    Copy-on-write mapping gives ordinary arrays: read-only ones would compile every kernel twice.
    """
    folder = path_of(path)
    text, columns = _header_of(folder), {}
    for name in (*DTYPES, ORDER_ID):
        file = folder / f"{name}.npy"
        if not file.exists():
            continue
        with reading(f"{folder.name}: {file.name}", "an array"):
            columns[name] = _mapped(file)
    if _header_of(folder) != text:
        raise InputError(f"{folder.name} was written anew while it was read; read it again")
    return _checked(folder.name, columns, text)


def _header_of(folder: Path) -> bytes:
    try:
        return (folder / HEADER).read_bytes()
    except OSError:
        raise InputError(
            f"{folder.name or folder} is not a folder of mapped columns: it has no {HEADER} to read"
        ) from None


def _mapped(file: Path) -> np.ndarray:
    """An array of a file, mapped; `np.load` takes archives too, and leaves one open that is none."""
    if file.stat().st_size > 128:
        mapped = np.lib.format.open_memmap(file, mode="c")
        return mapped.view(np.ndarray)  # slices of a memmap are slower
    with file.open("rb") as opened:  # empty, and cannot be mapped
        return np.asarray(np.lib.format.read_array(opened, allow_pickle=False))


def _sealed(header: dict[str, Any]) -> dict[str, Any]:
    """Add format and hash to a header."""
    plain = json.loads(json.dumps({"format": FORMAT, **header}, default=str))
    return {**plain, "seal": hash_plain(plain).hex()}


def _checked(name: str, columns: dict[str, np.ndarray], text: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Check header and columns of an event log."""
    try:
        header = json.loads(text)
        seal = header.pop("seal", None)
    except (ValueError, AttributeError, RecursionError):
        raise InputError(f"{name} is torn: its header is incomplete") from None
    if header.get("format") != FORMAT:
        raise InputError(f"{name} has format {shown(header.get('format'))}; this riskkit reads format {FORMAT}")
    if hash_plain(header).hex() != seal:
        raise InputError(f"{name} was altered: its header does not match its hash")
    absent = [key for key in REQUIRED if key not in columns]
    if absent:
        raise InputError(f"{name} has no column {absent[0]!r}; it is not a complete event log")
    for key, array in columns.items():
        fits = array.dtype.kind == "S" if key == ORDER_ID else key in DTYPES and array.dtype == np.dtype(DTYPES[key])
        if not fits or array.ndim != 1:
            raise InputError(f"{name}: column {key!r} has type {array.dtype}, which is not that of an event log")
    sizes = {len(array) for array in columns.values()}
    if len(sizes) > 1:
        raise InputError(f"{name} is torn: its columns have {', '.join(map(str, sorted(sizes)))} rows")
    return columns, header
