"""A folder that one process holds: a lock of the operating system, which ends with the process however that ends."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from riskkit._cache import lock
from riskkit._check import InputError

NAME = "lock"
WHY = "one session writes to a folder: close that one, or read the folder with open_journal"
logger = logging.getLogger("riskkit")


class FolderLock:
    """Hold a folder until `release`, or until the process ends.

    The file names the process that holds the folder. It is not the lock: one that a killed process left behind holds
    nothing.

    Raises
    ------
    InputError
        If another process, or another session of this one, holds the folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lock = FolderLock(Path(folder))
    ...     lock.release()
    ...     FolderLock(Path(folder)).release()
    """

    def __init__(self, folder: Path, why: str = WHY) -> None:
        # a file object: where an interruption leaves nobody who could release it, it is closed as it is forgotten
        self._file = (folder / NAME).open("a+b", buffering=0)
        self._file.seek(0)
        holder = (self._file.read(20) or b"").decode("ascii", "replace").strip()
        try:
            lock(self._file.fileno(), wait=False)
        except OSError:
            self._file.close()
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

    def release(self) -> None:
        """Give the folder free; once more changes nothing."""
        if not self._file.closed:
            self._name("")
            self._file.close()

    def _name(self, holder: str) -> None:
        with suppress(OSError):  # a full disk; the name is for people only
            self._file.truncate(0)
            self._file.write(holder.encode())
