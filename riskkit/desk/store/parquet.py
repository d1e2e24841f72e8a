"""`ParquetStore`: the log as a folder of Parquet files, each written once, completely."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from riskkit._check import InputError
from riskkit._files import path_of, reading, words_of
from riskkit._folder_lock import NAME as LOCK
from riskkit._folder_lock import FolderLock
from riskkit.desk.core.journal import OPENINGS
from riskkit.desk.store.log import COLUMNS, FORMAT, Numbered, arrow_schema, arrow_table, rows_of
from riskkit.desk.store.queries import NEEDED, SUMMARY, trade_events
from riskkit.desk.store.store import Store

KEY = b"riskkit.store"
NUMBERED = ("event", "leg", "kind")
CHAINED = ("event", "leg", "chain")
NAME = re.compile(r"part-(\d{15})-(\d{15})\.parquet")


class Part(NamedTuple):
    """A file with the events from `first` to `last`."""

    path: Path
    first: int
    last: int


class ParquetStore(Store):
    """Log of a book in a folder of Parquet files, with its queries.

    A file is written under a temporary name, synchronized to disk, then renamed, and never changed: a killed process
    leaves every file complete, and at most one temporary file that is ignored. One process writes to a folder; a second
    one is refused when it writes. A summary (daily profit, positions) that is asked for again reads the new files only.

    Parameters
    ----------
    folder : str or Path
        Created if it does not exist.
    part_rows : int
        Rows to buffer before a file is written; `flush` writes them at once.

    Raises
    ------
    InputError
        The folder contains other files, or a file of the log is missing.

    Examples
    --------
    >>> import tempfile
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with ParquetStore(folder) as store:
    ...         store.follow(tracker)
    ...         _ = tracker.update("ann", "uniswap", "ETH", 2, 1800, timestamp=1, trade_id="a")
    ...         _ = tracker.update("ann", "uniswap", "ETH", "-0.5", 2000, timestamp=2, trade_id="b")
    ...     again = ParquetStore(folder)
    ...     pnl, same = again.user_daily_pnl(), again.rebuild().digest == tracker.digest
    >>> pnl.loc[0, "sum"], pnl.loc[0, "average"].item(), same
    (Decimal('100.000000'), 50.0, True)
    """

    def __init__(self, folder: str | Path, *, part_rows: int = 50_000) -> None:
        super().__init__(part_rows)
        self.folder = path_of(folder, "folder")
        self.name = self.folder.name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"store {self.name!r} cannot be created: {error.strerror}") from None
        self._next = _end(self.parts())

    def parts(self) -> list[Part]:
        """The files of the log in their order.

        Raises
        ------
        InputError
            A file is missing, or the folder contains other files only.
        """
        names = sorted(path.name for path in self.folder.iterdir() if path.name[0] != "." and path.name != LOCK)
        matches = [found for found in map(NAME.fullmatch, names) if found]
        parts = [Part(self.folder / found[0], int(found[1]), int(found[2])) for found in matches]
        if names and not parts:
            raise InputError(
                f"folder {self.name!r} is not a store: it contains {names[0]!r}; give a new or an empty folder"
            )
        expected = 0
        for part in parts:
            if part.first != expected or part.last < part.first:
                raise InputError(f"store {self.name!r} is incomplete: no file begins with event {expected}")
            expected = part.last + 1
        return parts

    # ------------------------------------------------------------------ inside

    def _write(self, rows: Sequence[Numbered]) -> None:
        import pyarrow.parquet as pq

        table = arrow_table(rows).replace_schema_metadata({KEY: str(FORMAT).encode()})
        target = self.folder / f"part-{rows[0][0]:015d}-{rows[-1][0]:015d}.parquet"
        unfinished = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with FolderLock(self.folder, "one process writes to a store"):
                for left in self.folder.glob(".part-*"):  # of a killed writer
                    left.unlink(missing_ok=True)
                with unfinished.open("wb") as file:
                    pq.write_table(table, file, compression="zstd", write_page_checksum=True)
                    file.flush()
                    os.fsync(file.fileno())
                if any(part.last >= rows[0][0] for part in self.parts()[-1:]):
                    raise FileExistsError
                _name(unfinished, target)
        except FileExistsError:
            raise InputError(
                f"store {self.name!r} was written by another process; only one process may write to it"
            ) from None
        except OSError as error:
            raise InputError(f"store {self.name!r} cannot be written: {words_of(error)}") from None
        finally:
            unfinished.unlink(missing_ok=True)

    def _log(self, first: int) -> Iterator[Numbered]:
        for part in self.parts():
            if part.last >= first:
                rows = rows_of(_read(part, COLUMNS), COLUMNS)
                yield from rows if part.first >= first else (row for row in rows if row[0] >= first)

    def _openings(self) -> list[int]:
        self.flush()
        return [
            event
            for part in self.parts()
            for event, leg, kind in rows_of(_read(part, NUMBERED), NUMBERED)
            if kind in OPENINGS and leg == 0
        ]

    def _last_chain(self) -> str:
        chains = rows_of(_read(self.parts()[-1], CHAINED), CHAINED)
        return str(max(row for row in chains if row[1] == 0)[2])

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        parts, needed = self.parts(), NEEDED[query]
        known, memory = self._summed.pop(query, (0, {}))  # gone where it is interrupted, and read anew
        rows = (row for part in parts if part.first >= known for row in rows_of(_read(part, needed), needed))
        if query not in SUMMARY:
            return trade_events(rows)
        found = SUMMARY[query](rows, memory)
        self._summed[query] = _end(parts), memory
        return found


def _end(parts: Sequence[Part]) -> int:
    """Number of the event after those of some files."""
    return parts[-1].last + 1 if parts else 0


def _read(part: Part, columns: Sequence[str]) -> Any:
    """Read some columns of a file, after a check that it matches its name."""
    import pyarrow.parquet as pq

    name = part.path.name
    with reading(name, "Parquet"):
        with pq.ParquetFile(part.path, page_checksum_verification=True) as file:
            schema = file.schema_arrow
            if (schema.metadata or {}).get(KEY) != str(FORMAT).encode() or not schema.equals(arrow_schema()):
                raise InputError(f"{name} is not a file of a store that this riskkit reads")
            table = file.read(columns=[*dict.fromkeys(["event", *columns])])
    numbers = table["event"]
    if not len(numbers) or (numbers[0].as_py(), numbers[-1].as_py()) != (part.first, part.last):
        raise InputError(f"{name} does not contain the events of its name")
    return table.select(list(columns))


def _name(unfinished: Path, target: Path) -> None:
    """Rename a finished file, never over an existing one, and synchronize the folder to disk."""
    try:
        os.link(unfinished, target)
        unfinished.unlink()
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.replace(unfinished, target)
    if os.name == "nt":  # Windows needs no sync of a folder
        return
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        target.unlink()  # its rows stay buffered and will be written again
        raise
    finally:
        os.close(handle)
