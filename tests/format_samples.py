"""Sample files of every format, in a folder named after its reader; the ``files`` of a sample are read together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FORMATS = Path(__file__).parent / "data" / "formats"
SAMPLES = sorted(FORMATS.glob("*/*.expected.json"))
ARGUMENTS: dict[str, dict] = {  # by folder, or by folder and sample
    "alpaca": {"account": "PA0000001"},
    "nautilus_trader": {"multipliers": {"ESH4.GLBX": 50}},
    "mt5": {"multipliers": {"EURUSD": 100_000, "XAUUSD": 100}},
    "ccxt/my_trades_contracts": {
        "multipliers": {"BTC/USDT:USDT": "0.001", "ETH/USD:ETH": 10, "BTC/USD:BTC-240628-70000-C": 1}
    },
    "generic_csv/ereignisse": {"tz": "Europe/Berlin"},
    "generic_csv/history": {"tz": "America/New_York"},
    "okx": {"multipliers": {"BTC-USDT-SWAP": "0.01"}},
    "tradingview/Sample_BTCUSDT_2024-03-28": {"tz": "Asia/Singapore"},
    "tradingview/Sample_NQ1!_2024-03-28": {"tz": "America/Chicago"},
}


def name_of(sample: Path) -> str:
    """Folder and name of a sample."""
    return f"{sample.parent.name}/{sample.name.removesuffix('.expected.json')}"


def parts_of(sample: Path) -> tuple[dict[str, Any], list[Path], dict[str, Any]]:
    """What is expected of a sample, its files, and the arguments of its reader."""
    expected = json.loads(sample.read_text(encoding="utf-8"))
    arguments = ARGUMENTS.get(name_of(sample), ARGUMENTS.get(sample.parent.name, {}))
    return expected, [sample.parent / name for name in expected["files"]], arguments
