"""The rule catalogue: one file per rule. Importing it registers every built-in type."""

from riskkit.replay.rules.catalogue.active_orders import MaxActiveOrders
from riskkit.replay.rules.catalogue.cancel_burst import CancelBurst
from riskkit.replay.rules.catalogue.cash import CashLimit
from riskkit.replay.rules.catalogue.concentration import ConcentrationLimit
from riskkit.replay.rules.catalogue.consecutive_errors import ConsecutiveErrors
from riskkit.replay.rules.catalogue.consecutive_losses import ConsecutiveLosses
from riskkit.replay.rules.catalogue.cooldown import TradeCooldown
from riskkit.replay.rules.catalogue.credit import CreditLimit
from riskkit.replay.rules.catalogue.daily_loss import DailyLoss
from riskkit.replay.rules.catalogue.dd_equity import EquityDrawdownLock
from riskkit.replay.rules.catalogue.dd_trades import TradeDrawdownLock
from riskkit.replay.rules.catalogue.drawdown import DrawdownLimit
from riskkit.replay.rules.catalogue.duplicate import DuplicateOrder
from riskkit.replay.rules.catalogue.initial_margin import InitialMargin
from riskkit.replay.rules.catalogue.known_instrument import AllowedInstruments
from riskkit.replay.rules.catalogue.layering import Layering
from riskkit.replay.rules.catalogue.leverage import Leverage
from riskkit.replay.rules.catalogue.long_only import LongOnly
from riskkit.replay.rules.catalogue.lot_tick import TickLotCheck
from riskkit.replay.rules.catalogue.low_profit import LowProfitLock
from riskkit.replay.rules.catalogue.luld import LimitUpLimitDown
from riskkit.replay.rules.catalogue.maintenance_margin import MaintenanceMargin
from riskkit.replay.rules.catalogue.market_breaker import MarketBreaker
from riskkit.replay.rules.catalogue.max_exposure import MaxExposure
from riskkit.replay.rules.catalogue.max_order_notional import MaxOrderNotional
from riskkit.replay.rules.catalogue.max_order_qty import MaxOrderQty
from riskkit.replay.rules.catalogue.message_level import MessageThrottle
from riskkit.replay.rules.catalogue.min_order_notional import MinOrderNotional
from riskkit.replay.rules.catalogue.min_order_qty import MinOrderQty
from riskkit.replay.rules.catalogue.mmp import MarketMakerProtection
from riskkit.replay.rules.catalogue.momentum_ignition import MomentumIgnition
from riskkit.replay.rules.catalogue.netting_set import NettingSet
from riskkit.replay.rules.catalogue.order_rate import OrderRate
from riskkit.replay.rules.catalogue.order_to_parent import ChildOrderLimit
from riskkit.replay.rules.catalogue.order_to_trade import OrderToTradeRatio
from riskkit.replay.rules.catalogue.pace import Pace
from riskkit.replay.rules.catalogue.position_limit import PositionLimit
from riskkit.replay.rules.catalogue.price_band import PriceBand
from riskkit.replay.rules.catalogue.price_collar import PriceCollar
from riskkit.replay.rules.catalogue.quote_stuffing import QuoteStuffing
from riskkit.replay.rules.catalogue.reduce_only import ReduceOnly
from riskkit.replay.rules.catalogue.repeat_exec_throttle import RepeatedExecutionThrottle
from riskkit.replay.rules.catalogue.reserve_price import ReservePrice
from riskkit.replay.rules.catalogue.scenario_limit import ScenarioLimit
from riskkit.replay.rules.catalogue.self_match import SelfMatchPrevention
from riskkit.replay.rules.catalogue.self_trade import SelfTradePrevention
from riskkit.replay.rules.catalogue.session_hours import SessionHours
from riskkit.replay.rules.catalogue.spoofing import Spoofing
from riskkit.replay.rules.catalogue.stoploss_guard import StoplossGuard
from riskkit.replay.rules.catalogue.trading_state import TradingState
from riskkit.replay.rules.catalogue.unexecuted_orders import UnexecutedOrders
from riskkit.replay.rules.catalogue.unexecuted_volume import UnexecutedVolume
from riskkit.replay.rules.catalogue.var_limit import VarLimit
from riskkit.replay.rules.catalogue.velocity import PriceVelocity
from riskkit.replay.rules.catalogue.volume_cap import VolumeCap
from riskkit.replay.rules.circuit_breaker import BreakerLimits

__all__ = [
    "MaxActiveOrders",
    "BreakerLimits",
    "CancelBurst",
    "CashLimit",
    "ConcentrationLimit",
    "ConsecutiveErrors",
    "ConsecutiveLosses",
    "CreditLimit",
    "TradeCooldown",
    "DailyLoss",
    "TradeDrawdownLock",
    "DrawdownLimit",
    "DuplicateOrder",
    "EquityDrawdownLock",
    "AllowedInstruments",
    "InitialMargin",
    "Layering",
    "Leverage",
    "LimitUpLimitDown",
    "LongOnly",
    "TickLotCheck",
    "LowProfitLock",
    "MaintenanceMargin",
    "MaxExposure",
    "MaxOrderNotional",
    "MaxOrderQty",
    "MessageThrottle",
    "MinOrderNotional",
    "MinOrderQty",
    "MarketBreaker",
    "MarketMakerProtection",
    "MomentumIgnition",
    "NettingSet",
    "OrderRate",
    "ChildOrderLimit",
    "OrderToTradeRatio",
    "Pace",
    "PositionLimit",
    "PriceBand",
    "PriceCollar",
    "PriceVelocity",
    "QuoteStuffing",
    "ReduceOnly",
    "RepeatedExecutionThrottle",
    "ReservePrice",
    "ScenarioLimit",
    "SelfMatchPrevention",
    "SelfTradePrevention",
    "SessionHours",
    "Spoofing",
    "StoplossGuard",
    "TradingState",
    "UnexecutedOrders",
    "UnexecutedVolume",
    "VarLimit",
    "VolumeCap",
]
