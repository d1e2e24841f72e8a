"""vectorbt: run a strategy under limits, and read what was decided.

Run: `run_with_limits`, `run_signals_with_limits`, `run_targets_with_limits`, `LimitedBacktest`, `OrderDecision`,
`compare_reactions`, `ReactionComparison`
"""

from riskkit._names import suggest_names
from riskkit.replay.vbt.limited_backtest import LimitedBacktest, OrderDecision
from riskkit.replay.vbt.reaction import ReactionComparison, compare_reactions
from riskkit.replay.vbt.run_with_limits import run_with_limits
from riskkit.replay.vbt.signals import run_signals_with_limits, run_targets_with_limits

__all__ = [
    "LimitedBacktest",
    "OrderDecision",
    "ReactionComparison",
    "compare_reactions",
    "run_signals_with_limits",
    "run_targets_with_limits",
    "run_with_limits",
]

suggest_names(
    __name__,
    {
        "run_signals_with_limits": "from_signals simulate_from_signals",
        "run_targets_with_limits": "from_orders order_target_percent",
        "run_with_limits": "from_order_func gate",
        "EventLog.from_vectorbt(portfolio)": "from_vectorbt from_signals Portfolio",
    },
)
