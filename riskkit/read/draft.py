"""The events of a file while they are read, and how they become a `Reading`: in order, with derived orders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from riskkit._check import InputError
from riskkit._docs import counted
from riskkit.read.money import contradicts
from riskkit.read.reading import Reading, with_units
from riskkit.read.source import Source, TableRow
from riskkit.replay.ingest.columns import FRAME_COLUMNS
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.decimals import decimal_of

Event = dict[str, Any]
PRICES, QUANTITIES = ("price", "bid", "ask", "reserve"), ("qty",)
ADDED_FEE = "fee of a fill"
ROUNDED = Decimal("0.01")  # parts by which a multiplier that amounts tell may differ


class Draft:
    """Events in the order in which a reader finds them; events of one time keep this order.

    Parameters
    ----------
    form : str
        Name of the reader.
    files : iterable of Source
        The files.
    account : str
        Label of events without an account.
    multipliers : mapping of instrument to number, optional
        Money of one unit of quantity when the price moves by one.
    """

    def __init__(
        self, form: str, files: Iterable[Source], account: str = "", multipliers: Mapping[str, Any] | None = None
    ) -> None:
        self.form = form
        self._sources = tuple(files)
        self.files = tuple(source.name for source in self._sources)
        self.account = account
        self.multipliers = {
            name: decimal_of(value, f"multipliers[{name!r}]") for name, value in (multipliers or {}).items()
        }
        self.rows: list[Event] = []
        self.realised_pnl: dict[str, Decimal] | None = None
        self.facts: dict[str, Any] = {}
        self.unnamed = "USD"  # currency of instruments without one
        self._left_out: list[tuple[str, str, str]] = []
        self._derived: Counter[str] = Counter()
        self._assumed: dict[str, None] = {}
        self._instruments: dict[str, dict[str, Any]] = {}
        self._quoted: dict[str, str | None] = {}  # currency by label
        self._unsized: dict[str, None] = {}
        self._contradictions: dict[str, list[str]] = {}  # places by the name of the money
        self._fills: set[tuple[Any, ...]] = set()

    def event(self, row: TableRow, kind: str, ts: int, derived: str = "", **values: Any) -> Event:
        """Add an event of a row; values that are None are absent, and `derived` names what the file does not state."""
        event = {"kind": kind, "ts": ts, "at": (row.source.name, row.at), "derived": derived}
        event |= {name: value for name, value in values.items() if value is not None}
        if self.account and kind not in ("price", "clock", "fx"):
            event.setdefault("account", self.account)
        if abs(ts) >= LARGEST:
            row.refuse(f"{ts} nanoseconds since the epoch are not a time from 1824 to 2116")
        if kind in ("order", "fill", "correct") and values.get("qty", 1) <= 0:
            row.refuse(f"the quantity {values['qty']} of the {kind} is not above zero")
        if kind == "fill" and "trade_id" in event and self._again(row, event):
            return event
        if derived:
            self._derived[derived] += 1
        self.rows.append(event)
        return event

    def _again(self, row: TableRow, event: Event) -> bool:
        """True if a fill of this id and these contents was read before; files overlap."""
        names = ("account", "instrument", "side", "trade_id", "ts", "qty", "price")
        key = tuple(event.get(name) for name in names)
        if key in self._fills:
            self.leave_out(row, "fill of an id that was read before")
            return True
        self._fills.add(key)
        return False

    def leave_out(self, row: TableRow, reason: str) -> None:
        """Name a row that is no event of its own."""
        self._left_out.append((row.source.name, row.at, reason))

    def assume(self, *sentences: str) -> None:
        """Say what is not in the file and was decided."""
        self._assumed |= dict.fromkeys(sentences)

    def derive(self, what: str, count: int = 1) -> None:
        """Count what was added beside events."""
        self._derived[what] += count

    def instrument(self, label: str, **facts: Any) -> str:
        """Note the currency or the multiplier of an instrument; a multiplier of the arguments is the one."""
        known = self._instruments.setdefault(label, {})
        before, size = known.get("multiplier"), facts.get("multiplier")
        if label not in self.multipliers and before and size and abs(size / before - 1) > ROUNDED:
            raise InputError(
                f"{', '.join(self.files)}: {label!r} counts {before} in one row and {size} in another; give "
                f"multipliers={{{label!r}: ...}}"
            )
        known |= {name: value for name, value in facts.items() if value is not None}
        if label in self.multipliers:
            known["multiplier"] = self.multipliers[label]
        return label

    def quoted(self, label: str, currency: str | None) -> str:
        """The label of an instrument in a currency: that of another currency than the first has it behind its name."""
        first = self._quoted.setdefault(label, currency)
        if not currency or not first or first == currency:
            return label
        self.assume(f"{label} stands in {first} and in {currency}; in {currency} it is {f'{label} {currency}'!r}")
        return f"{label} {currency}"

    def need_multiplier(self, label: str) -> None:
        """Note that a contract's size is not in the file; without it among the arguments the file is refused."""
        if label not in self.multipliers:
            self._unsized[label] = None

    def multiplier(self, label: str) -> Decimal:
        """Money of one unit of quantity when the price moves by one."""
        return Decimal(self._instruments.get(label, {}).get("multiplier", 1))

    def realised(self, currency: str, amount: Decimal) -> None:
        """Add a realised profit that the file states."""
        self.realised_pnl = self.realised_pnl or {}
        if amount:
            add_to(self.realised_pnl, currency, amount)

    def check_money(
        self,
        row: TableRow,
        name: str,
        stated: Decimal,
        quantity: Decimal,
        price: Decimal,
        *,
        fee: Decimal | None = None,
    ) -> None:
        """Note a row whose money is not quantity times price; which of the three is wrong cannot be known."""
        if contradicts(stated, quantity, price, fee=fee):
            self._contradictions.setdefault(name, []).append(f"{row.source.name}, {row.at}")

    def check_multiplier(
        self, row: TableRow, name: str, label: str, stated: Decimal, quantity: Decimal, price: Decimal, size: Decimal
    ) -> None:
        """Refuse a row whose money tells another multiplier than `size`, unless the caller has given that of its instrument."""
        if label not in self.multipliers and contradicts(stated, quantity, price, size=size):
            told = f"{name}={row[name]!r} is not {quantity} times {price} times {size}"
            row.refuse(f"{told}; give multipliers={{{label!r}: ...}}")

    def finish(self) -> Reading:
        """The reading: events in order of time, each fill with an order, fees in the currency of their instrument."""
        import pandas as pd

        self._check_multipliers()
        for name, places in self._contradictions.items():
            where = f"{counted(len(places), 'row')}, the first at {places[0]}"
            self.assume(f"{name} is not quantity times price in {where}; quantity and price are taken")
        self.assume(*(f"{one.name}: numbers have a decimal comma" for one in self._sources if one.decimal == ","))
        self.assume(*(f"{one.name}: dates have the {one.first} first" for one in self._sources if one.first))
        self._left_out += [(one.name, at, reason) for one in self._sources for at, reason in one.no_rows]
        rows = self._with_orders(self._in_time())
        if not rows:
            self.assume("no event was found: the files hold no order, fill, price or flow of money")
        self._say_doubts([row for row in rows if row["kind"] == "fill"])
        self._say_excess(rows)
        fees, rows = self._fees(rows)
        used = [name for name in FRAME_COLUMNS if name in ("ts", "kind") or any(name in row for row in rows)]
        frame = pd.DataFrame(rows, columns=used)
        frame["ts"] = pd.to_datetime(frame["ts"].astype("int64"), unit="ns", utc=True)
        frame = frame.astype({name: object for name in frame if name != "ts"})
        frame = frame.where(frame.notna(), None)
        left_out = sorted(self._left_out, key=self._place)
        return Reading(
            self.form,
            self.files,
            frame,
            tuple(
                with_units(label, *numbers, self._instruments.get(label, {}))
                for label, numbers in _numbers(rows).items()
            ),
            tuple(row["at"] for row in rows),
            pd.DataFrame(left_out, columns=["file", "row", "reason"]),
            self._stated(rows),
            dict(self._derived),
            tuple(self._assumed),
            fees,
            _cash(rows),
            self.realised_pnl,
            self.facts,
        )

    def _say_doubts(self, fills: list[Event]) -> None:
        """Say what is right in some files and a slip in others: equal fills without an id, prices that are not above zero."""
        names = ("account", "instrument", "side", "ts", "qty", "price")
        known = Counter(tuple(fill.get(name) for name in names) for fill in fills if "trade_id" not in fill)
        if again := known.total() - len(known):
            self.assume(f"{again} fills are equal to another one and have no id; each is a fill of its own")
        if low := dict.fromkeys(fill["instrument"] for fill in fills if fill["price"] <= 0):
            self.assume(f"fills at prices that are not above zero stand as they are: {', '.join(low)}")

    def _say_excess(self, rows: list[Event]) -> None:
        """Say which orders of the files have fills beyond their quantity."""
        asked = {str(row["order_id"]): row["qty"] for row in rows if row["kind"] == "order" and "order_id" in row}
        done: dict[str, Decimal] = {}
        for row in rows:
            name = str(row.get("order_id"))
            if row["kind"] in ("modify", "bust", "correct"):
                asked.pop(name, None)
            elif row["kind"] == "fill" and name in asked:
                done[name] = done.get(name, Decimal(0)) + row["qty"]
        for name, quantity in done.items():
            if name in asked and quantity > asked[name]:
                self.assume(f"order {name} was filled by {quantity}, which is more than its {asked[name]}")

    def _place(self, left_out: tuple[str, str, str]) -> tuple[int, list[int]]:
        """Place of a row that is left out: its file, and its numbers (line, order)."""
        name, at, _ = left_out
        return self.files.index(name), [int(number) for number in re.findall(r"\d+", at)]

    def _check_multipliers(self) -> None:
        files = ", ".join(self.files)
        unsized = [label for label in self._unsized if "multiplier" not in self._instruments.get(label, {})]
        if unsized:
            given = ", ".join(f"{label!r}: ..." for label in unsized)
            raise InputError(f"{files}: the size of a contract is not in the file; give multipliers={{{given}}}")
        traded = {row.get("instrument") for row in self.rows}
        for label in self.multipliers:
            if label not in traded:
                raise InputError(f"multipliers: {label!r} is not an instrument of {files}")
            self.instrument(label)

    def _in_time(self) -> list[Event]:
        """Events by time; an order that is later than one of its events is taken at the time of that event."""
        first: dict[str, int] = {}
        for row in self.rows:
            if "order_id" in row and row["kind"] != "order":
                first[row["order_id"]] = min(row["ts"], first.get(row["order_id"], row["ts"]))
        moved = 0
        for row in self.rows:
            if row["kind"] == "order" and row["ts"] > first.get(row.get("order_id", ""), row["ts"]):
                row["ts"], row["early"] = first[row["order_id"]], True
                moved += 1
        if moved:
            self.assume(f"{moved} orders are taken at the time of their first event, which is before their own")
        return sorted(self.rows, key=lambda row: (row["ts"], "early" not in row))

    def _with_orders(self, rows: list[Event]) -> list[Event]:
        """Add an order before the first event of each order that is not in the file but has fills.

        A fill that is ``orderless`` stays so: its order is among those of the file, and the file does not say which.
        """
        known = {row["order_id"] for row in rows if row["kind"] == "order" and "order_id" in row}
        groups: dict[tuple[Any, ...], list[Event]] = {}
        for number, row in enumerate(rows):
            if row["kind"] == "fill" and row.get("order_id") not in known and "orderless" not in row:
                own = row.get("order_id", number)
                groups.setdefault((own, row["account"], row["instrument"], row["side"]), []).append(row)
        if not groups:
            return rows
        users = Counter(own for own, *_ in groups)
        named: dict[str, Event] = {}
        for row in rows:
            if "order_id" in row:
                named.setdefault(row["order_id"], row)
        heads: dict[int, Event] = {}
        for number, ((own, *_), fills) in enumerate(groups.items(), 1):
            label = own if isinstance(own, str) and users[own] == 1 else f"derived {number}"
            first = named.get(label, fills[0])
            for fill in fills:
                fill["order_id"] = label
            heads[id(first)] = {**_order_of(fills), "ts": first["ts"], "at": first["at"]}
        self._derived["order"] += len(groups)
        self.assume(
            "an order that is not in the file is derived from its fills: their quantity, at the worst of their prices"
        )
        return [event for row in rows for event in ((heads[id(row)], row) if id(row) in heads else (row,))]

    def _fees(self, rows: list[Event]) -> tuple[dict[str, Decimal], list[Event]]:
        """Sum the fees of standing fills; a fee in another currency than the instrument's is a cash event of its own.

        An event has one fee (`fee`, `fee_currency`) or several (`fees`, by currency).
        """
        currencies = {label: facts.get("currency") or self.unnamed for label, facts in self._instruments.items()}
        fees: dict[str, Decimal] = {}
        found: list[Event] = []
        paid: dict[Any, dict[str, Decimal]] = {}
        other = 0
        for number, row in enumerate(rows):
            found.append(row)
            if row["kind"] not in ("fill", "correct", "bust"):
                continue
            key = (row["account"], row["instrument"], row.get("trade_id", number))
            if row["kind"] != "fill" and ("fee" in row or row["kind"] == "bust"):
                for currency, amount in paid.get(key, {}).items():
                    add_to(fees, currency, -amount)
            home = currencies.get(row["instrument"], self.unnamed)
            parts = row.pop("fees", None) or {}
            if "fee" in row:
                parts = {row.pop("fee_currency", None) or home: row.pop("fee")}
            if parts:
                paid[key] = parts
            for currency, amount in parts.items():
                add_to(fees, currency, amount)
                if currency == home:
                    row["fee"] = amount
                    continue
                other += 1
                if amount:
                    found.append(
                        {"kind": "cash", "ts": row["ts"], "at": row["at"], "derived": ADDED_FEE, "account": row["account"],
                         "amount": -amount, "currency": currency, "flow": "fee"}
                    )  # fmt: skip
        if other:
            are = "are cash events" if other != 1 else "is a cash event"
            self.assume(f"{counted(other, 'fee')} in another currency than the instrument's {are} with flow 'fee'")
        return fees, found

    def _stated(self, rows: list[Event]) -> dict[str, int]:
        """Events of the files by kind, without busted fills."""
        counts = Counter(row["kind"] for row in rows if not row["derived"])
        counts["fill"] -= counts.pop("bust", 0)
        counts.pop("correct", 0)
        order = ("order", "modify", "cancel", "fill")
        return {kind: counts[kind] for kind in dict.fromkeys([*order, *counts]) if counts[kind]}


