"""What the columns ``qty`` and ``price`` of an event hold if they are no lots and ticks: columns of a frame, and words."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from riskkit.replay.schema.columns import IN_BILLIONTHS, RATE_UNIT, CreditStep, EventKind, MarketPhase, RowFlag
from riskkit.replay.schema.universe import Instrument, Universe, decimal_text

if TYPE_CHECKING:
    import pandas as pd

MONEY = (EventKind.CASH, EventKind.EQUITY, EventKind.TRADE)


def add_contents(frame: pd.DataFrame, columns: Mapping[str, np.ndarray], universe: Universe) -> None:
    """Give a frame of events amounts of dividends, rates of fundings, ratios of splits, multipliers and phases, in place of ``qty``."""
    for kind, name in IN_BILLIONTHS.items():
        if (paid := columns["kind"] == kind).any():
            frame[name] = np.where(paid, columns["qty"] / RATE_UNIT, np.nan)
            frame.loc[paid, "qty"] = np.nan
    if (split := columns["kind"] == EventKind.SPLIT).any():
        frame["ratio"] = None
        pairs = zip(columns["qty"][split].tolist(), columns["price"][split].tolist(), strict=True)
        frame.loc[split, "ratio"] = [f"{new}/{old}" for new, old in pairs]
        frame.loc[split, "qty"] = np.nan
    if (scaled := columns["kind"] == EventKind.MULTIPLIER).any():
        frame["multiplier"] = None
        fractions = zip(*(columns[name][scaled].tolist() for name in ("qty", "price", "instrument")), strict=True)
        frame.loc[scaled, "multiplier"] = [
            decimal_text(_multiplier(up, down, universe.instruments[code])) for up, down, code in fractions
        ]
        frame.loc[scaled, "qty"] = np.nan
    if (phased := columns["kind"] == EventKind.PHASE).any():
        frame["phase"] = None
        frame.loc[phased, "phase"] = [MarketPhase(code).name.lower() for code in columns["side"][phased].tolist()]
        frame.loc[phased, "qty"] = np.nan


def _multiplier(numerator: int, denominator: int, instrument: Instrument) -> Fraction:
    """The multiplier of an event."""
    found: Fraction = instrument.multiplier * Fraction(numerator, denominator)
    return found


def quantity_text(row: Mapping[str, int], instrument: Instrument) -> str:
    """The quantity of an event in units, or that an order is for all that is held."""
    if row.get("flags", 0) & RowFlag.CLOSE_POSITION:
        return "all that is held"
    return decimal_text(row["qty"] * instrument.qty_step)


def content_words(row: Mapping[str, int], universe: Universe) -> list[str]:
    """The amount of money, the rate, the ratio or the step of an event."""
    kind = EventKind(row["kind"])
    if kind in IN_BILLIONTHS:
        return [decimal_text(Fraction(row["qty"], RATE_UNIT))]
    if kind is EventKind.CREDIT:
        step = CreditStep(row["side"]).name.lower()
        return [step, decimal_text(row["qty"] * universe.quantum)] if row["qty"] else [step]
    if kind is EventKind.PHASE:
        return [MarketPhase(row["side"]).name.lower()]
    if kind is EventKind.MULTIPLIER:
        return [decimal_text(_multiplier(row["qty"], row["price"], universe.instruments[row["instrument"]]))]
    if kind is EventKind.SPLIT:
        return [f"{row['qty']}/{row['price']}"]
    return [decimal_text(row["qty"] * universe.quantum)] if kind in MONEY else []
