"""Checkpoints: a live session on disk, complete or not at all, at whatever moment the power fails.

A checkpoint is written to a temporary file in the same folder, flushed to disk and renamed, and the folder is flushed
too; so a file with the name of a checkpoint is complete, and exists after a crash once `Checkpoints.save` has returned.
The previous generation is kept until then. A file has its format, the version of the semantics, the hashes of its rules
and of its universe, and a checksum; one that does not fit raises an error. No pickle: loading a file never runs code.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import struct
import threading
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from riskkit._check import InputError, instance, whole_number
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.digest import SEMANTICS, hash_plain
from riskkit.replay.schema.universe import Universe

FORMAT = 1
MAGIC = b"riskkit checkpoint\n"
LENGTH = struct.Struct("<IQ")  # bytes of the header, bytes of the snapshot
SUM = 32
MAX_HEADER = 1 << 20
NAME = re.compile(r"checkpoint-(\d{12})\.riskkit")
logger = logging.getLogger("riskkit")


class _Snapshotted(Protocol):
    """A session with snapshots: an `Engine`, a `Session`, a `RiskEngine`."""

    @property
    def rules(self) -> RuleSet: ...

    @property
    def universe(self) -> Universe: ...

    def snapshot(self) -> bytes: ...


Restored = TypeVar("Restored")


class Stored(NamedTuple):
    """Header and snapshot of a checkpoint."""

    header: dict[str, Any]
    snapshot: bytes


def write_checkpoint(path: str | Path, session: _Snapshotted) -> None:
    """Write a session's state to a file, completely or not at all; on return it is on disk.

    Parameters
    ----------
    path : str or Path
        The file; an existing one is replaced in one step.
    session : Engine, Session or RiskEngine
        Its ``snapshot()`` is written.

    Raises
    ------
    InputError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    >>> session = rk.Session.create(rules, [rk.Instrument("ES")], ["A"], compiled=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_checkpoint(Path(folder, "now.riskkit"), session)
    ...     stored = read_checkpoint(Path(folder, "now.riskkit"), rules)
    >>> stored.header["format"]
    1
    """
    target = Path(path)
    header = {
        "format": FORMAT,
        "semantics": SEMANTICS,
        "rules": session.rules.hash.hex(),
        "universe": hash_plain(session.universe.describe()).hex(),
    }
    snapshot = session.snapshot()
    head = json.dumps(header, sort_keys=True).encode()
    body = MAGIC + LENGTH.pack(len(head), len(snapshot)) + head + snapshot
    part = target.with_name(f".{target.name}.part")
    try:
        with part.open("wb") as file:
            file.write(body)
            file.write(_sum(body))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
        _flush_folder(target.parent)
    except OSError as error:
        raise InputError(f"checkpoint {target.name!r} cannot be written: {error.strerror}") from None


def read_checkpoint(path: str | Path, rules: RuleSet, universe: Universe | None = None) -> Stored:
    """Read a file of `write_checkpoint`.

    Parameters
    ----------
    path : str or Path
        The file.
    rules : RuleSet
        The rules of the session.
    universe : Universe, optional
        The universe of the session; by default any.

    Raises
    ------
    InputError
        If the file is missing, incomplete, altered, no checkpoint, of another format or version, or of other rules or
        another universe.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "torn.riskkit").write_bytes(b"half of it")
    ...     read_checkpoint(Path(folder, "torn.riskkit"), RuleSet([]))
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: 'torn.riskkit' is not a checkpoint of riskkit
    """
    instance(rules, RuleSet, "rules")
    name = Path(path).name
    header, snapshot = _read(Path(path))
    if header.get("format") != FORMAT:
        raise InputError(f"checkpoint {name!r} has format {header.get('format')!r}; this riskkit reads {FORMAT}")
    if header.get("semantics") != SEMANTICS:
        raise InputError(
            f"checkpoint {name!r} has semantics {header.get('semantics')!r}; this riskkit decides by {SEMANTICS}"
        )
    if header.get("rules") != rules.hash.hex():
        raise InputError(
            f"checkpoint {name!r} was written under other rules; continue with those, or start a new session"
        )
    if universe is not None and header.get("universe") != hash_plain(universe.describe()).hex():
        raise InputError(f"checkpoint {name!r} is of another universe: other accounts, instruments or units")
    return Stored(header, snapshot)


def _read(path: Path) -> Stored:
    """Header and snapshot of a complete file, of any rules."""
    name = path.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"checkpoint {name!r} cannot be read: {error.strerror}") from None
    torn = InputError(f"checkpoint {name!r} is torn: it is incomplete; use an older one")
    if not data.startswith(MAGIC):
        raise torn if MAGIC.startswith(data) else InputError(f"{name!r} is not a checkpoint of riskkit")
    start = len(MAGIC) + LENGTH.size
    if len(data) < start:
        raise torn
    head, length = LENGTH.unpack(data[len(MAGIC) : start])
    size = start + head + length + SUM
    if len(data) == size and _sum(data[:-SUM]) == data[-SUM:]:
        return Stored(json.loads(data[start : start + head]), data[start + head : -SUM])
    if head <= MAX_HEADER and len(data) < size:
        raise torn
    raise InputError(f"checkpoint {name!r} is altered: its checksum does not fit; use an older one")


def _sum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=SUM).digest()


def _flush_folder(folder: Path) -> None:
    """Flush a folder, so that a new name is on disk; Windows does so itself and cannot open a folder."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Checkpoints:
    """The newest generations of checkpoints of one session, in a folder.

    Parameters
    ----------
    folder : str or Path
        The folder, created if missing. Only one session and one process writes to it.
    rules : RuleSet
        The rules of the session.
    keep : int
        Number of generations to keep, at least 2: the last good one stays until the next is complete.

    Examples
    --------
    >>> import tempfile
    >>> from riskkit import Rule
    >>> from riskkit.rules import OrderRate
    >>> from riskkit.replay.live.session import Session
    >>> from riskkit.replay.schema.universe import Instrument
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=1, window_ns="1s"))])
    >>> session = Session.create(rules, [Instrument("X")], ["A"], compiled=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoints = Checkpoints(folder, rules)
    ...     _ = session.process_price(ts=1, instrument="X", price=10)
    ...     print(checkpoints.save(session).name)
    ...     again = checkpoints.load(Session, compiled=False)
    checkpoint-000000000001.riskkit
    >>> again.digest == session.digest
    True
    """

    def __init__(self, folder: str | Path, rules: RuleSet, *, keep: int = 2) -> None:
        self.folder = Path(folder)
        self.rules = rules
        self.keep = whole_number(keep, "keep", at_least=2)
        self._lock = threading.Lock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"checkpoint folder {self.folder.name!r} cannot be made: {error.strerror}") from None

    def generations(self) -> list[Path]:
        """The existing checkpoints, oldest first."""
        found = [path for path in self.folder.iterdir() if NAME.fullmatch(path.name)]
        return sorted(found, key=lambda path: path.name)

    def save(self, session: _Snapshotted) -> Path:
        """Write the next generation, then delete those older than the ones to keep."""
        with self._lock:
            before = self.generations()
            number = 1 + (int(before[-1].name[11:23]) if before else 0)
            path = self.folder / f"checkpoint-{number:012d}.riskkit"
            write_checkpoint(path, session)
            for old in before[: len(before) + 1 - self.keep]:
                old.unlink(missing_ok=True)
            return path

    def load(self, kind: type[Restored], rules: Any = None, **options: Any) -> Restored:
        """Restore the session of the newest complete checkpoint.

        Parameters
        ----------
        kind : class
            Class of the saved session: Session, Engine or RiskEngine.
        rules : optional
            The rules for that class, if they are not a RuleSet (RiskEngine).
        **options
            As for its ``restore``: ``compiled``.

        Raises
        ------
        InputError
            If there is none, none is complete, or the newest complete one is of other rules or another version.
        """
        refused = []
        for path in reversed(self.generations()):
            try:
                _read(path)
            except InputError as error:
                refused.append(str(error))
                logger.warning("%s", error)
                continue
            snapshot = read_checkpoint(path, self.rules).snapshot
            restored: Restored = kind.restore(snapshot, self.rules if rules is None else rules, **options)  # type: ignore[attr-defined]
            return restored
        why = f"none is complete ({'; '.join(refused)})" if refused else "there is none"
        raise InputError(f"no checkpoint in {self.folder.name!r} can be restored: {why}")
