"""Infer units from a frame: ticks and lots of instruments, and a quantum of money."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.ingest.numbers import distinct_values
from riskkit.replay.schema.columns import FACTS, EventKind
from riskkit.replay.schema.universe import Account, Instrument, common_unit, exact

MAX_DECIMALS = 9


def infer_instruments(
    frame: pd.DataFrame, *, columns: Mapping[Any, str] | None = None, ignore: Collection[Any] = ()
) -> list[Instrument]:
    """Propose an instrument for each label in a frame: the fewest decimals that represent its prices and quantities.

    Parameters
    ----------
    frame : DataFrame
        Events as `EventLog.from_frame` takes them.
    columns, ignore
        As in `EventLog.from_frame`.

    Returns
    -------
    list of Instrument
        In order of first appearance, with ticks and lots that are powers of ten, at most 1. Check them: a sample shows
        the numbers that occurred, not those that the exchange allows.

    Raises
    ------
    InputError
        If a number needs more than nine decimals.

    Examples
    --------
    >>> frame = pd.DataFrame({"ts": [1], "kind": ["price"], "instrument": ["ES"], "price": [4500.25]})
    >>> infer_instruments(frame)[0].tick
    Fraction(1, 100)
    """
    return propose_instruments(Frame.read(frame, columns, ignore))


def propose_instruments(source: Frame) -> list[Instrument]:
    """`infer_instruments` of a frame that is read already."""
    if not source.has("instrument"):
        return []
    codes, labels = pd.factorize(source.column("instrument"))
    instead = "give rounding='nearest', or declare its tick and lot"
    ticks = _max_decimals(source, ("price", "bid", "ask", "reserve", "stop", "offset"), codes, len(labels), instead)
    lots = _max_decimals(source, ("qty",), codes, len(labels), instead)
    return [
        Instrument(label_text(label), Fraction(1, 10 ** int(tick)), Fraction(1, 10 ** int(lot)))
        for label, tick, lot in zip(labels, ticks, lots, strict=True)
    ]


def choose_quanta(
    frame: Frame,
    instruments: Sequence[Instrument],
    accounts: Iterable[Account],
    given: Mapping[str, Any] | None,
    rated: Iterable[str] = (),
) -> dict[str, Fraction]:
    """One quantum for all currencies: the declared one, else the largest power of ten that needs no rounding.

    ``rated`` are currencies that only exchange rates name; their quantum need not be declared.
    """
    accounts = list(accounts)
    named = [i.currency for i in instruments] + [c for account in accounts for c in account.cash]
    if frame.has("currency"):
        named += [label_text(currency) for currency in frame.column("currency").dropna().unique()]
    currencies = list(dict.fromkeys(named)) or ([] if rated else ["USD"])
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
        return {**dict.fromkeys(rated, next(iter(quanta.values()))), **quanta} if rated else quanta
    amounts = [i.price_step * i.qty_step * i.multiplier for i in instruments]
    amounts += [exact(v, f"account {a.id!r}: cash") for a in accounts for v in a.cash.values()]
    for row in np.flatnonzero(frame.rows_of(EventKind.MULTIPLIER)).tolist():
        label, size = (frame.column(name).iloc[row] for name in ("instrument", "multiplier"))
        amounts += [
            i.price_step * i.qty_step * exact(size, "multiplier") for i in instruments if i.id == label_text(label)
        ]
    for name in dict.fromkeys(facts.money for facts in FACTS.values() if facts.money):
        codes = np.where(frame.rows_of(*(kind for kind in EventKind if FACTS[kind].money == name)), 0, -1)
        digits = _max_decimals(frame, (name,), codes, 1, "give rounding='nearest'")
        amounts.append(Fraction(1, 10 ** int(digits[0])))
    for kind, name in ((EventKind.DIVIDEND, "amount"), (EventKind.FUNDING, "rate")):
        rows = frame.rows_of(kind)
        if rows.any():
            digits = _max_decimals(frame, (name,), np.where(rows, 0, -1), 1, "give rounding='nearest'")
            part = Fraction(1, 10 ** int(digits[0]))
            amounts += [
                i.qty_step * i.multiplier * part * (i.price_step if kind is EventKind.FUNDING else 1)
                for i in instruments
            ]
    return dict.fromkeys([*currencies, *rated], common_unit(amounts))


def _max_decimals(source: Frame, names: Iterable[str], codes: np.ndarray, count: int, instead: str) -> np.ndarray:
    """Decimals needed by the numbers of each code (-1: none) in the named columns."""
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
        for digits in range(1, MAX_DECIMALS + 2):
            with np.errstate(invalid="ignore"):
                scaled = numbers * 10.0 ** (digits - 1)
                off = np.abs(scaled - np.rint(scaled)) > 1e-9 + np.abs(scaled) * 1e-15
            numbers, at = numbers[off], at[off]
            if not len(at) or (source.nearest and digits > MAX_DECIMALS):
                break
            if digits > MAX_DECIMALS:
                source.refuse_row(int(at[0]), name, f"needs more than {MAX_DECIMALS} decimals; {instead}")
            needed[codes[at]] = np.maximum(needed[codes[at]], digits)
    return needed


def _numbers(series: pd.Series, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texts and Decimals as floats; the conversion refuses the others."""
    keys, values = distinct_values(series)
    table = np.full(len(values), np.nan)
    for index, value in enumerate(values):
        try:
            table[index] = float(exact(value, "number"))
        except (InputError, OverflowError):
            continue
    numbers = table[keys]
    known = np.isfinite(numbers)
    return numbers[known], at[known]
