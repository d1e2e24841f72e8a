"""Rules: one class of parameters for each type of the catalogue, and `custom` for a user-defined rule.

``riskkit.Rule(id, rules.PositionLimit(limit=10))`` makes a rule; the units and hooks that a user-defined rule needs are in
`riskkit.replay.rules.custom`.

One order:           `MaxOrderQty`, `MinOrderQty`, `MaxOrderNotional`, `MinOrderNotional`, `TickLotCheck`,
                     `AllowedInstruments`, `PriceCollar`, `ReservePrice`, `DuplicateOrder`, `SelfTradePrevention`,
                     `SelfMatchPrevention`
Surveillance:        `Layering`
Markets:             `PriceVelocity`, `LimitUpLimitDown`, `MarketBreaker`, `SessionHours`
Message rates:       `OrderRate`, `Pace`, `MessageThrottle`, `OrderToTradeRatio`, `UnexecutedOrders`,
                     `RepeatedExecutionThrottle`, `MarketMakerProtection`, `ChildOrderLimit`
Positions:           `PositionLimit`, `MaxActiveOrders`, `VolumeCap`, `LongOnly`, `ReduceOnly`, `TradingState`
Money:               `CashLimit`, `MaxExposure`, `ConcentrationLimit`, `Leverage`, `VarLimit`, `InitialMargin`,
                     `MaintenanceMargin`
Losses:              `DrawdownLimit`, `DailyLoss`, `ConsecutiveLosses`, `ConsecutiveErrors`, `BreakerLimits`
After closed trades: `TradeCooldown`, `StoplossGuard`, `LowProfitLock`, `TradeDrawdownLock`
Levels of a limit:   `TieredRule`, `Tier`
Limit tables:        `read_limits` (CSV, TOML or a frame to rules), `limit_table` (and back), `TemporaryLimit`,
                     `with_temporary_limits`
A rule of your own:  `custom`, `RuleType`, `Verdict`, `EventRow`
"""

from riskkit._names import suggest_names
from riskkit.replay.rules import catalogue
from riskkit.replay.rules.catalogue import *  # noqa: F403  # its list is the list
from riskkit.replay.rules.custom import custom
from riskkit.replay.rules.limit_table import limit_table, read_limits
from riskkit.replay.rules.rule import RuleType
from riskkit.replay.rules.temporary import TemporaryLimit, with_temporary_limits
from riskkit.replay.rules.tiered import Tier, TieredRule
from riskkit.replay.rules.verdict import Verdict
from riskkit.replay.schema.columns import EventRow

__all__ = ["EventRow", "RuleType", "TemporaryLimit", "Tier", "TieredRule", "Verdict", "custom"]
__all__ += ["limit_table", "read_limits", "with_temporary_limits"]
__all__ += catalogue.__all__

suggest_names(__name__)
