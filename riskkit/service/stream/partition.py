"""One partition of the input: an engine in a folder of its own, and the offset up to which it has decided."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskkit._check import InputError
from riskkit._folder_lock import FolderLock
from riskkit.replay.live.journaled_session import JournaledSession
from riskkit.replay.live.open_session import open_session
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Instrument, Universe, exact
from riskkit.service.engine import EngineService
from riskkit.service.stream.messages import Reader, Taken

logger = logging.getLogger("riskkit")


@dataclass(frozen=True)
class Setup:
    """What all partitions have in common.

    Parameters
    ----------
    rules : RuleSet
    universe : Universe
        Instruments and accounts that are there from the start.
    state : Path
        Folder of the partitions' folders.
    mode : str
        "enforce" or "shadow", as of a session.
    auto_register : Instrument, optional
        Units of accounts and instruments that appear; None: they are refused.
    decimals : mapping of str to int
        Digits after the point of the amounts of trade events, by token.
    commands : bool
        True: commands among the messages are taken.
    horizon : str
        As of `Session.open`.
    compiled : bool
        As of a session.
    patience : float
        Seconds to wait for a folder that another worker is about to leave.
    """

    rules: RuleSet
    universe: Universe
    state: Path
    mode: str = "enforce"
    auto_register: Instrument | None = None
    decimals: Mapping[str, int] = field(default_factory=dict)
    commands: bool = False
    horizon: str = "1d"
    compiled: bool = True
    patience: float = 30.0

    def open(self, topic: str, number: int) -> JournaledSession:
        """The session of a partition, which goes on where it was or begins."""
        folder = self.state / f"{topic}-{number:05d}"
        self._wait_for(folder)
        options: dict[str, Any] = {"mode": self.mode, "auto_register": self.auto_register}
        return open_session(
            folder, self.rules, universe=self.universe, durability="commit", horizon=self.horizon,
            compiled=self.compiled, ts_policy="clamp", rounding="nearest", **options,
        )  # fmt: skip

    def _wait_for(self, folder: Path) -> None:
        """Wait until no other process holds a folder, for as long as the patience lasts; opening it tells then."""
        for _ in range(int(self.patience * 10)):
            try:
                return FolderLock(folder).release()
            except InputError:
                time.sleep(0.1)


def universe_of(units: Mapping[str, Any]) -> Universe:
    """The universe of a units file, as `read_units` gives it."""
    instruments, accounts = units["instruments"] or (), units["accounts"]
    if "quanta" in units:
        return Universe(
            tuple(instruments), tuple(accounts), {name: exact(q, "quanta") for name, q in units["quanta"].items()}
        )
    return Universe.declare(instruments, accounts)


class Partition:
    """The engine of one partition.

    Parameters
    ----------
    setup : Setup
    topic : str
        Of the input.
    number, count : int
        Number of the partition, and of the topic's partitions.

    Attributes
    ----------
    offset : int
        Of the next message to decide.
    told : int
        Up to which the decisions are in the output; what is decided before it is not told again.

    Raises
    ------
    InputError
        If the folder is of a topic with another number of partitions, or of other rules, or cannot be opened.
    """

    def __init__(self, setup: Setup, topic: str, number: int, count: int) -> None:
        session = setup.open(topic, number)
        self.engine = EngineService(session)
        self._about = {"topic": topic, "partition": number, "partitions": count}
        try:
            known = {name: session.notes.get(name, value) for name, value in self._about.items()}
            if known != self._about:
                raise InputError(
                    f"the engine of partition {number} is of {known['partitions']} partitions of {known['topic']!r}, and "
                    f"there are {count} of {topic!r} now: its accounts are on others; begin with a new state and a new topic"
                )
            self._reader = Reader(self.engine, setup.decimals, setup.commands)
        except BaseException:
            session.close()
            raise
        self.number = number
        self.offset = self.told = int(session.notes.get("offset", 0))
        self.commands = setup.commands

    def take(self, offset: int, value: bytes | None) -> Taken:
        """Decide the message at an offset, which is not before `offset`."""
        found = self._reader.take(value)
        self.offset = offset + 1
        return found

    def commit(self) -> None:
        """Keep the events since the last time and the offset behind them, on disk when this returns."""
        self.engine.commit({**self._about, "offset": self.offset})

    def close(self) -> None:
        """Give the folder free; what was not committed is dropped, and decided again by whoever comes next."""
        for follower in self.engine.followers:
            follower.close()
        self.session.close()

    @property
    def session(self) -> JournaledSession:
        """The session of the folder."""
        session = self.engine.session
        assert isinstance(session, JournaledSession)
        return session
