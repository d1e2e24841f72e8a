"""Packed files: gzip, bzip2, xz and Zstandard, and a zip archive of one file, told by their first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import IO, Any

from riskkit._check import InputError, one_line

LARGEST = 2**32  # bytes of a file when it is unpacked: what unpacks to more is no table
SMALL, TIMES = 2**26, 250  # nor is what unpacks to more than the first, and to so many times the packed file
WORKBOOK = "xl/workbook.xml"  # of an Excel workbook, which is a zip archive too
ZIP = b"PK\x03\x04"
NO_FILES = ("__MACOSX/", ".DS_Store", "/")  # what some systems put into an archive beside its files
ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".zip")


def _zstandard(data: IO[bytes]) -> Any:
    import pyarrow as pa

    return pa.CompressedInputStream(data, "zstd")


def _member(data: IO[bytes]) -> Any:
    archive = zipfile.ZipFile(data)
    return archive.open(_only(archive))


FORMS: dict[bytes, tuple[str, Callable[[IO[bytes]], Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
    b"\x28\xb5\x2f\xfd": ("Zstandard", _zstandard),
    ZIP: ("zip", _member),
}
TORN = (
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
)


def is_packed(head: bytes) -> bool:
    """True if a file begins as a packed one."""
    return any(head.startswith(mark) for mark in FORMS)


def unpacked(data: bytes, name: str) -> bytes:
    """The bytes of a file that may be packed; those of an Excel workbook are as they are.

    Raises
    ------
    InputError
        A torn file, an archive of no file or of several, or what unpacks to more than 4 GiB, or to more than 64 MiB and 250
        times its size.

    Examples
    --------
    >>> import gzip
    >>> unpacked(gzip.compress(b"ts,price"), "a.csv.gz"), unpacked(b"ts,price", "a.csv")
    (b'ts,price', b'ts,price')
    """
    form = next((form for mark, form in FORMS.items() if data.startswith(mark)), None)
    if form is None or _is_workbook(data):
        return data
    word, opened = form
    most = min(LARGEST, max(SMALL, TIMES * len(data)))
    try:
        with opened(io.BytesIO(data)) as file:
            content = bytes(file.read(most + 1))
    except InputError as refusal:
        raise InputError(one_line(f"{name} {refusal}")) from None
    except TORN as problem:
        why = "is locked with a password" if "password" in str(problem) else f"is not a whole {word} file"
        raise InputError(f"{name} {why}") from None
    if len(content) > most:
        raise InputError(f"{name} unpacks to more than {most // 2**20:,} MiB; no table of its size does")
    return content


def plain_name(path: Path) -> str:
    """The name of a file when it is unpacked: that in an archive, or without the ending of a packed one.

    Examples
    --------
    >>> plain_name(Path("fills.csv.GZ")), plain_name(Path("fills.csv"))
    ('fills.csv', 'fills.csv')
    """
    if path.suffix.lower() not in ENDINGS:
        return path.name
    try:
        with zipfile.ZipFile(path) as archive:
            return PurePath(_only(archive)).name
    except (*TORN, InputError):
        return path.stem


def _is_workbook(data: bytes) -> bool:
    if not data.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return WORKBOOK in archive.namelist()
    except TORN:  # a torn one is refused where workbooks are read
        return WORKBOOK.encode() in data


def _only(archive: zipfile.ZipFile) -> str:
    """The one file of an archive."""
    names = [
        name for name in archive.namelist() if not name.startswith(NO_FILES[0]) and not name.endswith(NO_FILES[1:])
    ]
    if len(names) == 1:
        return names[0]
    if not names:
        raise InputError("is an archive without a file")
    listed = ", ".join(PurePath(name).name for name in names[:5]) + (", ..." if len(names) > 5 else "")
    raise InputError(f"is an archive of {len(names)} files ({listed}); unpack it, and give one of them, or a list")
