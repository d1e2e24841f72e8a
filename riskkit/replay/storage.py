"""Event logs on disk: Parquet to keep and to send, a folder of arrays to map without a copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.replay.columns import OPTIONAL, REQUIRED

__all__ = ["open_mapped", "read_parquet", "write_mapped", "write_parquet"]

FORMAT = 1
KEY = b"riskkit"
DELTA = ("ts", "order", "price", "parent", "batch", "trade_id", "expires", "bid", "ask", "reserve")


def write_parquet(path: str | Path, columns: dict[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write columns as one Parquet file; times and prices are delta-packed, which halves the size of zstd alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(array) for name, array in columns.items()})
    table = table.replace_schema_metadata({KEY: json.dumps({"format": FORMAT, **header}).encode()})
    packed = {name: "DELTA_BINARY_PACKED" for name in columns if name in DELTA}
    dictionary = [name for name in columns if name not in packed]
    pq.write_table(table, path, compression="zstd", use_dictionary=dictionary, column_encoding=packed)


def read_parquet(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `write_parquet` wrote; any other file is refused with a sentence."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{Path(path).name} cannot be read as Parquet: {error}") from None
    text = (table.schema.metadata or {}).get(KEY)
    if text is None:
        raise InputError(
            f"{Path(path).name} is Parquet but no event log; read it with pandas and use EventLog.from_frame"
        )
    columns = {name: table[name].to_numpy() for name in table.column_names}
    return _checked(path, columns, json.loads(text))


def write_mapped(path: str | Path, columns: dict[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write a folder with one .npy file a column and a header, for `open_mapped`."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in columns.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    (folder / "header.json").write_text(json.dumps({"format": FORMAT, **header}), encoding="utf-8")


def open_mapped(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Map the columns of a folder; nothing is read until it is used.

    Copy-on-write mapping gives arrays of the ordinary type: read-only ones would compile every kernel twice.
    """
    folder = Path(path)
    try:
        header = json.loads((folder / "header.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder.name} is not a folder of mapped columns: {error}") from None
    names = [name for name in [*REQUIRED, *OPTIONAL] if (folder / f"{name}.npy").exists()]
    # a view as plain ndarray: a memmap carries bookkeeping that slows every slice
    columns = {
        name: np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False).view(np.ndarray) for name in names
    }
    return _checked(path, columns, header)


def _checked(path: str | Path, columns: dict[str, np.ndarray], header: dict[str, Any]) -> Any:
    name = Path(path).name
    if header.get("format") != FORMAT:
        raise InputError(f"{name} has format {header.get('format')!r}; this riskkit reads format {FORMAT}")
    dtypes = {**REQUIRED, **{key: dtype for key, (dtype, _) in OPTIONAL.items()}}
    absent = [key for key in REQUIRED if key not in columns]
    if absent:
        raise InputError(f"{name} has no column {absent[0]!r}; it is not a whole event log")
    sizes = {len(array) for array in columns.values()}
    if len(sizes) > 1:
        raise InputError(f"{name} is torn: its columns have {', '.join(map(str, sorted(sizes)))} rows")
    for key, array in columns.items():
        if key not in dtypes or array.dtype != np.dtype(dtypes[key]):
            raise InputError(f"{name}: column {key!r} has type {array.dtype}, which no event log has")
    return columns, header
