"""The journal of a session as a folder of files, each named after its first event.

- ``N.events``: a write-ahead log (`riskkit.replay.live.write_ahead_log`); each frame has events, their decision rows, and the
  labels that are new with them. The newest file grows; an older one becomes columns.
- ``N.parquet`` and ``N.decisions``: the events and decision rows of a closed segment. The first is written last.
- ``N.state``: a snapshot of the session before event N, without its history.

So the folder can be read at any moment, also while a session writes to it: what is complete is there once at least.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit._files import flush_folder, reading, write_whole
from riskkit.replay.ingest.rows import DTYPES, LATER, with_every_column
from riskkit.replay.kernels.runtime import ROW
from riskkit.replay.live.engine_tables import Past
from riskkit.replay.live.write_ahead_log import read_frames
from riskkit.replay.log.storage import read_parquet, write_parquet

EVENTS, COLUMNS, DECISIONS, STATE = "events", "parquet", "decisions", "state"
RECORD = np.dtype([(name, dtype) for name, dtype in DTYPES.items()])
LAYOUTS = (np.dtype([(name, dtype) for name, dtype in DTYPES.items() if name not in LATER]), RECORD)
LAYOUT_BITS = 56  # of the first event's number; above them is the number of the layout
JOINED = 8192  # events that are taken at once
SIZES = struct.Struct("<QII")  # number of the first event, of events, of decision rows


class Frame(NamedTuple):
    """Events of one write.

    Parameters
    ----------
    first : int
        Number of the first event.
    events : structured ndarray
        With the columns of a log.
    decisions : structured ndarray
        Their decision rows.
    labels : dict
        What is new with them: ``orders`` and ``trades`` (ids), ``newcomers`` or the ``universe``, ``changes`` of the rules,
        ``acts`` of persons, ``notes``.
    """

    first: int
    events: np.ndarray
    decisions: np.ndarray
    labels: dict[str, Any]

    def packed(self) -> bytes:
        """The frame as bytes."""
        first = self.first | (len(LAYOUTS) - 1) << LAYOUT_BITS
        sizes = SIZES.pack(first, len(self.events), len(self.decisions))
        labels = json.dumps(self.labels, separators=(",", ":")).encode() if self.labels else b""
        return b"".join([sizes, self.events.tobytes(), self.decisions.tobytes(), labels])

    @classmethod
    def unpacked(cls, payload: memoryview) -> Frame:
        """The frame of the bytes of `packed`."""
        numbered, events, decisions = SIZES.unpack_from(payload)
        layout, first = divmod(numbered, 1 << LAYOUT_BITS)
        if layout >= len(LAYOUTS):
            raise InputError(
                "the journal was written by a later riskkit, whose events have columns that are not known here"
            )
        middle = SIZES.size + events * LAYOUTS[layout].itemsize
        end = middle + decisions * ROW.itemsize
        rows = np.frombuffer(payload[middle:end], ROW)
        labels = json.loads(bytes(payload[end:])) if len(payload) > end else {}
        found = np.frombuffer(payload[SIZES.size : middle], LAYOUTS[layout])
        return cls(first, found if layout == len(LAYOUTS) - 1 else records(_named(found)), rows, labels)


class Read(NamedTuple):
    """A file of events: its frames, where they end, and the number of torn bytes after that."""

    frames: list[Frame]
    end: int
    torn: int


def _named(table: np.ndarray) -> dict[str, np.ndarray]:
    return with_every_column({name: table[name] for name in table.dtype.names or ()})


def records(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Columns as an array of records."""
    found = np.empty(len(columns["ts"]), RECORD)
    for name in DTYPES:
        found[name] = columns[name]
    return found


def file_of(folder: Path, first: int, kind: str) -> Path:
    """The file of a kind that begins with an event."""
    return folder / f"{first:015d}.{kind}"


def firsts(folder: Path, kind: str) -> list[int]:
    """First events of the files of a kind, in order."""
    return sorted(int(path.stem) for path in folder.glob(f"{'[0-9]' * 15}.{kind}"))


def read_events(folder: Path, first: int) -> Read:
    """Read a file of events, each event once (an interrupted write may have left it twice)."""
    found, expected, frames = read_frames(file_of(folder, first, EVENTS)), first, []
    for frame in map(Frame.unpacked, found.payloads):
        if frame.first > expected:
            raise InputError(
                f"folder {folder.name!r} is incomplete: events {expected} to {frame.first - 1} are missing"
            )
        if frame.first == expected:
            frames.append(frame)
            expected += len(frame.events)
    return Read(frames, found.end, found.torn)


