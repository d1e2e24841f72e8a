"""Exposure at marks, working orders counted: kept for each position, its account and the groups of accounts.

A position is worth the most, long or short, if its working orders of one side are filled and those of the other side
are not. `high` is its value with all working buys filled, `low` with all working sells; the larger of both without sign
is its contribution to the gross exposure. The `listed` fields are the same with the earlier orders of a list in
decision only, for rules that do not count working orders.
"""

from __future__ import annotations

from riskkit._jit import apart
from riskkit.replay.kernels.book import notional
from riskkit.replay.kernels.records import Record
from riskkit.replay.schema.columns import MISSING


def valuation_price(instrument: Record) -> int:
    """The mark; before the first one the highest price of an order so far, without sign; MISSING if there is none."""
    if instrument.mark != MISSING:
        return instrument.mark
    return max(instrument.estimate, instrument.listed_estimate)


def value_at(instrument: Record, qty: int, price: int) -> int:
    """Quanta of `qty` lots at `price` ticks; 0 if no price is known."""
    return 0 if price == MISSING else notional(instrument, qty, price)


@apart
def expose(position: Record, account: Record, instrument: Record) -> None:
    """Bring a position's exposure, and its share of its account's or group's, up to date."""
    price = valuation_price(instrument)
    high = value_at(instrument, position.qty + position.open_buy_qty, price)
    low = value_at(instrument, position.qty - position.open_sell_qty, price)
    account.high += high - position.high
    account.low += low - position.low
    account.worst += max(abs(high), abs(low)) - max(abs(position.high), abs(position.low))
    position.high = high
    position.low = low
    high = value_at(instrument, position.qty + position.listed_buy_qty, price)
    low = value_at(instrument, position.qty - position.listed_sell_qty, price)
    account.listed_high += high - position.listed_high
    account.listed_low += low - position.listed_low
    account.listed_worst += max(abs(high), abs(low)) - max(abs(position.listed_high), abs(position.listed_low))
    position.listed_high = high
    position.listed_low = low


def raises_estimate(instrument: Record, price: int) -> bool:
    """True if an order's price is above the price at which lots without a mark are valued so far."""
    return instrument.mark == MISSING and price != MISSING and abs(price) > instrument.estimate


def list_estimate(instrument: Record, price: int, sign: int) -> None:
    """Value lots without a mark at no less than the price of an order of a list (`sign` 1), or undo that (-1)."""
    if sign < 0:
        instrument.listed_estimate = MISSING
    elif price != MISSING:
        instrument.listed_estimate = max(instrument.listed_estimate, abs(price))
