"""The journal of a session to read: yesterday's events, rules and decisions in a notebook, while the session goes on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._files import path_of, reading
from riskkit.replay.ingest.rows import DTYPES
from riskkit.replay.live.engine_snapshot import header_of, history_of, proof_of, size_of
from riskkit.replay.live.engine_tables import Past
from riskkit.replay.live.journal_folder import STATE, file_of, firsts, labels_since, read_past
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.live.running_digest import RunningDigest
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.frames import decisions_frame
from riskkit.replay.rules.history import RuleHistory, change_of
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import OPTIONAL, REQUIRED
from riskkit.replay.schema.universe import Universe

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class OpenedJournal:
    """What a session has journaled so far.

    Attributes
    ----------
    log : EventLog
        Its events.
    history : RuleHistory
        Its rules as in force; `replay_log` takes it.
    mode : str
        "shadow" or "enforce".
    options : dict
        ``orphans`` and ``on_trip``, as in `replay_log`.
    rows : structured ndarray
        Its decision rows, as those of a `ReplayResult`.
    """

    log: EventLog
    history: RuleHistory
    mode: str
    options: dict[str, str]
    rows: np.ndarray

    @property
    def rules(self) -> RuleSet:
        """The rules in force at the end."""
        return self.history.now

    @cached_property
    def digest(self) -> str:
        """The digest of the session, equal to that of a replay of `log`."""
        found, columns = RunningDigest(), self.log.columns
        missing = {name: OPTIONAL[name] for name in DTYPES if name not in columns}
        absent = {name: np.full(len(self.log), value, kind) for name, (kind, value) in missing.items()}
        found.update({**columns, **absent}, self.rows)
        return found.digest(self.log.universe, self.history, self.mode, self.options)

    def to_frame(self) -> pd.DataFrame:
        """The decisions with labels and words, as `ReplayResult.to_frame`."""
        return decisions_frame(self.log, self.history, self.rows)


def open_journal(folder: str | Path, rules: RuleSet | None = None) -> OpenedJournal:
    """Read the journal of a session, which may go on writing; nothing in the folder changes.

    Parameters
    ----------
    folder : str or Path
        The folder of `Session.open`.
    rules : RuleSet, optional
        The rules of the session, if some of them are of a type of your own; by default those that the journal names.

    Raises
    ------
    InputError
        If the folder has no journal, a file is altered, or the rules are others.

    Examples
    --------
    >>> import tempfile
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     session = rk.Session.open(folder, rules, [rk.Instrument("ES")], ["A"], compiled=False)
    ...     _ = session.process_order(ts=0, account="A", instrument="ES", side="B", qty=4, price=100)
    ...     journal = rk.open_journal(folder)
    ...     session.close()
    >>> len(journal.log), journal.rules == rules, journal.digest == session.digest
    (1, True, True)
    >>> tighter = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=3))])
    >>> len(rk.replay_log(journal.log, tighter, compiled=False).rejections())
    1
    """
    path = path_of(folder, "folder")
    while states := firsts(path, STATE):
        try:
            with reading(f"folder {path.name!r}", "the journal of a session"):
                return _opened(path, states[-1], rules)
        except InputError:
            if firsts(path, STATE) == states:  # else the session has replaced files while they were read
                raise
    raise InputError(f"{path.name!r} is not the folder of a session: it has no snapshot")


def _opened(path: Path, first: int, rules: RuleSet | None) -> OpenedJournal:
    """The journal of a folder, by its last snapshot, that of event `first`."""
    snapshot = file_of(path, first, STATE).read_bytes()
    header = header_of(snapshot)
    if size_of(snapshot) != first:
        raise InputError(f"folder {path.name!r} was altered: the snapshot of event {first} is that of another one")
    history = history_of(header, rules)
    if history is None:
        raise InputError(
            "the journal is of rules that it cannot name, as those of a type of your own; give rules=, those of the session"
            if rules is None
            else "rules is another rule set than that of the journal; give those of the session, or none"
        )
    past = read_past(path)
    if _proof(past, first) != _said(proof_of(snapshot)):
        raise InputError(
            f"folder {path.name!r} was altered: the events before {first} and their decisions are not those of its snapshot; "
            "restore the files from a copy"
        )
    universe = universe_of(header)
    for labels in labels_since(path, first):
        universe, history = named(universe, labels), changed(history, labels)
    return OpenedJournal(log_of(past.columns, universe.frozen), history, header["mode"], header["options"], past.rows)


def log_of(columns: dict[str, np.ndarray], universe: Universe) -> EventLog:
    """All columns of a journal as a log, without empty optional ones."""
    used = {n: c for n, c in columns.items() if n in REQUIRED or (c != OPTIONAL[n][1]).any()}
    return EventLog(used, *_pairs(used, universe), universe)


def _proof(past: Past, stop: int) -> tuple[bytes, bytes]:
    """The hashes of the events before one and of their decisions."""
    found, rows = RunningDigest(), past.rows[: np.searchsorted(past.rows["seq"], stop)]
    found.update({name: column[:stop] for name, column in past.columns.items()}, rows)
    return _said(found)


def _said(proof: RunningDigest) -> tuple[bytes, bytes]:
    return proof.events.digest(), proof.decisions.digest()


def universe_of(header: dict[str, Any]) -> OpenUniverse:
    """The universe of a snapshot, to which labels can be added."""
    return OpenUniverse.reopened(Universe.from_description(header["universe"]), header["open"] or [])


def named(universe: OpenUniverse, labels: dict[str, Any]) -> OpenUniverse:
    """A universe with what is new with the events of a frame."""
    if "universe" in labels:
        universe = OpenUniverse(Universe.from_description(labels["universe"]), universe.like)
    for kind, label in labels.get("newcomers", ()):
        universe.add(kind, label)
    return universe


def changed(history: RuleHistory, labels: dict[str, Any]) -> RuleHistory:
    """Rules with the changes among the events of a frame."""
    for change in labels.get("changes", ()):
        history = history.then(change_of(change, history.first))
    return history


def _pairs(columns: dict[str, np.ndarray], universe: Universe) -> tuple[np.ndarray, np.ndarray]:
    """Account and instrument of each pair: those of the opening positions, then by their first event."""
    opening = np.array(universe.opening_pairs(), np.int32).reshape(-1, 2)
    codes, first = np.unique(columns["pair"], return_index=True)
    first = first[codes >= len(opening)]
    accounts, instruments = (columns[name][first] for name in ("account", "instrument"))
    return np.append(opening[:, 0], accounts), np.append(opening[:, 1], instruments)
