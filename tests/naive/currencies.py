"""Exchange rates and conversion, in fractions: at the last rates, against the trader."""

from __future__ import annotations

import math
from fractions import Fraction


class Missing(Exception):
    """No price is known of an order that needs one, or no exchange rate of its money."""


class Rates:
    """The last bid and ask of each pair of currencies; amounts are rounded to the `quantum`, if there is one."""

    def __init__(self, quantum):
        self.quantum = None if quantum is None else Fraction(quantum)
        self.quotes = {}  # (first, second) -> bid, ask, time

    def take(self, event):
        pair = event["pair"].replace("/", "")
        both = event.get("bid", event.get("price")), event.get("ask", event.get("price"))
        self.quotes[pair[:3], pair[3:]] = (*map(Fraction, both), event["ts"])

    def leg(self, source, target, oldest):
        """Bid and ask of one currency in another; None if no rate is known, or none so young."""
        for pair, inverse in (((source, target), False), ((target, source), True)):
            bid, ask, ts = self.quotes.get(pair, (None, None, None))
            if bid is not None and (oldest is None or ts >= oldest):
                return (1 / ask, 1 / bid) if inverse else (bid, ask)
        return None

    def sides(self, source, target, via, oldest):
        """Bid and ask of one currency in another: of the pair, of the inverse one, or of two through `via`."""
        if source == target:
            return Fraction(1), Fraction(1)
        both = self.leg(source, target, oldest)
        if both is None:
            first, second = self.leg(source, via, oldest), self.leg(via, target, oldest)
            if first is None or second is None:
                raise Missing
            both = first[0] * second[0], first[1] * second[1]
        return both

    def up(self, amount, source, target, via, oldest):
        """An amount that harms the trader as it grows: at the worse side, rounded up."""
        bid, ask = self.sides(source, target, via, oldest)
        worth = amount * (ask if amount >= 0 else bid)
        return worth if self.quantum is None else math.ceil(worth / self.quantum) * self.quantum
