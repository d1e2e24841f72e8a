"""Opening the folder of a session: a new one, or the newest snapshot and the events after it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from riskkit._check import Duration, InputError, one_of, whole_number
from riskkit._files import path_of, reading, remove_parts, write_whole
from riskkit._folder_lock import FolderLock
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.live.challengers import NOTHING
from riskkit.replay.live.engine_snapshot import header_of, history_of, is_whole, size_of
from riskkit.replay.live.journal_folder import (
    COLUMNS,
    EVENTS,
    STATE,
    file_of,
    firsts,
    joined,
    labels_since,
    read_events,
)
from riskkit.replay.live.journaled_session import JournaledSession, Storage
from riskkit.replay.live.live_session import LiveSession
from riskkit.replay.rules.history import change_of
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.universe import Account, Instrument, Universe

logger = logging.getLogger("riskkit")


def open_session(
    folder: str | Path,
    rules: RuleSet,
    instruments: Iterable[Instrument] = (),
    accounts: Iterable[Account | str] = (),
    *,
    universe: Universe | None = None,
    durability: str = "group",
    horizon: Any = "1d",
    segment_events: int = 1 << 17,
    snapshot_every: Duration | None = None,
    shadow: Mapping[str, RuleSet] = NOTHING,
    compiled: Tier = "auto",
    **options: Any,
) -> JournaledSession:
    """Open the session of a folder, or begin one there.

    Parameters
    ----------
    folder : str or Path
        The folder, created if missing. One session holds it.
    rules : RuleSet
        In their declared order; those of the journal, if there is one: those of its beginning, or those in force.
    instruments, accounts, **options
        As for `Session.create`, for a new journal; one that exists has its own. Labels that come later need not be
        declared, but for instruments of another unit than all before.
    universe : Universe, optional
        Instead of instruments and accounts.
    durability : {"none", "group", "each", "commit"}
        Whether a decision is on disk when a call returns: not before `commit`; yes, and threads that call at once share
        a flush, as do the calls of `together`; yes, each by itself; "commit": nothing is written before `commit`, so that
        the events since the last one and the notes, as the offset of a consumer, are kept together or not at all.
    horizon : str, int or Timedelta
        Time for which ids of orders that are done, and of fills, are known. An event of an older one is an event of an
        unknown order.
    segment_events : int
        Number of events after which the memory is reduced and the journal begins its next file, as it does at a new day
        (UTC).
    snapshot_every : str, int or Timedelta, optional
        Time of events after which it does so as well, with a snapshot: so much has to be taken again after a crash.
    shadow : mapping of str to RuleSet
        Challengers, as for `Session`. One that was there before goes on; another one takes all events of the journal first.
    compiled : bool, "auto" or "generic"
        As for `Session`.

    Raises
    ------
    InputError
        If another session holds the folder, a file is altered or cannot be written, or the rules are others.

    Examples
    --------
    >>> import tempfile
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    >>> order = {"account": "A", "instrument": "ES", "side": "B", "price": 100}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with rk.Session.open(folder, rules, [rk.Instrument("ES")], ["A"], compiled=False) as session:
    ...         _ = session.process_order(ts=0, order_id="a", qty=9, **order)
    ...     with rk.Session.open(folder, rules, compiled=False) as session:
    ...         print(session.order_number("a"), session.answer_of("a")[0])
    0 REJECT A: the order is refused by size (one order of at most 5 in quantity): observed 9, limit 5.
    """
    one_of(durability, ("none", "group", "each", "commit"), "durability")
    every = None if snapshot_every is None else duration(snapshot_every, "snapshot_every", zero=False)
    storage = Storage(durability, duration(horizon, "horizon"), whole_number(segment_events, "segment_events"), every)
    path = path_of(folder, "folder")
    lock = FolderLock(path)
    try:
        remove_parts(path)
        if not firsts(path, STATE):
            if firsts(path, EVENTS) or firsts(path, COLUMNS):
                raise InputError(f"folder {path.name!r} is incomplete: it has events but no snapshot")
            if universe is None:
                made = LiveSession.create(rules, instruments, accounts, compiled=False, **options)
            else:
                made = LiveSession(rules, universe, compiled=False, **options)
            write_whole(file_of(path, 0, STATE), [made.snapshot()])
        with reading(f"folder {path.name!r}", "the journal of a session"):
            return _recovered(path, rules, storage, compiled, lock, shadow)
    except BaseException:
        lock.release()
        raise


def _recovered(
    path: Path, rules: RuleSet, storage: Storage, compiled: Tier, lock: FolderLock, shadow: Mapping[str, RuleSet]
) -> JournaledSession:
    """The session of the newest whole snapshot and the logs after it."""
    session, first = _of_snapshot(path, rules, compiled, shadow)
    end, logs = 0, [log for log in firsts(path, EVENTS) if log >= first]
    for log in logs:
        found = read_events(path, log)
        end = found.end
        if found.torn and log != logs[-1]:
            raise InputError(
                f"{file_of(path, log, EVENTS).name!r} is altered at byte {end}; restore the file from a copy"
            )
        if found.torn:
            logger.warning("folder %r: the last %d bytes of the log were torn, and are cut", path.name, found.torn)
        for frame in joined(found.frames):
            session.take_frame(frame, rules)
    session.begin(path, storage, lock, logs[-1] if logs else first, end)
    return session


def _of_snapshot(
    path: Path, rules: RuleSet, compiled: Tier, shadow: Mapping[str, RuleSet]
) -> tuple[JournaledSession, int]:
    """The session of the newest snapshot that is whole, and the number of its events."""
    for first in reversed(firsts(path, STATE)):
        file = file_of(path, first, STATE)
        data = file.read_bytes() if file.is_file() else b""
        if is_whole(data) and size_of(data) == first:
            known = _known_by(path, first, data, rules)
            return JournaledSession.restore(data, known, shadow=shadow, compiled=compiled), first
        logger.warning("folder %r: the snapshot of event %d is altered; the one before it is used", path.name, first)
    raise InputError(f"folder {path.name!r}: none of its snapshots is whole; restore the files from a copy")


def _known_by(path: Path, first: int, snapshot: bytes, rules: RuleSet) -> RuleSet:
    """The rules by which a snapshot is restored, where those given came into force after it."""
    header = header_of(snapshot)
    before = history_of(header)
    if history_of(header, rules) is None and before is not None:
        changes = [change for labels in labels_since(path, first) for change in labels.get("changes", ())]
        if changes and change_of(changes[-1], rules).rules == rules:
            return before.first
    return rules
