"""Where compiled code is kept: a folder that belongs to the user, and that nobody else can write to.

Compiled code is executed, so whoever can write it can run code as the user.
"""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from riskkit._check import InputError

KERNELS = "kernels"
FAR = 1 << 30  # the byte that Windows locks, beyond any text


def cache_folder() -> Path:
    """The folder of compiled code: RISKKIT_CACHE, else the user's cache folder, else one of this process.

    Raises
    ------
    InputError
        The folder that RISKKIT_CACHE names cannot be made or written, or belongs to or can be written by others.
    """
    given = os.environ.get("RISKKIT_CACHE")
    if given:
        return _private(Path(given).absolute())
    try:
        return _private(_of_user())
    except (InputError, RuntimeError):  # no home, or none that can be written
        return _of_process()


def load_module(name: str, text: str) -> Any:
    """Write the module if it does not exist, atomically, and load it."""
    folder = cache_folder()
    path = folder / f"{name}.py"
    try:
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            part = folder / f"{name}.{os.getpid()}.part"
            part.write_text(text, encoding="utf-8")
            part.replace(path)
    except OSError as error:
        raise InputError(
            f"the cache folder {folder} cannot be written ({error.strerror}); set RISKKIT_CACHE to one that can"
        ) from None
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # numba looks a cached function's module up by name
    exec(compile(text, path, "exec"), vars(module))  # generated text, and no bytecode that lies in the folder
    return module


def _of_user() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "riskkit"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local"))) / "riskkit" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "riskkit"


@cache
def _of_process() -> Path:
    """A folder that ends with the process: a temporary one, or in memory where a container has no disk to write to."""
    for place in (None, "/dev/shm"):
        with suppress(OSError):
            folder = tempfile.mkdtemp(prefix="riskkit-", dir=place)
            atexit.register(_remove, folder, os.getpid())
            return Path(folder)
    raise InputError("no folder can be written that would keep compiled code; set RISKKIT_CACHE to one that can")


def _remove(folder: str, owner: int) -> None:
    """Remove the folder of a process at its end; a forked child leaves it to its parent."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _private(folder: Path) -> Path:
    """The folder, made for the user alone if it does not exist; refused if others can write to it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.stat()
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise InputError(
            f"the cache folder {folder} cannot be written ({error.strerror}); set RISKKIT_CACHE to one that can"
        ) from None
    if hasattr(os, "getuid"):
        inner = [place.stat() for place in (folder / KERNELS, folder / "__pycache__") if place.exists()]
        foreign = any(one.st_uid != os.getuid() for one in (found, *inner))
        if foreign or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            why = "belongs to another user" if foreign else "can be written by other users"
            raise InputError(
                f"the cache folder {folder} {why}, whose code would run here; set RISKKIT_CACHE to one of yours"
            )
    return folder


@contextmanager
def alone(name: str) -> Iterator[None]:
    """A block that one process at a time enters: the others wait for it, and no longer than it lives.

    The lock is one of the operating system on a file of the `cache_folder`. Where files cannot be locked, nobody waits.
    """
    file = os.open(cache_folder() / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with suppress(OSError):
            lock(file, wait=True)
        yield
    finally:
        unlock(file)
        os.close(file)


def lock(file: int, *, wait: bool) -> None:
    """Lock an open file until it is closed or its process ends.

    Raises
    ------
    OSError
        If it is locked and this process does not `wait`, or if the file system has no locks.
    """
    if os.name != "nt":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return
    import msvcrt

    while True:
        os.lseek(file, FAR, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            return
        except OSError as error:  # Windows gives up after ten seconds
            if not wait or error.errno != errno.EDEADLOCK:
                raise


def unlock(file: int) -> None:
    """End the lock of a file that is closed next: a process that was forked meanwhile has the file open too."""
    if os.name != "nt":
        import fcntl

        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def kernels_of(source: str) -> Iterator[None]:
    """A block in which numba chooses where it keeps the kernels of a file: beside it, or in the `cache_folder`.

    Beside it without RISKKIT_CACHE, if that folder can be written, or as loops are in the `cache_folder` itself.
    """
    import numba

    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = _kernels_beside(Path(source).parent)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def _kernels_beside(folder: Path) -> str:
    """Where numba keeps kernels of a folder's files; empty: in a folder of that folder."""
    if numbas := folder_of_numba():
        return str(numbas)
    if (os.environ.get("RISKKIT_CACHE") or not os.access(folder, os.W_OK)) and folder != cache_folder():
        return str(cache_folder() / KERNELS)
    return ""


def folder_of_numba() -> Path | None:
    """The folder that NUMBA_CACHE_DIR names for all users of numba, where RISKKIT_CACHE names none."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    return _private(Path(named).absolute()) if named and not os.environ.get("RISKKIT_CACHE") else None
