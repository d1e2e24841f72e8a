"""Overflow bound of a live session: an upper limit on every amount that it could reach, updated event by event.

`riskkit.replay.ingest.bounds.check_bounds` checks a complete log; a live session does not know its future events, so each event
is checked before it is taken. `Reach` has one number above everything that the check bounds: all lots of all accounts
at the highest price so far, plus all money paid. While it is small an event costs a few additions; once it is not, the
complete journal is checked. The bound is kept in floats, in an array that compiled code reads too
(`riskkit.replay.live.compiled_step`); its margin is far wider than their rounding errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from riskkit.replay.ingest.bounds import BALANCE, MAXIMUM
from riskkit.replay.schema.columns import FACTS, MISSING, RATE_UNIT, SETTLES, EventKind
from riskkit.replay.schema.universe import Universe, exact

TRADED = tuple(int(kind) for kind in EventKind if FACTS[kind].traded)
QUOTE, FUNDING, ROLL = int(EventKind.PRICE), int(EventKind.FUNDING), int(EventKind.ROLL)
PAID = (int(EventKind.DIVIDEND), *map(int, SETTLES))  # on every lot, in ticks
SPLIT, MULTIPLIER = int(EventKind.SPLIT), int(EventKind.MULTIPLIER)
BY_EVENT = (*PAID, FUNDING, SPLIT, MULTIPLIER)
HELD = (*BY_EVENT, int(EventKind.SNAPSHOT), int(EventKind.ADJUST))
MONEY = tuple(int(kind) for kind in EventKind if FACTS[kind].money and not FACTS[kind].traded)
PRICES = ("price", "bid", "ask", "reserve", "stop")
ENOUGH = 0.99 * BALANCE
BY_LOTS = 1 << 62  # the money of what is `HELD`, which depends on the lots so far: no compiled step takes it
# per instrument, after the total: lots so far, highest price in ticks, quanta of one lot at one tick, size of a lot in the
# quantity unit, highest price that cannot overflow
FIELDS = ("lots", "highest", "worth", "unit", "max_price")
LOTS, HIGHEST, WORTH, UNIT, MAX_PRICE = range(len(FIELDS))


class Weight(NamedTuple):
    """The bound after some further events: lots and highest prices by instrument, the total, whether it is small."""

    changed: dict[int, tuple[float, float]]
    total: float
    fits: bool
    worth: dict[int, float]  # quanta of one lot at one tick, of instruments with another multiplier


def adds(event: Mapping[str, int]) -> tuple[int, int, int]:
    """Lots, highest price and money of an event."""
    kind = event["kind"]
    if kind in BY_EVENT:
        return 0, 0, BY_LOTS
    money = BY_LOTS if kind in HELD else abs(event.get("fee", 0)) + (abs(event["qty"]) if kind in MONEY else 0)
    if kind not in TRADED and kind != QUOTE:
        return 0, 0, money
    highest = max((abs(event[name]) for name in PRICES if event.get(name, MISSING) != MISSING), default=0)
    return (event.get("held", event["qty"]) if kind != QUOTE else 0), highest, money


class Reach:
    """Upper bound on the amounts of a session.

    ``words`` holds the total, then `FIELDS` of each instrument.

    Examples
    --------
    >>> from riskkit.replay.schema.universe import Account, Instrument
    >>> reach = Reach(Universe((Instrument("X"),), (Account("A"),), {"USD": Instrument("X").tick}))
    >>> order = {"kind": 0, "account": 0, "instrument": 0, "qty": 5, "price": 1_000, "fee": 0}
    >>> reach.weigh([order]).total, reach.weigh([{**order, "qty": 2**50}]).fits
    (5000.0, False)
    """

    def __init__(self, universe: Universe) -> None:
        self.words = np.zeros(1)
        self._known = 0  # instruments
        self._slippage: list[int] = []  # ticks
        self._declared: list[Fraction] = []  # quanta of one lot at one tick
        self.cover(universe)
        table = self.words[1:].reshape(-1, len(FIELDS))
        for account in universe.accounts:
            self.words[0] += sum(abs(float(exact(v, "cash") / universe.quantum)) for v in account.cash.values())
            for label in account.positions:
                table[universe.instrument_codes[label], LOTS] += abs(universe.opening_steps(account, label))
        self.words[0] += (table[:, LOTS] * table[:, UNIT]).sum()

    def cover(self, universe: Universe) -> bool:
        """Add the instruments that the universe has gained; return whether the words moved."""
        known = len(universe.instruments)
        moved = len(self.words) < 1 + len(FIELDS) * known
        if moved:
            more = len(FIELDS) * max(known, 2 * self._known) + 1 - len(self.words)
            self.words = np.concatenate([self.words, np.zeros(more)])
        table = self.words[1:].reshape(-1, len(FIELDS))
        for code in range(self._known, known):
            instrument = universe.instruments[code]
            ratio = universe.ratio(instrument)
            table[code, WORTH] = float(ratio)
            self._declared.append(ratio)
            self._slippage.append(int(instrument.stop_slippage / instrument.price_step))
            table[code, UNIT] = float(instrument.qty_step / universe.quantity_unit)
            table[code, MAX_PRICE] = ENOUGH / BALANCE * MAXIMUM / (ratio.numerator * ratio.denominator)
        self._known = known
        return moved

    def twin(self) -> Reach:
        """The same bound, by itself."""
        other = copy(self)
        other.words = self.words.copy()
        return other

    @staticmethod
    def of(instrument: int) -> slice:
        """The words of an instrument."""
        start = 1 + len(FIELDS) * instrument
        return slice(start, start + len(FIELDS))

    def weigh(self, events: Iterable[Mapping[str, int]]) -> Weight:
        """The bound after some events; it changes at `take`."""
        changed: dict[int, tuple[float, float]] = {}
        total, fits = float(self.words[0]), True
        worth: dict[int, float] = {}
        rolled: dict[int, float] = {}  # quantity of the roll of a row, until its first row of the other instrument
        for event in events:
            lots, highest, money = adds(event)
            code = event["instrument"]
            if event["kind"] == MULTIPLIER:
                more, small = self._multiplied(event, changed, worth)
                total, fits = total + more, fits and small
                continue
            if event["kind"] in BY_EVENT:
                total += self._paid(event, rolled, changed, worth) if code >= 0 else 0
                continue
            total += money if money != BY_LOTS else 0
            if code < 0 or not (lots or highest):
                continue
            if event.get("stop", MISSING) != MISSING:
                highest += self._slippage[code]
            before = self._before(code, worth)
            had, top = changed.get(code, (before[LOTS], before[HIGHEST]))
            changed[code] = had + lots, max(top, highest)
            fits = fits and highest <= before[MAX_PRICE]
            total += (had + lots) * max(max(top, highest) * before[WORTH], before[UNIT])
            total -= had * max(top * before[WORTH], before[UNIT])
        return Weight(changed, total, fits and total < ENOUGH, worth)

    def _before(self, code: int, worth: Mapping[int, float]) -> list[float]:
        """The words of an instrument, with the largest worth of a lot so far."""
        found: list[float] = self.words[self.of(code)].tolist()
        found[WORTH] = worth.get(code, found[WORTH])
        return found

    def _multiplied(
        self, event: Mapping[str, int], changed: Mapping[int, tuple[float, float]], worth: dict[int, float]
    ) -> tuple[float, bool]:
        """Money that another multiplier may move, and whether a lot at the highest price still fits; a smaller one lowers no bound."""
        before = self._before(event["instrument"], worth)
        lots, highest = changed.get(event["instrument"], (before[LOTS], before[HIGHEST]))
        ratio = self._declared[event["instrument"]] * Fraction(event["qty"], event["price"])
        worth[event["instrument"]] = max(before[WORTH], float(ratio))
        fits = highest * ratio.numerator * ratio.denominator < ENOUGH / BALANCE * MAXIMUM
        return 2 * lots * highest * worth[event["instrument"]], fits

    def _paid(
        self,
        event: Mapping[str, int],
        rolled: dict[int, float],
        changed: dict[int, tuple[float, float]],
        worth: Mapping[int, float],
    ) -> float:
        """Money that an event moves on every lot of its instrument; a roll adds the lots of another one first."""
        code = event["instrument"]
        before = self._before(code, worth)
        lots, highest = changed.get(code, (before[LOTS], before[HIGHEST]))
        if event["kind"] == SPLIT:
            times = max(Fraction(event["qty"], event["price"]), Fraction(event["price"], event["qty"]))
            changed[code] = lots * float(times), highest * float(times)
            return lots * highest * before[WORTH] * float(times) ** 2
        if event["kind"] == FUNDING:
            return lots * highest * before[WORTH] * abs(event["qty"]) / RATE_UNIT
        price, more = abs(event["price"]), 0.0
        if event["kind"] == ROLL:
            more = rolled.pop(event["batch"], 0.0) / before[UNIT]
            rolled |= {event["batch"]: lots * before[UNIT]} if event["account"] < 0 and not more else {}
        changed[code] = lots + more, max(highest, price)
        return (lots + more) * max(highest, price) * before[WORTH] + more * before[UNIT]

    def take(self, weight: Weight) -> None:
        """Store the bound that `weigh` returned."""
        self.words[0] = weight.total
        for code, most in weight.worth.items():
            self.words[1 + len(FIELDS) * code + WORTH] = most
        for code, (lots, highest) in weight.changed.items():
            start = 1 + len(FIELDS) * code
            self.words[start + LOTS], self.words[start + HIGHEST] = lots, highest
