"""Risk limits you can set, replay and defend.

Event logs and rules: `EventLog`, `Instrument`, `Account`, `Universe`, `EventKind`, `Rule`, `RuleSet`,
`CircuitBreaker`, `read_log`.
Replay: `replay_log`, `compare`, `ReplayResult`, `Session`, `Decision`, `sweep`, `calibrate`, `utilization`, `effectiveness`,
`worst_case`, `write_report`.
Models: `simple_returns`, `log_returns`, `value_at_risk`, `rolling_var`, `RiskEstimate`, `backtest_var`, `ewma_volatility`,
`ewma_covariance`, `simulate_risk`, `stress_test`, `performance_summary`.
Everything else is in a module: `returns`, `pnl`, `covariance`, `var`, `learn`, `attribution`, `montecarlo`, `stress`,
`liquidity`, `instruments`, `frtb`, `performance`, `var_backtest`, `read`, `rules`, `replay`, `sweeps`, `incidents`, `presets`,
`desk`, `report`, `datasets`, `vbt`, `compat`.

The list itself is ``__init__.pyi``; a name is loaded when it is first used, so that ``import riskkit`` stays cheap.
"""

import logging
from importlib.util import find_spec
from typing import Any

import lazy_loader

from riskkit._names import nearest_name, published

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

logging.getLogger("riskkit").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name in __all__:
        globals()[name] = found = published(_load(name))  # the loader itself keeps what has the name of its file
        return found
    if find_spec(f"{__name__}.{name}") is not None:  # ``from riskkit import plot`` asks here before it imports a room
        raise AttributeError(f"riskkit.{name} is not public; it has to be imported")
    raise AttributeError(f"riskkit has no public name {name!r}{nearest_name(name)}")
