"""The rule catalogue: one rule a file, each in the same order. Importing it registers every built-in type."""

from riskkit.replay.breaker import Breaker
from riskkit.replay.rules.active_orders import ActiveOrders
from riskkit.replay.rules.cash import Cash
from riskkit.replay.rules.concentration import Concentration
from riskkit.replay.rules.consecutive_errors import ConsecutiveErrors
from riskkit.replay.rules.consecutive_losses import ConsecutiveLosses
from riskkit.replay.rules.cooldown import Cooldown
from riskkit.replay.rules.daily_loss import DailyLoss
from riskkit.replay.rules.dd_trades import DdTrades
from riskkit.replay.rules.drawdown import Drawdown
from riskkit.replay.rules.duplicate import Duplicate
from riskkit.replay.rules.known_instrument import KnownInstrument
from riskkit.replay.rules.leverage import Leverage
from riskkit.replay.rules.long_only import LongOnly
from riskkit.replay.rules.lot_tick import LotTick
from riskkit.replay.rules.low_profit import LowProfit
from riskkit.replay.rules.max_exposure import MaxExposure
from riskkit.replay.rules.max_order_notional import MaxOrderNotional
from riskkit.replay.rules.max_order_qty import MaxOrderQty
from riskkit.replay.rules.message_level import MessageLevel
from riskkit.replay.rules.min_order_notional import MinOrderNotional
from riskkit.replay.rules.min_order_qty import MinOrderQty
from riskkit.replay.rules.mmp import Mmp
from riskkit.replay.rules.order_rate import OrderRate
from riskkit.replay.rules.order_to_parent import OrderToParent
from riskkit.replay.rules.order_to_trade import OrderToTrade
from riskkit.replay.rules.position_limit import PositionLimit
from riskkit.replay.rules.price_collar import PriceCollar
from riskkit.replay.rules.reduce_only import ReduceOnly
from riskkit.replay.rules.repeat_exec_throttle import RepeatExecThrottle
from riskkit.replay.rules.reserve_price import ReservePrice
from riskkit.replay.rules.self_trade import SelfTrade
from riskkit.replay.rules.stoploss_guard import StoplossGuard
from riskkit.replay.rules.trading_state import TradingState
from riskkit.replay.rules.var_limit import VarLimit
from riskkit.replay.rules.volume_cap import VolumeCap

__all__ = [
    "ActiveOrders",
    "Breaker",
    "Cash",
    "Concentration",
    "ConsecutiveErrors",
    "ConsecutiveLosses",
    "Cooldown",
    "DailyLoss",
    "DdTrades",
    "Drawdown",
    "Duplicate",
    "KnownInstrument",
    "Leverage",
    "LongOnly",
    "LotTick",
    "LowProfit",
    "MaxExposure",
    "MaxOrderNotional",
    "MaxOrderQty",
    "MessageLevel",
    "MinOrderNotional",
    "MinOrderQty",
    "Mmp",
    "OrderRate",
    "OrderToParent",
    "OrderToTrade",
    "PositionLimit",
    "PriceCollar",
    "ReduceOnly",
    "RepeatExecThrottle",
    "ReservePrice",
    "SelfTrade",
    "StoplossGuard",
    "TradingState",
    "VarLimit",
    "VolumeCap",
]
