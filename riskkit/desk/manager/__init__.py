"""`RiskManager`: one book with live VaR; trades are checked against cash, inventory and limits, and executed."""

from riskkit.desk.manager.manager import CorruptStateError, RiskManager, UnknownTickerError
from riskkit.desk.manager.reports import DashboardMetrics, LimitChange, PortfolioState

__all__ = [
    "CorruptStateError",
    "DashboardMetrics",
    "LimitChange",
    "PortfolioState",
    "RiskManager",
    "UnknownTickerError",
]
