"""Traded volume per trading day: quantity, notional, or both.

Unit: quantity of the instruments, money. Source: daily volume limits by account, contract and product as brokers
and futures exchanges set them; the day turns at `roll_hour` local time.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.book import notional
from riskkit.replay.rules.catalogue.message import price_of, rest
from riskkit.replay.rules.parameters import Breach, Hour, Limit, MissingPrice, Money, Quantity, Zone, choice
from riskkit.replay.rules.rule import OBJECT, PASS, CapVerdict, RuleType, register, unpriced_cap
from riskkit.replay.schema.columns import MISSING, EventKind
from riskkit.replay.schema.constants import LARGEST

ORDER = int(EventKind.ORDER)
FILL = int(EventKind.FILL)
TRADED = 0
QUANTITY, MONEY = 0, 1  # which limit speaks


class VolumeCap(NamedTuple):
    """At most `limit` of quantity and at most `notional` of money in a trading day.

    ``measure`` traded counts fills of either side; ordered counts every order that this rule let through. Nothing
    latches under REJECT: a smaller order may still fit.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("volume_cap", VolumeCap(limit=1_000)))
    volume_cap: at most 1,000 in quantity traded in a trading day (00:00 UTC), for each account; what breaches
    it is refused (WARN).
    """

    limit: Limit[Quantity] = None
    notional: Limit[Money] = None
    measure: choice("traded", "ordered") = "traded"
    on_missing_price: MissingPrice = "reject"
    tz: Zone = "UTC"
    roll_hour: Hour = 0
    breach: Breach = "exceed"


def asked(params, book, event):
    """Lots that this message adds: those of an order, or what a modify that raises its order brings with it."""
    if event.kind == ORDER:
        return event.qty
    more = event.qty - book.order.qty
    if more <= 0:
        return 0
    return rest(book, event) if params.measure == TRADED else more


def worth(book, event, lots):
    """Money of lots at the message's price, MISSING where nobody knows one."""
    price = price_of(book, event)
    return abs(notional(book.instrument, lots, price)) if price != MISSING else MISSING


def check(state, params, book, event):
    """Add the order to what the day has used."""
    lots = asked(params, book, event)
    seen = state.quantity + lots * book.instrument.qty_unit
    if lots == 0:
        return CapVerdict(PASS, seen, params.limit, QUANTITY, 0)
    if seen > params.limit:
        return CapVerdict(OBJECT, seen, params.limit, QUANTITY, 0)
    if params.notional < LARGEST:
        money = worth(book, event, lots)
        if money == MISSING:
            return unpriced_cap(params.on_missing_price, seen, params.notional)
        seen = state.money + money
        return CapVerdict(OBJECT if seen > params.notional else PASS, seen, params.notional, MONEY, 0)
    return CapVerdict(PASS, seen, params.limit, QUANTITY, 0)


def apply_pending(state, params, book, event, sign):
    """Count an order, or take it back."""
    lots = asked(params, book, event)
    state.quantity += sign * lots * book.instrument.qty_unit
    if params.notional < LARGEST:
        money = worth(book, event, lots)
        if money != MISSING:
            state.money += sign * money


def update(state, params, book, event, passed):
    """Count fills, or the orders that this rule let through, whatever others said."""
    if event.kind == FILL:
        if params.measure == TRADED:
            state.quantity += event.qty * book.instrument.qty_unit
            if params.notional < LARGEST:
                state.money += abs(notional(book.instrument, event.qty, event.price))
    elif passed != 0 and params.measure != TRADED:
        apply_pending(state, params, book, event, 1)
    return 0


def on_new_day(state):
    """Start the day at zero."""
    state.quantity = 0
    state.money = 0


def not_bounding(rule) -> str:
    """Why the cap does not bound the volume of a day."""
    return "" if rule.parameters.tz == "UTC" else f"the length of a day in {rule.parameters.tz} changes"


def sentence(params: VolumeCap) -> str:
    """What it limits, in words."""
    caps = []
    most = "at most" if params.breach == "exceed" else "less than"
    if params.limit is not None:
        caps.append(f"{most} {params.limit} in quantity")
    if params.notional is not None:
        caps.append(f"{most} {params.notional} in money")
    return f"{' and '.join(caps) or 'no cap'} {params.measure} in a trading day ({params.roll_hour:02d}:00 {params.tz})"


VOLUME_CAP = register(
    RuleType(
        name="volume_cap",
        parameters=VolumeCap,
        state=("quantity", "money"),
        check=check,
        update=update,
        on_new_day=on_new_day,
        apply_pending=apply_pending,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.FILL}),
        hold="session",
        observes=("limit", "notional"),
        standing=True,
        one_pass=True,
        bounds="orders",
        not_bounding=not_bounding,
        sentence=sentence,
    )
)
