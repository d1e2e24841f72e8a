"""Rule sets with the semantics of named programs, exchanges and regulations.

Each function returns a `RuleSet` that decides every boundary case as its source does; `compare_presets` replays one log
under several of them and explains where they differ. Values that the source leaves to its user are arguments; a
control without a default in the source is omitted unless a value is given.
"""

from riskkit._names import suggest_names
from riskkit.presets.binance import binance_filters, binance_margin, binance_mmp
from riskkit.presets.cme import cme, cme_prices
from riskkit.presets.deribit import deribit, deribit_margin
from riskkit.presets.eurex import eurex
from riskkit.presets.exchange_core import exchange_core
from riskkit.presets.freqtrade import freqtrade
from riskkit.presets.gobreaker import gobreaker
from riskkit.presets.hummingbot import hummingbot
from riskkit.presets.lean import lean
from riskkit.presets.nautilus import nautilus
from riskkit.presets.paradex import paradex
from riskkit.presets.reg_t import reg_t
from riskkit.presets.rqalpha import rqalpha
from riskkit.presets.rts6 import rts6
from riskkit.presets.sec_15c3_5 import sec_15c3_5
from riskkit.presets.stocksharp import stocksharp
from riskkit.presets.vnpy import vnpy
from riskkit.presets.zipline import zipline
from riskkit.replay.run.compare_rule_sets import compare_presets

__all__ = ["binance_filters", "binance_margin", "binance_mmp", "cme", "cme_prices", "compare_presets", "deribit"]
__all__ += [
    "deribit_margin",
    "eurex",
    "exchange_core",
    "freqtrade",
    "gobreaker",
    "hummingbot",
    "lean",
    "nautilus",
    "paradex",
]
__all__ += ["reg_t", "rqalpha", "rts6", "sec_15c3_5", "stocksharp", "vnpy", "zipline"]

ELSEWHERE = {"freqtrade": "protections", "lean": "quantconnect", "nautilus": "nautilus_trader RiskEngineConfig"}
suggest_names(__name__, ELSEWHERE)
