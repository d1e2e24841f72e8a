"""Risk limits you can set, replay and defend.

Public names are listed here once and loaded when they are first used, so that ``import riskkit`` stays cheap.
"""

import importlib
import logging
from typing import Any

__version__ = "0.1.0"

# module -> its public names, in the order of the house (see README.md)
_EXPORTS: dict[str, tuple[str, ...]] = {
    "_check": ("InputError",),
    "returns": (
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
    ),
    "pnl": (
        "DeltaGamma",
        "aggregate_pnl",
        "linear_pnl",
        "revalued_pnl",
        "scenario_pnl",
    ),
    "covariance": (
        "EwmaCovariance",
        "GarchFit",
        "MatrixRepair",
        "ShrunkCovariance",
        "correlation_from_covariance",
        "covariance_from_correlation",
        "effective_days",
        "ewma_covariance",
        "ewma_covariance_path",
        "ewma_portfolio_variance",
        "ewma_start",
        "ewma_variance",
        "ewma_volatility",
        "fit_garch",
        "garch_long_run_volatility",
        "garch_update",
        "nearest_correlation",
        "repair_covariance",
        "riskmetrics2006_covariance",
        "sample_covariance",
        "sample_volatility",
        "shrunk_covariance",
        "stressed_covariance",
    ),
    "replay.breaker": ("Breaker", "CircuitBreaker"),
    "replay.columns": ("Event", "Kind"),
    "replay.events": ("EventLog",),
    "replay.live": ("LiveEngine",),
    "replay.result": ("Result",),
    "replay.rule": ("Rule", "RuleType", "Verdict"),
    "replay.rules": ("DailyLoss", "Drawdown", "OrderRate", "PositionLimit", "VolumeCap"),
    "replay.ruleset": ("RuleSet",),
    "replay.run": ("replay_log",),
    "replay.universe": ("Account", "Instrument"),
}

_HOME = {name: module for module, names in _EXPORTS.items() for name in names}
_MODULES = ("datasets", "plot")

__all__ = sorted([*_HOME, *_MODULES])

logging.getLogger("riskkit").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"riskkit.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"riskkit.{name}")
    else:
        raise AttributeError(f"riskkit has no public name {name!r}; see riskkit.__all__")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
