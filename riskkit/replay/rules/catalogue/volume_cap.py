"""Volume cap per trading day: quantity, notional, or both.

Unit: quantity of the instruments, money (of orders at the price of `max_order_notional`). Source: daily volume limits of
brokers and futures exchanges by account, contract and product; the day turns at `roll_hour` local time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, notional, worth_of
from riskkit.replay.kernels.conversion import at_rate, lacks_rate, missing_rate
from riskkit.replay.kernels.integers import floor_divide
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.catalogue.message import own, price_of, rest
from riskkit.replay.rules.parameters import (
    Breach,
    Flag,
    Hour,
    Limit,
    MissingPrice,
    Money,
    Quantity,
    TimeZone,
    at_most,
    choice,
    day_text,
    if_unpriced,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, CapVerdict, unpriced_cap
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow
from riskkit.replay.schema.constants import LARGEST

ORDER = int(EventKind.ORDER)
MODIFY = int(EventKind.MODIFY)
FILL = int(EventKind.FILL)
SPLIT = int(EventKind.SPLIT)
TRADED = 0
QUANTITY, MONEY = 0, 1  # index of the limit in `observes`


class VolumeCap(NamedTuple):
    """At most `limit` of quantity and at most `notional` of money in a trading day.

    With REJECT a smaller order may still pass after a refusal.

    Parameters
    ----------
    measure
        traded: fills of either side; ordered: every order that this rule passed.
    working
        With measure traded, working orders count as well.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("volume_cap", VolumeCap(limit=1_000)))
    volume_cap: at most 1,000 in quantity traded, with working orders, in a trading day from 00:00 UTC, for each
    account. Orders and modifications that would breach it are rejected (severity WARN).
    """

    limit: Limit[Quantity] = None
    notional: Limit[Money] = None
    measure: choice("traded", "ordered") = "traded"
    working: Flag = True
    on_missing_price: MissingPrice = "reject"
    tz: TimeZone = "UTC"
    roll_hour: Hour = 0
    breach: Breach = "exceed"


def added_lots(params: Any, book: Book, event: EventRow) -> int:
    """Lots that this message adds: those of an order, or of a modify that raises the quantity."""
    if event.kind == ORDER:
        return event.qty
    increase = event.qty - book.order.qty
    if increase <= 0:
        return 0
    return rest(book, event) if params.measure == TRADED else increase


def value_of(book: Book, event: EventRow, lots: int) -> int:
    """Notional of lots at the message's price; MISSING if unknown."""
    price = price_of(book, event)
    return abs(notional(book.instrument, lots, price)) if price != MISSING else MISSING


def check(state: Record, params: Any, book: Book, event: EventRow) -> CapVerdict:
    """Compare the day's volume, this order included, with the limits."""
    return converted(state, params, book, event, None)


def converted(state: Record, params: Any, book: Book, event: EventRow, rate: Record) -> CapVerdict:
    """Compare the day's volume, this order included and its money converted, with the limits."""
    lots = added_lots(params, book, event)
    queued = params.working != 0 and params.measure == TRADED
    observed = state.quantity + lots * book.instrument.qty_unit
    if queued:
        observed += state.open_quantity - own(book, event) * book.instrument.qty_unit
    if lots == 0:
        return CapVerdict(PASS, observed, params.limit, QUANTITY, 0)
    if observed > params.limit:
        return CapVerdict(OBJECT, observed, params.limit, QUANTITY, 0)
    if params.notional < LARGEST:
        money = value_of(book, event, lots)
        if money == MISSING:
            return unpriced_cap(params.on_missing_price, observed, params.notional)
        if lacks_rate(rate):
            return unpriced_cap(params.on_missing_price, observed, missing_rate(rate))
        observed = state.money + money
        if queued:
            observed += state.open_money - (worth_of(book.order, book.instrument) if event.kind == MODIFY else 0)
        observed = at_rate(rate, observed)
        return CapVerdict(OBJECT if observed > params.notional else PASS, observed, params.notional, MONEY, 0)
    return CapVerdict(PASS, observed, params.limit, QUANTITY, 0)


def apply_pending(state: Record, params: Any, book: Book, event: EventRow, sign: int) -> None:
    """Add an order, or remove it."""
    lots = added_lots(params, book, event)
    state.quantity += sign * lots * book.instrument.qty_unit
    if params.notional < LARGEST:
        money = value_of(book, event, lots)
        if money != MISSING:
            state.money += sign * money


def update(state: Record, params: Any, book: Book, event: EventRow, passed: int) -> int:
    """Count fills, or the orders that this rule passed, regardless of other rules; in a split, count them in new units."""
    if event.kind == SPLIT:
        state.quantity = -floor_divide(-state.quantity * event.qty, event.price)
    elif event.kind == FILL:
        if params.measure == TRADED:
            state.quantity += event.qty * book.instrument.qty_unit
            if params.notional < LARGEST:
                state.money += abs(notional(book.instrument, event.qty, event.price))
    elif passed != 0 and params.measure != TRADED:
        apply_pending(state, params, book, event, 1)
    return 0


def amend(state: Record, params: Any, book: Book, event: EventRow, sign: int, today: int) -> None:
    """Undo or count a fill of the present day that the venue busts or corrects."""
    if today != 0 and params.measure == TRADED:
        state.quantity += sign * event.qty * book.instrument.qty_unit
        if params.notional < LARGEST:
            state.money += sign * abs(notional(book.instrument, event.qty, event.price))


def on_new_day(state: Record) -> None:
    """Restart at zero."""
    state.quantity = 0
    state.money = 0


def not_bounding(rule: Any) -> str:
    """Reason why the cap does not bound a day's volume; empty if it does."""
    return "" if rule.parameters.tz == "UTC" else f"the length of a day in {rule.parameters.tz} changes"


def sentence(params: VolumeCap) -> str:
    """The limit in words."""
    caps = []
    queued = "" if params.measure == "ordered" else f", {'with' if params.working else 'without'} working orders,"
    bound = at_most(params)
    if params.limit is not None:
        caps.append(f"{bound} {params.limit} in quantity")
    if params.notional is not None:
        caps.append(f"{bound} {params.notional} in money")
    unpriced = if_unpriced(params) if params.notional is not None else ""
    day = f"in a {day_text(params)}"
    return f"{' and '.join(caps)} {params.measure}{queued} {day}{unpriced}"


VOLUME_CAP = register(
    RuleType(
        name="volume_cap",
        parameters=VolumeCap,
        state=("quantity", "money"),
        check=check,
        converted=converted,
        adds_up=True,
        update=update,
        on_new_day=on_new_day,
        apply_pending=apply_pending,
        amend=amend,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.FILL, EventKind.SPLIT}),
        hold="session",
        requires=frozenset({"volume"}),
        observes=("limit", "notional"),
        standing=True,
        one_pass=True,
        bounds="orders",
        not_bounding=not_bounding,
        breached_by=frozenset(),
        adds_lots=lambda parameters: parameters.limit is not None,
        one_of=("limit", "notional"),
        sentence=sentence,
    )
)
