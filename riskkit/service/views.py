"""What those who watch a user see: exposure and risk, from a status of the engine or from a book of positions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

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

    def metrics(self, user: str) -> RiskMetrics:
        """Exposure, its concentration, and the largest drawdown of profit, in money."""
        status = self._engine.status()
        values = [abs(value) for _, _, value in status.holdings(user)]
        total = sum(values)
        concentration = max(values) / total if total else None
        return RiskMetrics(user, total, concentration, None, status.drawdown(user), None, None, None)

    def exposure(self, user: str) -> ExposureUpdate:
        """The open positions and their share of the total."""
        status, begun = self._engine.status(), time.perf_counter_ns()
        held = [line for line in status.holdings(user) if line[1]]
        total = sum(abs(value) for _, _, value in held)
        lines = [
            TokenExposure(token, amount, value, 100.0 * abs(value) / total if total else 0.0)
            for token, amount, value in held
        ]
        took_us = (time.perf_counter_ns() - begun) // 1000
        return ExposureUpdate(user, total, lines, status.ts // 1_000_000, took_us)

    def positions(self, user: str) -> list[PositionUpdate]:
        """All positions since the account was opened."""
        status = self._engine.status()
        ts = status.ts // 1_000_000
        return [PositionUpdate(user, token, amount, value, ts) for token, amount, value in status.holdings(user)]