def labels_since(folder: Path, first: int) -> Iterator[dict[str, Any]]:
    """What is new with the events since a snapshot."""
    for log in firsts(folder, EVENTS):
        yield from (frame.labels for frame in (read_events(folder, log).frames if log >= first else ()))


def joined(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Frames of many events for few ones, which are taken faster; a new universe begins another."""
    found: list[Frame] = []
    for frame in frames:
        if found and ("universe" in frame.labels or sum(len(one.events) for one in found) >= JOINED):
            yield _one(found)
            found = []
        found.append(frame)
    if found:
        yield _one(found)


def _one(frames: list[Frame]) -> Frame:
    """Consecutive frames as one."""
    events, decisions = (np.concatenate([frame[part] for frame in frames]) for part in (1, 2))
    labels: dict[str, Any] = {}
    for frame in frames:
        for name, value in frame.labels.items():
            if name in ("orders", "trades", "newcomers", "changes", "acts"):
                labels.setdefault(name, []).extend(value)
            else:
                labels[name] = value
    return Frame(frames[0].first, events, decisions, labels)


def close_segments(folder: Path, stop: int) -> None:
    """Write the events before one as columns; the files themselves stay."""
    for first in sorted(set(firsts(folder, EVENTS)) - set(firsts(folder, COLUMNS))):
        if first < stop:
            part = _of_frames(folder, first)
            write_whole(file_of(folder, first, DECISIONS), [part.rows.tobytes()])
            write_parquet(file_of(folder, first, COLUMNS), part.columns, {"first": first, "hash": _hash(part)})
            flush_folder(folder)


def tidy(folder: Path, stop: int) -> None:
    """Delete the snapshots before an event, and the logs that have become columns."""
    closed = set(firsts(folder, COLUMNS))
    for kind in (STATE, EVENTS):
        for first in firsts(folder, kind):
            if first < stop and (kind == STATE or first in closed):
                file_of(folder, first, kind).unlink(missing_ok=True)


def read_past(folder: Path, stop: int | None = None) -> Past:
    """The events before `stop` (default: all) and their decision rows.

    Raises
    ------
    InputError
        If a file is torn, altered or missing.
    """
    closed = set(firsts(folder, COLUMNS))
    parts, expected = [], 0
    for first in sorted(closed | set(firsts(folder, EVENTS))):
        if first < expected:  # kept by a writer that ended before it was deleted
            continue
        if stop is not None and first >= stop:
            break
        if first > expected:
            raise InputError(f"folder {folder.name!r} is incomplete: events {expected} to {first - 1} are missing")
        parts.append(read_segment(folder, first) if first in closed else _of_frames(folder, first))
        expected += len(parts[-1].columns["ts"])
    columns = {
        name: np.concatenate([np.zeros(0, kind), *(p.columns[name] for p in parts)]) for name, kind in DTYPES.items()
    }
    past = Past(columns, np.concatenate([np.zeros(0, ROW), *(part.rows for part in parts)]))
    if stop is None or stop >= expected:
        return past
    rows = past.rows[: np.searchsorted(past.rows["seq"], stop)]
    return Past({name: column[:stop] for name, column in columns.items()}, rows)


def _of_frames(folder: Path, first: int) -> Past:
    frames = read_events(folder, first).frames
    events = np.concatenate([np.zeros(0, RECORD), *(frame.events for frame in frames)])
    rows = np.concatenate([np.zeros(0, ROW), *(frame.decisions for frame in frames)])
    return Past({name: np.ascontiguousarray(events[name]) for name in DTYPES}, rows)


def read_segment(folder: Path, first: int) -> Past:
    """A closed segment."""
    columns, header = read_parquet(file_of(folder, first, COLUMNS))
    path = file_of(folder, first, DECISIONS)
    with reading(f"folder {folder.name!r}: {path.name}", "decisions"):
        rows = np.frombuffer(path.read_bytes(), ROW)
    if header.get("first") != first:
        raise InputError(f"{path.stem}.{COLUMNS} does not contain the events of its name")
    part = Past(columns, rows)
    if header.get("hash") != _hash(part):
        raise InputError(f"folder {folder.name!r} was altered: events from {first} on do not match their hash")
    return Past(with_every_column(columns), rows)


def _hash(part: Past) -> str:
    """Hash of the events and decision rows of a segment, column by column."""
    found = hashlib.blake2b(part.rows.tobytes(), digest_size=32)
    for name in DTYPES:
        found.update(part.columns[name].tobytes() if name in part.columns else b"")
    return found.hexdigest()
