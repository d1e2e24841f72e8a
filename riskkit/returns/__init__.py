"""Returns: prices to returns, log and simple returns, and volatility over a longer horizon.

Prices and returns
    simple_returns, log_returns, log_from_simple, simple_from_log, horizon_returns
Profit and loss
    profit_and_loss, loss_from_log_quantile
Scaling with time
    scale_volatility, check_square_root_time, SquareRootTime, SquareRootTimeWarning, square_root_time_ratio
"""

from riskkit.returns.conversion import (
    horizon_returns,
    log_from_simple,
    log_returns,
    loss_from_log_quantile,
    profit_and_loss,
    simple_from_log,
    simple_returns,
)
from riskkit.returns.time_scaling import (
    SquareRootTime,
    SquareRootTimeWarning,
    check_square_root_time,
    scale_volatility,
    square_root_time_ratio,
)

__all__ = [
    "SquareRootTime",
    "SquareRootTimeWarning",
    "check_square_root_time",
    "horizon_returns",
    "log_from_simple",
    "log_returns",
    "loss_from_log_quantile",
    "profit_and_loss",
    "scale_volatility",
    "simple_from_log",
    "simple_returns",
    "square_root_time_ratio",
]
