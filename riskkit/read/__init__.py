"""Readers of files that people have: each gives a `Reading`, with its events, and what it left out, derived and assumed.

``reading.log()`` is an event log for a replay; `riskkit.read_log` finds the reader of a file by its
content. What a file does not hold (time zone, contract size, label of the account) is an argument, or is said under
``assumed``; a torn file is refused whole. Of tables that a spreadsheet has saved again, titles above the heading, headings
that stand twice and sums are left out by name, and decimal commas and dates in another form are read where they tell.

Result:               `Reading`
Sessions and venues:  `fix`, `lobster`, `itch50`, `databento_mbo`
Brokers:              `alpaca`, `ib_flex`, `ib_activity`, `mt5`, `blotter_xlsx`
Exchanges:            `binance`, `bitstamp`, `bybit`, `ccxt`, `coinbase`, `kraken`, `okx`
Engines and research: `backtrader`, `freqtrade`, `nautilus_trader`, `quantconnect`, `tradingview`
Any other table:      `generic_csv`
Prices by day:        `prices`
"""

from riskkit._names import suggest_names
from riskkit.read.formats.alpaca import alpaca
from riskkit.read.formats.backtrader import backtrader
from riskkit.read.formats.binance import binance
from riskkit.read.formats.bitstamp import bitstamp
from riskkit.read.formats.blotter_xlsx import blotter_xlsx
from riskkit.read.formats.bybit import bybit
from riskkit.read.formats.ccxt import ccxt
from riskkit.read.formats.coinbase import coinbase
from riskkit.read.formats.databento_mbo import databento_mbo
from riskkit.read.formats.fix import fix
from riskkit.read.formats.freqtrade import freqtrade
from riskkit.read.formats.generic_csv import generic_csv
from riskkit.read.formats.ib_activity import ib_activity
from riskkit.read.formats.ib_flex import ib_flex
from riskkit.read.formats.itch50 import itch50
from riskkit.read.formats.kraken import kraken
from riskkit.read.formats.lobster import lobster
from riskkit.read.formats.mt5 import mt5
from riskkit.read.formats.nautilus_trader import nautilus_trader
from riskkit.read.formats.okx import okx
from riskkit.read.formats.quantconnect import quantconnect
from riskkit.read.formats.tradingview import tradingview
from riskkit.read.price_table import prices
from riskkit.read.reading import Reading

__all__ = [
    "Reading",
    "fix",
    "lobster",
    "itch50",
    "databento_mbo",
    "alpaca",
    "ib_flex",
    "ib_activity",
    "mt5",
    "blotter_xlsx",
    "binance",
    "bitstamp",
    "bybit",
    "ccxt",
    "coinbase",
    "kraken",
    "okx",
    "backtrader",
    "freqtrade",
    "nautilus_trader",
    "quantconnect",
    "tradingview",
    "generic_csv",
    "prices",
]

suggest_names(
    __name__,
    {
        "generic_csv": "csv",
        "ib_flex": "ibkr interactive_brokers flex",
        "mt5": "metatrader metatrader5",
        "nautilus_trader": "nautilus",
        "databento_mbo": "databento mbo",
        "itch50": "itch nasdaq_itch",
        "blotter_xlsx": "xlsx excel read_excel blotter",
    },
)
