"""Traded volume per trading day: quantity, notional, or both.

Unit: quantity of the instruments, money. Source: daily volume limits by account, contract and product as brokers
and futures exchanges set them; the day turns at `roll_hour` local time.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.book import notional, order_price
from riskkit.replay.columns import MISSING, Kind
from riskkit.replay.rule import (
    NO_PRICE,
    OBJECT,
    PASS,
    Breach,
    Hour,
    MissingPrice,
    Money,
    Quantity,
    RuleType,
    Verdict,
    Zone,
    choice,
    register,
)

__all__ = ["VOLUME_CAP", "VolumeCap"]

ORDER = int(Kind.ORDER)
MODIFY = int(Kind.MODIFY)
FILL = int(Kind.FILL)
TRADED = 0
REJECT = 0
UNLIMITED = 2**62


class VolumeCap(NamedTuple):
    """At most `limit` of quantity and at most `notional` of money in a trading day.

    ``measure`` traded counts fills of either side; ordered counts every order that this rule let through. Nothing
    latches under REJECT: a smaller order may still fit.
    """

    limit: Quantity = None
    notional: Money = None
    measure: choice("traded", "ordered") = "traded"
    on_missing_price: MissingPrice = "reject"
    tz: Zone = "UTC"
    roll_hour: Hour = 0
    breach: Breach = "exceed"


def asked(book, event):
    """Lots that this message adds: what still works of an order, or by how much a modify raises it."""
    if event.kind == ORDER:
        return event.qty
    return max(event.qty - book.order.qty, 0)


def check(state, params, book, event):
    """Add the order to what the day has used."""
    lots = asked(book, event)
    seen = state.quantity + lots * book.instrument.unit
    if seen > params.limit and lots > 0:
        return Verdict(OBJECT, seen, params.limit)
    if params.notional < UNLIMITED and lots > 0:
        price = order_price(book.instrument, event.side, event.price)
        if price == MISSING:
            return Verdict(NO_PRICE if params.on_missing_price == REJECT else PASS, seen, params.notional)
        money = state.money + abs(notional(book.instrument, lots, price))
        return Verdict(OBJECT if money > params.notional else PASS, money, params.notional)
    return Verdict(PASS, seen, params.limit)


def record(state, params, book, event, accepted):
    """Count fills, or orders that stand."""
    if params.measure == TRADED:
        if event.kind == FILL:
            state.quantity += event.qty * book.instrument.unit
            if params.notional < UNLIMITED:
                state.money += abs(notional(book.instrument, event.qty, event.price))
    elif event.kind != FILL and accepted != 0:
        lots = asked(book, event)
        price = order_price(book.instrument, event.side, event.price)
        state.quantity += lots * book.instrument.unit
        if price != MISSING:
            state.money += abs(notional(book.instrument, lots, price))
    return 0


def turn(state):
    """Start the day at zero."""
    state.quantity = 0
    state.money = 0


def sentence(params: VolumeCap) -> str:
    """What it limits, in words."""
    caps = []
    most = "at most" if params.breach == "exceed" else "less than"
    if params.limit is not None:
        caps.append(f"{most} {params.limit} in quantity")
    if params.notional is not None:
        caps.append(f"at most {params.notional} in money")
    return f"{' and '.join(caps) or 'no cap'} {params.measure} in a trading day ({params.roll_hour:02d}:00 {params.tz})"


VOLUME_CAP = register(
    RuleType(
        name="volume_cap",
        parameters=VolumeCap,
        state=("quantity", "money"),
        check=check,
        record=record,
        turn=turn,
        judges=frozenset({Kind.ORDER, Kind.MODIFY}),
        watches=frozenset({Kind.ORDER, Kind.MODIFY, Kind.FILL}),
        scopes=(
            "account",
            "instrument",
            "account_instrument",
            "account_product",
            "product",
            "strategy",
            "session",
            "desk",
            "firm",
            "global",
        ),
        hold="session",
        sentence=sentence,
    )
)
