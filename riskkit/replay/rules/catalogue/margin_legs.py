"""Positions as a margin counts them, and the money that they require."""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.exposure import valuation_price
from riskkit.replay.kernels.records import Record

HELD, BEFORE, AFTER = range(3)  # positions as held; with working orders, before the order; and after it


class Requirement(NamedTuple):
    """Money that positions require: `quanta`, and `part` of one more."""

    quanta: int
    part: int


class Leg(NamedTuple):
    """A position as it counts: lots with its working buys filled, with its working sells filled, and its price."""

    high: int
    low: int
    price: int


def leg_of(position: Record, instrument: Record, stage: int, own: Record, ordered: Leg) -> Leg:
    """A position as it counts; `own` is that of the order, and `ordered` what it is after it."""
    if stage == AFTER and position.instrument == own.instrument and position.code == own.code:
        return ordered
    price = valuation_price(instrument)
    if stage == HELD:
        return Leg(position.qty, position.qty, price)
    return Leg(position.qty + position.open_buy_qty, position.qty - position.open_sell_qty, price)
