"""A folder that one process holds: a lock of the operating system, which ends with the process however that ends."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from riskkit._cache import lock, unlock
from riskkit._check import InputError

NAME = "lock"
WHY = "one session writes to a folder: close that one, or read the folder with open_journal"
logger = logging.getLogger("riskkit")


class FolderLock:
    """Hold a folder, made if it is missing, until `release`, or until the process ends.

    The file names the process that holds the folder. It is not the lock: one that a killed process left behind holds
    nothing.

    Raises
    ------
    InputError
        If another process, or another session of this one, holds the folder, or it cannot be made or written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lock = FolderLock(Path(folder))
    ...     lock.release()
    ...     FolderLock(Path(folder)).release()
    """

    _file = -1

    def __init__(self, folder: Path, why: str = WHY) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"folder {folder.name!r} cannot be used: {error.strerror}") from None
        holder = os.read(self._file, 20).decode("ascii", "replace").strip()
        try:
            lock(self._file, wait=False)
        except OSError:
            self._close()
            raise InputError(
                f"folder {folder.name!r} is held by process {holder or 'unknown'}, which is running; {why}"
            ) from None
        if holder:
            logger.warning("folder %r: process %s ended without closing its session", folder.name, holder)
        self._name(str(os.getpid()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.release()

    def __del__(self) -> None:
        """Close the file where an interruption left nobody who could release it."""
        self._close()

    def release(self) -> None:
        """Give the folder free; once more changes nothing."""
        if self._file >= 0:
            self._name("")
            unlock(self._file)
            self._close()

    def leave(self) -> None:
        """In a forked child: let go of the lock without giving it free, so that it ends with the parent."""
        self._close()

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _name(self, holder: str) -> None:
        with suppress(OSError):  # a full disk; the name is for people only
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, holder.encode())
