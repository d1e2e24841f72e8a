"""What those who watch a user see: exposure and risk, from a status of the engine or from a book of positions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from riskkit.replay.live.session_status import SessionStatus
from riskkit.service.engine import EngineService
from riskkit.service.wire import ExposureUpdate, PositionUpdate, RiskMetrics, TokenExposure


class Views(Protocol):
    """A source of what a user's dashboard shows."""

    def metrics(self, user: str) -> RiskMetrics:
        """Measures of a user."""

    def exposure(self, user: str) -> ExposureUpdate:
        """What a user holds."""

    def positions(self, user: str) -> Sequence[PositionUpdate]:
        """The positions of a user, also those that are flat."""


class EngineViews:
    """Views of the accounts of an engine; an account that is not known holds nothing."""

    def __init__(self, engine: EngineService) -> None:
        self._engine = engine
        self._of: SessionStatus | None = None
        self._held: dict[str, list[tuple[str, float, float]]] = {}
        self._drawdowns: dict[str, float] = {}
        self._took_us = 0

    def _read(self) -> int:
        """Read the books once for all users; the time of their last event, in milliseconds."""
        status = self._engine.status()
        if status is not self._of:
            begun = time.perf_counter_ns()
            table = status.positions()
            self._held = {}
            for (account, instrument), quantity, value in zip(table.index, table["qty"], table["value"], strict=True):
                self._held.setdefault(account, []).append((instrument, float(quantity), float(value)))
            fallen = status.accounts()["drawdown"].dropna()
            self._drawdowns = dict(zip(map(str, fallen.index), map(float, fallen), strict=True))
            self._of, self._took_us = status, (time.perf_counter_ns() - begun) // 1000
        return status.ts // 1_000_000

    def metrics(self, user: str) -> RiskMetrics:
        """Exposure, its concentration, and the largest drawdown, a fraction of the peak."""
        self._read()
        values = [abs(value) for _, _, value in self._held.get(user, ())]
        total = sum(values)
        return RiskMetrics(
            user, total, max(values) / total if total else None, None, self._drawdowns.get(user), None, None, None
        )

    def exposure(self, user: str) -> ExposureUpdate:
        """The open positions and their share of the total."""
        ts = self._read()
        held = [line for line in self._held.get(user, ()) if line[1]]
        total = sum(abs(value) for _, _, value in held)
        lines = [
            TokenExposure(token, amount, value, 100.0 * abs(value) / total if total else 0.0)
            for token, amount, value in held
        ]
        return ExposureUpdate(user, total, lines, ts, self._took_us)

    def positions(self, user: str) -> list[PositionUpdate]:
        """All positions since the account was opened."""
        ts = self._read()
        return [PositionUpdate(user, token, amount, value, ts) for token, amount, value in self._held.get(user, ())]
