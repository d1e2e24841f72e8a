"""The resting orders of a market's feed, through what executes, reduces, replaces and deletes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from riskkit.read.draft import Draft, Event
from riskkit.read.source import TableRow

BEFORE = "an order from before the file is derived at its first event, with the quantity that the file shows of it"


@dataclass(slots=True)
class Resting:
    """An order that rests: its event, its quantity in all and what is left of it."""

    event: Event
    label: str
    instrument: str
    side: str
    price: Decimal | None
    total: Decimal
    left: Decimal
    entered: bool  # in the file


class MarketByOrder:
    """Resting orders by their id, and their events as they are found.

    A reduction is a modify to the new quantity in all, that is with what was executed. What is taken beyond what is left
    of an order is refused, or with `hidden` a part that was not displayed.
    """

    def __init__(self, draft: Draft, hidden: bool = False) -> None:
        self.draft, self.hidden = draft, hidden
        self.orders: dict[Hashable, Resting] = {}
        self._labels: Counter[str] = Counter()

    def add(
        self,
        row: TableRow,
        ts: int,
        key: Hashable,
        instrument: str,
        side: str,
        quantity: Decimal,
        price: Decimal | None,
        derived: str = "",
    ) -> Resting:
        """An order enters."""
        name = str(key[-1] if isinstance(key, tuple) else key)
        self._labels[name] += 1
        label = name if self._labels[name] == 1 else f"{name} #{self._labels[name]}"
        event = self.draft.event(
            row, "order", ts, derived, instrument=instrument, side=side, qty=quantity, price=price, order_id=label,
            type=None if price is not None else "market",
        )  # fmt: skip
        order = Resting(event, label, instrument, side, price, quantity, quantity, not derived)
        self.orders[key] = order
        return order

    def find(
        self,
        row: TableRow,
        ts: int,
        key: Hashable,
        instrument: str,
        side: str,
        quantity: Decimal,
        price: Decimal | None,
    ) -> Resting:
        """The order of an id; one from before the file is derived, at least of the quantity that an event needs."""
        order = self.orders.get(key)
        if order is None:
            self.draft.assume(BEFORE)
            return self.add(row, ts, key, instrument, side, quantity, price, derived="order")
        if order.left < quantity:
            if order.entered and not self.hidden:
                row.refuse(f"takes {quantity} from an order of which {order.left} are left")
            missing = quantity - order.left
            order.event["qty"] += missing
            order.total += missing
            order.left += missing
        return order

    def fill(
        self, row: TableRow, ts: int, key: Hashable, order: Resting, quantity: Decimal, price: Any, trade_id: Any = None
    ) -> Event:
        """An order executes, in part or in whole."""
        event = self.draft.event(
            row, "fill", ts, instrument=order.instrument, side=order.side, qty=quantity, price=price, order_id=order.label,
            trade_id=trade_id,
        )  # fmt: skip
        self._take(key, order, quantity)
        return event

    def reduce(self, row: TableRow, ts: int, key: Hashable, order: Resting, by: Decimal) -> None:
        """A part of an order is deleted."""
        order.total -= by
        quantity = order.total or None
        self.draft.event(row, "modify", ts, instrument=order.instrument, qty=quantity, order_id=order.label)
        self._take(key, order, by)

    def change(self, row: TableRow, ts: int, order: Resting, left: Decimal, price: Decimal | None) -> None:
        """An order has another quantity left, or another price."""
        if left <= 0:
            row.refuse(f"leaves {left} of an order; what is above zero can rest")
        order.total += left - order.left
        order.left, order.price = left, price
        self.draft.event(
            row, "modify", ts, instrument=order.instrument, qty=order.total, price=price, order_id=order.label
        )

    def delete(
        self, row: TableRow, ts: int, key: Hashable, order: Resting, kind: str = "cancel", derived: str = ""
    ) -> None:
        """An order is gone."""
        self.draft.event(row, kind, ts, derived, instrument=order.instrument, order_id=order.label)
        del self.orders[key]

    def _take(self, key: Hashable, order: Resting, quantity: Decimal) -> None:
        order.left -= quantity
        if not order.left and order.entered:
            del self.orders[key]

    def resting(self) -> dict[str, Any]:
        """Number and quantity by side of the orders of the file that still rest."""
        left = [order for order in self.orders.values() if order.entered]
        buy, sell = (sum((order.left for order in left if order.side == side), Decimal(0)) for side in "BS")
        return {"orders": len(left), "buy": int(buy), "sell": int(sell)}
