"""The market's volume of a day of each instrument, given by the caller or read from a log of all its trades."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError, one_of, positive, shown
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag
from riskkit.replay.schema.constants import DAY_NS


def market_volumes(log: EventLog, given: Any) -> np.ndarray | None:
    """The market's volume of a day by instrument code, in quantity; NaN for an instrument without a trade."""
    if given is None:
        return None
    names = [instrument.id for instrument in log.universe.instruments]
    if isinstance(given, str):
        one_of(given, ("log",), "market_volume")
        return _bought_by_day(log)
    if not isinstance(given, Mapping):
        raise InputError(f"market_volume={shown(given)} is no mapping; give a quantity by instrument, or 'log'")
    missing = [name for name in names if name not in given]
    if missing:
        raise InputError(f"market_volume has no {missing[0]!r}; give the market's volume of a day of each instrument")
    return np.array([positive(given[name], f"market_volume[{name!r}]") for name in names])


def _bought_by_day(log: EventLog) -> np.ndarray:
    columns = log.columns
    bought = (columns["kind"] == EventKind.FILL) & (columns["side"] > 0)
    if "flags" in columns:
        bought &= columns["flags"] & int(RowFlag.BAD_TS | RowFlag.DUPLICATE) == 0
    if not bought.any():
        raise InputError(
            "market_volume='log' needs the fills of the market in the log, and it has no fill; give a mapping"
        )
    codes = columns["instrument"][bought]
    traded = log.universe.quantities(columns["qty"][bought], codes)
    totals = np.bincount(codes, weights=traded, minlength=len(log.universe.instruments))
    days = len(np.unique(columns["ts"][bought] // DAY_NS))
    return np.where(totals > 0.0, totals / days, np.nan)


def last_prices(log: EventLog) -> np.ndarray:
    """Money of one unit of each instrument at its last price or fill in the log; NaN if it has none."""
    columns, found = log.columns, np.full(len(log.universe.instruments), np.nan)
    priced = np.isin(columns["kind"], (EventKind.PRICE, EventKind.FILL)) & (columns["price"] != MISSING)
    codes = columns["instrument"][priced]
    prices = log.universe.prices(columns["price"][priced], codes)
    found[codes] = np.abs(prices)  # of equal codes the last one stays
    return found * np.array([float(instrument.multiplier) for instrument in log.universe.instruments])
