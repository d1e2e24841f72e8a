"""What a frame says of its own units: ticks and lots of instruments, and a quantum of money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError
from riskkit.replay.columns import FACTS, Kind
from riskkit.replay.door.frame import Frame
from riskkit.replay.door.labels import label_text
from riskkit.replay.universe import Account, Instrument, common_unit, exact

__all__ = ["choose_quanta", "infer_instruments"]

MOST_DECIMALS = 9
MONEY = {FACTS[kind].money: kind for kind in Kind if FACTS[kind].money}


def infer_instruments(frame: pd.DataFrame) -> list[Instrument]:
    """Propose an instrument for each label in a frame: the fewest decimals that hold its prices and quantities.

    Parameters
    ----------
    frame : DataFrame
        Events as `EventLog.from_frame` takes them.

    Returns
    -------
    list of Instrument
        In order of first appearance, with ticks and lots that are powers of ten, at most 1. Look at them: a
        sample shows what occurred, not what the exchange allows.

    Raises
    ------
    InputError
        Where a number needs more than nine decimals.

    Examples
    --------
    >>> frame = pd.DataFrame({"ts": [1], "kind": ["price"], "instrument": ["ES"], "price": [4500.25]})
    >>> infer_instruments(frame)[0].tick
    Fraction(1, 100)
    """
    source = Frame(frame)
    if not source.has("instrument"):
        return []
    codes, labels = pd.factorize(source.column("instrument"))
    what = "declare its instrument instead"
    ticks = _most_decimals(source, ("price", "bid", "ask", "reserve"), codes, len(labels), what)
    lots = _most_decimals(source, ("qty",), codes, len(labels), what)
    return [
        Instrument(label_text(label), Fraction(1, 10 ** int(tick)), Fraction(1, 10 ** int(lot)))
        for label, tick, lot in zip(labels, ticks, lots, strict=True)
    ]


def choose_quanta(
    frame: Frame, instruments: Sequence[Instrument], accounts: Iterable[Account], given: Mapping[str, Any] | None
) -> dict[str, Fraction]:
    """One quantum for all currencies: as declared, else the largest decimal one in which nothing needs rounding."""
    accounts = list(accounts)
    named = [i.currency for i in instruments] + [c for account in accounts for c in account.cash]
    if frame.has("currency"):
        named += [label_text(currency) for currency in frame.column("currency").dropna().unique()]
    currencies = list(dict.fromkeys(named)) or ["USD"]
    if given is not None:
        quanta = {str(c): exact(q, f"quanta[{c!r}]") for c, q in given.items()}
        absent = [c for c in currencies if c not in quanta]
        if absent:
            raise InputError(f"quanta has no entry for {absent[0]!r}; give one for each of {', '.join(currencies)}")
        low = [c for c, q in quanta.items() if q <= 0]
        if low:
            raise InputError(f"quanta[{low[0]!r}]={given[low[0]]!r} is not above zero")
        if len(set(quanta.values())) > 1:
            raise InputError(f"quanta differ ({dict(given)!r}); limits in money need one quantum for all currencies")
        return quanta
    amounts = [i.price_step * i.qty_step * i.multiplier for i in instruments]
    amounts += [exact(v, f"account {a.id!r}: cash") for a in accounts for v in a.cash.values()]
    for name, kind in MONEY.items():
        codes = np.where(frame.rows_of(kind), 0, -1)
        digits = _most_decimals(frame, (name,), codes, 1, "give quanta, or round it")
        amounts.append(Fraction(1, 10 ** int(digits[0])))
    return dict.fromkeys(currencies, common_unit(amounts))


def _most_decimals(source: Frame, names: Iterable[str], codes: np.ndarray, count: int, instead: str) -> np.ndarray:
    """The most decimals that a number of each code (-1: none) needs in the named columns."""
    needed = np.zeros(count, np.int64)
    for name in names:
        if not source.has(name):
            continue
        series = source.column(name)
        at = np.flatnonzero((codes >= 0) & ~source.missing(name))
        if pd.api.types.is_any_real_numeric_dtype(series.dtype):
            numbers = series.iloc[at].to_numpy(float)
        else:
            numbers, at = _numbers(series.iloc[at], at)
        for digits in range(1, MOST_DECIMALS + 2):
            with np.errstate(invalid="ignore"):
                scaled = numbers * 10.0 ** (digits - 1)
                off = np.abs(scaled - np.rint(scaled)) > 1e-9 + np.abs(scaled) * 1e-15
            numbers, at = numbers[off], at[off]
            if not len(at):
                break
            if digits > MOST_DECIMALS:
                source.refuse_row(int(at[0]), name, f"needs more than {MOST_DECIMALS} decimals; {instead}")
            needed[codes[at]] = np.maximum(needed[codes[at]], digits)
    return needed


def _numbers(series: pd.Series, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texts and Decimals as floats; what is no number is left for the conversion to refuse."""
    keys, values = pd.factorize(series.astype(object), use_na_sentinel=False)
    table = np.full(len(values), np.nan)
    for place, value in enumerate(values):
        try:
            table[place] = float(exact(value, "number"))
        except InputError:
            continue
    numbers = table[keys]
    known = np.isfinite(numbers)
    return numbers[known], at[known]
