"""The rules of a scenario in plain Python, with dicts, lists and fractions.

Written from tests/scenarios/README.md and, for the types that it leaves out, from the words of the rule catalogue;
nothing of riskkit is imported. A `Rule` is told of every event by `naive.replay.Replay`, which keeps the books.
"""

from __future__ import annotations

from naive.rules.base import BAD
from naive.rules.gauges import VarLimit
from naive.rules.locks import Cooldown, DdTrades, LowProfit, StoplossGuard
from naive.rules.losses import (
    Breaker,
    ConsecutiveErrors,
    ConsecutiveLosses,
    DailyLoss,
    Drawdown,
    Mmp,
    RepeatExecThrottle,
)
from naive.rules.orders import (
    KnownInstrument,
    LotTick,
    MaxOrderNotional,
    MaxOrderQty,
    MinOrderNotional,
    MinOrderQty,
    PriceCollar,
    ReservePrice,
    SelfTrade,
)
from naive.rules.positions import (
    ActiveOrders,
    Cash,
    Concentration,
    Leverage,
    LongOnly,
    MaxExposure,
    OrderToParent,
    PositionLimit,
    ReduceOnly,
    TradingState,
)
from naive.rules.rates import Duplicate, MessageLevel, OrderRate, OrderToTrade, VolumeCap

__all__ = ["BAD", "TYPES"]

TYPES = {
    "order_rate": OrderRate,
    "message_level": MessageLevel,
    "duplicate": Duplicate,
    "volume_cap": VolumeCap,
    "max_order_qty": MaxOrderQty,
    "min_order_qty": MinOrderQty,
    "max_order_notional": MaxOrderNotional,
    "min_order_notional": MinOrderNotional,
    "lot_tick": LotTick,
    "known_instrument": KnownInstrument,
    "price_collar": PriceCollar,
    "self_trade": SelfTrade,
    "reserve_price": ReservePrice,
    "position_limit": PositionLimit,
    "active_orders": ActiveOrders,
    "cash": Cash,
    "long_only": LongOnly,
    "reduce_only": ReduceOnly,
    "trading_state": TradingState,
    "drawdown": Drawdown,
    "daily_loss": DailyLoss,
    "consecutive_losses": ConsecutiveLosses,
    "consecutive_errors": ConsecutiveErrors,
    "repeat_exec_throttle": RepeatExecThrottle,
    "mmp": Mmp,
    "stoploss_guard": StoplossGuard,
    "cooldown": Cooldown,
    "low_profit": LowProfit,
    "dd_trades": DdTrades,
    "order_to_trade": OrderToTrade,
    "order_to_parent": OrderToParent,
    "max_exposure": MaxExposure,
    "concentration": Concentration,
    "leverage": Leverage,
    "breaker": Breaker,
    "var_limit": VarLimit,
}
