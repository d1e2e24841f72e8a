"""Backtest orders of QuantConnect (LEAN)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from riskkit.read.draft import Draft
from riskkit.read.local_form import normal
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

NEEDED = ("Time", "Symbol", "Price", "Quantity", "Type", "Status", "Value")
MAY = ("Tag", "Order Fee")  # with any other column a table is one of no standard
FILLED, ENDED, REFUSED = ("Filled", "PartiallyFilled"), ("Canceled",), ("Invalid",)
OPEN = ("New", "Submitted", "UpdateSubmitted", "CancelPending", "None")
ROUNDED = Decimal("0.001")


def _recognises(source: Source) -> bool:
    known = {normal(name) for name in (*NEEDED, *MAY)}
    return source.has(NEEDED) and {normal(name) for name in source.heading()} <= known


@reader(_recognises)
def quantconnect(
    files: Files, *, account: str = "lean", multipliers: Mapping[str, Any] | None = None, currency: str = "USD"
) -> Reading:
    r"""Read the orders of a QuantConnect (LEAN) backtest, as its tab "Orders" saves them.

    A row is an order: its time (UTC), symbol, average price of its fills, signed quantity, type, status and value. An
    invalid order is rejected, a cancelled one lapses at its own time, for the file has no other.

    Parameters
    ----------
    files : path, open file, or sequence of them
        ``orders.csv``.
    multipliers : mapping of symbol to number, optional
        Money of one unit when the price moves by one; by default the value of a fill over its price and quantity.

    References
    ----------
    QuantConnect, "Backtest results", orders tab; LEAN, ``OrderStatus``.

    Examples
    --------
    >>> import io
    >>> text = "Time,Symbol,Price,Quantity,Type,Status,Value,Tag\n2024-03-07T14:31:00Z,ES H4,5100.25,2,Market,Filled,510025,\n"
    >>> reading = quantconnect(io.StringIO(text))
    >>> reading.instruments[0].multiplier
    Fraction(50, 1)
    """
    given = sources(files)
    draft = Draft("quantconnect", given, account, multipliers)
    clock = Clock("UTC")
    for place, source in enumerate(given, 1):
        for number, row in enumerate(source.table(NEEDED), 1):
            _order(
                draft,
                row,
                clock.ns(row["Time"], row.refuse),
                f"{place}-{number}" if len(given) > 1 else str(number),
                currency,
            )
    draft.assume(
        f"one account, {account!r}",
        f"prices are in {currency}",
        "times without a zone are UTC",
        "a fill is taken at the time of its order, at its average price, which stands for the limit of its order",
        "an order without a price (price 0) counts as one at the market; stop prices are not in the file",
    )
    return draft.finish()


def _order(draft: Draft, row: TableRow, ts: int, order_id: str, currency: str) -> None:
    quantity, price, status, form = row.number("Quantity"), row.number("Price"), row.text("Status"), row.text("Type")
    if status not in (*FILLED, *ENDED, *REFUSED, *OPEN):
        row.refuse(f"Status={status!r} is not a status of an order")
    symbol = draft.instrument(row.text("Symbol"), currency=currency)
    if not quantity:
        draft.leave_out(row, f"order of quantity 0, {status.lower()}")
        return
    common = {"instrument": symbol, "order_id": order_id}
    side, size = ("B" if quantity > 0 else "S"), abs(quantity)
    limit = price if price and "Limit" in form else None
    draft.event(row, "order", ts, side=side, qty=size, price=limit, type=None if limit else "market", **common)
    if status in FILLED:
        value = row.number("Value")
        if value * price * quantity < 0 or not value:
            row.refuse(f"Value={row['Value']!r} is not that of {quantity} at {price}")
        draft.instrument(symbol, multiplier=_nearest(value / (price * quantity)))
        if status == "PartiallyFilled":
            draft.assume("an order that is partly filled counts as filled; the file does not say how much of it was")
        draft.event(
            row,
            "fill",
            ts,
            side=side,
            qty=size,
            price=price,
            fee=row.number_or("Order Fee", None),
            fee_currency=currency,
            **common,
        )
    elif status in REFUSED:
        draft.event(row, "reject", ts, **common)
    elif status in ENDED:
        draft.event(row, "expire", ts, derived="cancel", **common)
        draft.assume("a cancelled order lapses at its own time; the file has no time of its cancel")


def _nearest(multiplier: Decimal) -> Decimal:
    """A multiplier without what the rounding of a value to cents has left."""
    return multiplier.to_integral_value() if abs(multiplier - round(multiplier)) < ROUNDED else round(multiplier, 6)
