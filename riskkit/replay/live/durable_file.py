"""Files that are on disk whole or not at all, at whatever moment the process or the power fails."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from riskkit._check import InputError


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file under a temporary name, flush it to disk, rename it, and flush its folder.

    Raises
    ------
    InputError
        If it cannot be written; a file of that name stays as it was.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        flush_folder(path.parent)
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be written: {error.strerror}") from None


def flush_folder(folder: Path) -> None:
    """Flush a folder, so that a new name is on disk; Windows does so itself and cannot open a folder."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
