"""Units of a frame that is rounded: ticks, lots and a unit of money that hold its numbers in 64 bits, best first.

Fine units need many digits: 67,000.12345678 times 0.12345678 is 8,271 in units of 1e-16, which 64 bits cannot hold. So money is
counted in another unit first, and ticks and lots become coarser only if that is not enough.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskkit.replay.ingest.bounds import MAXIMUM, TOTAL
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.infer import MAX_DECIMALS, choose_quanta
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.universe import Account, Instrument, exact

KEPT_DIGITS = 1  # a step is at most a tenth of the smallest number counted in it
FINE = Fraction(1, 1_000_000)  # unit of money: a finer one leaves little range in 64 bits


class Units(NamedTuple):
    """Instruments, and the unit of money by currency."""

    instruments: list[Instrument]
    quanta: Mapping[str, Any]


class Sizes(NamedTuple):
    """Smallest and largest prices and smallest quantities by instrument (NaN: none), and the money of all rows."""

    price: np.ndarray
    highest: np.ndarray
    quantity: np.ndarray
    turnover: float


def sizes(frame: Frame, code: np.ndarray, instruments: Sequence[Instrument]) -> Sizes:
    """The sizes of a frame's numbers, in floats."""
    count = len(instruments)
    prices = [_column(frame, name) for name in ("price", "bid", "ask", "reserve", "stop", "offset")]
    quantity = _column(frame, "qty")
    stacked, codes = np.concatenate(prices), np.tile(code, len(prices))
    smallest, highest = _extremes(stacked, codes, count)
    least, _ = _extremes(quantity, code, count)
    worth = np.array([float(instrument.multiplier) for instrument in instruments] + [0.0])[code]
    turnover = float(np.nansum(np.where(frame.rows_of(EventKind.PRICE), 0.0, quantity * np.abs(prices[0]) * worth)))
    return Sizes(smallest, highest, least, turnover)


def _column(frame: Frame, name: str) -> np.ndarray:
    if not frame.has(name):
        return np.full(frame.size, np.nan)
    return pd.to_numeric(frame.column(name), errors="coerce").to_numpy(float, na_value=np.nan)


def _extremes(values: np.ndarray, code: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest absolute value above zero by code, NaN without one."""
    values = np.abs(values)
    known = np.isfinite(values) & (values > 0) & (code >= 0)
    low, high = np.full(count, np.nan), np.full(count, np.nan)
    np.fmin.at(low, code[known], values[known])
    np.fmax.at(high, code[known], values[known])
    return low, high


def units_that_may_fit(
    frame: Frame,
    code: np.ndarray,
    instruments: Sequence[Instrument],
    accounts: Iterable[Account],
    quanta: Mapping[str, Any] | None,
    keep_steps: bool,
) -> Iterator[Units]:
    """Units to try, best first; with `keep_steps` the ticks and lots stay, and with `quanta` the unit of money."""
    accounts, found = list(accounts), sizes(frame, code, instruments)
    tried: list[Instrument] | None = None
    for decimals in (MAX_DECIMALS,) if keep_steps else range(MAX_DECIMALS + 3, -1, -1):
        steps = list(instruments) if keep_steps else _coarser(instruments, found, decimals)
        if steps == tried:
            continue
        tried = steps
        finest = choose_quanta(frame, steps, accounts, quanta)
        for unit in (
            [next(iter(finest.values()))]
            if quanta is not None
            else _units_of_money(next(iter(finest.values())), accounts)
        ):
            if _may_fit(steps, found, unit):
                yield Units(steps, dict.fromkeys(finest, unit))


def _coarser(instruments: Sequence[Instrument], found: Sizes, decimals: int) -> list[Instrument]:
    """Instruments whose ticks and lots have at most so many decimals, but hold the smallest numbers."""
    return [
        replace(
            instrument,
            tick=_step(instrument.tick, price, decimals),
            lot=_step(instrument.lot, quantity, decimals),
            price_step=None,
            qty_step=None,
        )
        for instrument, price, quantity in zip(instruments, found.price.tolist(), found.quantity.tolist(), strict=True)
    ]


def _step(step: Fraction, smallest: float, decimals: int) -> Fraction:
    """The step times a power of ten: the first that is no multiple of a finer one than 10**-decimals."""
    digits = decimals if math.isnan(smallest) else max(decimals, KEPT_DIGITS - math.floor(math.log10(smallest)))
    while step < Fraction(10) ** -digits:
        step *= 10
    return step


def _units_of_money(finest: Fraction, accounts: Iterable[Account]) -> Iterator[Fraction]:
    """A millionth or what needs no rounding, then finer units, then coarser ones that divide every opening balance."""
    cash = [exact(amount, "cash") for account in accounts for amount in account.cash.values()]
    powers = [Fraction(10) ** -digits for digits in range(2 * MAX_DECIMALS + 1)]
    fitting = [unit for unit in powers if unit > finest and all((amount / unit).denominator == 1 for amount in cash)]
    yield from (unit for unit in fitting if unit <= FINE)
    yield finest
    yield from reversed([unit for unit in fitting if unit > FINE])


def _may_fit(instruments: Sequence[Instrument], found: Sizes, unit: Fraction) -> bool:
    """False if the turnover, or a price times the ratio of its units, cannot fit; the conversion checks the rest."""
    if found.turnover / float(unit) >= TOTAL:
        return False
    for instrument, highest in zip(instruments, found.highest.tolist(), strict=True):
        ratio = instrument.tick * instrument.lot * instrument.multiplier / unit
        if (
            not math.isnan(highest)
            and highest / float(instrument.tick) * ratio.numerator * ratio.denominator >= MAXIMUM
        ):
            return False
    return True
