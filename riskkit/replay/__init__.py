"""Replay of recorded orders, fills and prices through pre-trade rules and a circuit breaker.

Rooms, lowest first: schema, kernels, ingest, log, rules, engine, results, run, live, vbt; on top of them sweeps, incidents
and worst_case. The names below are loaded when they are first used.
"""

import lazy_loader

from riskkit._names import suggest_names

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

suggest_names(
    __name__,
    {
        "replay_log": "run_replay Backtest BacktestEngine",
        "read_log": "read_csv from_csv load_log read_trades",
        "EventLog.from_frame(frame)": "from_frame from_dataframe from_pandas",
        "Session": "LiveRiskEngine live",
        "Session.halt": "kill_switch halt_trading",
    },
)
