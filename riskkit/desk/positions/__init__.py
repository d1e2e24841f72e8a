"""Positions of many users in many tokens on many markets, exact to 256 bits."""

from riskkit.desk.positions.records import (
    DuplicateTradeError,
    Exposure,
    IngestStatistics,
    MissingPriceError,
    Position,
    TradeTooOldError,
    UnknownPositionError,
    UnknownTokenError,
    UnknownUserError,
    UserMetrics,
)
from riskkit.desk.positions.tracker import PositionTracker

__all__ = [
    "DuplicateTradeError",
    "Exposure",
    "IngestStatistics",
    "MissingPriceError",
    "Position",
    "PositionTracker",
    "TradeTooOldError",
    "UnknownPositionError",
    "UnknownTokenError",
    "UnknownUserError",
    "UserMetrics",
]
