"""Ticks and lots of a vectorbt portfolio: those that are given, the fewest decimals that hold its numbers, or chosen ones.

vectorbt counts in floats: all of one's cash buys 0.14925373134328357, which no exchange has as a lot. Such sizes and prices
are counted in a power of ten that keeps eight digits of the largest one. If 64 bits cannot hold the money of a portfolio
so, all its steps keep no more than eight digits, then seven, then six.
"""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit.replay.ingest.infer import infer_instruments
from riskkit.replay.schema.universe import Instrument, decimal_text, exact

if TYPE_CHECKING:
    import pandas as pd

MOST_DIGITS = 12  # decimals beyond them are the noise of a float
KEPT_DIGITS = 8  # of the largest number of a column whose decimals no step holds
FEWER_DIGITS = (None, 8, 7, 6)  # at most, of every step that is not given: the first that 64 bits hold


class Steps(NamedTuple):
    """Instruments of a portfolio's columns, the steps to which a column is rounded, and what was chosen, in words."""

    instruments: list[Instrument]
    ticks: dict[str, Fraction]
    lots: dict[str, Fraction]
    about: dict[str, str]


def choose_steps(frame: pd.DataFrame, labels: list[str], tick: Any, lot: Any, digits: int | None) -> Steps:
    """Ticks and lots of the columns with events; a column is rounded to steps that are given or chosen."""
    columns = {"price": tick, "qty": lot}
    steps = {name: _steps(frame, labels, name, given, digits) for name, given in columns.items()}
    (ticks, rounded_ticks), (lots, rounded_lots) = steps["price"], steps["qty"]
    known = set(frame["instrument"]) if tick is None or lot is None else set(labels)
    instruments = [Instrument(label, ticks[label], lots[label]) for label in labels if label in known]
    chosen = [
        f"{what} {', '.join(sorted({decimal_text(step) for step in found.values()}))}"
        for what, found, given in (("tick", rounded_ticks, tick), ("lot", rounded_lots, lot))
        if found and given is None
    ]
    about = {"units": f"chosen, and prices and positions rounded to them: {'; '.join(chosen)}"} if chosen else {}
    return Steps(instruments, rounded_ticks, rounded_lots, about)


def fewest_decimals(frame: pd.DataFrame, name: str) -> dict[str, Fraction]:
    """Step of each label with events that holds its numbers in a column ("price" or "qty").

    Raises
    ------
    InputError
        If a number needs more than nine decimals.
    """
    found = infer_instruments(frame[["ts", "kind", "instrument", name]])
    return {one.id: one.tick if name == "price" else one.lot for one in found}


def _steps(
    frame: pd.DataFrame, labels: list[str], name: str, given: Any, digits: int | None
) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
    """The step of each column, and of those to be rounded."""
    if given is not None:
        step = exact(given, "tick" if name == "price" else "lot")
        return dict.fromkeys(labels, step), dict.fromkeys(labels, step)
    try:
        fitting = fewest_decimals(frame, name)
    except InputError:
        fitting = {}
        for _, events in frame.groupby("instrument", sort=False):
            with suppress(InputError):
                fitting |= fewest_decimals(events, name)
    largest = frame[name].abs().groupby(frame["instrument"], sort=False).max()
    found: dict[str, Fraction] = {}
    chosen: dict[str, Fraction] = {}
    for label, number in zip(map(str, largest.index), largest.tolist(), strict=True):
        leading = int(np.floor(np.log10(number))) if number > 0 else 0
        finest = Fraction(10) ** (leading - (digits or MOST_DIGITS))
        if label in fitting and fitting[label] >= finest:
            found[label] = fitting[label]
        else:
            found[label] = chosen[label] = Fraction(10) ** (leading - (digits or KEPT_DIGITS))
    return found, chosen
