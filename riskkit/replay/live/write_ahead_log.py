"""A write-ahead log: frames of bytes, each with its length and a checksum, appended to a file by one writer.

A frame also says how much of the file was known to be on disk when it was written. So a reader can tell the two things
that can be wrong with a file: its end is *torn* (the process or the power failed within a write that nobody was told
of), which is cut; or something before what was on disk is *altered*, which is refused.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from riskkit._check import InputError
from riskkit._fork import new_lock

MARK = b"rkWL"
HEAD = struct.Struct("<4sIQI")  # mark, bytes of the payload, bytes of the file known to be on disk, checksum
SUMMED = struct.Struct("<IQ")
LONGEST = 1 << 31
flush: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class Frames(NamedTuple):
    """What a file holds: its complete frames, where they end, and the number of bytes after that."""

    payloads: list[memoryview]
    end: int
    torn: int


def read_frames(path: Path, start: int = 0, *, durable: bool = False) -> Frames:
    """Read the complete frames of a file.

    Parameters
    ----------
    path : Path
    start : int
        Place of the first one: the end of an earlier call.
    durable : bool
        True: return only what no failure of power can take back, which costs a flush.

    Raises
    ------
    InputError
        If the file cannot be read, or a frame is altered that was on disk when a later one was written.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = memoryview(file.read())
            if durable and len(data):
                flush(file.fileno())
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be read: {error.strerror}") from None
    payloads, end = [], 0
    while (frame := _frame(data, end)) is not None:
        payloads.append(frame[0])
        end += HEAD.size + len(frame[0])
    if _later(data, end, start):
        raise InputError(
            f"{path.name!r} is altered at byte {start + end}: frames after it are whole and were written when it was on disk; "
            "restore the file from a copy"
        )
    return Frames(payloads, start + end, len(data) - end)


def _frame(data: memoryview, at: int) -> tuple[memoryview, int] | None:
    """Payload of the frame at a place and the bytes that were on disk; None if there is no whole one."""
    if at + HEAD.size > len(data):
        return None
    mark, length, on_disk, checksum = HEAD.unpack_from(data, at)
    payload = data[at + HEAD.size : at + HEAD.size + length]
    if mark != MARK or len(payload) < length or _checksum(on_disk, payload) != checksum:
        return None
    return payload, on_disk


def _later(data: memoryview, end: int, start: int) -> bool:
    """True if a whole frame after a place says that what is there was on disk; the data begin at byte `start`."""
    rest = bytes(data[end:])
    at = rest.find(MARK, 1)
    while at >= 0:
        frame = _frame(data, end + at)
        if frame is not None and frame[1] > start + end:
            return True
        at = rest.find(MARK, at + 1)
    return False


def _checksum(on_disk: int, payload: bytes | memoryview) -> int:
    return zlib.crc32(payload, zlib.crc32(SUMMED.pack(len(payload), on_disk)))


class WriteAheadLog:
    """The one writer of a file of frames.

    Parameters
    ----------
    path : Path
        The file, created if missing.
    end : int
        Where the complete frames end (`read_frames`); what is after it is cut.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = WriteAheadLog(Path(folder, "events"))
    ...     log.append(b"one")
    ...     log.append(b"two")
    ...     log.sync()
    ...     log.close()
    ...     [bytes(payload) for payload in read_frames(Path(folder, "events")).payloads]
    [b'one', b'two']
    """

    def __init__(self, path: Path, end: int = 0) -> None:
        self.path = path
        self.end = end  # bytes of complete frames
        self.on_disk = end  # bytes that are known to be on disk
        self._syncing = False
        self._turn = new_lock(threading.Condition)
        self._failed = ""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            os.ftruncate(self._file, end)
        except OSError as error:
            raise InputError(f"{path.name!r} cannot be written: {error.strerror}") from None

    def append(self, payload: bytes) -> None:
        """Append a frame, whole or not at all; it is on disk after `sync`.

        Raises
        ------
        InputError
            If it cannot be written (the next call may write it), or an earlier `sync` failed.
        """
        self._refuse_failed()
        if len(payload) >= LONGEST:
            raise InputError(f"a frame of {len(payload):,} bytes is too long; write fewer events at once")
        head = HEAD.pack(MARK, len(payload), self.on_disk, _checksum(self.on_disk, payload))
        frame, written = head + payload, 0
        os.lseek(self._file, self.end, os.SEEK_SET)  # over what an interrupted call left
        try:
            while written < len(frame):
                written += os.write(self._file, frame[written:] if written else frame)
        except OSError as error:
            os.ftruncate(self._file, self.end)
            raise InputError(f"{self.path.name!r} cannot be written: {error.strerror}") from None
        self.end += len(frame)

    def sync(self) -> None:
        """Return once all frames that were appended before the call are on disk.

        Threads that call it at once share one flush: the first flushes for all that have appended until then.

        Raises
        ------
        InputError
            If the flush fails, now and at every later call: what an operating system has dropped it does not write again.
        """
        target = self.end
        while True:
            with self._turn:
                self._refuse_failed()
                if self.on_disk >= target:
                    return
                if self._syncing:
                    self._turn.wait()
                    continue
                self._syncing = True
            self._flush()

    def _flush(self) -> None:
        covered, done = self.end, False
        try:
            flush(self._file)
            done = True
        except OSError as error:
            self._failed = (
                f"{self.path.name!r} cannot be flushed to disk: {error.strerror}; close the session and open the folder "
                "again: it has all that was answered"
            )
        finally:  # another error, as a KeyboardInterrupt, has flushed nothing
            with self._turn:
                self.on_disk = max(self.on_disk, covered) if done else self.on_disk
                self._syncing = False
                self._turn.notify_all()

    def _refuse_failed(self) -> None:
        if self._failed:
            raise InputError(self._failed)

    def close(self) -> None:
        """Flush and close the file; once more changes nothing."""
        if self._file >= 0:
            try:
                self.sync()
            finally:
                self.leave()

    def leave(self) -> None:
        """Close the file without a flush: another process writes it."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
