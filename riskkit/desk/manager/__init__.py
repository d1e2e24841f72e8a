"""One book beside its live risk: trades checked against cash, inventory and VaR, and done all or nothing."""

from riskkit.desk.manager.answers import Dashboard, LimitChange, PortfolioState, TradeImpact
from riskkit.desk.manager.risk_manager import CorruptStateError, RiskManager, UnknownTickerError

__all__ = [
    "CorruptStateError",
    "Dashboard",
    "LimitChange",
    "PortfolioState",
    "RiskManager",
    "TradeImpact",
    "UnknownTickerError",
]
