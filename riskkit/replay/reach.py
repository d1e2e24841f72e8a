"""Nothing may leave 64 bits, live: what a session could reach at most, kept as its events come.

The door bounds a whole log before it is let in (`riskkit.replay.door.check_bounds`); a live session does not know what
will come, so each event is weighed before it is taken. `Reach` keeps one number that is above everything the door
bounds: every lot ever named, at the highest price ever seen, of all accounts together, and all money that was paid.
While that is small, an event costs a few additions; where it is not, the door is asked about the whole journal. It is
kept in floats, in an array that compiled code can reach (`riskkit.replay.quick`); the margin is far wider than they err.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from riskkit.replay.columns import FACTS, MISSING, Kind
from riskkit.replay.door.bounds import BALANCE, MAXIMUM
from riskkit.replay.universe import Universe, exact

__all__ = ["ENOUGH", "FIELDS", "Reach", "Weight", "adds"]

TRADED = tuple(int(kind) for kind in Kind if FACTS[kind].traded)
QUOTE = int(Kind.PRICE)
MONEY = tuple(int(kind) for kind in Kind if FACTS[kind].money and not FACTS[kind].traded)
PRICES = ("price", "bid", "ask", "reserve")
ENOUGH = 0.99 * BALANCE
FIELDS = ("lots", "highest", "worth", "unit", "most")  # of each instrument, behind the whole
LOTS, HIGHEST, WORTH, UNIT, MOST = range(len(FIELDS))


class Weight(NamedTuple):
    """What a reach would be with some events more: lots and highest prices by instrument, and the whole."""

    changed: dict[int, tuple[float, float]]
    whole: float
    fits: bool


def adds(event: Mapping[str, int]) -> tuple[int, int, int]:
    """What an event adds: lots, the highest of its prices, money."""
    kind = event["kind"]
    money = abs(event.get("fee", 0)) + (abs(event["qty"]) if kind in MONEY else 0)
    if kind not in TRADED and kind != QUOTE:
        return 0, 0, money
    highest = max((abs(event[name]) for name in PRICES if event.get(name, MISSING) != MISSING), default=0)
    return (event["qty"] if kind != QUOTE else 0), highest, money


class Reach:
    """The bound on everything that a session could reach.

    ``words`` holds the whole in front, then `FIELDS` of each instrument.

    Examples
    --------
    >>> from riskkit.replay.universe import Account, Instrument
    >>> reach = Reach(Universe((Instrument("X"),), (Account("A"),), {"USD": Instrument("X").tick}))
    >>> order = {"kind": 0, "account": 0, "instrument": 0, "qty": 5, "price": 1_000, "fee": 0}
    >>> reach.weigh([order]).whole, reach.weigh([{**order, "qty": 2**50}]).fits
    (5000.0, False)
    """

    def __init__(self, universe: Universe) -> None:
        self.words = np.zeros(1 + len(FIELDS) * len(universe.instruments))
        table = self.words[1:].reshape(-1, len(FIELDS))
        for code, instrument in enumerate(universe.instruments):
            ratio = universe.ratio(instrument)
            table[code, WORTH] = float(ratio)
            table[code, UNIT] = float(instrument.qty_step / universe.quantity_unit)
            table[code, MOST] = ENOUGH / BALANCE * MAXIMUM / (ratio.numerator * ratio.denominator)
        for account in universe.accounts:
            self.words[0] += sum(abs(float(exact(v, "cash") / universe.quantum)) for v in account.cash.values())
            for label in account.positions:
                table[universe.instrument_codes[label], LOTS] += abs(universe.opening_steps(account, label))
        self.words[0] += (table[:, LOTS] * table[:, UNIT]).sum()

    def weigh(self, events: Iterable[Mapping[str, int]]) -> Weight:
        """What this reach would be after some events; nothing changes until `take`."""
        changed: dict[int, tuple[float, float]] = {}
        whole, fits = float(self.words[0]), True
        for event in events:
            lots, highest, money = adds(event)
            whole += money
            code = event["instrument"]
            if code < 0 or not (lots or highest):
                continue
            place = 1 + len(FIELDS) * code
            before = self.words[place : place + len(FIELDS)].tolist()
            had, top = changed.get(code, (before[LOTS], before[HIGHEST]))
            changed[code] = had + lots, max(top, highest)
            fits = fits and highest <= before[MOST]
            whole += (had + lots) * max(max(top, highest) * before[WORTH], before[UNIT])
            whole -= had * max(top * before[WORTH], before[UNIT])
        return Weight(changed, whole, fits and whole < ENOUGH)

    def take(self, weight: Weight) -> None:
        """Keep what was weighed."""
        self.words[0] = weight.whole
        for code, (lots, highest) in weight.changed.items():
            place = 1 + len(FIELDS) * code
            self.words[place + LOTS], self.words[place + HIGHEST] = lots, highest
