"""Returns: prices to returns, log and simple returns, and volatility over a longer horizon.

Prices and returns
    simple_returns, log_returns, log_from_simple, simple_from_log, horizon_returns
Profit and loss
    profit_and_loss, loss_from_log_quantile
Gaps, stale prices and jumps
    price_flags
Scaling with time
    scale_volatility, sqrt_time_test, SqrtTimeTest, SqrtTimeWarning, sqrt_time_ratio
"""

from riskkit._names import suggest_names
from riskkit.returns.conversion import (
    horizon_returns,
    log_from_simple,
    log_returns,
    loss_from_log_quantile,
    profit_and_loss,
    simple_from_log,
    simple_returns,
)
from riskkit.returns.quality import price_flags
from riskkit.returns.time_scaling import (
    SqrtTimeTest,
    SqrtTimeWarning,
    scale_volatility,
    sqrt_time_ratio,
    sqrt_time_test,
)

__all__ = [
    "SqrtTimeTest",
    "SqrtTimeWarning",
    "sqrt_time_test",
    "horizon_returns",
    "log_from_simple",
    "log_returns",
    "loss_from_log_quantile",
    "price_flags",
    "profit_and_loss",
    "scale_volatility",
    "simple_from_log",
    "simple_returns",
    "sqrt_time_ratio",
]

suggest_names(
    __name__,
    {
        "simple_returns": "price2ret tick2ret pct_change to_returns daily_returns returns_from_prices simple_return",
        "log_returns": "log_return continuous_returns",
        "profit_and_loss": "pnl_from_prices",
        "scale_volatility": "annualize annualise",
        "horizon_returns": "resample_returns overlapping_returns",
    },
)
