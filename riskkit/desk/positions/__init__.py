"""`PositionTracker`: positions of many users in many tokens on many markets, exact to 256 bits."""

from riskkit.desk.positions.results import (
    DuplicateTradeError,
    IngestStatistics,
    MissingPriceError,
    Position,
    TradeTooOldError,
    UnknownPositionError,
    UnknownTokenError,
    UnknownUserError,
    UserExposure,
    UserMetrics,
)
from riskkit.desk.positions.tracker import PositionTracker

__all__ = [
    "DuplicateTradeError",
    "UserExposure",
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
