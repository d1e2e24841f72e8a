"""The rule catalogue: one rule a file, each in the same order."""

from riskkit.replay.rules.daily_loss import DailyLoss
from riskkit.replay.rules.drawdown import Drawdown
from riskkit.replay.rules.order_rate import OrderRate
from riskkit.replay.rules.position_limit import PositionLimit
from riskkit.replay.rules.volume_cap import VolumeCap

__all__ = ["DailyLoss", "Drawdown", "OrderRate", "PositionLimit", "VolumeCap"]
