"""The audit of a service: one line for each request that changes something, chained so that none can be left out."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from riskkit._check import InputError
from riskkit._files import reading

START = "0" * 64


class Audit:
    """Lines of JSON in a file, each with a hash of itself and of the line before it.

    Parameters
    ----------
    path : Path
        Continued if it is there, once it has been checked.

    Raises
    ------
    InputError
        If a line was altered, or is missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     audit = Audit(Path(folder, "audit.jsonl"))
    ...     audit.note(key="desk", path="/halt", why="wrong prices")
    ...     audit.close()
    ...     len(read_audit(Path(folder, "audit.jsonl")))
    1
    """

    def __init__(self, path: Path) -> None:
        lines = read_audit(path) if path.exists() else []
        self._last = lines[-1]["chain"] if lines else START
        if path.exists():
            os.truncate(path, path.read_bytes().rfind(b"\n") + 1)  # the torn end of a last line
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8")

    def note(self, **line: Any) -> None:
        """Add a line; it is given to the operating system at once."""
        text = json.dumps(line, separators=(",", ":"), default=str)
        self._last = _chained(self._last, text)
        self._file.write(f'{text[:-1]},"chain":"{self._last}"}}\n')
        self._file.flush()

    def close(self) -> None:
        """Flush the file to disk and close it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def read_audit(path: Path) -> list[dict[str, Any]]:
    """The lines of an audit, checked; the torn end of a last line is left out."""
    found: list[dict[str, Any]] = []
    last = START
    with reading(repr(path.name), "an audit"):
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    for number, text in enumerate(lines, 1):
        body, _, chain = text.rpartition(',"chain":"')
        last = _chained(last, body + "}")
        if chain != f'{last}"}}':
            raise InputError(f"{path.name!r} is altered at line {number}, or a line before it is missing")
        found.append(json.loads(text))
    return found


def _chained(last: str, text: str) -> str:
    return hashlib.blake2b(f"{last}{text}".encode(), digest_size=32).hexdigest()
