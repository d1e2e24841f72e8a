"""The desk: portfolio limits, pre-trade checks, market data, positions, alerts and stores; nothing here reads a clock.

- portfolio: `evaluate`, `validate`, their batches, `RiskState`; limits: `DeskLimits`, `limits_from_rules`
- market data: `MarketStream` of `SimulatedTicks`, `RecordedTicks` or `RecordedBars`, `LiveCovariance`
- one book with live VaR: `RiskManager`; many users with exact positions: `PositionTracker`
- their journals: `ParquetStore`, `DuckDBStore`
- alerts: `AlertSystem`, `condition`, and channels; pages: `LiveDesk`, `LiveDashboard`

Sizes, drawdowns and relative VaR are fractions (0.10 is 10 %); the methods `to_service` of the answers, and the argument
`max_drawdown_limit`, follow the imitated REST service, in percent.
"""

from riskkit._names import suggest_names
from riskkit.desk.alerts import (
    CONDITIONS,
    Alert,
    AlertChannel,
    AlertSystem,
    EmailChannel,
    FileChannel,
    LogChannel,
    Retry,
    Subscription,
    TableChannel,
    UnknownAlertError,
    WebhookChannel,
    condition,
)
from riskkit.desk.core.limits import DeskLimits, limits_from_rules
from riskkit.desk.core.pre_trade_check import PreTradeCheck
from riskkit.desk.core.records import RequestError
from riskkit.desk.dashboard import LiveDashboard, LiveDesk
from riskkit.desk.manager import (
    CorruptStateError,
    DashboardMetrics,
    LimitChange,
    PortfolioState,
    RiskManager,
    UnknownTickerError,
)
from riskkit.desk.market import Bar, LiveCovariance, MarketStream, RecordedBars, RecordedTicks, SimulatedTicks, Tick
from riskkit.desk.portfolio import (
    Evaluation,
    PositionValues,
    PreTradeChecks,
    RiskReading,
    RiskState,
    TradeRequest,
    evaluate,
    evaluate_batch,
    validate,
    validate_batch,
)
from riskkit.desk.positions import (
    DuplicateTradeError,
    IngestStatistics,
    MissingPriceError,
    Position,
    PositionTracker,
    TradeTooOldError,
    UnknownPositionError,
    UnknownTokenError,
    UnknownUserError,
    UserExposure,
    UserMetrics,
)
from riskkit.desk.store import DuckDBStore, ParquetStore

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertSystem",
    "Bar",
    "CONDITIONS",
    "CorruptStateError",
    "DashboardMetrics",
    "DeskLimits",
    "DuckDBStore",
    "DuplicateTradeError",
    "EmailChannel",
    "Evaluation",
    "FileChannel",
    "IngestStatistics",
    "LimitChange",
    "LiveCovariance",
    "LiveDashboard",
    "LiveDesk",
    "LogChannel",
    "MarketStream",
    "MissingPriceError",
    "ParquetStore",
    "PortfolioState",
    "Position",
    "PositionTracker",
    "PositionValues",
    "PreTradeCheck",
    "PreTradeChecks",
    "RecordedBars",
    "RecordedTicks",
    "RequestError",
    "Retry",
    "RiskManager",
    "RiskReading",
    "RiskState",
    "SimulatedTicks",
    "Subscription",
    "TableChannel",
    "Tick",
    "TradeRequest",
    "TradeTooOldError",
    "UnknownAlertError",
    "UnknownPositionError",
    "UnknownTickerError",
    "UnknownTokenError",
    "UnknownUserError",
    "UserExposure",
    "UserMetrics",
    "WebhookChannel",
    "condition",
    "evaluate",
    "evaluate_batch",
    "limits_from_rules",
    "validate",
    "validate_batch",
]

suggest_names(__name__)
