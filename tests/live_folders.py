"""Sessions in folders for tests: short segments, written without threads, left as a killed process leaves them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from streams import universe

from riskkit import Rule, RuleSet, Session
from riskkit.replay.live import journaled_session
from riskkit.replay.live.journaled_session import JournaledSession
from riskkit.rules import DailyLoss, OrderRate, PositionLimit

RULES = RuleSet(
    [
        Rule("rate", OrderRate(limit=3, window_ns="1min")),
        Rule("size", PositionLimit(limit=20), action="PAUSE", hold="5min"),
        Rule("day", DailyLoss(limit=30)),
    ]
)
WHOLE = "400d"


class AtOnce(threading.Thread):
    """A thread that is done when it has started."""

    def start(self) -> None:
        self.run()

    def join(self, timeout: float | None = None) -> None:
        pass


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    monkeypatch.setattr(journaled_session.threading, "Thread", AtOnce)


def opened(folder: Path, **options: Any) -> JournaledSession:
    options = {"durability": "none", "horizon": WHOLE, "segment_events": 16, "compiled": False, **options}
    return Session.open(folder, RULES, universe=universe(), **options)


def leave(session: JournaledSession) -> None:
    """What a killed process leaves open."""
    session._wal.leave()
    session._lock_file.leave()
