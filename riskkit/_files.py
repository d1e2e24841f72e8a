"""Files: written whole or not at all, at whatever moment the process, the disk or the power fails; read in our own words."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from riskkit._cache import lock
from riskkit._check import InputError, one_line, shown


def path_of(path: str | os.PathLike[str], name: str = "path") -> Path:
    r"""The path of a file or a folder, which need not be there.

    Raises
    ------
    InputError
        If it is not a path, or no file may have its name.

    Examples
    --------
    >>> path_of("a\0b")
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: path='a\x00b' cannot be the name of a file
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"{name}={shown(path)} is not a path; give a text or a pathlib.Path")
    found = Path(path)
    try:
        os.lstat(found)
    except ValueError:  # a null character, or half of one
        raise InputError(f"{name}={shown(str(found))} cannot be the name of a file") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(f"{name}={shown(str(found))} is too long for the name of a file") from None
    return found


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which gets its name when it is complete and on disk; a block that fails leaves nothing behind.

    Raises
    ------
    InputError
        If it cannot be written; a file of that name stays as it was.
    """
    part = _part_of(path)
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        flush_folder(path.parent)
    except OSError as error:
        raise InputError(f"{path.name!r} cannot be written: {words_of(error)}") from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def whole_set(folder: Path, others: Iterable[Path], mark: str) -> Iterator[Callable[[str], BinaryIO]]:
    """A block that writes the files of a folder; they get their names together, when all are complete and on disk.

    Until then the files that were there stay. `mark` is the file without which the folder is none of its kind: it goes before
    the first of the others is replaced and comes after the last, so that old and new files are never read as one. `others` of
    the new files are removed.

    Raises
    ------
    InputError
        If they cannot be written.
    """
    open_parts: dict[str, BinaryIO] = {}

    def opened(name: str) -> BinaryIO:
        open_parts[name] = _part_of(folder / name).open("wb")
        return open_parts[name]

    try:
        yield opened
        for file in open_parts.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
        (folder / mark).unlink(missing_ok=True)
        for name in sorted(open_parts, key=mark.__eq__):
            os.replace(_part_of(folder / name), folder / name)
        for other in others:
            if other.name not in open_parts:
                other.unlink(missing_ok=True)
        flush_folder(folder)
    except OSError as error:
        raise InputError(f"folder {folder.name!r} cannot be written: {words_of(error)}") from None
    finally:
        for name, file in open_parts.items():
            with suppress(OSError):  # what it still held does not fit on the disk
                file.close()
            _part_of(folder / name).unlink(missing_ok=True)


def _part_of(path: Path) -> Path:
    """Where a process and thread write a file until it is complete; `remove_parts` finds it."""
    return path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises
    ------
    InputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"folder {folder.name!r} cannot be made: {words_of(error)}") from None


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write bytes as a `whole_file`."""
    with whole_file(path) as file:
        file.writelines(parts)


def append_whole(file: Any, data: bytes) -> None:
    """Append a line to an unbuffered file: whole and on disk on return, or not at all; one writer at a time."""
    if not file.seekable():  # a pipe
        file.write(data)
        return
    lock(file.fileno(), wait=True)
    size = file.seek(0, os.SEEK_END)
    if size and file.seek(size - 1) is not None and file.read(1) != b"\n":
        data = b"\n" + data  # behind what a killed writer left
    try:
        while data:
            data = data[file.write(data) :]
        os.fsync(file.fileno())
    except BaseException:
        file.truncate(size)
        raise


def remove_parts(folder: Path) -> None:
    """Remove what killed writers of whole files have left; no other may write to the folder."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Flush a folder, so that a new name is on disk; Windows does so itself and cannot open a folder."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def reading(name: str | Callable[[], str], form: str) -> Iterator[None]:
    """A block that reads what is on disk: whatever it raises, because the file is none of its form, is an InputError.

    A function gives the name where it is costly: it is called only for the message.

    Examples
    --------
    >>> with reading("a.json", "JSON"):
    ...     {}["x"]
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: a.json cannot be read as JSON: KeyError: 'x'
    """
    try:
        yield
    except InputError:
        raise
    except (
        Exception
    ) as error:  # parsers raise anything: numpy, of spoilt arrays, errors of a tokenizer and of zip files
        told = name() if callable(name) else name
        raise InputError(f"{told} cannot be read as {form}: {words_of(error)}") from error


def words_of(error: Exception) -> str:
    """What another library's error says, in one line, and cut if it is long."""
    bare = type(error).__module__ == "builtins" and not isinstance(error, OSError | ValueError)  # as KeyError('x') is
    kind = f"{type(error).__name__}: " if bare else ""
    text = one_line(f"{kind}{getattr(error, 'strerror', None) or error}")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


LONGEST = 300  # characters of another library's words
