"""`RiskManager`: one book with live VaR; trades are checked against cash, inventory and limits, and executed."""

from riskkit.desk.manager.ledger import UnknownTickerError
from riskkit.desk.manager.limit_check import CorruptStateError
from riskkit.desk.manager.manager import RiskManager
from riskkit.desk.manager.reports import DashboardMetrics, LimitChange, PortfolioState

__all__ = [
    "CorruptStateError",
    "DashboardMetrics",
    "LimitChange",
    "PortfolioState",
    "RiskManager",
    "UnknownTickerError",
]