def _order_of(fills: list[Event]) -> Event:
    first = fills[0]
    names = ("account", "instrument", "side", "order_id", "strategy")
    prices = [fill["price"] for fill in fills]
    return {
        **{name: first[name] for name in names if name in first},
        "kind": "order",
        "derived": "order",
        "qty": sum((fill["qty"] for fill in fills), Decimal(0)),
        "price": max(prices) if first["side"] == "B" else min(prices),
    }


def _numbers(rows: list[Event]) -> dict[str, tuple[set[Decimal], set[Decimal]]]:
    """The prices and the quantities of each instrument."""
    found: dict[str, tuple[set[Decimal], set[Decimal]]] = {}
    for row in rows:
        if "instrument" in row:
            prices, quantities = found.setdefault(row["instrument"], (set(), set()))
            prices.update(Decimal(row[name]) for name in PRICES if name in row)
            quantities.update(Decimal(row[name]) for name in QUANTITIES if name in row)
    return found


def _cash(rows: list[Event]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for row in rows:
        if row["kind"] == "cash" and row["derived"] != ADDED_FEE:
            add_to(found, row.get("currency", "USD"), row["amount"])
    return found


def add_to(sums: dict[str, Decimal], key: str, amount: Decimal) -> dict[str, Decimal]:
    """Add an amount to the sum of a key."""
    sums[key] = sums.get(key, Decimal(0)) + amount
    return sums
