"""Rules: one class of parameters for each type of the catalogue, and `custom` for a user-defined rule.

``riskkit.Rule(id, rules.PositionLimit(limit=10))`` makes a rule; the units and hooks that a user-defined rule needs are in
`riskkit.replay.rules.custom`.

One order:           `MaxOrderQty`, `MinOrderQty`, `MaxOrderNotional`, `MinOrderNotional`, `TickLotCheck`,
                     `AllowedInstruments`, `PriceCollar`, `ReservePrice`, `DuplicateOrder`, `SelfTradePrevention`,
                     `SelfMatchPrevention`
Surveillance:        `Layering`, `Spoofing`, `CancelBurst`, `QuoteStuffing`, `MomentumIgnition`
Markets:             `PriceBand`, `PriceVelocity`, `LimitUpLimitDown`, `MarketBreaker`, `SessionHours`
Message rates:       `OrderRate`, `Pace`, `MessageThrottle`, `OrderToTradeRatio`, `UnexecutedOrders`,
                     `UnexecutedVolume`, `RepeatedExecutionThrottle`, `MarketMakerProtection`, `ChildOrderLimit`
Positions:           `PositionLimit`, `NettingSet`, `MaxActiveOrders`, `VolumeCap`, `LongOnly`, `ReduceOnly`,
                     `TradingState`
Money:               `CashLimit`, `MaxExposure`, `ConcentrationLimit`, `Leverage`, `VarLimit`, `InitialMargin`,
                     `MaintenanceMargin`, `ScenarioLimit`, `CreditLimit`
Losses:              `DrawdownLimit`, `DailyLoss`, `ConsecutiveLosses`, `ConsecutiveErrors`, `BreakerLimits`
After closed trades: `TradeCooldown`, `StoplossGuard`, `LowProfitLock`, `TradeDrawdownLock`, `EquityDrawdownLock`
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

suggest_names(
    __name__,
    {
        "MaxOrderNotional": "max_notional_per_order max_order_value fat_finger order_value_limit max_single_order_value",
        "MaxOrderQty": "max_order_size max_order_quantity order_size_limit max_shares_per_order",
        "PriceCollar": "price_deviation",
        "OrderRate": "max_order_submit_rate max_order_modify_rate rate_limit rate_limiter throttler order_throttle max_orders_per_second",
        "MessageThrottle": "throttle message_rate",
        "PositionLimit": "max_position max_position_size position_size_limit max_net_position",
        "MaxActiveOrders": "max_open_trades max_open_orders",
        "MaxExposure": "gross_exposure exposure_limit max_gross_exposure",
        "CreditLimit": "credit_line credit reservation",
        "Leverage": "max_leverage leverage_limit",
        "DailyLoss": "daily_loss_limit max_daily_loss loss_limit",
        "DrawdownLimit": "MaxDrawdown max_drawdown_limit MaximumDrawdownPercentPortfolio trailing_drawdown",
        "TradeDrawdownLock": "MaxDrawdown",
        "LowProfitLock": "LowProfitPairs",
        "TradeCooldown": "CooldownPeriod cooldown",
        "StoplossGuard": "stoploss stop_loss",
        "AllowedInstruments": "restricted_list whitelist blacklist pairlist restricted_assets",
        "ConcentrationLimit": "max_weight concentration",
        "VolumeCap": "max_turnover daily_volume_limit",
        "SessionHours": "trading_hours market_hours",
        "DuplicateOrder": "duplicate_order_check",
        "custom": "own_rule custom_rule user_rule",
    },
)
